"""The furniture of streets and squares: benches, lamps, bins, planters, the barriers of a race."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mpas_lite.scenes.camera import Camera, Colour, Light
from mpas_lite.scenes.solids import Solid, box, cylinder, together
from mpas_lite.scenes.trees import Tree, tree


def bench(camera: Camera, light: Light, at: Sequence[float], angle: float = 0.0) -> Solid:
    """A bench at (x, y), its seat along ``angle``."""
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    wood, iron = (134, 98, 64), (60, 60, 62)
    spot = np.asarray(at, float)
    legs = [box(camera, light, spot + s * 0.7 * along, (0.1, 0.42, 0.42), iron, angle=angle) for s in (-1, 1)]
    seat = box(camera, light, spot, (1.8, 0.45, 0.07), wood, angle=angle, base=0.42)
    back = box(camera, light, spot + 0.22 * across, (1.8, 0.06, 0.34), wood, angle=angle, base=0.55)
    return together(*legs, back, seat)


def lamp(camera: Camera, light: Light, at: Sequence[float], height: float = 4.6) -> Solid:
    """A street lamp at (x, y)."""
    pole = cylinder(camera, light, at, 0.06, height, (74, 78, 80))
    foot = cylinder(camera, light, at, 0.13, 0.5, (66, 70, 72))
    head = cylinder(camera, light, at, 0.2, 0.34, (206, 204, 190), base=height)
    return together(pole, foot, head)


def litter_bin(camera: Camera, light: Light, at: Sequence[float]) -> Solid:
    """A litter bin at (x, y)."""
    body = cylinder(camera, light, at, 0.24, 0.8, (70, 86, 76))
    return together(body, cylinder(camera, light, at, 0.27, 0.1, (50, 56, 54), base=0.8))


def planter(
    camera: Camera, light: Light, at: Sequence[float], rng: np.random.Generator, size: float, green: Sequence[float]
) -> tuple[Solid, Tree]:
    """A round pot at (x, y) of ``size`` m radius, and the bush in it."""
    pot = cylinder(camera, light, at, size, 0.5, (150, 140, 128))
    bush = tree(camera, light, at, rng, height=0.55 + 1.6 * size, spread=0.92 * size, green=green)
    return pot, bush


def barriers(camera: Camera, light: Light, line: np.ndarray, colour: Colour) -> list[Solid]:
    """Crowd barriers along a polyline of points about two metres apart, with boards as at a race."""
    found = []
    for p, q in pairwise(line):
        middle, d = (p + q) / 2, q - p
        angle, length = float(np.arctan2(d[1], d[0])), float(np.linalg.norm(d))
        board = box(camera, light, middle, (length * 0.96, 0.05, 0.72), colour, angle=angle, base=0.16)
        rail = box(camera, light, middle, (length * 0.98, 0.07, 0.06), (168, 170, 172), angle=angle, base=0.94)
        post = box(camera, light, p, (0.07, 0.07, 1.0), (150, 152, 154), angle=angle)
        found.append(together(post, board, rail))
    return found
