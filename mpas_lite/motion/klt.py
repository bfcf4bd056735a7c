"""From corners to particles: where something moves, and how fast.

KLT (Shi & Tomasi, "Good features to track", 1994; Lucas & Kanade, 1981): corners are found in a kept
frame, followed over a few frames, and followed back again. What does not come home has drifted and is
dropped; what has not moved is background and is dropped too. What is left are the particles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import cv2
import numpy as np

from mpas_lite.video.arrays import Frame, Grey, Points
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

_WINDOW = (15, 15)  # px, the patch that Lucas-Kanade matches
_LEVELS = 3  # of the image pyramid: follows a displacement of some 7 * 2**3 px a step
_LK: dict[str, Any] = {
    "winSize": _WINDOW,
    "maxLevel": _LEVELS,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01),
}


@dataclass(frozen=True)
class Particles:
    """Moving points of one frame.

    Attributes
    ----------
    position : (N, 2) float32
        x (right) and y (down) in px.
    velocity : (N, 2) float32
        In px/frame.
    frame : int
        0-based index of the frame that the positions belong to.
    """

    position: Points
    velocity: Points
    frame: int

    def __len__(self) -> int:
        return len(self.position)


def track(
    video: Video | str | np.ndarray,
    *,
    every: int = 20,
    interval: int = 5,
    max_corners: int = 3000,
    quality: float = 0.01,
    min_distance: float = 3.0,
    min_speed: float = 0.2,
    max_drift: float = 1.0,
) -> Iterator[Particles]:
    """Particles of every ``every``-th frame of a video.

    Parameters
    ----------
    video : Video, str, Path or array
        What :func:`mpas_lite.read_video` takes.
    every : int
        One frame in ``every`` is kept: frames 0, every, 2 every, ... The others are not looked at unless
        they lie in the window that follows a kept frame. The paper keeps one in 20.
    interval : int
        Length of that window in frames; velocities are means over it.
    max_corners, quality, min_distance : int, float, float
        As in ``cv2.goodFeaturesToTrack``: at most so many corners, at least so good relative to the best
        one, at least so many px apart. Corners are found anew in every kept frame.
    min_speed : float
        Slower points (px/frame) are background: KLT finds its corners too, and compression or noise makes
        them tremble.
    max_drift : float
        Largest distance in px between a corner and where following it there and back again ends.

    Yields
    ------
    Particles
        One for every kept frame whose window the video still holds, also when nothing moves (N = 0).

    Raises
    ------
    ValueError
        If the video has no more frames than ``interval``, so that no velocity can be measured.

    Examples
    --------
    A noisy picture that moves 2 px to the right with each frame:

    >>> picture = np.random.default_rng(0).integers(0, 255, (60, 160), dtype=np.uint8)
    >>> picture = cv2.GaussianBlur(picture, (0, 0), 2)
    >>> particles = next(track(np.stack([picture[:, 40 - 2 * t : 140 - 2 * t] for t in range(6)])))
    >>> np.median(particles.velocity, axis=0).round(2)
    array([2., 0.], dtype=float32)
    """
    for index, frames in windows(read_video(video), every=every, interval=interval):
        yield particles_of_window(
            frames,
            index,
            max_corners=max_corners,
            quality=quality,
            min_distance=min_distance,
            min_speed=min_speed,
            max_drift=max_drift,
        )


def windows(video: Video, *, every: int, interval: int, skip: Container[int] = ()) -> Iterator[tuple[int, list[Frame]]]:
    """The kept frames, each with the ``interval`` frames that follow it.

    A kept frame in whose window a frame is damaged is left out: a velocity is really one over ``interval`` frames.

    Parameters
    ----------
    video : Video
    every, interval : int
        See :func:`track`.
    skip : container of int
        Kept frames that are not asked for, by index; what only they need is passed over, not decoded to RGB.

    Yields
    ------
    index : int
        Of the kept frame.
    frames : list of (H, W, 3) uint8 RGB
        interval + 1 of them.

    Raises
    ------
    ValueError
        If every or interval is below 1, the video ends before its first window (and that is not skipped), or it is so
        damaged that no window is whole.
    """
    if every < 1 or interval < 1:
        raise ValueError(f"every ({every}) and interval ({interval}) are numbers of frames: at least 1.")

    recent: deque[tuple[int, Frame]] = deque(maxlen=interval + 1)
    last, found = -1, False
    for last, frame in video.frames(_needed(every, interval, skip)):
        recent.append((last, frame))
        kept = last - interval
        whole = len(recent) == interval + 1 and recent[0][0] == kept  # else frames were passed over, or are damaged
        if whole and kept % every == 0 and kept not in skip:
            found = True
            yield kept, [seen for _, seen in recent]
    if last < interval and 0 not in skip:
        raise ValueError(
            f"{video.source} has {last + 1} frame{'s' if last else ''}; to see motion over {interval} frames takes "
            f"at least {interval + 1}."
        )
    if last >= interval and not found and not any(kept in skip for kept in range(0, last + 1, every)):
        raise ValueError(
            f"{video.source} is damaged: behind no kept frame (one in {every}) can {interval} frames in a row be read. "
            "Repair or convert it, or keep other frames (every)."
        )


def _needed(every: int, interval: int, skip: Container[int]) -> Iterator[int]:
    """Indices of the frames that the kept frames' windows hold, without end; each once, in order."""
    following = 0
    for kept in count(0, every):
        if kept not in skip:
            yield from range(max(kept, following), kept + interval + 1)
            following = kept + interval + 1


def particles_of_window(
    frames: Sequence[Frame],
    index: int = 0,
    *,
    max_corners: int = 3000,
    quality: float = 0.01,
    min_distance: float = 3.0,
    min_speed: float = 0.2,
    max_drift: float = 1.0,
) -> Particles:
    """Particles of the first of some consecutive frames; parameters as in :func:`track`.

    The velocity is the displacement from the first frame to the last, divided by the number of steps.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    corners = find_corners(greys[0], max_corners=max_corners, quality=quality, min_distance=min_distance)
    path, found = _there(greys, corners)
    velocity = (path[-1] - path[0]) / (len(greys) - 1)
    moving = found & (np.linalg.norm(velocity, axis=1) >= min_speed)
    # Most corners lie on the background. Only what moves need show that it finds home: half the work is saved.
    moving[moving] = _drift(greys, path[:, moving]) <= max_drift
    return Particles(path[0][moving], velocity[moving], index)


def find_corners(grey: Grey, *, max_corners: int = 3000, quality: float = 0.01, min_distance: float = 3.0) -> Points:
    """Corners of an image: points whose patch differs from itself shifted in any direction.

    Parameters
    ----------
    grey : (H, W) uint8
    max_corners, quality, min_distance : int, float, float
        See :func:`track`.

    Returns
    -------
    (N, 2) float32
        x and y in px, best first. N = 0 in an image without structure.
    """
    corners = cv2.goodFeaturesToTrack(grey, max_corners, quality, min_distance)
    return np.zeros((0, 2), np.float32) if corners is None else corners[:, 0]


def follow(greys: Sequence[Grey], points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Follow points from frame to frame by pyramidal Lucas-Kanade, and back again.

    Parameters
    ----------
    greys : sequence of T (H, W) uint8
    points : (N, 2) float32
        x and y in px in the first frame.

    Returns
    -------
    path : (T, N, 2) float32
        The tracklets: where each point is in each frame.
    drift : (N,) float32
        Distance in px between the start and where the way there and back ends; infinite where a point was
        lost or left the image.
    """
    path, found = _there(greys, points)
    drift = np.full(len(points), np.inf, np.float32)
    drift[found] = _drift(greys, path[:, found])
    return path, drift


def _there(greys: Sequence[Grey], points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Where the points are in each frame, (T, N, 2), and which were never lost nor outside the image, (N,)."""
    path = np.repeat(points.astype(np.float32)[None], len(greys), axis=0)
    found = np.ones(len(points), bool)
    for t in range(1, len(greys)):
        path[t], seen = _step(greys[t - 1], greys[t], path[t - 1])
        found &= seen
    height, width = greys[0].shape
    return path, found & np.all((path >= 0) & (path <= (width - 1, height - 1)), axis=(0, 2))


def _drift(greys: Sequence[Grey], path: np.ndarray) -> np.ndarray:
    """Distance in px between the start of each path and where the way back ends; infinite where one is lost."""
    back = path[-1]
    found = np.ones(len(back), bool)
    for t in range(len(greys) - 1, 0, -1):
        back, seen = _step(greys[t], greys[t - 1], back)
        found &= seen
    return np.where(found, np.linalg.norm(back - path[0], axis=1), np.inf).astype(np.float32)


def _step(before: Grey, after: Grey, points: Points) -> tuple[np.ndarray, np.ndarray]:
    if len(points) == 0:
        return points, np.zeros(0, bool)
    moved, status, _ = cv2.calcOpticalFlowPyrLK(before, after, np.ascontiguousarray(points), None, **_LK)
    return moved, status[:, 0] == 1
