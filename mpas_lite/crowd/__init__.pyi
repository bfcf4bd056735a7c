from .graph import crowd_graph as crowd_graph
from .graph import nearest_neighbours as nearest_neighbours
from .merging import collective_merging as collective_merging
from .similarity import collectiveness as collectiveness
from .similarity import kappa as kappa
from .similarity import path_similarity as path_similarity
from .similarity import regularized_path_similarity as regularized_path_similarity
