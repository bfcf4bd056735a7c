"""The six places of the synthetic scenes, a file each: camera, light, ground, things about, and who walks where."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
