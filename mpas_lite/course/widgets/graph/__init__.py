"""The crowd graph to play with: a small graph drawn, its series of walks (Eq. 3), and whom a particle reaches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
