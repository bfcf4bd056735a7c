"""Camera, light and paint of the synthetic scenes: solids in metres become polygons on a fine canvas.

The canvas is ``FINE`` times finer than the picture and has four channels: red, green, blue, and the number
of the person whom the pixel shows (0 = nobody). Everything is painted far first, near last, so that what the
last channel holds is what is visible. Averaging ``FINE`` x ``FINE`` samples gives the anti-aliased picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

FINE = 3  # samples per pixel, along each axis
SUB = 4  # polygon corners are given to OpenCV in 1/16 of a sample

Polygon = tuple[np.ndarray, Sequence[float]]  # corners as ``corners`` makes them, and a colour
CIRCLE = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], axis=1)
BALL = np.concatenate([np.c_[CIRCLE, 0 * CIRCLE[:, 0]], np.c_[CIRCLE[:, 0], 0 * CIRCLE[:, 0], CIRCLE[:, 1]]])


@dataclass(frozen=True)
class Camera:
    """A pinhole ``height`` metres above the ground that looks along +Y, tilted down by ``pitch``.

    World axes: X to the right, Y away from the camera, Z up; the camera stands above the origin.
    """

    shape: tuple[int, int]
    height: float  # m
    pitch: float  # rad
    focal: float  # px

    @property
    def axes(self) -> np.ndarray:
        """Right, down and forward, as rows (3, 3)."""
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        return np.array([[1.0, 0, 0], [0, -s, -c], [0, c, -s]])

    def project(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Image points (..., 2) in px and depths (...,) in m of world points (..., 3)."""
        p = (np.asarray(point, float) - [0, 0, self.height]) @ self.axes.T
        depth = np.maximum(p[..., 2], 0.3)
        centre = np.array([self.shape[1] / 2, self.shape[0] / 2])
        return p[..., :2] / depth[..., None] * self.focal + centre, depth

    def depth(self, at: Sequence[float] | np.ndarray) -> float:
        """How far a ground point (x, y) is from the camera, along its axis, in m."""
        return float(np.array([at[0], at[1], -self.height]) @ self.axes[2])

    def ground(self, pixel: np.ndarray) -> np.ndarray:
        """Ground points (..., 2) in m under image points (..., 2); beyond the horizon: very far."""
        centre = np.array([self.shape[1] / 2, self.shape[0] / 2])
        ray = np.concatenate([(pixel - centre) / self.focal, np.ones((*pixel.shape[:-1], 1))], -1) @ self.axes
        reach = self.height / np.maximum(-ray[..., 2], 1e-3)
        return ray[..., :2] * reach[..., None]


@dataclass(frozen=True)
class Light:
    """``sun``: unit vector towards the light; ``shadow`` 0 to 1; ``softness`` of shadow edges in px; tint."""

    sun: np.ndarray
    shadow: float
    softness: float
    tint: np.ndarray

    def facing(self, normal: np.ndarray) -> float:
        """How bright a surface with this outward normal is, about 0.62 to 1.1."""
        return 0.68 + 0.12 * float(normal[2]) + 0.34 * self.shadow * max(float(normal @ self.sun), 0)


def paint(canvas: np.ndarray, polygons: Iterable[Polygon]) -> None:
    """Fill convex polygons in the order given."""
    for corner, colour in polygons:
        cv2.fillConvexPoly(canvas, corner, colour, cv2.LINE_8, SUB)


def corners(pixel: np.ndarray, fine: int = FINE) -> np.ndarray:
    """Image points (..., 2) in px as the int32 that OpenCV wants for a canvas ``fine`` times finer."""
    return np.round(np.clip(pixel, -4000, 4000) * (fine << SUB)).astype(np.int32)


def hull(points: np.ndarray) -> np.ndarray:
    """Corners (M, 1, 2) of the convex hull of points (..., 2) int32."""
    return cv2.convexHull(points.reshape(-1, 2))


def discs(camera: Camera, centre: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Outlines (..., 12, 2) in px of spheres with world centres (..., 3) and radii (...,) in m."""
    uv, depth = camera.project(centre)
    return uv[..., None, :] + CIRCLE * (camera.focal * radius / depth)[..., None, None]


def shadow_on_ground(point: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """Where world points (..., 3) cast shadows on the ground, (..., 3)."""
    return point - point[..., 2:] * (sun / sun[2])


def colour4(rgb: Sequence[float] | np.ndarray, gain: float = 1.0) -> tuple[float, ...]:
    """An RGB colour times ``gain``, of nobody, as the canvas wants it."""
    r, g, b = (min(255.0, float(c) * gain) for c in rgb)
    return (r, g, b, 0.0)


@dataclass(frozen=True)
class Thing:
    """Something solid that is no person: what to paint, how far it is, and the points that cast its shadow."""

    depth: float
    polygons: list[Polygon]
    solids: list[np.ndarray]  # each (M, 3): its shadow is the hull of these points' shadows


def box(
    camera: Camera,
    light: Light,
    centre: Sequence[float] | np.ndarray,
    size: Sequence[float],
    colour: Sequence[float],
    *,
    angle: float = 0.0,
    base: float = 0.0,
    taper: float = 1.0,
) -> Thing:
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
            polygons.append((corners(camera.project(face)[0]), colour4(colour, light.facing(normal))))
    if camera.height > base + height:
        polygons.append((corners(camera.project(high)[0]), colour4(colour, light.facing(np.array([0, 0, 1.0])))))
    return Thing(camera.depth(centre), polygons, [np.concatenate([low, high])])


def cylinder(
    camera: Camera,
    light: Light,
    centre: Sequence[float] | np.ndarray,
    radius: float,
    height: float,
    colour: Sequence[float],
    *,
    base: float = 0.0,
) -> Thing:
    """An upright cylinder at (x, y): post, column, bin, round planter."""
    ring = np.c_[CIRCLE * radius + np.asarray(centre)[:2], np.full(12, base)]
    top = ring + np.array([0, 0, height])
    both = np.concatenate([ring, top])
    side = corners(camera.project(both)[0])
    towards = light.sun[0] * 0.35 * radius
    core = (both - [*np.asarray(centre)[:2], 0]) * [0.45, 0.45, 1] + [*np.asarray(centre)[:2], 0] + [towards, 0, 0]
    polygons: list[Polygon] = [
        (hull(side), colour4(colour, 0.72)),
        (hull(corners(camera.project(core)[0])), colour4(colour, 0.92)),
    ]
    if camera.height > base + height:
        polygons.append((hull(corners(camera.project(top)[0])), colour4(colour, 1.05)))
    return Thing(camera.depth(centre), polygons, [both])


def together(*things: Thing) -> Thing:
    """Several solids as one thing, painted in the order given."""
    return Thing(
        min(t.depth for t in things),
        [p for t in things for p in t.polygons],
        [s for t in things for s in t.solids],
    )


def car(
    camera: Camera,
    light: Light,
    centre: Sequence[float] | np.ndarray,
    colour: Sequence[float],
    *,
    angle: float = 0.0,
    van: bool = False,
) -> Thing:
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


@dataclass(frozen=True)
class Tree:
    """A tree: a crown of leaf clumps that sways in the wind, on a trunk."""

    camera: Camera
    position: tuple[float, float]
    clumps: np.ndarray  # (M, 4): x, y, z, radius, m
    colours: np.ndarray  # (M, 3)
    trunk: Thing
    sway: tuple[float, float, float]  # metres, rad/s, phase

    def at(self, time: float) -> Thing:
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
        solids = [*self.trunk.solids, *ball]
        return Thing(self.trunk.depth, polygons, solids)


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
