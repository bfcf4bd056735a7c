"""What stands before the background, and what is the background itself in shadow.

Thresholds with hysteresis (Canny 1986); shadows as darker pixels of the same chromaticity (Horprasert, Harwood & Davis
1999).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mpas_lite.labels.refine.background_model import DARKEST_SHADOW, Background
from mpas_lite.labels.refine.pixels import largest, smallest, smooth
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.video.arrays import Frame, Mask


def foreground_mask(frame: Frame, background: Background, *, low: float, high: float) -> Mask:
    """Where a frame differs from the background by more than noise.

    A pixel belongs when it differs by ``low`` times its tolerance and hangs together with one that differs by ``high``
    (hysteresis): the first finds dark coats on dark ground, the second keeps out noise.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    background : Background
    low, high : float
        In the background's tolerances.

    Returns
    -------
    (H, W) bool
    """
    score = difference(frame, background) / background.tolerance
    count, part = cv2.connectedComponents((score > low).astype(np.uint8))
    strong = np.zeros(count, bool)
    strong[part[score > high]] = True
    strong[0] = False
    return strong[part]


def difference(frame: Frame, background: Background) -> np.ndarray:
    """How far a frame is from the background after a 3x3 mean, in the channel that differs most; (H, W) uint8."""
    return largest(cv2.absdiff(smooth(frame), background.flat))


def foreground_score(frame: Frame, background: Background, *, threshold: float = Refinement().high) -> np.ndarray:
    """How far a frame differs from the background: 0 where it is the background or its shadow, 1 at the threshold.

    The frame is one in the background's light, see :func:`~mpas_lite.labels.refine.light.match_light`.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    background : Background
    threshold : float
        In tolerances of the background.

    Returns
    -------
    (H, W) float32
        Differences over the threshold; in shadows 0.

    Examples
    --------
    >>> behind = Background(np.full((9, 9, 3), 80, np.uint8), np.full((9, 9), 3, np.float32), np.ones((9, 9), bool))
    >>> frame = behind.image.copy()
    >>> frame[:, 5:] = (110, 70, 70)
    >>> foreground_score(frame, behind, threshold=10)[4, [1, 8]]
    array([0. , 1.5], dtype=float32)
    """
    score = difference(frame, background) / (threshold * background.tolerance)
    score[shadows(frame, background)] = 0
    return np.asarray(score, np.float32)


def shadows(frame: Frame, background: Background, *, colour: float = 0.12) -> Mask:
    """Where the frame shows the background in another light: as dark as a shadow at most, and of the same colour.

    A tenth brighter counts too: light that walls and clothes throw back, and ringing of the compression. In a clip
    without colours dark coats would pass for shadows; there the background's texture must be seen as well.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    background : Background
    colour : float
        Largest difference of the three channels' ratios, relative to their mean.

    Returns
    -------
    (H, W) bool
    """
    light, change = _relative_light(frame, background)
    shadow = (light > background.min_shadow_gain) & (light < 1.1) & (change < colour)
    if background.colourless:
        wide = cv2.morphologyEx(_even(light).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        shadow &= cv2.dilate(wide, np.ones((5, 5), np.uint8)) > 0
    return shadow


def without_shadows(frame: Frame, background: Background, settings: Refinement) -> Mask:
    """Where something stands before the background, (H, W) bool; of a frame in the background's light."""
    foreground = foreground_mask(frame, background, low=settings.low, high=settings.high)
    return foreground & ~shadows(frame, background) if settings.shadows else foreground


def deepest_shadow(background: Background, stack: Sequence[Frame]) -> float:
    """How much light is left in the clip's shadows, from the insides of large ones.

    The sun casts all shadows of a clip equally deep, and inside them the ground keeps its colour and texture:
    the ratio to the background is the same for the three channels and for all pixels around. Few coats are so.
    """
    lights = []
    for frame in stack:
        light, colour = _relative_light(frame, background)
        inside = foreground_mask(frame, background, low=8, high=12)
        inside &= (colour < 0.1) & (light > 0.4) & (light < 1) & _even(light)
        lights.append(light[inside])
    values = np.concatenate(lights)
    if len(values) < 200:  # px: too few to tell
        return DARKEST_SHADOW
    return max(DARKEST_SHADOW - 0.1, float(np.quantile(values, 0.05)) - 0.04)


def _relative_light(frame: Frame, background: Background) -> tuple[np.ndarray, np.ndarray]:
    """How much of the background's light each pixel shows, and how much its colour differs; (H, W) float32."""
    one = (1, 1, 1, 0)
    ratio = cv2.divide(cv2.add(smooth(frame), one), cv2.add(background.flat, one), dtype=cv2.CV_32F)
    light = cv2.transform(ratio, np.full((1, 3), 1 / 3))
    return light, (largest(ratio) - smallest(ratio)) / light


def _even(light: np.ndarray) -> Mask:
    """Where the share of light hardly changes over 5x5 pixels: the texture seen is the background's own."""
    mean = cv2.blur(light, (5, 5))
    even: Mask = cv2.blur(light * light, (5, 5)) - mean * mean < (0.05 * light) ** 2
    return even
