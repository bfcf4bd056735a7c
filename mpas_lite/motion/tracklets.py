"""Particles out of tracklets that others have tracked.

The authors of the two crowd databases published their own KLT tracklets beside the frames.
:func:`read_tracklets` and :func:`particles_of_tracklets` make particles of them, so that the method can be run
on exactly the points that the authors had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mpas_lite.motion.klt import Particles
from mpas_lite.video.limits import check_regular

TRACKLET_FILE = "klt_3000_10_trk.txt"
_LONGEST_LINE = 1_000_000  # characters: a tracklet of some 60,000 frames
_LARGEST_FILE = 256_000_000  # bytes of tracklets, 50 times those of the longest published clips
_POINT = r"\((-?\d{1,6}),(-?\d{1,6}),(\d{1,6})\)"
_LINE = re.compile(rf"(\d{{1,6}})\s+((?:{_POINT})+)")


@dataclass(frozen=True)
class Tracklet:
    """One corner, followed from frame to frame.

    Attributes
    ----------
    start : int
        0-based index of the first frame in the video that :func:`mpas_lite.read_video` opens.
    position : (T, 2) int32
        x and y in px in this frame and those that follow it.
    """

    start: int
    position: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.position)


def read_tracklets(path: str | Path) -> list[Tracklet]:
    r"""Read the KLT tracklets that come with the Collective Motion and CUHK Crowd databases.

    One a line, ``length<TAB>(x,y,t)(x,y,t)...``: whole pixels, and t is the number in the frame's name. It counts
    from 1, ``000001.jpg``, which is frame 0 of the video.

    Parameters
    ----------
    path : str or Path
        ``klt_3000_10_trk.txt``, or the clip's folder.

    Raises
    ------
    ValueError
        If a line is not of this form, its length is not what it says, or its t do not go up by one; the message
        names the line.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import tempfile; path = Path(tempfile.mkdtemp()) / TRACKLET_FILE
    >>> _ = path.write_text("3\t(10,20,1)(12,20,2)(14,21,3)\n1\t(7,7,3)\n")
    >>> [(tracklet.start, tracklet.position.tolist()) for tracklet in read_tracklets(path)]
    [(0, [[10, 20], [12, 20], [14, 21]]), (2, [[7, 7]])]
    """
    path = Path(path)
    if path.is_dir():
        path = path / TRACKLET_FILE
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}. Tracklets of these data sets are named {TRACKLET_FILE}.")
    check_regular(path)
    if path.stat().st_size > _LARGEST_FILE:
        raise ValueError(f"{path} is {path.stat().st_size / 1e6:.0f} MB long, more than any tracklets. Is it damaged?")
    with open(path, encoding="ascii", errors="replace") as file:
        lines = iter(lambda: file.readline(_LONGEST_LINE), "")
        return [_tracklet(line.strip(), f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]


def _tracklet(line: str, where: str) -> Tracklet:
    matched = _LINE.fullmatch(line)
    if matched is None:
        raise ValueError(
            f"{where} is not a tracklet: it should be a length, a tab and points as in 2<TAB>(10,20,1)(12,20,2). "
            "Is the file damaged or cut off?"
        )
    points = np.array(re.findall(r"-?\d+", matched[2]), np.int32).reshape(-1, 3)
    if len(points) != int(matched[1]):
        raise ValueError(f"{where} says {matched[1]} points and holds {len(points)}. Is the file damaged or cut off?")
    if points[0, 2] < 1 or np.any(np.diff(points[:, 2]) != 1):
        raise ValueError(f"{where}: t should begin at 1 or above and go up by one from point to point.")
    return Tracklet(int(points[0, 2]) - 1, points[:, :2].copy())


def particles_of_tracklets(
    tracklets: Iterable[Tracklet],
    frame: int,
    *,
    interval: int = 5,
    min_speed: float = 0.2,
    min_length: int = 3,
) -> Particles:
    """Particles of one frame, out of tracklets instead of :func:`mpas_lite.track`.

    The velocity is the displacement over ``interval`` frames divided by it, as in ``track``. Tracklets that
    begin after ``frame`` or end before ``frame + interval`` give none.

    **The authors' particles.** Their MATLAB code (``trk2XV(trks, 1, 2)``) takes the displacement to the very next
    frame, from tracklets of more than 2 points, and keeps those at rest: ``interval=1, min_speed=0``. Positions
    are whole pixels, so a step of one frame has few directions; the default ``interval`` knows more of them. In a
    clip's very first frame hardly any of them has begun to move.

    Parameters
    ----------
    tracklets : iterable of Tracklet
    frame : int
        0-based index in the video.
    interval : int
        Frames over which the velocity is measured.
    min_speed : float
        Slower points (px/frame) are background and dropped; 0 keeps all.
    min_length : int
        Tracklets of fewer points are dropped.

    Returns
    -------
    Particles
        In the order of the tracklets; N = 0 where none is alive.

    Raises
    ------
    ValueError
        If ``frame`` is negative or ``interval`` below 1.

    Examples
    --------
    >>> straight = Tracklet(4, np.array([[10, 20], [12, 20], [14, 20], [16, 21]], np.int32))
    >>> particles = particles_of_tracklets([straight], 5, interval=2)
    >>> particles.position, particles.velocity
    (array([[12., 20.]], dtype=float32), array([[2. , 0.5]], dtype=float32))
    """
    if frame < 0 or interval < 1:
        raise ValueError(f"frame is at least 0 and interval at least 1; they are {frame} and {interval}.")
    alive = [
        t.position[[frame - t.start, frame - t.start + interval]]
        for t in tracklets
        if t.start <= frame and frame + interval < t.start + len(t) and len(t) >= min_length
    ]
    ends = np.array(alive, np.float32).reshape(-1, 2, 2)  # (N, from and to, x and y)
    velocity = (ends[:, 1] - ends[:, 0]) / np.float32(interval)
    moving = np.linalg.norm(velocity, axis=1) >= min_speed
    return Particles(ends[moving, 0], velocity[moving], frame)
