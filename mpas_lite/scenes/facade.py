"""House fronts of the synthetic scenes: walls, windows and shops painted in metres, then seen by the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mpas_lite.scenes.camera import FINE, Camera, Colour, Light

STOREY = 3.2  # m
SHOP_FLOOR = 3.6  # m: how high the ground floor is where there are shops
SIGNS = np.array(
    [(150, 44, 40), (36, 74, 110), (46, 92, 70), (60, 56, 58), (196, 158, 84), (208, 204, 196), (98, 62, 92)]
)


def facade(
    view: np.ndarray,
    camera: Camera,
    light: Light,
    rng: np.random.Generator,
    a: Sequence[float],
    b: Sequence[float],
    height: float,
    *,
    style: str = "house",
    colour: Colour = (168, 150, 128),
) -> np.ndarray:
    """Paint a row of house fronts from a to b into the camera's view.

    Parameters
    ----------
    view : (3H, 3W, 3) uint8
        Is painted on.
    camera : Camera
    light : Light
    rng : numpy.random.Generator
    a, b : (float, float)
        On the ground, m; a is left of b as one sees the front.
    height : float
        m
    style : str
        'house', 'shops', 'mall' or 'hedge'.
    colour : (float, float, float)

    Returns
    -------
    (3H, 3W) bool
        What the front covers.
    """
    start, end = np.asarray(a, float), np.asarray(b, float)
    length = float(np.linalg.norm(end - start))
    front = _Front(rng, length, height, float(min(40.0, 2400 / length)), np.asarray(colour, float))
    texture = front.hedge() if style == "hedge" else front.houses(style)
    along = (end - start) / length
    normal = np.array([along[1], -along[0], 0.0])
    texture = np.clip(texture * (light.facing(normal) / 0.85), 0, 255).astype(np.uint8)
    h, w = texture.shape[:2]
    # Cut the wall to what lies before the camera, or its near end would project to nonsense.
    steps = np.linspace(0, 1, 200)
    ahead = camera.project(np.c_[start + steps[:, None] * (end - start), np.zeros(200)])[1] > 1.0
    t0, t1 = float(np.min(steps[ahead])), float(np.max(steps[ahead]))
    p, q = start + t0 * (end - start), start + t1 * (end - start)
    corner = np.array([[*p, height], [*q, height], [*q, 0], [*p, 0]])
    target = (FINE * camera.project(corner)[0]).astype(np.float32)
    source = np.array([[t0 * w, 0], [t1 * w, 0], [t1 * w, h], [t0 * w, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    size = (view.shape[1], view.shape[0])
    picture = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.full((h, w), 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    view[mask] = picture[mask]
    return mask


@dataclass(frozen=True)
class _Colours:
    """The colours of one house: its paint, and the frames of its windows."""

    paint: np.ndarray
    frame: np.ndarray


class _Front:
    """The texture of a front: ``height`` and ``length`` in metres, times ``scale`` in px, float32."""

    def __init__(self, rng: np.random.Generator, length: float, height: float, scale: float, colour: np.ndarray):
        self.rng, self.length, self.height, self.scale, self.colour = rng, length, height, scale, colour
        h, w = max(int(height * scale), 8), max(int(length * scale), 8)
        self.image = np.empty((h, w, 3), np.float32)
        self.blotch = self._blotches(24)
        self.grain = rng.standard_normal((h, w)).astype(np.float32)

    def _blotches(self, size: int) -> np.ndarray:
        """Random blotches of about ``size`` px, (h, w) float32."""
        h, w = self.image.shape[:2]
        return cv2.resize(self.rng.standard_normal((h // size + 2, w // size + 2)).astype(np.float32), (w, h))

    def hedge(self) -> np.ndarray:
        """A hedge: leaves, lighter above."""
        leaf = 14 * self._blotches(5) + 7 * self.grain + 6 * self.blotch
        self.image[:] = self.colour + leaf[..., None]
        return self.image * np.linspace(1.15, 0.6, len(self.image), dtype=np.float32)[:, None, None]

    def houses(self, style: str) -> np.ndarray:
        """One house after another, each of its own paint; a mall is one."""
        rng, mall = self.rng, style == "mall"
        self.image[:] = self.colour + (4 * self.blotch + 4 * self.grain)[..., None]
        first, x = 0.0 if style == "house" else SHOP_FLOOR, 0.0
        while x < self.length:
            width = self.length if mall else min(rng.uniform(7, 12), self.length - x)
            if self.length - x - width < 4:
                width = self.length - x
            colours = self._walls(x, width, plain=mall)
            self._storeys(x, width, first, colours)
            if first:
                _shops(self, x, width, first, bright=mall)
            else:
                door = x + width * rng.uniform(0.2, 0.8)
                self.rectangle(door - 0.6, 0, door + 0.6, 2.3, np.array([70, 48, 40]) * rng.uniform(0.6, 1.4))
            self.rectangle(x, 0, x + width, 0.35, colours.paint * 0.7)
            self.rectangle(x + width - 0.12, 0, x + width, self.height, colours.paint * 0.78)
            x += width
        return self.image

    def _walls(self, x: float, width: float, *, plain: bool) -> _Colours:
        """The wall of a house, one in three of brick where it is not plain."""
        rng = self.rng
        paint = self.colour * rng.uniform(0.82, 1.14) + rng.uniform(-14, 14, 3) * (not plain)
        left, right = int(x * self.scale), int((x + width) * self.scale)
        self.image[:, left:right] += (paint - self.colour).astype(np.float32)
        if rng.random() < 0.35 and not plain:
            for z in np.arange(0, self.height, 0.3):
                self.rectangle(x, z, x + width, z + 0.04, paint * 0.84)
        return _Colours(paint, np.clip(paint * rng.choice([0.55, 1.25]), 20, 238))

    def _storeys(self, x: float, width: float, first: float, colours: _Colours) -> None:
        """Rows of windows from the height ``first`` on, each under a ledge."""
        bay = self.rng.uniform(1.9, 2.7)
        pane, bays = self.rng.uniform(0.45, 0.6) * bay, max(1, int(width / bay))
        for level in np.arange(first, self.height - 2.2, STOREY):
            for k in range(bays):
                middle = x + (k + 0.5) * width / bays
                self.window(middle - pane / 2, level + 0.9, middle + pane / 2, level + 2.5, colours.frame)
            self.rectangle(x, level + STOREY - 0.14, x + width, level + STOREY, colours.paint * 1.12)

    def rectangle(self, x0: float, z0: float, x1: float, z1: float, colour: Colour) -> None:
        """A rectangle from (x0, z0) to (x1, z1) in metres, z upwards."""
        corner = (
            (round(x0 * self.scale), round((self.height - z1) * self.scale)),
            (round(x1 * self.scale), round((self.height - z0) * self.scale)),
        )
        cv2.rectangle(self.image, *corner, tuple(float(v) for v in colour), -1)

    def window(self, x0: float, z0: float, x1: float, z1: float, frame: Colour) -> None:
        """A window: frame, glass, the sky in the upper pane, a mullion where it is wide, perhaps a curtain."""
        rng = self.rng
        glass = np.array([58, 68, 78]) * rng.uniform(0.7, 1.3) + 0.4 * np.array([70, 58, 34]) * rng.random()
        self.rectangle(x0 - 0.09, z0 - 0.12, x1 + 0.09, z1 + 0.08, frame)
        self.rectangle(x0, z0, x1, z1, glass)
        self.rectangle(x0, z0 + 0.62 * (z1 - z0), x1, z1, glass * rng.uniform(1.05, 1.5))
        if x1 - x0 > 0.7:
            self.rectangle((x0 + x1) / 2 - 0.03, z0, (x0 + x1) / 2 + 0.03, z1, frame)
        if rng.random() < 0.3:
            self.rectangle(x0, z0, x0 + 0.25 * (x1 - x0), z1, (176, 168, 152))


def _shops(front: _Front, x: float, width: float, top: float, *, bright: bool) -> None:
    """Shops along the ground floor of a house."""
    rng, at = front.rng, x + 0.3
    while at < x + width - 2.0:
        wide = min(rng.uniform(3.0, 5.0), x + width - 0.3 - at)
        sign = SIGNS[rng.integers(len(SIGNS))] * rng.uniform(0.85, 1.1)
        inside = _shop_window(front, at, wide, top, bright=bright)
        door = at + rng.choice([0.15, wide - 1.25])
        front.rectangle(door, 0, door + 1.1, 2.4, (44, 46, 50))
        front.rectangle(door + 0.1, 0.2, door + 1.0, 2.3, inside * 0.55)
        _sign(front, at, wide, top, sign)
        if rng.random() < 0.4 and not bright:
            _awning(front, at, wide, top, sign)
        at += wide + 0.35


def _shop_window(front: _Front, at: float, wide: float, top: float, *, bright: bool) -> np.ndarray:
    """A shop window with goods and dummies; the colour inside."""
    rng = front.rng
    front.rectangle(at, 0.4, at + wide, top - 0.5, (232, 214, 178) if bright else (66, 64, 62))
    inside = np.array([226, 206, 170]) * (rng.uniform(0.8, 1.05) if bright else rng.uniform(0.3, 0.7))
    front.rectangle(at + 0.12, 0.5, at + wide - 0.12, top - 0.7, inside)
    for _ in range(int(wide * 3)):
        left = at + 0.2 + rng.random() * (wide - 0.8)
        width, height = rng.uniform(0.15, 0.45), rng.uniform(0.3, 1.5)
        goods = np.clip(inside * rng.uniform(0.35, 1.0) + rng.uniform(-30, 30, 3), 8, 245)
        front.rectangle(left, 0.55, left + width, 0.55 + height, goods)
    return inside


def _sign(front: _Front, at: float, wide: float, top: float, colour: np.ndarray) -> None:
    """A shop's sign, with letters as far as one can read them."""
    rng = front.rng
    front.rectangle(at, top - 0.75, at + wide, top - 0.1, colour)
    for k in range(int(rng.integers(4, 9))):
        left = at + wide * 0.2 + 0.26 * k
        letter = np.where(colour.mean() > 130, 40, 236) * np.ones(3)
        front.rectangle(left, top - 0.6, left + rng.uniform(0.1, 0.2), top - 0.26, letter)


def _awning(front: _Front, at: float, wide: float, top: float, colour: np.ndarray) -> None:
    """A striped awning."""
    stripes = max(4, int(wide / 0.35))
    for k in range(stripes):
        tone = colour if k % 2 else np.array([224, 220, 210])
        left, right = at + wide * k / stripes, at + wide * (k + 1) / stripes
        front.rectangle(left, top - 1.25, right, top - 0.75, tone * 0.95)
