"""Training on pairs that nobody labelled: data, the loop, its log, and self-training beyond the paper."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
