"""Who is a person, by size and by motion: how high people are in the picture, what sways, what drives.

No calibration and no detector: a clip's own silhouettes and tracklets tell (see ``pipeline``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class PersonSize:
    """How high a standing person is in the picture: ``slope * y + intercept`` px, with y the row of the feet.

    ``reason`` says why the height could not be measured and is the same everywhere; None where it was measured.
    """

    slope: float
    intercept: float
    reason: str | None = None

    def height(self, y: np.ndarray) -> np.ndarray:
        """Height in px at rows ``y``; never below 6 px."""
        return np.maximum(self.slope * np.asarray(y, np.float64) + self.intercept, 6.0)


def person_size(foregrounds: Sequence[np.ndarray]) -> PersonSize:
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


def swaying(
    moving: Sequence[tuple[np.ndarray, np.ndarray]], person: PersonSize, speed: float, shape: tuple[int, int]
) -> np.ndarray:
    """Places where something moves most of the time, more slowly than the crowd, to and fro: trees, flags, water.

    Over the whole clip the velocities at such a place cancel: their mean is less than a third of the mean speed.
    Where two streams of people meet they cancel too, but people are as fast as people.

    Parameters
    ----------
    moving : sequence of ((N, 2), (N, 2)) float
        Position and velocity of the particles of each kept frame.
    person, speed
        As for :func:`vehicles`.
    shape : (int, int)

    Returns
    -------
    (H, W) bool
    """
    cell = max(4, shape[0] // 30)
    rows, columns = -(-shape[0] // cell), -(-shape[1] // cell)
    total, pace, visits = np.zeros((rows * columns, 2)), np.zeros(rows * columns), np.zeros(rows * columns)
    count, slow = np.zeros(rows * columns), np.zeros(rows * columns)
    for position, velocity in moving:
        x, y = np.clip(position // cell, 0, (columns - 1, rows - 1)).astype(int).T
        place, fast = y * columns + x, np.linalg.norm(velocity, axis=1)
        np.add.at(total, place, velocity)
        np.add.at(pace, place, fast)
        np.add.at(count, place, 1)
        np.add.at(slow, place, fast < 0.7 * speed * person.height(position[:, 1]))
        visits[np.unique(place)] += 1
    cancels = np.linalg.norm(total, axis=1) < pace / 3
    sways = cancels & (visits >= max(5, 0.4 * len(moving))) & (slow > 0.7 * count)
    small = sways.reshape(rows, columns).astype(np.uint8)
    large = cv2.resize(small, (columns * cell, rows * cell), interpolation=cv2.INTER_NEAREST)
    return large[: shape[0], : shape[1]] > 0


def vehicles(
    foreground: np.ndarray, position: np.ndarray, velocity: np.ndarray, person: PersonSize, speed: float
) -> np.ndarray:
    """Regions that are no people: as wide as high or more, of one piece, and much faster than the crowd.

    Nothing is known of a vehicle but this: no person is 0.8 of his height wide, a group of that width does not
    move of one piece at twice the crowd's usual speed, and speeds in heights of a person do not depend on the
    distance to the camera.

    Parameters
    ----------
    foreground : (H, W) bool
    position, velocity : (N, 2) float
        Of the particles in groups; px and px/frame.
    person : PersonSize
    speed : float
        The crowd's usual speed, heights of a person a frame.

    Returns
    -------
    (H, W) bool
    """
    none = np.zeros(foreground.shape, bool)
    fast = np.linalg.norm(velocity, axis=1) > 2 * speed * person.height(position[:, 1])
    if speed <= 0 or fast.sum() < 4:
        return none
    count, part, boxes, _ = cv2.connectedComponentsWithStats(foreground.astype(np.uint8))
    pixel = np.clip(np.rint(position).astype(int), 0, np.array(foreground.shape[::-1]) - 1)
    owner = part[pixel[:, 1], pixel[:, 0]]
    is_vehicle = np.zeros(count, bool)
    for k in range(1, count):
        _, top, wide, high, _ = boxes[k]
        tall = float(person.height(np.array(top + high)))
        mine = velocity[owner == k]
        if len(mine) < 4 or wide < max(0.8 * tall, high):
            continue
        common = np.median(mine, axis=0)
        pace = float(np.linalg.norm(common))
        apart = np.linalg.norm(mine - common, axis=1)
        is_vehicle[k] = pace > 2 * speed * tall and float(np.median(apart)) < 0.4 * pace
    if not is_vehicle.any():
        return none
    return cv2.dilate(is_vehicle[part].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
