"""Drawing a mask over a frame, in colours that colour-blind people tell apart (Okabe and Ito)."""

from __future__ import annotations

import cv2
import numpy as np

ORANGE = (230, 159, 0)
SKY_BLUE = (86, 180, 233)
BLUE = (0, 114, 178)
VERMILION = (213, 94, 0)


def overlay(
    frame: np.ndarray,
    mask: np.ndarray,
    color: tuple[int, int, int] = ORANGE,
    *,
    opacity: float = 0.4,
) -> np.ndarray:
    """Tint the mask's pixels and outline them; a new frame comes back.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    mask : (H, W) bool
    color : (int, int, int)
        RGB, 0 to 255.
    opacity : float
        Of the tint: 0 shows the frame alone, 1 the colour alone. The outline is opaque.

    Returns
    -------
    (H, W, 3) uint8 RGB

    Raises
    ------
    ValueError
        If frame and mask differ in size.

    Examples
    --------
    >>> frame = np.zeros((5, 5, 3), np.uint8)
    >>> mask = np.zeros((5, 5), bool)
    >>> mask[1:4, 1:4] = True
    >>> overlay(frame, mask, (100, 50, 0), opacity=0.5)[2, 2]    # inside: half of it
    array([50, 25,  0], dtype=uint8)
    >>> overlay(frame, mask, (100, 50, 0))[1, 1]                 # on the outline: all of it
    array([100,  50,   0], dtype=uint8)
    """
    if mask.shape != frame.shape[:2]:
        raise ValueError(f"The mask is {mask.shape}, the frame {frame.shape[:2]}; they must be of one size.")
    drawn = frame.copy()
    mask = mask.astype(bool)
    tinted = frame[mask] * (1 - opacity) + np.array(color, np.float32) * opacity
    drawn[mask] = np.rint(tinted).astype(np.uint8)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(drawn, outlines, -1, color, thickness=max(1, min(frame.shape[:2]) // 240))
