"""Solids of the synthetic scenes in metres, as the polygons that the camera sees and the points that cast shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpas_lite.scenes.camera import CIRCLE, Camera, Colour, Light, Polygon, corners, hull


@dataclass(frozen=True)
class Solid:
    """Something solid that is no person: what to paint, how far it is, and the points that cast its shadow."""

    depth: float
    polygons: list[Polygon]
    casters: list[np.ndarray]  # each (M, 3): its shadow is the hull of these points' shadows


def box(
    camera: Camera,
    light: Light,
    centre: Sequence[float] | np.ndarray,
    size: Sequence[float],
    colour: Colour,
    *,
    angle: float = 0.0,
    base: float = 0.0,
    taper: float = 1.0,
) -> Solid:
    """A box of (length, breadth, height) on the ground at (x, y), turned by ``angle``; faces shaded by light.

    ``taper`` shrinks the top face (a car's cabin, a planter).
    """
    length, breadth, height = size
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    flat = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [length / 2, breadth / 2]
    low = np.c_[flat @ turn + np.asarray(centre)[:2], np.full(4, base)]
    high = np.c_[flat * taper @ turn + np.asarray(centre)[:2], np.full(4, base + height)]
    polygons: list[Polygon] = []
    eye = np.array([0, 0, camera.height])
    for k in range(4):
        j = (k + 1) % 4
        face = np.array([low[k], low[j], high[j], high[k]])
        normal = np.cross(face[1] - face[0], face[3] - face[0])
        normal /= max(np.linalg.norm(normal), 1e-9)
        if (eye - face[0]) @ normal > 0:
            polygons.append((corners(camera.project(face)[0]), canvas_colour(colour, light.facing(normal))))
    if camera.height > base + height:
        polygons.append((corners(camera.project(high)[0]), canvas_colour(colour, light.facing(np.array([0, 0, 1.0])))))
    return Solid(camera.depth(centre), polygons, [np.concatenate([low, high])])


def cylinder(
    camera: Camera,
    light: Light,
    centre: Sequence[float] | np.ndarray,
    radius: float,
    height: float,
    colour: Colour,
    *,
    base: float = 0.0,
) -> Solid:
    """An upright cylinder at (x, y): post, column, bin, round planter."""
    ring = np.c_[CIRCLE * radius + np.asarray(centre)[:2], np.full(12, base)]
    top = ring + np.array([0, 0, height])
    both = np.concatenate([ring, top])
    side = corners(camera.project(both)[0])
    towards = light.sun[0] * 0.35 * radius
    core = (both - [*np.asarray(centre)[:2], 0]) * [0.45, 0.45, 1] + [*np.asarray(centre)[:2], 0] + [towards, 0, 0]
    polygons: list[Polygon] = [
        (hull(side), canvas_colour(colour, 0.72)),
        (hull(corners(camera.project(core)[0])), canvas_colour(colour, 0.92)),
    ]
    if camera.height > base + height:
        polygons.append((hull(corners(camera.project(top)[0])), canvas_colour(colour, 1.05)))
    return Solid(camera.depth(centre), polygons, [both])


def together(*things: Solid) -> Solid:
    """Several solids as one thing, painted in the order given."""
    return Solid(
        min(t.depth for t in things),
        [p for t in things for p in t.polygons],
        [s for t in things for s in t.casters],
    )


def canvas_colour(rgb: Colour, gain: float = 1.0) -> tuple[float, ...]:
    """An RGB colour times ``gain``, of nobody, as the canvas wants it."""
    r, g, b = (min(255.0, float(c) * gain) for c in rgb)
    return (r, g, b, 0.0)
