from .exercises import try_exercise as try_exercise
from .explorer import Explorer as Explorer
from .explorer import png as png
from .explorer import slider as slider
