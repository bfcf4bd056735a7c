"""What is made of the teaching notes: the lecturer's pages, slides, and questions for Moodle."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
