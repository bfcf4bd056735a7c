"""Circular region merging (CRM): from points that move together to a region.

Each kept particle grows to a disc; the union of the discs is the pseudo-label (section 2.2 of the paper).
"""

from __future__ import annotations

import cv2
import numpy as np

from mpas_lite.video.arrays import Mask, Points


def circular_region_merging(position: Points, radius: float, shape: tuple[int, int]) -> Mask:
    """Union of discs around particles.

    Parameters
    ----------
    position : (N, 2) float
        x and y in px. Particles outside the image count for the part of their disc that lies inside.
    radius : float
        In px, or where it is below 1, as a fraction of the frame's height (0.03 is 7.2 px in 240 rows).
        The paper takes 20 px on frames of 480x360 to 720x576.
    shape : (int, int)
        Height and width of the mask in px.

    Returns
    -------
    (H, W) bool
        True at every pixel whose centre is no farther than ``radius`` from the particle's pixel.

    Raises
    ------
    ValueError
        If the radius is negative or not a number, or positions are not (N, 2).

    Examples
    --------
    >>> mask = circular_region_merging(np.array([[2.0, 2.0]]), 1, (5, 6))
    >>> print(mask.astype(int))
    [[0 0 0 0 0 0]
     [0 0 1 0 0 0]
     [0 1 1 1 0 0]
     [0 0 1 0 0 0]
     [0 0 0 0 0 0]]
    """
    position = np.asarray(position, dtype=np.float64)
    if position.ndim != 2 or position.shape[1] != 2:
        raise ValueError(f"Positions are (N, 2): x and y of each particle; these are {position.shape}.")
    r = radius_in_pixels(radius, shape)
    height, width = shape
    pixel = np.rint(position[np.isfinite(position).all(axis=1)])
    beyond = np.maximum(-pixel, pixel - (width - 1, height - 1)).max(axis=1, initial=0)  # px outside the image
    pixel, beyond = pixel[beyond <= r], beyond[beyond <= r]  # the others do not reach in
    far = beyond > 4 * max(shape)  # room for these in one picture could take any amount of memory
    mask = np.zeros(shape, bool)
    y, x = np.ogrid[:height, :width]
    for px, py in pixel[far]:
        mask |= (x - px) ** 2 + (y - py) ** 2 <= r**2
    if far.all():
        return mask
    margin = int(beyond[~far].max())
    seeds = np.ones((height + 2 * margin, width + 2 * margin), np.uint8)
    column, row = pixel[~far].astype(np.int64).T + margin
    seeds[row, column] = 0
    # The union of discs is where the nearest seed is no farther than r: one pass, however many the discs.
    distance = cv2.distanceTransform(seeds, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = distance[margin : margin + height, margin : margin + width]
    return mask | (np.rint(distance.astype(np.float64) ** 2) <= r**2)


def radius_in_pixels(radius: float, shape: tuple[int, int]) -> float:
    """A radius in px: as it is from 1 up, below 1 as a fraction of the frame's height.

    Examples
    --------
    >>> radius_in_pixels(20, (576, 768)), radius_in_pixels(0.03, (576, 768))
    (20.0, 17.28)
    """
    if not np.isfinite(radius) or radius <= 0:
        raise ValueError(f"The radius is {radius}; it must be above 0: in px, or below 1 as a fraction of the height.")
    return float(radius) if radius >= 1 else float(radius * shape[0])
