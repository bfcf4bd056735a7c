"""From videos to results: the main job, its report, and the paper's tables made again."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
