"""The crowd of a frame as a region: its people, closed over gaps narrower than a person."""

from __future__ import annotations

import cv2
import numpy as np

PERSON_BREADTH = 0.5  # m: a gap narrower than this belongs to the crowd


def crowd_region(instance: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Close the people of a frame over gaps narrower than a person.

    How many pixels a person is wide depends on the distance. So people are taken together band by band of
    similar ``scale``, each band overlapping the next by half; in every band the gaps narrower than 0.5 m (the
    breadth of a person) at its middle scale are closed, with a disc of that diameter. The union over the
    bands is the region.

    Parameters
    ----------
    instance : (H, W) uint8
        0 = nobody, k = person k.
    scale : (N,) float
        px per metre at person k = 1 ... N.

    Returns
    -------
    (H, W) bool
        Contains every pixel with a person.
    """
    region = instance > 0
    seen = np.zeros(256, bool)
    seen[np.unique(instance)] = True
    seen[0] = False
    scale_of = np.zeros(256)
    scale_of[1 : len(scale) + 1] = scale
    if not seen.any():
        return region
    step = np.sqrt(1.5)
    middle = np.min(scale_of[seen])
    while middle <= np.max(scale_of[seen]) * step:
        radius = round(PERSON_BREADTH * middle / 2)
        if radius > 0:
            in_band = seen & (scale_of >= middle / step) & (scale_of <= middle * step)
            region |= _closed(cv2.LUT(instance, in_band.astype(np.uint8)), radius)
        middle *= step
    return region


def _closed(mask: np.ndarray, radius: int) -> np.ndarray:
    """A mask (H, W) uint8 closed with a disc, as if the picture went on beyond its edges; (H, W) bool."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    wide = np.pad(mask, 2 * radius)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc)
    return closed[2 * radius : -2 * radius, 2 * radius : -2 * radius] > 0
