"""Masks drawn over a frame: tinted and outlined, one or several, or against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from mpas_lite.plots.palette import ERROR_COLORS, ORANGE, PATTERNS, RGB, rgb
from mpas_lite.video.arrays import Frame, Mask


def overlay(
    frame: Frame,
    mask: Mask,
    color: RGB = ORANGE,
    *,
    opacity: float = 0.4,
) -> Frame:
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


def overlay_parts(frame: Frame, parts: Mapping[str, Mask], colors: Mapping[str, str]) -> Frame:
    """Tint several regions of a frame, each in a colour and a pattern of its own; a later one covers an earlier one.

    The patterns are those of ``PATTERNS``, in black: who does not see a colour sees them. One region alone has none.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    parts : mapping of str to (H, W) bool
    colors : mapping of str to str
        The colour of ``PALETTE`` of each part; orange where it names none.

    Returns
    -------
    (H, W, 3) uint8 RGB
    """
    drawn = frame
    for name, part in parts.items():
        color = colors.get(name, "orange")
        drawn = overlay(drawn, part, rgb(color), opacity=0.6)
        if len(parts) > 1 and color in PATTERNS:
            drawn[part.astype(bool) & pattern(PATTERNS[color], (part.shape[0], part.shape[1]))] = 0
    return drawn


@lru_cache(maxsize=32)
def pattern(kind: str, shape: tuple[int, int]) -> Mask:
    r"""Stripes or dots over a whole frame, a quarter of it at most; the larger the frame, the coarser.

    Parameters
    ----------
    kind : {"/", "\\", "-", "|", "x", "."}
        As matplotlib writes its hatches.
    shape : (int, int)
        Of the frame.

    Returns
    -------
    (H, W) bool

    Examples
    --------
    >>> for row in pattern("/", (3, 12)):
    ...     print("".join("#" if on else "-" for on in row))
    -------#----
    ------#-----
    -----#------
    """
    y, x = np.indices(shape) // max(1, min(shape) // 240)  # in units of the stripes' width
    if kind == ".":
        return (x % 5 >= 3) & (y % 5 >= 3)
    along = {"/": (x + y,), "\\": (x - y,), "-": (y,), "|": (x,), "x": (x + y, x - y)}[kind]
    return np.any([steps % 8 == 7 for steps in along], axis=0)


def mask_errors(pred: Mask, target: Mask, valid: Mask | None = None) -> dict[str, Mask]:
    """Where a mask is right, too small and too large.

    Parameters
    ----------
    pred, target : (H, W) bool
    valid : (H, W) bool, optional
        Pixels where ground truth exists; the others are in no part.

    Returns
    -------
    dict of str to (H, W) bool
        ``hit``, ``miss`` and ``false alarm``.

    Examples
    --------
    >>> parts = mask_errors(np.array([[True, True, False]]), np.array([[True, False, True]]))
    >>> {name: int(part.sum()) for name, part in parts.items()}
    {'hit': 1, 'miss': 1, 'false alarm': 1}
    """
    counted = np.ones(pred.shape, bool) if valid is None else valid
    return {
        "hit": pred & target & counted,
        "miss": target & ~pred & counted,
        "false alarm": pred & ~target & counted,
    }


def overlay_errors(frame: Frame, pred: Mask, target: Mask, valid: Mask | None = None) -> Frame:
    """The frame, paler, with what a mask has right and wrong in the colours of ``ERROR_COLORS``.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    pred, target, valid : (H, W) bool
        See `mask_errors`.

    Returns
    -------
    (H, W, 3) uint8 RGB
    """
    return overlay_parts(fade_to_white(frame, 0.25), mask_errors(pred, target, valid), ERROR_COLORS)


def fade_to_white(frame: Frame, fade: float) -> Frame:
    """The frame in grey and part of the way to white, so that marks stand out on it.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    fade : float
        From 0, which leaves the frame as it is, colours too, to 1, which is white.

    Returns
    -------
    (H, W, 3) uint8 RGB
    """
    if not fade:
        return frame
    grey = frame.mean(axis=2, keepdims=True) * (1 - fade) + 255 * fade
    return np.broadcast_to(grey, frame.shape).astype(np.uint8)
