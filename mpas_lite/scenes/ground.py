"""The grounds of the synthetic scenes: textures painted in metres, then seen by the camera."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mpas_lite.scenes.camera import FINE, Camera, Colour


class Ground:
    """The ground as a texture in metres. Paint on it, then ask for ``view()``, the camera's view of it."""

    def __init__(self, camera: Camera, rng: np.random.Generator, *, reach: float, margin: float = 0.5):
        self.camera, self.rng, self.reach = camera, rng, reach
        height, width = camera.shape
        v, u = np.mgrid[0 : height * FINE, 0 : width * FINE].astype(np.float32)
        pixel = (np.stack([u, v], -1) + 0.5) / FINE
        self.where = camera.ground(pixel).astype(np.float32)  # (3H, 3W, 2) m
        near = self.where[self.where[..., 1] < reach]
        x0, y0 = near.min(0) - margin
        x1, y1 = near.max(0) + margin
        nearest = float(camera.project(np.array([0.0, y0 + margin, 0.0]))[1])
        fit = np.sqrt(2.2e6 / ((x1 - x0) * (y1 - y0)))
        self.scale = float(min(1.3 * camera.focal / nearest, fit, 44.0))  # texture px per metre
        self.origin = np.array([x0, y0])
        rows, columns = int((y1 - y0) * self.scale), int((x1 - x0) * self.scale)
        self.x = (np.arange(columns, dtype=np.float32)[None] / self.scale + x0).repeat(rows, 0)
        self.y = (np.arange(rows, dtype=np.float32)[:, None] / self.scale + y0).repeat(columns, 1)
        self.image = np.full((rows, columns, 3), 128.0, np.float32)
        self.grain = self.texture((0.08, 0.6, 5.0), (2.5, 1.5, 4.0))

    def texture(self, metres: Sequence[float], amount: Sequence[float]) -> np.ndarray:
        """Random blotches of several sizes in metres, (h, w), about zero."""
        h, w = self.x.shape
        total = np.zeros((h, w), np.float32)
        for size, strength in zip(metres, amount, strict=True):
            step = max(size * self.scale, 1.0)
            coarse = self.rng.standard_normal((int(h / step) + 2, int(w / step) + 2)).astype(np.float32)
            total += strength * cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR)
        return total

    def everywhere(self) -> np.ndarray:
        """The mask of the whole ground."""
        return np.ones(self.x.shape, bool)

    def area(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """The mask inside a polygon with corners in metres."""
        mask = np.zeros(self.x.shape, np.uint8)
        cv2.fillPoly(mask, [self._texture_pixels(points)], 1)
        return mask.astype(bool)

    def band(self, points: Sequence[Sequence[float]] | np.ndarray, width: float) -> np.ndarray:
        """The mask within width / 2 of a polyline."""
        mask = np.zeros(self.x.shape, np.uint8)
        cv2.polylines(mask, [self._texture_pixels(points)], False, 1, max(1, round(width * self.scale)))
        return mask.astype(bool)

    def disc(self, centre: Sequence[float] | np.ndarray, radius: float) -> np.ndarray:
        """The mask of a disc."""
        return (self.x - centre[0]) ** 2 + (self.y - centre[1]) ** 2 < radius**2

    def _texture_pixels(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        return np.round((np.asarray(points, float) - self.origin) * self.scale).astype(np.int32)

    def fill(self, mask: np.ndarray, colour: Colour, opacity: float = 1.0) -> None:
        """Plain paint, such as a line on the road; worn where ``opacity`` is below 1."""
        self.image[mask] += opacity * (np.asarray(colour, np.float32) - self.image[mask])

    def asphalt(self, mask: np.ndarray, colour: Colour = (98, 98, 100)) -> None:
        """Asphalt: grain, stains, mended patches and cracks."""
        tone = self.texture((0.05, 0.4, 3.0), (5.0, 2.0, 4.0))
        self.image[mask] = np.asarray(colour, np.float32) + tone[mask][:, None]
        for _ in range(5):
            centre = self._random_point(mask)
            size, angle = self.rng.uniform(0.6, 2.2, 2), self.rng.uniform(0, 3)
            patch = self._rectangle(centre, size, angle) & mask
            self.image[patch] *= self.rng.uniform(0.86, 1.06)
        for _ in range(6):
            start = self._random_point(mask)
            path = start + np.cumsum(self.rng.normal(0, 0.3, (14, 2)) + self.rng.normal(0, 0.25, 2), 0)
            crack = self.band(path, 0.03) & mask
            self.image[crack] *= 0.72
        for _ in range(3):
            centre = self._random_point(mask)
            self.fill(self.disc(centre, 0.36) & mask, (62, 60, 58))
            self.fill(self.disc(centre, 0.29) & mask, (84, 82, 80))

    def grass(self, mask: np.ndarray, colour: Colour = (96, 122, 62)) -> None:
        """Mown grass with clumps and worn spots."""
        tone = self.texture((0.06, 0.25, 1.0, 4.0), (7.0, 5.0, 5.0, 6.0))[mask]
        self.image[mask] = np.asarray(colour, np.float32) + tone[:, None] * np.array([1.1, 1.0, 0.6], np.float32)

    def paving(
        self,
        mask: np.ndarray,
        size: tuple[float, float],
        colour: Colour,
        *,
        joint: float = 0.03,
        vary: float = 7.0,
        angle: float = 0.0,
        bond: bool = True,
        gap: float = 0.8,
    ) -> None:
        """Slabs of ``size`` metres, each of its own shade, with joints ``gap`` times as bright."""
        c, s = np.cos(angle), np.sin(angle)
        x, y = self.x[mask], self.y[mask]
        a, b = (c * x + s * y) / size[0], (-s * x + c * y) / size[1]
        row = np.floor(b).astype(np.int64)
        if bond:
            a = a + 0.5 * (row % 2)
        column = np.floor(a).astype(np.int64)
        shade = self.rng.normal(0, vary, (128, 128)).astype(np.float32)
        odd = self.rng.random((128, 128)) < 0.035  # a slab that was replaced
        shade[odd] += self.rng.choice([-2.6, 2.2], odd.sum()).astype(np.float32) * vary
        tone = shade[row % 128, column % 128] + self.grain[mask]
        slab = np.asarray(colour, np.float32) + tone[..., None]
        width = max(joint, 0.9 / self.scale)
        line = (a - column < width / size[0]) | (b - row < width / size[1])
        slab[line] *= gap
        self.image[mask] = slab

    def kerb(self, points: Sequence[Sequence[float]] | np.ndarray, colour: Colour = (176, 174, 168)) -> None:
        """A row of kerb stones along a polyline, with a dark gutter."""
        self.fill(self.band(points, 0.36), (80, 80, 82), 0.35)
        self.fill(self.band(points, 0.2), colour)

    def dashes(self, a: Colour, b: Colour, width: float, dash: float, space: float, colour: Colour) -> None:
        """A dashed line on a road."""
        start, end = np.asarray(a, float), np.asarray(b, float)
        length = float(np.linalg.norm(end - start))
        for at in np.arange(0, length, dash + space):
            piece = [start + (end - start) * t / length for t in (at, min(at + dash, length))]
            self.fill(self.band(piece, width), colour, 0.8)

    def zebra(self, a: Colour, b: Colour, width: float, *, stripe: float = 0.5) -> None:
        """A zebra crossing that leads from a to b, ``width`` m wide."""
        start, end = np.asarray(a, float), np.asarray(b, float)
        length = float(np.linalg.norm(end - start))
        along = (end - start) / length
        across = np.array([-along[1], along[0]]) * width / 2
        worn = self.texture((0.15, 1.0), (0.06, 0.06))
        for at in np.arange(0, length - stripe, 2 * stripe):
            p, q = start + along * at, start + along * (at + stripe)
            mask = self.area([p - across, p + across, q + across, q - across])
            self.image[mask] += (0.82 + worn[mask])[:, None] * (
                np.array([218, 217, 210], np.float32) - self.image[mask]
            )

    def _rectangle(self, centre: np.ndarray, size: np.ndarray, angle: float) -> np.ndarray:
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return self.area(np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * size / 2 @ turn + centre)

    def _random_point(self, mask: np.ndarray) -> np.ndarray:
        spots = np.flatnonzero(mask.reshape(-1)[::97]) * 97
        row, column = divmod(int(spots[self.rng.integers(len(spots))]), mask.shape[1]) if len(spots) else (0, 0)
        return self.origin + np.array([column, row]) / self.scale

    def view(self, haze: Colour = (176, 182, 186)) -> np.ndarray:
        """The camera's view of the ground, (3H, 3W, 3) uint8, fading into haze far away."""
        at = ((self.where - self.origin.astype(np.float32)) * np.float32(self.scale)).clip(-1e4, 1e4)
        image = np.clip(self.image, 0, 255).astype(np.uint8)
        view = cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        far = np.clip((self.where[..., 1] - self.reach) / (2 * self.reach), 0, 0.85)[..., None]
        return (view * (1 - far) + np.asarray(haze) * far).astype(np.uint8)
