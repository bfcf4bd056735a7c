"""What the camera sees when nobody is there: the background of a clip, and what differs from it.

Beyond the paper. A camera that stands still sees the same background all the time, so every pixel that is
long enough free of people tells what lies behind them. Each function here is about one thing that goes wrong
with the plain temporal median: crowds that cover a place half of the time, light that changes, noise, shadows,
and a camera that shakes.

The parts are known ones: the shorth as a mode (Andrews et al. 1972), thresholds with hysteresis (Canny 1986), shadows
as darker pixels of the same chromaticity (Horprasert, Harwood & Davis 1999). New is only that the clip itself tells
how deep its shadows are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

DARKEST_SHADOW = 0.5  # of the light; where the clip's own shadows are too few to tell


@dataclass(frozen=True)
class Background:
    """A clip's background and how far to trust it.

    Attributes
    ----------
    image : (H, W, 3) uint8 RGB
    noise : (H, W) float32
        Standard deviation of what is left of a still pixel after a 3x3 mean, in grey levels.
    known : (H, W) bool
        Where the clip shows the background often enough; elsewhere nothing can be said.
    min_shadow_gain : float
        How much of the light the deepest shadow lets through, 0 ... 1.
    """

    image: np.ndarray
    noise: np.ndarray
    known: np.ndarray
    min_shadow_gain: float = DARKEST_SHADOW

    @property
    def umbra(self) -> float:
        """What ``min_shadow_gain`` was called once."""
        return self.min_shadow_gain

    @cached_property
    def flat(self) -> np.ndarray:
        """The image after a 3x3 mean, (H, W, 3) uint8."""
        return smooth(self.image)

    @cached_property
    def corners(self) -> np.ndarray:
        """Corners by which frames are laid over the image, (N, 1, 2) float32."""
        return _corners(cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY))

    @cached_property
    def grey(self) -> bool:
        """Whether the clip has no colours to tell shadows by."""
        return float(np.mean(largest(self.image) - smallest(self.image))) < 3


def smooth(image: np.ndarray) -> np.ndarray:
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


def light_change(frame: np.ndarray, background: np.ndarray, *, pixels: int = 1500) -> tuple[np.ndarray, np.ndarray]:
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


def apply_illumination(image: np.ndarray, gain: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The image in another light, (H, W, 3) uint8; changes of less than a grey level are left alone."""
    if np.abs((gain - 1) * 128 + offset).max() < 1 and np.abs(gain - 1).max() < 0.02:
        return image
    return cv2.transform(image, np.column_stack([np.diag(gain), offset]))


def estimate_background(frames: Sequence[np.ndarray]) -> Background:
    """The background of a clip, from frames spread evenly over it.

    Parameters
    ----------
    frames : sequence of (H, W, 3) uint8 RGB
        Some 48 are enough; with fewer than 8 hardly anything is known.
    """
    reference = frames[len(frames) // 2]
    stack = np.stack([apply_illumination(frame, *light_change(reference, frame)) for frame in frames])
    image = densest_value(stack, part=0.45)
    background = _judged(image, stack)
    return replace(background, min_shadow_gain=deepest_shadow(background, list(stack[::2])))


def _judged(image: np.ndarray, stack: np.ndarray) -> Background:
    """Noise and trust of a background image, from how the samples scatter about it."""
    flat = smooth(image)
    distance = np.stack([largest(cv2.absdiff(smooth(frame), flat)) for frame in stack])
    # A quarter of |x| lies below 0.32 sigma: holds where people cover a place three quarters of the time.
    quarter = np.partition(distance, len(stack) // 4, axis=0)[len(stack) // 4].astype(np.float32) / 0.75
    still = _noise_of_clip(image, stack)
    seen = (distance <= 5 * still).mean(axis=0)
    known = (seen >= 0.2) & (seen * len(stack) >= 3)
    return Background(image, np.clip(quarter, still, 1.5 * still), known)


def _noise_of_clip(image: np.ndarray, stack: np.ndarray) -> float:
    """Standard deviation of still pixels after a 3x3 mean, in grey levels; 0.5 to 3: more is no noise but traffic.

    The median of |x| over time is 0.67 of a still pixel's standard deviation, and more where people pass. So the
    stillest quarter of the places tells it; of some 15 samples their median is about 0.55 of it.
    """
    some = stack[:: max(1, len(stack) // 15)]
    rest = [np.abs(cv2.blur(frame.astype(np.float32) - image, (3, 3))[1:-1:4, 1:-1:4]) for frame in some]
    return float(np.clip(np.quantile(np.median(rest, axis=0), 0.25) / 0.55, 0.5, 3.0))


def foreground_mask(frame: np.ndarray, background: Background, *, low: float, high: float) -> np.ndarray:
    """Where a frame differs from the background by more than noise.

    A pixel belongs when it differs by ``low`` standard deviations of its noise and hangs together with one that
    differs by ``high`` (hysteresis): the first finds dark coats on dark ground, the second keeps out noise.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    background : Background
    low, high : float
        In standard deviations.

    Returns
    -------
    (H, W) bool
    """
    distance = largest(cv2.absdiff(smooth(frame), background.flat))
    weak = distance > low * background.noise
    count, part = cv2.connectedComponents(weak.astype(np.uint8))
    strong = np.zeros(count, bool)
    strong[part[distance > high * background.noise]] = True
    strong[0] = False
    return strong[part]


def _relative_light(frame: np.ndarray, background: Background) -> tuple[np.ndarray, np.ndarray]:
    """How much of the background's light each pixel shows, and how much its colour differs; (H, W) float32."""
    one = (1, 1, 1, 0)
    ratio = cv2.divide(cv2.add(smooth(frame), one), cv2.add(background.flat, one), dtype=cv2.CV_32F)
    light = cv2.transform(ratio, np.full((1, 3), 1 / 3))
    return light, (largest(ratio) - smallest(ratio)) / light


def _even(light: np.ndarray) -> np.ndarray:
    """Where the share of light hardly changes over 5x5 pixels: the texture seen is the background's own."""
    mean = cv2.blur(light, (5, 5))
    even: np.ndarray = cv2.blur(light * light, (5, 5)) - mean * mean < (0.05 * light) ** 2
    return even


def deepest_shadow(background: Background, stack: Sequence[np.ndarray]) -> float:
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


def shadows(frame: np.ndarray, background: Background, *, colour: float = 0.12) -> np.ndarray:
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
    if background.grey:
        wide = cv2.morphologyEx(_even(light).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        shadow &= cv2.dilate(wide, np.ones((5, 5), np.uint8)) > 0
    return shadow


def camera_motion(frames: Sequence[np.ndarray]) -> np.ndarray | None:
    """How the camera moved, from what stands still: for each frame the map that steadies it.

    Corners of the middle frame are looked for in each other one; the shift, turn and zoom that most of them agree
    on (RANSAC) is the camera's. People do not agree, so a tenth of the corners is enough.

    Parameters
    ----------
    frames : sequence of (H, W, 3) uint8

    Returns
    -------
    (S, 2, 3) float64, or None
        For ``cv2.warpAffine``: each frame laid over the middle one. None where half of the frames cannot be laid
        over it, or only by more than a twentieth of the picture: a camera that pans, zooms, or is cut.
    """
    reference = cv2.cvtColor(frames[len(frames) // 2], cv2.COLOR_RGB2GRAY)
    corners = _corners(reference)
    if len(corners) < 10:
        return np.repeat(np.eye(2, 3)[None], len(frames), axis=0)  # nothing to see: nothing is seen to move
    moves, lost = [], 0
    for frame in frames:
        move = _steadying(frame, reference, corners)
        lost += move is None
        moves.append(np.eye(2, 3) if move is None else move)
    motion = np.stack(moves)
    far = shift_of(motion, reference.shape) > max(reference.shape) / 20
    return None if lost + far.sum() >= len(frames) / 2 else motion


def _corners(grey: np.ndarray) -> np.ndarray:
    """Some corners of each of 5x5 cells, (N, 1, 2) float32: the strongest of all would lie in the crowd alone."""
    found = [np.zeros((0, 1, 2), np.float32)]
    height, width = grey.shape
    rows, columns = (np.linspace(0, side, 6).astype(int) for side in (height, width))
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            corners = cv2.goodFeaturesToTrack(grey[top:bottom, left:right], 8, 0.05, 6)
            if corners is not None:
                found.append(corners + np.array([left, top], np.float32))
    return np.concatenate(found)


def steadying(frame: np.ndarray, background: Background) -> np.ndarray | None:
    """The map (2, 3) that lays a frame, (H, W, 3) uint8, over the background; None where corners do not agree."""
    return _steadying(frame, cv2.cvtColor(background.image, cv2.COLOR_RGB2GRAY), background.corners)


def _steadying(frame: np.ndarray, reference: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    if len(corners) < 8:
        return None
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    # Lucas-Kanade takes brightness for constant: bring the frame to the reference's light first.
    gain = float(reference.std()) / max(float(grey.std()), 1.0)
    levels = gain * (np.arange(256) - float(grey.mean())) + float(reference.mean())
    grey = cv2.LUT(grey, np.clip(levels, 0, 255).astype(np.uint8))
    there, seen, _ = cv2.calcOpticalFlowPyrLK(reference, grey, corners, None, winSize=(15, 15), maxLevel=3)
    seen = seen[:, 0] == 1
    if seen.sum() < 8:
        return None
    move, agree = cv2.estimateAffinePartial2D(
        there[seen], corners[seen], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=500
    )
    # In front of a plain wall people have more corners than the wall: that as many as 1 in 20 came to rest where
    # they were is no accident.
    rests = int((np.linalg.norm(there[seen] - corners[seen], axis=(1, 2)) < 0.7).sum())
    agreed = 0 if move is None else int(agree.sum())
    if rests >= max(8, len(corners) / 20, agreed / 2):
        return np.eye(2, 3)
    if agreed < max(8, len(corners) / 10):
        return None
    return np.asarray(move, np.float64)


def shift_of(motion: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How far the picture's corners and centre are moved at most, px, for each of (S, 2, 3) maps."""
    height, width = shape
    points = np.array([(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)], np.float64)
    moved = points @ motion[:, :, :2].transpose(0, 2, 1) + motion[:, None, :, 2]
    return np.linalg.norm(moved - points, axis=2).max(axis=1)
