"""Crowd segmentation in video without a single label: MPASNET, taught and run.

The method (J. Yang and H. Yang, "MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd
Segmentation in Video Scenes", ICIP 2021, arXiv 2101.08609), one file a step, in the order of the data::

    video -> tracking -> graph -> collectiveness -> crm -> pseudolabel
          -> datasets -> network -> losses -> training -> inference -> evaluation

Names are imported when they are first touched: ``import mpas_lite`` loads neither torch nor OpenCV.
What is public is listed in ``__init__.pyi``.
"""

import sys
from types import ModuleType

import lazy_loader


class _Package(ModuleType):
    """Where a file and a function share a name, it is the function's: importing the file does not hide it."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "collectiveness" and isinstance(value, ModuleType):
            value = value.collectiveness
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
