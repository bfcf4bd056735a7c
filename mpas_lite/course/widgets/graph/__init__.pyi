from .reach import plot_reach as plot_reach
from .reach import reach_explorer as reach_explorer
from .reach import walk_similarity as walk_similarity
from .series import partial_sum_distance as partial_sum_distance
from .series import plot_series as plot_series
from .series import series_explorer as series_explorer
from .series import spectral_radius as spectral_radius
from .small_graph import plot_small_graph as plot_small_graph
