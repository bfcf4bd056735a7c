"""The network of Fig. 2: encoder, siamese branch, fusion and head; its losses, its files, and masks out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
