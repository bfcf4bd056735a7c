"""Labels without a labeller: circles around crowds that move (the paper's), and pairs on disk.

Beyond the paper, ``refine`` finds within the circles where a person ends and who stands still.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
