"""How high people are in the picture, near and far: a clip's own silhouettes tell.

No calibration and no detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mpas_lite.video.arrays import Mask


@dataclass(frozen=True)
class PersonSize:
    """How high a standing person is in the picture: ``slope * y + intercept`` px, with y the row of the feet.

    Attributes
    ----------
    slope : float
    intercept : float
    reason : str or None
        Why the height could not be measured, and is the same everywhere; None where it was measured.
    """

    slope: float
    intercept: float
    reason: str | None = None

    def height(self, y: np.ndarray) -> np.ndarray:
        """Height in px at rows ``y``; never below 6 px."""
        return np.maximum(self.slope * np.asarray(y, np.float64) + self.intercept, 6.0)


def person_size(foregrounds: Sequence[Mask]) -> PersonSize:
    """Height of people against the row of their feet, from regions as slender as a person.

    A region 1.5 to 4.5 times as high as wide, fairly full and inside the picture is taken for a person. A line is
    put through their heights by the median of all slopes (Theil-Sen); regions less than two thirds as high as
    the line are parts of people and are dropped before it is put again.

    Parameters
    ----------
    foregrounds : sequence of (H, W) bool
    """
    height, width = foregrounds[0].shape
    constant = height / 8
    boxes = []
    for foreground in foregrounds:
        closed = cv2.morphologyEx(foreground.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
        x, y, w, h, area = cv2.connectedComponentsWithStats(closed)[2][1:].T
        inside = (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
        slender = (h > 1.5 * w) & (h < 4.5 * w) & (area > 0.4 * w * h) & (h >= max(8, height / 40))
        boxes.append(np.c_[y + h, h][inside & slender])
    foot, tall = np.concatenate(boxes).T.astype(np.float64)
    if len(foot) < 12:
        return PersonSize(0.0, constant, f"only {len(foot)} regions look like a person standing alone")
    slope, intercept = 0.0, float(np.median(tall))
    for _ in range(3):
        whole = tall > 0.67 * (slope * foot + intercept)
        pick = np.flatnonzero(whole)[:: max(1, whole.sum() // 200)]
        if len(pick) < 6:
            return PersonSize(0.0, constant, "the regions that look like a person differ too much in height")
        slope, intercept = 0.0, float(np.median(tall[pick]))
        if np.ptp(foot[pick]) > height / 8:
            slope = _median_slope(foot[pick], tall[pick])
            intercept = float(np.median(tall[pick] - slope * foot[pick]))
        if slope < 0:  # people nearer to the camera are lower in the picture, and larger
            slope, intercept = 0.0, float(np.median(tall[pick]))
    off = np.median(np.abs(slope * foot[pick] + intercept - tall[pick]) / tall[pick])
    if off > 0.35:
        return PersonSize(0.0, constant, "the regions that look like a person differ too much in height")
    return PersonSize(slope, intercept)


def _median_slope(x: np.ndarray, y: np.ndarray) -> float:
    """Median slope of the lines through all pairs of points (Theil 1950)."""
    i, j = np.triu_indices(len(x), 1)
    apart = np.abs(x[i] - x[j]) > 4  # px: heights are whole numbers, nearer pairs tell nothing
    return float(np.median((y[i] - y[j])[apart] / (x[i] - x[j])[apart])) if apart.any() else 0.0


def local_height(person: PersonSize, shape: tuple[int, int]) -> np.ndarray:
    """Height in px of the person whose middle is in a row, (H, 1) float32."""
    y = np.arange(shape[0])
    return person.height(y + person.height(y) / 2).astype(np.float32)[:, None]
