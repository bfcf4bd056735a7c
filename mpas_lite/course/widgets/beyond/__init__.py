"""Labels beyond the paper: one place over time, and every step of the refinement on a control (notebook 07)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
