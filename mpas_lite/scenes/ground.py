"""Grounds and house fronts of the synthetic scenes: textures painted in metres, then seen by the camera."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mpas_lite.scenes.solids import FINE, Camera, Light

Colour = Sequence[float] | np.ndarray


class Ground:
    """The ground as a texture in metres. Paint on it, then ask for ``seen()``, the camera's view of it."""

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
        cv2.fillPoly(mask, [self._texels(points)], 1)
        return mask.astype(bool)

    def band(self, points: Sequence[Sequence[float]] | np.ndarray, width: float) -> np.ndarray:
        """The mask within width / 2 of a polyline."""
        mask = np.zeros(self.x.shape, np.uint8)
        cv2.polylines(mask, [self._texels(points)], False, 1, max(1, round(width * self.scale)))
        return mask.astype(bool)

    def disc(self, centre: Sequence[float] | np.ndarray, radius: float) -> np.ndarray:
        """The mask of a disc."""
        return (self.x - centre[0]) ** 2 + (self.y - centre[1]) ** 2 < radius**2

    def _texels(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        return np.round((np.asarray(points, float) - self.origin) * self.scale).astype(np.int32)

    def fill(self, mask: np.ndarray, colour: Colour, opacity: float = 1.0) -> None:
        """Plain paint, such as a line on the road; worn where ``opacity`` is below 1."""
        self.image[mask] += opacity * (np.asarray(colour, np.float32) - self.image[mask])

    def asphalt(self, mask: np.ndarray, colour: Colour = (98, 98, 100)) -> None:
        """Asphalt: grain, stains, mended patches and cracks."""
        tone = self.texture((0.05, 0.4, 3.0), (5.0, 2.0, 4.0))
        self.image[mask] = np.asarray(colour, np.float32) + tone[mask][:, None]
        for _ in range(5):
            centre = self._somewhere(mask)
            size, angle = self.rng.uniform(0.6, 2.2, 2), self.rng.uniform(0, 3)
            patch = self._rectangle(centre, size, angle) & mask
            self.image[patch] *= self.rng.uniform(0.86, 1.06)
        for _ in range(6):
            walk = self._somewhere(mask) + np.cumsum(self.rng.normal(0, 0.3, (14, 2)) + self.rng.normal(0, 0.25, 2), 0)
            crack = self.band(walk, 0.03) & mask
            self.image[crack] *= 0.72
        for _ in range(3):
            centre = self._somewhere(mask)
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

    def _somewhere(self, mask: np.ndarray) -> np.ndarray:
        spots = np.flatnonzero(mask.reshape(-1)[::97]) * 97
        row, column = divmod(int(spots[self.rng.integers(len(spots))]), mask.shape[1]) if len(spots) else (0, 0)
        return self.origin + np.array([column, row]) / self.scale

    def seen(self, haze: Colour = (176, 182, 186)) -> np.ndarray:
        """The camera's view of the ground, (3H, 3W, 3) uint8, fading into haze far away."""
        at = ((self.where - self.origin.astype(np.float32)) * np.float32(self.scale)).clip(-1e4, 1e4)
        image = np.clip(self.image, 0, 255).astype(np.uint8)
        view = cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        far = np.clip((self.where[..., 1] - self.reach) / (2 * self.reach), 0, 0.85)[..., None]
        return (view * (1 - far) + np.asarray(haze) * far).astype(np.uint8)


def facade(
    view: np.ndarray,
    camera: Camera,
    light: Light,
    rng: np.random.Generator,
    a: Colour,
    b: Colour,
    height: float,
    *,
    style: str = "house",
    colour: Colour = (168, 150, 128),
) -> np.ndarray:
    """Paint a house front from a to b (m, on the ground; a left of b as one sees it) into the camera's view.

    Returns the mask (3H, 3W) bool of what it covers. ``style``: 'house', 'shops', 'mall' or 'hedge'.
    """
    start, end = np.asarray(a, float), np.asarray(b, float)
    length = float(np.linalg.norm(end - start))
    scale = float(min(40.0, 2400 / length))
    front = _front(rng, length, height, scale, style, np.asarray(colour, float))
    along = (end - start) / length
    normal = np.array([along[1], -along[0], 0.0])
    front = np.clip(front * (light.facing(normal) / 0.85), 0, 255).astype(np.uint8)
    h, w = front.shape[:2]
    # Cut the wall to what lies before the camera, or its near end would project to nonsense.
    steps = np.linspace(0, 1, 200)
    ahead = camera.project(np.c_[start + steps[:, None] * (end - start), np.zeros(200)])[1] > 1.0
    t0, t1 = float(steps[ahead].min()), float(steps[ahead].max())
    p, q = start + t0 * (end - start), start + t1 * (end - start)
    corner = np.array([[*p, height], [*q, height], [*q, 0], [*p, 0]])
    target = (FINE * camera.project(corner)[0]).astype(np.float32)
    source = np.array([[t0 * w, 0], [t1 * w, 0], [t1 * w, h], [t0 * w, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    size = (view.shape[1], view.shape[0])
    picture = cv2.warpPerspective(front, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.full((h, w), 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    view[mask] = picture[mask]
    return mask


def _front(
    rng: np.random.Generator, length: float, height: float, scale: float, style: str, colour: np.ndarray
) -> np.ndarray:
    """The texture of a house front, (height, length) times ``scale`` px, float32."""
    h, w = max(int(height * scale), 8), max(int(length * scale), 8)
    image = np.empty((h, w, 3), np.float32)
    blotch = cv2.resize(rng.standard_normal((h // 24 + 2, w // 24 + 2)).astype(np.float32), (w, h))
    grain = rng.standard_normal((h, w)).astype(np.float32)
    image[:] = colour + (4 * blotch + 4 * grain)[..., None]

    def rectangle(x0: float, z0: float, x1: float, z1: float, c: Colour) -> None:
        """A rectangle from (x0, z0) to (x1, z1) in metres, z upwards."""
        corner = (
            (round(x0 * scale), round((height - z1) * scale)),
            (round(x1 * scale), round((height - z0) * scale)),
        )
        cv2.rectangle(image, *corner, tuple(float(v) for v in c), -1)

    def window(x0: float, z0: float, x1: float, z1: float, frame: Colour, glow: float) -> None:
        glass = np.array([58, 68, 78]) * rng.uniform(0.7, 1.3) + glow * np.array([70, 58, 34]) * rng.random()
        rectangle(x0 - 0.09, z0 - 0.12, x1 + 0.09, z1 + 0.08, frame)
        rectangle(x0, z0, x1, z1, glass)
        rectangle(x0, z0 + 0.62 * (z1 - z0), x1, z1, glass * rng.uniform(1.05, 1.5))  # the sky in the pane
        if x1 - x0 > 0.7:
            rectangle((x0 + x1) / 2 - 0.03, z0, (x0 + x1) / 2 + 0.03, z1, frame)
        if rng.random() < 0.3:
            rectangle(x0, z0, x0 + 0.25 * (x1 - x0), z1, (176, 168, 152))  # a curtain

    if style == "hedge":
        leaf = rng.standard_normal((h // 5 + 2, w // 5 + 2)).astype(np.float32)
        image[:] = colour + (14 * cv2.resize(leaf, (w, h)) + 7 * grain + 6 * blotch)[..., None]
        return image * np.linspace(1.15, 0.6, h, dtype=np.float32)[:, None, None]

    x, storey = 0.0, 3.2
    first = 0.0 if style == "house" else 3.6
    while x < length:  # one house after another, each of its own paint
        house = length if style == "mall" else min(rng.uniform(7, 12), length - x)
        if length - x - house < 4:
            house = length - x
        paint = colour * rng.uniform(0.82, 1.14) + rng.uniform(-14, 14, 3) * (style != "mall")
        left, right = int(x * scale), int((x + house) * scale)
        image[:, left:right] += (paint - colour).astype(np.float32)
        if rng.random() < 0.35 and style != "mall":  # brickwork
            for z in np.arange(0, height, 0.3):
                rectangle(x, z, x + house, z + 0.04, paint * 0.84)
        frame = np.clip(paint * rng.choice([0.55, 1.25]), 20, 238)
        bay = rng.uniform(1.9, 2.7)
        pane, bays = rng.uniform(0.45, 0.6) * bay, max(1, int(house / bay))
        for level in np.arange(first, height - 2.2, storey):
            for k in range(bays):
                middle = x + (k + 0.5) * house / bays
                window(middle - pane / 2, level + 0.9, middle + pane / 2, level + 2.5, frame, 0.4)
            rectangle(x, level + storey - 0.14, x + house, level + storey, paint * 1.12)
        if first:
            _shops(rng, rectangle, x, house, first, paint, bright=style == "mall")
        else:
            door = x + house * rng.uniform(0.2, 0.8)
            rectangle(door - 0.6, 0, door + 0.6, 2.3, np.array([70, 48, 40]) * rng.uniform(0.6, 1.4))
        rectangle(x, 0, x + house, 0.35, paint * 0.7)
        rectangle(x + house - 0.12, 0, x + house, height, paint * 0.78)
        x += house
    return image


def _shops(rng: np.random.Generator, rectangle, x: float, width: float, top: float, paint, *, bright: bool) -> None:  # type: ignore[no-untyped-def]
    """Shop windows with goods, doors, signs and awnings along the ground floor."""
    at = x + 0.3
    signs = np.array(
        [
            (150, 44, 40),
            (36, 74, 110),
            (46, 92, 70),
            (60, 56, 58),
            (196, 158, 84),
            (208, 204, 196),
            (98, 62, 92),
        ]
    )
    while at < x + width - 2.0:
        wide = min(rng.uniform(3.0, 5.0), x + width - 0.3 - at)
        sign = signs[rng.integers(len(signs))] * rng.uniform(0.85, 1.1)
        rectangle(at, 0.4, at + wide, top - 0.5, (232, 214, 178) if bright else (66, 64, 62))
        inside = np.array([226, 206, 170]) * (rng.uniform(0.8, 1.05) if bright else rng.uniform(0.3, 0.7))
        rectangle(at + 0.12, 0.5, at + wide - 0.12, top - 0.7, inside)
        for _ in range(int(wide * 3)):  # goods and dummies in the window
            gx, gw, gh = (
                at + 0.2 + rng.random() * (wide - 0.8),
                rng.uniform(0.15, 0.45),
                rng.uniform(0.3, 1.5),
            )
            rectangle(
                gx,
                0.55,
                gx + gw,
                0.55 + gh,
                np.clip(inside * rng.uniform(0.35, 1.0) + rng.uniform(-30, 30, 3), 8, 245),
            )
        door = at + rng.choice([0.15, wide - 1.25])
        rectangle(door, 0, door + 1.1, 2.4, (44, 46, 50))
        rectangle(door + 0.1, 0.2, door + 1.0, 2.3, inside * 0.55)
        rectangle(at, top - 0.75, at + wide, top - 0.1, sign)
        for k in range(int(rng.integers(4, 9))):  # letters, as far as one can read them
            lx = at + wide * 0.2 + 0.26 * k
            rectangle(
                lx,
                top - 0.6,
                lx + rng.uniform(0.1, 0.2),
                top - 0.26,
                np.where(sign.mean() > 130, 40, 236) * np.ones(3),
            )
        if rng.random() < 0.4 and not bright:
            stripes = max(4, int(wide / 0.35))
            for k in range(stripes):
                tone = sign if k % 2 else np.array([224, 220, 210])
                rectangle(
                    at + wide * k / stripes,
                    top - 1.25,
                    at + wide * (k + 1) / stripes,
                    top - 0.75,
                    tone * 0.95,
                )
        at += wide + 0.35
