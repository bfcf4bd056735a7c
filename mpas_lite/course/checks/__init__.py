"""Checks of the course's exercises: each calls an answer on cases that tell it from the usual wrong ones."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
