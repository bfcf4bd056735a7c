"""Are the masks right? Scores against ground truth, MOG2 to compare, and LabelMe to draw the truth."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
