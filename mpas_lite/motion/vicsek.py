"""Self-driven particles: a crowd in a box, of which one knob sets how well it agrees.

The model of Vicsek et al. ("Novel type of phase transition in a system of self-driven particles", PRL 1995) with
the settings of Zhou et al. ("Measuring crowd collectiveness", TPAMI 2014): each step, every particle turns to the
mean direction of those near it, errs by some angle, and goes on at the same speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from scipy.spatial import KDTree

from mpas_lite.video.arrays import Points


def self_driven_particles(
    n: int = 400,
    *,
    noise: float,
    outliers: int = 0,
    side: float = 7.0,
    radius: float = 1.0,
    speed: float = 0.03,
    seed: int = 0,
) -> Iterator[tuple[Points, Points]]:
    """Particles that align with their neighbours, step after step without end.

    ``theta_i <- direction of (mean of the unit velocities within radius of i) + noise * pi * u``, u uniform in
    [-1, 1]; then ``x_i <- x_i + speed * (cos theta_i, sin theta_i)`` in a box whose opposite sides are joined.

    Parameters
    ----------
    n : int
        Number of particles that align.
    noise : float
        eta, from 0 (no error) to 1 (any direction is as good as any other).
    outliers : int
        So many more, numbered n, n + 1, ..., never align: each keeps its own direction, apart from the noise.
    side, radius, speed : float
        Of the box, of the neighbourhood, and per step, all in the same unit of length.
    seed : int
        Of the random start, which is the same for every noise, and of the errors.

    Yields
    ------
    position : (n + outliers, 2) array, in [0, side)
    velocity : (n + outliers, 2) array, per step; all of the same length
        First the random start, then one pair after each step.

    Raises
    ------
    ValueError
        If a number makes no sense.

    Examples
    --------
    >>> (_, start), (_, later) = at_steps(self_driven_particles(100, noise=0), (0, 100))
    >>> print(round(order(start), 1), round(order(later), 1))
    0.1 1.0
    """
    if n < 1 or outliers < 0:
        raise ValueError(f"There must be at least 1 particle and not fewer than 0 outliers, not {n} and {outliers}.")
    if not 0 <= noise <= 1:
        raise ValueError(f"The noise must be between 0 (none) and 1 (any direction); it is {noise}.")
    if not (side > 0 and radius > 0 and speed > 0):
        raise ValueError("The side of the box, the radius and the speed must be above 0.")
    return _steps(n, noise, outliers, side, radius, speed, np.random.default_rng(seed))


def _steps(
    n: int, noise: float, outliers: int, side: float, radius: float, speed: float, rng: np.random.Generator
) -> Iterator[tuple[Points, Points]]:
    position = rng.uniform(0, side, (n + outliers, 2))
    angle = rng.uniform(-np.pi, np.pi, n + outliers)
    while True:
        direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        yield position, speed * direction
        near = KDTree(position, boxsize=side).query_pairs(radius, output_type="ndarray")
        total = direction.copy()  # oneself is near, too
        np.add.at(total, near[:, 0], direction[near[:, 1]])
        np.add.at(total, near[:, 1], direction[near[:, 0]])
        angle = np.where(np.arange(n + outliers) < n, np.arctan2(total[:, 1], total[:, 0]), angle)
        angle = angle + noise * np.pi * rng.uniform(-1, 1, n + outliers)
        position = (position + speed * np.stack([np.cos(angle), np.sin(angle)], axis=1)) % side


def at_steps(steps: Iterator[tuple[Points, Points]], wanted: tuple[int, ...]) -> list[tuple[Points, Points]]:
    """Positions and velocities after the wanted numbers of steps, which must increase.

    Examples
    --------
    >>> start, end = at_steps(self_driven_particles(10, noise=0.5), (0, 3))
    >>> start[0].shape, end[1].shape
    ((10, 2), (10, 2))
    """
    return [moment for step, moment in enumerate(islice(steps, wanted[-1] + 1)) if step in wanted]


def order(velocity: Points) -> float:
    """Order parameter v: the length of the mean direction of motion.

    1 where all move the same way, about 1/sqrt(N) where every direction is alike. Physicists measure flocks by it.

    Parameters
    ----------
    velocity : (N, 2) array
        Only directions matter; those that do not move count as going nowhere.

    Examples
    --------
    Two go right and two go left:

    >>> order(np.array([[1, 0], [2, 0], [-1, 0], [-3, 0]]))
    0.0
    """
    velocity = np.asarray(velocity, dtype=np.float64)
    if velocity.ndim != 2 or velocity.shape[1] != 2 or len(velocity) == 0:
        raise ValueError(f"velocity must have shape (N, 2) with N at least 1; it has {velocity.shape}.")
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    direction = np.divide(velocity, speed, out=np.zeros_like(velocity), where=speed > 0)
    return float(np.linalg.norm(direction.mean(axis=0)))
