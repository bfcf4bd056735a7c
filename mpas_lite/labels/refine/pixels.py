"""Small arithmetic on pictures that all steps share."""

from __future__ import annotations

import cv2
import numpy as np

from mpas_lite.video.arrays import Frame


def smooth(image: Frame) -> Frame:
    """Mean over 3x3 pixels: a third of the noise, and edges stay within a pixel."""
    return cv2.blur(image, (3, 3))


def largest(image: np.ndarray) -> np.ndarray:
    """Largest of the three channels, (H, W); numpy's max over a short last axis takes ten times as long."""
    red, green, blue = cv2.split(image)
    return cv2.max(cv2.max(red, green), blue)


def smallest(image: np.ndarray) -> np.ndarray:
    """Smallest of the three channels, (H, W)."""
    red, green, blue = cv2.split(image)
    return cv2.min(cv2.min(red, green), blue)
