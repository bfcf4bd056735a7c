"""Light that changes over a clip: clouds, and a camera's automatic exposure."""

from __future__ import annotations

import cv2
import numpy as np

from mpas_lite.video.arrays import Frame


def light_change(frame: Frame, background: Frame, *, pixels: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Gain and offset of each channel that turn the background's light into the frame's.

    Clouds and a camera's automatic exposure change all pixels alike; people change some. So a line is put through
    a grid of pixels, and again through those that lie near it. Where fewer than three in ten do, nothing is
    concluded: gain 1, offset 0.

    Parameters
    ----------
    frame, background : (H, W, 3) uint8
    pixels : int
        About so many are looked at.

    Returns
    -------
    gain, offset : (3,) float64

    Examples
    --------
    >>> background = np.random.default_rng(0).integers(20, 200, (40, 40, 3), dtype=np.uint8)
    >>> gain, offset = light_change((background * 1.2 + 3).astype(np.uint8), background)
    >>> gain.round(2), np.abs(offset - 3).max() < 1
    (array([1.2, 1.2, 1.2]), np.True_)
    """
    gain, offset = np.ones(3), np.zeros(3)
    stride = max(1, int(np.sqrt(background.shape[0] * background.shape[1] / pixels)))
    for channel in range(3):
        x = background[::stride, ::stride, channel].ravel().astype(np.float32)
        y = frame[::stride, ::stride, channel].ravel().astype(np.float32)
        usable = (x > 5) & (x < 250) & (y > 5) & (y < 250)  # not clipped
        x, y = x[usable], y[usable]
        if len(x) < 50:
            continue
        a, b = float(np.median(y / x)), 0.0
        for tolerance in (20.0, 8.0):
            near = np.abs(a * x + b - y) < tolerance
            dx, dy = x[near], y[near]
            a, b = 1.0, 0.0
            if len(dx) < 0.3 * len(x):
                break
            mx, my = float(dx.mean()), float(dy.mean())
            dx, dy = dx - mx, dy - my
            if (spread := float(dx @ dx)) < 25 * len(dx):
                break
            a = float(dx @ dy) / spread
            b = my - a * mx
        if 0.5 < a < 2:
            gain[channel], offset[channel] = a, b
    return gain, offset


def apply_illumination(image: Frame, gain: np.ndarray, offset: np.ndarray) -> Frame:
    """The image in another light, (H, W, 3) uint8; changes of less than a grey level are left alone."""
    if np.abs((gain - 1) * 128 + offset).max() < 1 and np.abs(gain - 1).max() < 0.02:
        return image
    return cv2.transform(image, np.column_stack([np.diag(gain), offset]))


def match_light(frame: Frame, reference: Frame) -> Frame:
    """The frame in the light of a reference picture of the same place; (H, W, 3) uint8 all three."""
    return apply_illumination(frame, *light_change(reference, frame))
