"""The size at which a network sees a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MOST = 640  # px: beyond it a frame costs more than people gain


def working_shape(shape: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Height and width after scaling the longer side down to ``long_side``; never up.

    Examples
    --------
    >>> working_shape((480, 640), 320)
    (240, 320)
    >>> working_shape((120, 160), 320)
    (120, 160)
    """
    height, width = shape
    scale = min(1.0, long_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def side_for_people(height: float, shape: tuple[int, int], wanted: float, least: int) -> int:
    """Longer side at which people are as high as is wanted; not below ``least``, nor above 640 px.

    Parameters
    ----------
    height : float
        Of a person in a frame, px.
    shape : tuple of int
        Height and width of the frame, px.
    wanted : float
        Height that a person is to have, px.
    least : int
        The longer side where people are large enough as it is, px.

    Examples
    --------
    >>> side_for_people(60, (480, 640), wanted=48, least=256)
    512
    >>> [side_for_people(height, (480, 640), wanted=48, least=256) for height in (200, 20)]
    [256, 640]
    """
    return max(least, round(min(MOST, max(shape) * wanted / height)))


def resize(image: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    """Scale an image (H, W) or (H, W, 3) down as :func:`working_shape` says, each new pixel an average."""
    height, width = working_shape((image.shape[0], image.shape[1]), long_side)
    if (height, width) == image.shape[:2]:
        return image
    smaller: NDArray[np.uint8] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return smaller
