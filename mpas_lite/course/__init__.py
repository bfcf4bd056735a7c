"""The course: its notebooks, where they lie and copies of them, and the sliders in them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
