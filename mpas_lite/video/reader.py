"""Reading video: the frames of a file, of a folder of images, or of an array, one after the other.

Nothing is held in memory that need not be: frames are decoded when they are asked for, and those that are
only passed over are never converted.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mpas_lite.video.array_video import ArrayVideo, frames_of_array
from mpas_lite.video.file_video import FileVideo
from mpas_lite.video.finding import Found, as_path, find
from mpas_lite.video.folder_video import FolderVideo
from mpas_lite.video.video import Video


def read_video(
    source: str | os.PathLike[str] | np.ndarray | Sequence[np.ndarray] | Video,
    *,
    name: str | None = None,
    fps: float = 25.0,
) -> Video:
    """Open a video: a file, a folder of images, a folder with one video file in it, or an array.

    Parameters
    ----------
    source : path, (T, H, W, 3) or (T, H, W) uint8 array, sequence of such frames, or Video
        Images of a folder are taken in the order of the numbers in their names. In the layout of the
        Collective Motion and CUHK Crowd databases (``imageList.txt`` beside the images) ``000000.jpg`` is
        the clip's mean image and is left out.
    name : str, optional
        The clip's name; by default the file's or folder's.
    fps : float
        Frames per second of a folder or an array. A file knows its own.

    Returns
    -------
    Video

    Raises
    ------
    FileNotFoundError
        If there is nothing at that path.
    ValueError
        If it is no video, holds no frame, or holds images of different sizes or orientations, damaged ones, or two
        for one number.

    Warns
    -----
    UserWarning
        If 16-bit images use fewer of their bits and are stretched. While reading: if damaged frames are left out, or
        a file ends before the container says it does.

    Examples
    --------
    >>> video = read_video(np.zeros((30, 48, 64, 3), np.uint8), name="night")
    >>> video
    <Video night: 30 frames of 64x48 at 25 fps>
    >>> [index for index, frame in video.frames([0, 10, 20])]
    [0, 10, 20]
    """
    if isinstance(source, Video):
        return source
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps is a number of frames per second, above 0; it is {fps}.")
    if not isinstance(source, str | os.PathLike):
        return ArrayVideo(frames_of_array(source), name or "array", fps)
    return open_found(find(as_path(source)), name, fps)


def open_found(found: Found, name: str | None = None, fps: float = 25.0) -> Video:
    """Open what :func:`.finding.find` found; arguments and errors as those of :func:`read_video`."""
    path, images, clip = found
    return FolderVideo(path, images, name or clip, fps) if images else FileVideo(path, name or clip)


def clip_name(source: str | os.PathLike[str] | Video) -> str:
    """Name that :func:`read_video` would give a file or folder; nothing is decoded.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is nothing at that path, or a folder without images or video.

    Examples
    --------
    >>> import tempfile; folder = Path(tempfile.mkdtemp()) / "plaza"; folder.mkdir()
    >>> (folder / "input.mp4").touch()
    >>> clip_name(folder / "input.mp4"), clip_name(folder)
    ('plaza', 'plaza')
    """
    return source.name if isinstance(source, Video) else find(as_path(source)).name


def source_paths(source: str | os.PathLike[str] | np.ndarray | Sequence[np.ndarray] | Video) -> list[Path]:
    """Files and folders that are read with a source: the video file, or the folder; an array reads none.

    A folder stands for the files in it. Those that are links are named too, as what they lead to lies elsewhere; and
    of a folder that is given for the one video in it both are.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`clip_name`.

    Examples
    --------
    >>> source_paths(np.zeros((30, 48, 64), np.uint8))
    []
    """
    if isinstance(source, FolderVideo):
        return [Path(source.source), *(path for path in source.paths if path.is_symlink())]
    if isinstance(source, FileVideo):
        return [Path(source.source)]
    if not isinstance(source, str | os.PathLike):
        return []
    return paths_of(source, find(as_path(source)))


def paths_of(source: str | os.PathLike[str], found: Found) -> list[Path]:
    """The paths of :func:`source_paths`, of what :func:`.finding.find` found at a path."""
    given = Path(os.fspath(source))
    return list(dict.fromkeys([given, found.path, *(image for image in found.images if image.is_symlink())]))
