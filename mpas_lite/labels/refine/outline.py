"""The outline of a label: how far it reaches from particles, which gaps are closed, where it is in doubt."""

from __future__ import annotations

import cv2
import numpy as np

from mpas_lite.video.arrays import Mask, Points


def distance_to(position: Points, shape: tuple[int, int]) -> np.ndarray:
    """Distance of every pixel to the nearest particle in px, (H, W) float32; infinite where there is none.

    Examples
    --------
    >>> distance_to(np.array([[1.0, 0.0]]), (1, 4))
    array([[1., 0., 1., 2.]], dtype=float32)
    """
    seeds = np.ones(shape, np.uint8)
    pixel = np.rint(position).astype(np.int64)
    inside = np.all((pixel >= 0) & (pixel < shape[::-1]), axis=1)
    if not inside.any():
        return np.full(shape, np.inf, np.float32)
    seeds[pixel[inside, 1], pixel[inside, 0]] = 0
    distance: np.ndarray = cv2.distanceTransform(seeds, cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance


def wide_regions(mask: Mask, position: Points, tall: np.ndarray) -> Mask:
    """Regions of a mask that are deeper than a person is, and on which four particles lie, (H, W) bool.

    Who is closer to the camera than others is larger than they, and on a plain coat there is nothing to follow: no
    circle reaches all of him. A region counts that leads half a height of a person inside from its outline.

    Parameters
    ----------
    mask : (H, W) bool
    position : (N, 2) float
        Of the particles in groups, px.
    tall : (H, 1) float
        Height of a person in px in each row, see :func:`local_height`.

    Examples
    --------
    >>> mask = np.ones((9, 9), bool)
    >>> mask[:, 4] = False  # two regions, from whose outlines 4 px lead inside
    >>> corners = np.array([[0.0, 2.0], [0, 3], [0, 4], [0, 5]])
    >>> wide_regions(mask, corners, np.full((9, 1), 6.0))[0].astype(int)
    array([1, 1, 1, 1, 0, 0, 0, 0, 0])
    >>> wide_regions(mask, corners, np.full((9, 1), 9.0)).any()
    np.False_
    """
    solid = mask.astype(np.uint8)
    deep = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_5) > tall / 2
    if not deep.any():
        return deep
    count, part = cv2.connectedComponents(solid)
    pixel = np.rint(position).astype(np.int64)
    pixel = pixel[np.all((pixel >= 0) & (pixel < mask.shape[::-1]), axis=1)]
    wide = np.bincount(part[pixel[:, 1], pixel[:, 0]], minlength=count) >= 4
    wide &= np.bincount(part[deep], minlength=count) > 0
    wide[0] = False
    return wide[part]


def close_gaps(mask: Mask, tall: np.ndarray, closing: float) -> Mask:
    """Gaps narrower than ``closing`` heights of a person closed, specks and pinholes far smaller than one dropped.

    Parameters
    ----------
    mask : (H, W) bool
    tall : (H, 1) float
        Height of a person in px in each row, see :func:`local_height`.
    closing : float
    """
    reach = np.broadcast_to(closing * tall / 2, mask.shape)
    if mask.any() and not mask.all():
        grown = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) <= reach
        framed = np.pad(grown, 1, mode="edge").astype(np.uint8)
        if not grown.all():
            inner = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
            mask = mask | (inner > reach + 0.5)
        else:
            mask = grown
    speck = 0.02 * float(np.median(tall)) ** 2
    return _without_specks(~_without_specks(~mask, speck), speck)


def doubtful(mask: Mask, foreground: Mask, tall: np.ndarray) -> Mask:
    """Where a label is not to be trusted: along its border, and where something stands that was not labelled.

    Compression blurs outlines by a pixel or two; and what differs from the background outside the label is a
    person who did not move, or no person: the frame alone does not say which.
    """
    width = max(3, 2 * round(0.02 * float(np.median(tall))) + 1)
    kernel = np.ones((width, width), np.uint8)
    border = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
    return border | (foreground & ~mask)


def _without_specks(mask: Mask, area: float) -> Mask:
    _, part, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    large = boxes[:, cv2.CC_STAT_AREA] >= area
    large[0] = False
    return large[part]
