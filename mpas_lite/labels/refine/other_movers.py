"""What moves together and is no crowd: vehicles, and what sways."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mpas_lite.labels.refine.person_size import PersonSize
from mpas_lite.video.arrays import Mask, Points


def swaying(moving: Sequence[tuple[Points, Points]], person: PersonSize, speed: float, shape: tuple[int, int]) -> Mask:
    """Places where something moves most of the time, more slowly than the crowd, to and fro: trees, flags, water.

    Over the whole clip the velocities at such a place cancel: their mean is less than a third of the mean speed.
    Where two streams of people meet they cancel too, but people are as fast as people.

    Parameters
    ----------
    moving : sequence of ((N, 2), (N, 2)) float
        Position and velocity of the particles of each kept frame.
    person : PersonSize
    speed : float
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


def vehicles(foreground: Mask, position: Points, velocity: Points, person: PersonSize, speed: float) -> Mask:
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


def not_crowd(
    foreground: Mask,
    position: Points,
    velocity: Points,
    person: PersonSize,
    speed: float,
    sways: Mask | None,
) -> Mask:
    """Vehicles, and the places that sway (where they are known), (H, W) bool; parameters as in :func:`vehicles`."""
    driving = vehicles(foreground, position, velocity, person, speed)
    return driving if sways is None else driving | sways
