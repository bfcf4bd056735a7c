"""Crowd segmentation in video without a single label: MPASNET, taught and run.

The method (J. Yang and H. Yang, "MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd
Segmentation in Video Scenes", ICIP 2021, arXiv 2101.08609), in the order of the data::

    video        frames in: files, folders of images, arrays
    motion       particles: what moves, and how fast (KLT)
    crowd        who moves with whom: graph, collectiveness, merging (Eq. 1-5)
    labels       circles around crowds: the pseudo-labels; beyond the paper, their refinement
    network      the siamese network of Fig. 2, its losses (Eq. 6 and 7), and masks out
    training     pairs in, a trained network out
    evaluation   masks against ground truth

Around it are ``scenes`` (synthetic crowds with exact truth), ``datasets`` (public ones), ``plots``, the ``course``, the
``experiments`` (the main job, the paper's tables) and the ``cli``; beneath it ``options``
(settings declared once), ``files`` (what is written, safely) and ``runtime`` (devices, processes).

Names are imported when they are first touched: ``import mpas_lite`` loads neither torch nor OpenCV.
What is public is listed in ``__init__.pyi``, here and in each folder.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
