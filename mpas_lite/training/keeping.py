"""Learning from one's own clip without forgetting whom motion cannot show: people who stand in it from end to end.

Labels from motion call them background, and a network that has seen other crowds unlearns them by that. So where it is
sure of people and the label says background, the pixel is no lesson: it is left out of the loss.
"""

from __future__ import annotations

import copy

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from mpas_lite.network.general import GENERAL
from mpas_lite.network.inference import segment
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.pairs import PairDataset
from mpas_lite.video.arrays import Mask
from mpas_lite.video.images import read_image
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


def knows_people(net: MPASNet) -> bool:
    """Whether a net has learned from pairs before: from the general network, or by a training of its own."""
    return net.provenance.get("encoder_weights") == GENERAL or bool(net.provenance.get("steps"))


def keep_people(
    teacher: MPASNet, pairs: PairDataset, sure: float = 0.8, device: str | torch.device = "auto"
) -> PairDataset:
    """The same pairs, in which people whom the teacher sees and motion does not are not valid.

    Parameters
    ----------
    teacher : MPASNet
        Knows people from elsewhere. It comes back to the device and the mode that it was in.
    pairs : PairDataset
    sure : float
        See :func:`unmoved_people`.
    device : str or torch.device
        Where the teacher works.

    Returns
    -------
    PairDataset
        Of the same files; what is left out is kept in memory, a bit a pixel.
    """
    kept, home, training = copy.copy(pairs), teacher.mean.device, teacher.training
    kept.left_out = {}
    for frame, mask in pairs.paths:
        ((_, probability),) = segment(
            teacher, read_image(frame)[None], probability=True, device=device, long_side=pairs.long_side
        )
        kept.left_out[frame] = np.packbits(unmoved_people(probability, read_mask(mask) > 127, sure), axis=1)
    teacher.to(home).train(training)
    return kept
