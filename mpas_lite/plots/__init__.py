"""Pictures of the method: figures on an Axes of yours, and masks drawn over frames, in one palette."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
