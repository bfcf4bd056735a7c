"""Trees of the synthetic scenes, which sway in the wind: motion that is no crowd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpas_lite.scenes.camera import CIRCLE, Camera, Light, corners, discs
from mpas_lite.scenes.solids import Solid, cylinder

# Two rings of points, one flat and one upright: the points of a ball that make the outline of its shadow.
BALL = np.concatenate([np.c_[CIRCLE, 0 * CIRCLE[:, 0]], np.c_[CIRCLE[:, 0], 0 * CIRCLE[:, 0], CIRCLE[:, 1]]])


@dataclass(frozen=True)
class Tree:
    """A tree: a crown of leaf clumps that sways in the wind, on a trunk."""

    camera: Camera
    position: tuple[float, float]
    clumps: np.ndarray  # (M, 4): x, y, z, radius, m
    colours: np.ndarray  # (M, 3)
    trunk: Solid
    sway: tuple[float, float, float]  # metres, rad/s, phase

    def at(self, time: float) -> Solid:
        """The tree at a time in s."""
        size, rate, phase = self.sway
        gust = 0.6 + 0.4 * np.sin(0.31 * rate * time + 2 * phase)
        high = self.clumps[:, 2:3] / self.clumps[:, 2].max()
        local = phase + 1.7 * self.clumps[:, :1] + 2.3 * self.clumps[:, 1:2]
        swing = np.sin(rate * time + phase) + 0.5 * np.sin(2.3 * rate * time + local)
        centre = self.clumps[:, :3] + np.concatenate([swing, 0.5 * swing, 0 * swing], 1) * size * gust * high**2
        outline = corners(discs(self.camera, centre, self.clumps[:, 3]))
        polygons = [*self.trunk.polygons]
        polygons += [(o, (*c, 0.0)) for o, c in zip(outline, self.colours.tolist(), strict=True)]
        ball = self.clumps[::5, None, 3:] * 1.3 * BALL + centre[::5, None]
        casters = [*self.trunk.casters, *ball]
        return Solid(self.trunk.depth, polygons, casters)


def tree(
    camera: Camera,
    light: Light,
    position: Sequence[float],
    rng: np.random.Generator,
    *,
    height: float = 6.0,
    spread: float = 1.8,
    green: Sequence[float] = (74, 98, 48),
) -> Tree:
    """Grow a tree at (x, y): ``height`` of the top, ``spread`` radius of the crown, in metres."""
    x, y = position
    count = 150
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    reach = rng.random((count, 1)) ** 0.4
    lobes = 1 + 0.18 * np.sin(3 * np.arctan2(direction[:, 1:2], direction[:, :1]) + rng.uniform(0, 6))
    offset = direction * reach * lobes * [spread, spread, spread * 0.85]
    centre = offset + np.array([x, y, height - 0.8 * spread])
    radius = rng.uniform(0.13, 0.26, count) * spread
    lit = 0.62 + 0.26 * (direction * reach) @ light.sun + 0.22 * direction[:, 2] + rng.uniform(-0.1, 0.1, count)
    warm = rng.uniform(-0.08, 0.08, (count, 1)) * [1, 0.3, -0.5]
    colours = np.clip(np.asarray(green) * (1.3 * lit[:, None]) * (1 + warm), 8, 235)
    eye = np.array([0, 0, camera.height]) - centre.mean(0)
    order = np.argsort(offset @ (eye / np.linalg.norm(eye)) + 0.5 * offset @ light.sun)
    clumps = np.c_[centre, radius][order]
    trunk = cylinder(camera, light, (x, y), 0.06 + 0.02 * height, height - spread, (88, 72, 58))
    sway = (rng.uniform(0.05, 0.12), rng.uniform(1.4, 2.2), rng.uniform(0, 6))
    return Tree(camera, (x, y), clumps, colours[order], trunk, sway)
