"""What the camera sees when nobody is there: the background of a clip, out of frames spread over it.

Beyond the paper. A camera that stands still sees the same background all the time, so every pixel that is long enough
free of people tells what lies behind them. The plain temporal median fails where crowds cover a place half of the
time, where light changes and where there is noise; each function here is about one of these.

The mode is the shorth (Andrews et al. 1972). New is only that the clip itself tells how deep its shadows are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from mpas_lite.labels.refine.background_model import Background
from mpas_lite.labels.refine.foreground import deepest_shadow
from mpas_lite.labels.refine.light import match_light
from mpas_lite.labels.refine.pixels import largest, smooth
from mpas_lite.video.arrays import Frame, Mask

MOVES = 10  # grey levels between two frames of a window: more is motion
CALM = 0.05  # of the 9x9 pixels around one may move where it counts as calm


def estimate_background(frames: Sequence[Frame], moving: Sequence[Mask] | None = None) -> Background:
    """The background of a clip, from frames spread evenly over it.

    Parameters
    ----------
    frames : sequence of (H, W, 3) uint8 RGB
        Some 48 are enough; with fewer than 8 hardly anything is known.
    moving : sequence of (H, W) bool, optional
        Where each frame moves, see :func:`moves`. Then each pixel is told by the frames that are calm around it.
    """
    reference = frames[len(frames) // 2]
    stack = np.stack([match_light(frame, reference) for frame in frames])
    if moving is None:
        background = _judged(densest_value(stack, part=0.45), stack, often=0.2)
    else:
        background = _judged(*_calm_value(stack, np.stack([around(mask) for mask in moving])), often=0.1)
    return replace(background, min_shadow_gain=deepest_shadow(background, list(stack[::2])))


def moves(frame: Frame, other: Frame) -> Mask:
    """Where a frame differs from one a little earlier or later, (H, W) bool: somebody moves there."""
    change = largest(cv2.absdiff(smooth(frame), smooth(match_light(other, frame))))
    return np.asarray(change > MOVES)


def around(moving: Mask) -> np.ndarray:
    """How much moves in the 9x9 pixels around each, 0 ... 1, (H, W) float32."""
    return cv2.blur(moving.astype(np.float32), (9, 9))


def _calm_value(stack: np.ndarray, motion: np.ndarray) -> tuple[Frame, np.ndarray]:
    """The densest value of the calmer half of the samples of each pixel, and that half, (S / 2, H, W, 3) uint8.

    Where something moves even in those, the calmest sixth tells more. Of equally calm samples those are taken that
    are spread widest over the clip.
    """
    count = len(stack)
    spread = np.argsort([int(f"{number:08b}"[::-1], 2) for number in range(count)])
    order = spread[np.argsort(motion[spread], axis=0, kind="stable")]
    half, few = max(8, count // 2), max(8, count // 6)
    calm = np.take_along_axis(stack, order[:half, ..., None], axis=0)
    busy = np.take_along_axis(motion, order[half - 1 : half], axis=0)[0] > CALM
    image = densest_value(calm, part=0.45)
    image[busy] = densest_value(calm[:few, busy], part=0.45)
    return image, calm


def densest_value(samples: np.ndarray, *, part: float = 0.45) -> np.ndarray:
    """Most frequent value: the middle of the narrowest range that holds so large a part of the samples.

    The median of a place is a person's colour as soon as people cover it half of the time. The densest value
    stays with the background as long as no other colour is seen oftener, because people differ from each other.

    Parameters
    ----------
    samples : (S, ...) uint8
    part : float
        0 ... 1. One half is the shorth (Andrews et al. 1972); less stands more people and more noise is left.

    Returns
    -------
    (...) uint8

    Examples
    --------
    A background of 10 that is seen 4 times of 9:

    >>> samples = np.uint8([10, 80, 11, 120, 10, 160, 200, 240, 10])
    >>> int(densest_value(samples)), int(np.median(samples))
    (10, 80)
    """
    ordered = np.ascontiguousarray(np.sort(samples.reshape(len(samples), -1).T, axis=-1).T)
    size = min(len(ordered), max(3, round(part * len(ordered))))
    best = ordered[size - 1] - ordered[0]
    middle = ordered[size // 2].copy()
    for first in range(1, len(ordered) - size + 1):
        spread = ordered[first + size - 1] - ordered[first]
        narrower = spread < best
        np.copyto(best, spread, where=narrower)
        np.copyto(middle, ordered[first + size // 2], where=narrower)
    return middle.reshape(samples.shape[1:])


def _judged(image: Frame, stack: np.ndarray, *, often: float) -> Background:
    """Noise and trust of a background image, from how the samples scatter about it.

    A pixel is known that so large a share of the samples show, and three of them.
    """
    flat = smooth(image)
    distance = np.stack([largest(cv2.absdiff(smooth(frame), flat)) for frame in stack])
    # A quarter of |x| lies below 0.32 sigma: holds where people cover a place three quarters of the time.
    quarter = np.partition(distance, len(stack) // 4, axis=0)[len(stack) // 4].astype(np.float32) / 0.75
    still = _noise_of_clip(image, stack)
    seen = (distance <= 5 * still).mean(axis=0)
    known = (seen >= often) & (seen * len(stack) >= 3)
    return Background(image, np.clip(quarter, still, 1.5 * still), known)


def _noise_of_clip(image: Frame, stack: np.ndarray) -> float:
    """Standard deviation of still pixels after a 3x3 mean, in grey levels; 0.5 to 3: more is no noise but traffic.

    The median of |x| over time is 0.67 of a still pixel's standard deviation, and more where people pass. So the
    stillest quarter of the places tells it; of some 15 samples their median is about 0.55 of it.
    """
    some = stack[:: max(1, len(stack) // 15)]
    rest = [np.abs(cv2.blur(frame.astype(np.float32) - image, (3, 3))[1:-1:4, 1:-1:4]) for frame in some]
    return float(np.clip(np.quantile(np.median(rest, axis=0), 0.25) / 0.55, 0.5, 3.0))
