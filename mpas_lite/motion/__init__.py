"""What moves, and how fast: particles out of corners (KLT), out of others' tracklets, or simulated."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
