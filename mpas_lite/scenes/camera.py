"""The camera, the light and the canvas of the synthetic scenes: points in metres become corners in samples.

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
SUBSAMPLE_BITS = 4  # polygon corners are given to OpenCV in 1/16 of a sample

Colour = Sequence[float] | np.ndarray
Polygon = tuple[np.ndarray, Sequence[float]]  # corners as ``corners`` makes them, and a colour
CIRCLE = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], axis=1)


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
    """The daylight, or the lamps of a hall."""

    sun: np.ndarray  # (3,) unit vector towards the light
    shadow: float  # 0 to 1, how dark shadows are
    softness: float  # px, of the shadows' edges
    tint: np.ndarray  # (3,) what red, green and blue are multiplied by

    def facing(self, normal: np.ndarray) -> float:
        """How bright a surface with this outward normal is, about 0.62 to 1.1."""
        return 0.68 + 0.12 * float(normal[2]) + 0.34 * self.shadow * max(float(normal @ self.sun), 0)


def paint(canvas: np.ndarray, polygons: Iterable[Polygon]) -> None:
    """Fill convex polygons in the order given."""
    for corner, colour in polygons:
        cv2.fillConvexPoly(canvas, corner, colour, cv2.LINE_8, SUBSAMPLE_BITS)


def corners(pixel: np.ndarray, fine: int = FINE) -> np.ndarray:
    """Image points (..., 2) in px as the int32 that OpenCV wants for a canvas ``fine`` times finer."""
    return np.round(np.clip(pixel, -4000, 4000) * (fine << SUBSAMPLE_BITS)).astype(np.int32)


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
