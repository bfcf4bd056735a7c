from .checks import check as check
from .claims import claim as claim
from .notebooks import copy_notebooks as copy_notebooks
from .notebooks import notebook_paths as notebook_paths
