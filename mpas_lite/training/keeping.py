"""Learning from one's own clip without forgetting whom motion cannot show: people who stand in it from end to end.

Labels from motion call them background, and a network that has seen other crowds unlearns them by that. So where it is
sure of people and the label says background, the pixel is no lesson: it is left out of the loss.
"""

from __future__ import annotations

import copy
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from mpas_lite.network.inference import segment
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.pairs import PairDataset, valid_path
from mpas_lite.video.arrays import Mask
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.masks import read_mask

RIM = 1 / 60  # of the height: so near a label its background counts, or people would grow by what the network blurs


def unmoved_people(probability: NDArray[np.floating], label: Mask, sure: float) -> Mask:
    """Where a network sees people whom the label has as background.

    Regions in which people are likelier than not, if the network is ``sure`` of a part of them; without what is near
    the people that the label has.

    Parameters
    ----------
    probability : NDArray
        (H, W) float: the network's, 0 to 1.
    label : Mask
        (H, W) bool: people, by motion.
    sure : float
        The probability that a part of the region must have.

    Returns
    -------
    Mask
        (H, W) bool.

    Examples
    --------
    >>> probability = np.array([[0.6, 0.9, 0.1, 0.6, 0.0, 0.9]])
    >>> unmoved_people(probability, np.array([[False, False, False, False, False, True]]), 0.8).astype(int)
    array([[1, 1, 0, 0, 0, 0]])
    """
    _, region = cv2.connectedComponents((probability > 0.5).astype(np.uint8))
    seen = np.unique(region[probability > sure])
    people = np.isin(region, seen[seen > 0])
    rim = round(label.shape[0] * RIM)
    near = cv2.dilate(label.astype(np.uint8), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)) > 0
    return people & ~near


def keep_people(
    teacher: MPASNet, pairs: PairDataset, out: str | Path, *, sure: float = 0.8, device: str | torch.device = "auto"
) -> PairDataset:
    """The same pairs, in which people whom the teacher sees and motion does not are no background.

    Parameters
    ----------
    teacher : MPASNet
        Knows people from elsewhere.
    pairs : PairDataset
    out : str or Path
        Gets ``<clip>/masks/`` and ``<clip>/valid/``; what is there of the same labels is kept.
    sure : float
        See :func:`unmoved_people`.
    device : str or torch.device
        Where the teacher works; it comes back to where it was.

    Returns
    -------
    PairDataset
        Of the same frames.
    """
    kept, home = copy.copy(pairs), teacher.mean.device
    kept.paths = []
    for frame_path, mask_path in pairs.paths:
        mask = Path(out) / mask_path.parents[1].name / "masks" / mask_path.name
        label = read_mask(mask_path) > 127
        if not (valid_path(mask).exists() and mask.exists() and np.array_equal(read_mask(mask) > 127, label)):
            ((_, probability),) = segment(teacher, read_image(frame_path)[None], probability=True, device=device)
            valid = ~unmoved_people(probability, label, sure)
            if valid_path(mask_path).exists():
                valid &= read_mask(valid_path(mask_path)) > 127
            write_image(mask, label)
            write_image(valid_path(mask), valid)
        kept.paths.append((frame_path, mask))
    teacher.to(home)
    return kept
