"""The camera's sensor: from the fine canvas to a frame with exposure, blur and noise, and to exact masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mpas_lite.scenes.camera import FINE

EXPOSURE, VIGNETTING = 1.1, 0.32
BLUR = 0.55  # px, of the lens
CLOUD_STRENGTH = 0.025  # how far passing clouds change the exposure


@dataclass(frozen=True)
class Sensor:
    """What a camera makes of the light that falls on it.

    Attributes
    ----------
    shape : (int, int)
        Height and width of the frame, px.
    noise : float
        Standard deviation in mid grey, grey levels.
    cloud : (float, float)
        Phase, rad, and period, s, of the clouds that pass.
    seed : list of int
        Of the noise; a frame's number is added to it.
    """

    shape: tuple[int, int]
    noise: float
    cloud: tuple[float, float]
    seed: tuple[int, ...]

    def exposure(self, time: float) -> np.ndarray:
        """What brightness is multiplied by at each pixel, (H, W, 1) float32."""
        height, width = self.shape
        x, y = (np.arange(width) - width / 2) / width, (np.arange(height) - height / 2) / width
        vignette = (EXPOSURE * (1 - VIGNETTING * (x[None] ** 2 + y[:, None] ** 2))).astype(np.float32)[..., None]
        phase, period = self.cloud
        return vignette * np.float32(1 + CLOUD_STRENGTH * np.sin(2 * np.pi * time / period + phase))

    def frame(self, canvas: np.ndarray, index: int, time: float) -> np.ndarray:
        """The frame (H, W, 3) uint8 of a canvas (3H, 3W, 4) uint8."""
        height, width = self.shape
        image = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)[..., :3].astype(np.float32)
        image = cv2.GaussianBlur(image, (0, 0), BLUR)
        image *= self.exposure(time)
        if self.noise > 0:
            rng = np.random.default_rng([*self.seed, index])
            sigma = self.noise * np.sqrt((np.maximum(image, 0) + 16) / 144)
            image += sigma * rng.standard_normal(image.shape, dtype=np.float32)
        return np.clip(np.round(image), 0, 255).astype(np.uint8)


def visible_people(canvas: np.ndarray) -> np.ndarray:
    """Whom each pixel shows, (H, W) uint8, of a canvas (3H, 3W, 4) uint8; 0 where people cover less than one half."""
    sample = cv2.extractChannel(canvas, 3)
    shape = (canvas.shape[1] // FINE, canvas.shape[0] // FINE)
    cover = cv2.resize((sample > 0).astype(np.uint8) * 255, shape, interpolation=cv2.INTER_AREA)
    middle = slice(FINE // 2, None, FINE)
    number = sample[middle, middle]  # the sample in the middle of the pixel, or whoever else is there
    anyone = cv2.dilate(sample, np.ones((FINE, FINE), np.uint8))[middle, middle]
    return np.where(cover > 127, np.where(number > 0, number, anyone), 0).astype(np.uint8)


def shifted(canvas: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The canvas moved by ``shift`` (x, y) in px; what comes in at an edge is the edge."""
    if not shift.any():
        return canvas
    dx, dy = np.round(shift * FINE).astype(int)
    height, width = canvas.shape[:2]
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    columns = np.clip(np.arange(width) - dx, 0, width - 1)
    return canvas[rows][:, columns]


def camera_shake(rng: np.random.Generator, size: float) -> Callable[[float], np.ndarray]:
    """A shaking mast: a smooth random path (x, y) in px, in whole samples, as a function of time in s."""
    rate, phase = rng.uniform(1.5, 14, (2, 5)), rng.uniform(0, 2 * np.pi, (2, 5))

    def offset(time: float) -> np.ndarray:
        path = size * np.sqrt(2 / 5) * np.sin(rate * time + phase).sum(1)
        return np.round(path * FINE) / FINE

    return offset
