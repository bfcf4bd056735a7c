"""The ways that people take in a synthetic scene, who walks with whom, and where there is room to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Route:
    """A way that walkers take: ``points`` (M, 2) in metres, walked from first to last, ``width`` m wide."""

    points: np.ndarray
    width: float
    share: float = 1.0  # of all walkers
    speed: tuple[float, float] = (1.34, 0.26)  # m/s, mean and spread: Weidmann 1993
    start: tuple[float, float] = (0.0, 1.0)  # where along the way, 0 to 1, the first walkers are placed
    group_share: float = 0.5  # of those who walk in twos and threes (Moussaid et al. 2010: up to 0.7)


@dataclass(frozen=True)
class Plan:
    """Who walks where: routes, people who only stand (x, y, facing), and round obstacles (x, y, radius)."""

    routes: Sequence[Route]
    walkers: int
    standing: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    obstacles: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    warm_up: float = 5.0  # s walked before the first frame, so that nobody stands on anybody's toes


class Curve:
    """A polyline with rounded corners that one can ask for points by arc length, in metres."""

    def __init__(self, points: np.ndarray):
        self.point = round_corners(np.asarray(points, float))
        self.arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(self.point, axis=0), axis=1))]
        self.length = float(self.arc[-1])

    def at(self, s: np.ndarray) -> np.ndarray:
        """Points (..., 2) at arc lengths (...,)."""
        return np.stack([np.interp(s, self.arc, self.point[:, a]) for a in (0, 1)], axis=-1)

    def tangent(self, s: np.ndarray) -> np.ndarray:
        """Unit vectors (..., 2) along the curve at arc lengths (...,)."""
        s = np.clip(s, 0.25, self.length - 0.25)
        t = self.at(s + 0.25) - self.at(s - 0.25)
        return t / np.maximum(np.linalg.norm(t, axis=-1, keepdims=True), 1e-9)

    def normal(self, s: np.ndarray) -> np.ndarray:
        """Unit vectors (..., 2) to the left of the curve at arc lengths (...,)."""
        return left_of(self.tangent(s))


def left_of(direction: np.ndarray) -> np.ndarray:
    """Directions (..., 2) turned left by a right angle."""
    return np.stack([-direction[..., 1], direction[..., 0]], axis=-1)


def round_corners(points: np.ndarray) -> np.ndarray:
    """Round the corners of a polyline (Chaikin's corner cutting, ends kept)."""
    for _ in range(3):
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.concatenate([points[:1], np.stack([near, far], 1).reshape(-1, 2), points[-1:]])
    return points


def assign_groups(plan: Plan, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Deal the walkers out to routes, and to groups of one to three.

    Returns
    -------
    route : (walkers,) int
        Index into the plan's routes.
    group : (walkers,) int
        Index of the group's first walker.
    """
    share = np.array([r.share for r in plan.routes], float)
    bounds = np.round(np.cumsum(share) / share.sum() * plan.walkers).astype(int)
    route = np.searchsorted(bounds, np.arange(plan.walkers), side="right")
    group = np.arange(plan.walkers)
    for k, r in enumerate(plan.routes):
        mine = list(np.flatnonzero(route == k))
        while mine:
            size = int(rng.choice([2, 2, 3])) if rng.random() < r.group_share / 1.6 else 1
            for i in mine[:size]:
                group[i] = mine[0]
            mine = mine[size:]
    return route, group


def free_place(
    curve: Curve,
    others: np.ndarray,
    rng: np.random.Generator,
    *,
    low: float,
    high: float,
    width: float,
    middle: float = 0.0,
) -> tuple[float, float, np.ndarray]:
    """The roomiest of some random places on a route.

    Parameters
    ----------
    curve : Curve
    others : (N, 2) float
        Where people are already, m.
    rng : numpy.random.Generator
    low, high : float
        Range of the arc length, m.
    width, middle : float
        Range of the offset to the left of the curve: ``middle`` plus or minus half of ``width``, m.

    Returns
    -------
    s, offset : float
        Arc length, and offset to the left.
    point : (2,) float
    """
    s = np.clip(rng.uniform(low, high, 24), 0, curve.length - 1)
    offset = middle + rng.uniform(-width / 2, width / 2, 24)
    point = curve.at(s) + offset[:, None] * curve.normal(s)
    room = np.linalg.norm(point[:, None] - others[None], axis=2).min(axis=1, initial=9.0)
    best = int(np.argmax(np.minimum(room, 0.8)))  # room enough is enough: crowds are not spread evenly
    return float(s[best]), float(offset[best]), point[best]
