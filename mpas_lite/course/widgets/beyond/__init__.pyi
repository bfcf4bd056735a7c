from .fusion import fusion_explorer as fusion_explorer
from .place import GROUND as GROUND
from .place import place_explorer as place_explorer
from .place import place_samples as place_samples
from .refinement import refinement_explorer as refinement_explorer
