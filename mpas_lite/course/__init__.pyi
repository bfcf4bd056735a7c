from .checks import check as check
from .claims import claim as claim
from .notebooks import copy_notebooks as copy_notebooks
from .notebooks import notebook_paths as notebook_paths
from .own_video import Stop as Stop
from .own_video import in_a_sentence as in_a_sentence
from .own_video import short_video as short_video
