from .drawing import overlay as overlay
from .figures import PALETTE as PALETTE
from .figures import plot_graph as plot_graph
from .figures import plot_mask as plot_mask
from .figures import plot_particles as plot_particles
from .figures import plot_pipeline as plot_pipeline
from .figures import plot_scores as plot_scores
from .figures import plot_training as plot_training
