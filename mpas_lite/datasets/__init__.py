"""Public data sets as they come, without moving a file, and videos that are free to download."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
