"""Who moves with whom, Eq. 1-5: the crowd graph, similarity over its paths, and collective merging."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
