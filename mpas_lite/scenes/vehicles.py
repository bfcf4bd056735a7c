"""Cars and vans of the synthetic scenes: motion that is no crowd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpas_lite.scenes.camera import Camera, Colour, Light
from mpas_lite.scenes.solids import Solid, box, together


@dataclass(frozen=True)
class Drive:
    """A vehicle that passes: start (x, y), velocity (vx, vy) in m/s, the time in s when it is at start."""

    start: tuple[float, float]
    velocity: tuple[float, float]
    colour: tuple[float, float, float]
    van: bool = False
    when: float = 0.0


def car(
    camera: Camera,
    light: Light,
    centre: Sequence[float] | np.ndarray,
    colour: Colour,
    *,
    angle: float = 0.0,
    van: bool = False,
) -> Solid:
    """A car or van of ordinary size standing at (x, y) and pointing along ``angle``."""
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    at = np.asarray(centre, float)[:2]
    dark, glass = (28, 28, 32), (52, 62, 72)
    parts = []
    for f in (-1.32, 1.32):
        for side in (-0.72, 0.72):
            parts.append(box(camera, light, at + f * along + side * across, (0.62, 0.24, 0.6), dark, angle=angle))
    parts.sort(key=lambda t: -t.depth)
    body = box(camera, light, at, (4.3, 1.76, 0.56), colour, angle=angle, base=0.28)
    if van:
        cabin = box(camera, light, at - 0.25 * along, (3.7, 1.7, 1.15), colour, angle=angle, base=0.84, taper=0.93)
        pane = box(camera, light, at + 1.1 * along, (1.08, 1.72, 0.6), glass, angle=angle, base=1.1, taper=0.9)
        cover = cabin if (at @ along) > 0 else pane
        parts += [body, cabin, pane] if cover is pane else [body, pane, cabin]
    else:
        cabin = box(camera, light, at - 0.2 * along, (2.5, 1.64, 0.5), glass, angle=angle, base=0.84, taper=0.78)
        roof = box(camera, light, at - 0.2 * along, (1.95, 1.26, 0.05), colour, angle=angle, base=1.33)
        parts += [body, cabin, roof]
    for end, lamp in ((2.13, (235, 232, 205)), (-2.13, (150, 24, 24))):
        for side in (-0.62, 0.62):
            spot = at + end * along + side * across
            if (-spot @ along) * end > 0:  # only the end that faces the camera
                parts.append(box(camera, light, spot, (0.08, 0.34, 0.16), lamp, angle=angle, base=0.58))
    return together(*parts)
