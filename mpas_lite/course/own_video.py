"""Any video in the place of a notebook's own clip: short and small enough for a lesson, or one sentence why not."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

UPLOAD = "upload"  # in the place of a path, on Colab: asks for a file
LEAST = 6  # frames: what particles are followed through


class Stop(Exception):
    """Ends a notebook's run with a sentence in the place of a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows."""
        return [str(self)]


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """What a video does not allow ends the run with the sentence that says so."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Stop(str(error)) from None


def short_video(
    source: str | os.PathLike[str] | Video, *, start: int = 0, longest: int = 480, frames: int = 100
) -> Video:
    """Some frames of a video, shrunk if need be, so that a lesson with it takes a minute and not an hour.

    A video that is short and small already comes back as it is.

    Parameters
    ----------
    source : path, or Video
        A file, or a folder of images. ``"upload"`` asks for a file on Colab.
    start : int
        The first frame to take, from 0: where people walk.
    longest : int
        Longest side of a frame, px.
    frames : int
        How many, at most.

    Returns
    -------
    Video

    Raises
    ------
    Stop
        With one sentence, if it cannot be read or is no longer than six frames.
    """
    with in_a_sentence(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of frames that are left out: a lesson does not need them all
        video = read_video(source if isinstance(source, Video) else _found(source))
        if not start and len(video) <= frames and max(video.shape) <= longest:
            kept: Sequence[np.ndarray] | range = range(len(video))
        else:
            kept = [_shrunk(frame, longest) for _, frame in video.frames(range(start, start + frames))]
        if len(kept) < LEAST:
            after = f" from frame {start} on" if start else ""
            raise ValueError(f"{video.name} has {len(kept)} frames{after}; it takes {LEAST} to see a motion in them.")
        return video if isinstance(kept, range) else read_video(np.stack(kept), name=video.name, fps=video.fps)


def _shrunk(frame: np.ndarray, longest: int) -> np.ndarray:
    height, width = frame.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return frame
    return cv2.resize(frame, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def _found(source: str | os.PathLike[str]) -> Path:
    """The path; the frames of a data set that keeps them in a folder ``input``; or the file that is uploaded."""
    if source != UPLOAD:
        path = Path(source).expanduser()
        return path / "input" if (path / "input").is_dir() else path
    if "google.colab" not in sys.modules:
        raise ValueError("Files are uploaded on Colab only; here, give the path of your video.")
    from google.colab import files  # type: ignore[import-not-found]

    names = list(files.upload())
    if not names:
        raise ValueError("No file was uploaded. Run this cell again and choose one.")
    return Path(names[0])
