"""Where and how the program computes: devices, processes of its own, and stopping between two steps."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
