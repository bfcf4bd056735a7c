"""Walks to look at: every walk from i to j listed (Eq. 2), and their damped sum closing in on Z (Eq. 3 and 4)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
