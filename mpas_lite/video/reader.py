"""Reading video: the frames of a file, of a folder of images, or of an array, one after the other.

Nothing is held in memory that need not be: frames are decoded when they are asked for, and those that are
only passed over are never converted.
"""

from __future__ import annotations

import math
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from mpas_lite.video.capture import Capture
from mpas_lite.video.containers import counts_frames, mp4_track
from mpas_lite.video.finding import IMAGE_ENDINGS, VIDEO_ENDINGS, Found, find, is_visible
from mpas_lite.video.images import image_view, read_deep, read_image

__all__ = [
    "IMAGE_ENDINGS",
    "VIDEO_ENDINGS",
    "Video",
    "clip_name",
    "is_visible",
    "read_video",
    "source_paths",
]
_LOOKED_AT = 32  # frames of a folder of 16-bit images that tell how many of the bits are used


class Video(ABC):
    """Frames in order, from a file, a folder of images or an array. Made by :func:`read_video`.

    Attributes
    ----------
    name : str
        The clip's name: the file's or folder's name without its ending.
    source : str
        Where it came from; ``"array"`` for an array.
    fps : float
        Frames per second.
    shape : (int, int)
        Height and width in px.

    Iterating yields ``(index, frame)``: the 0-based index and the frame, (H, W, 3) uint8 RGB. ``len(video)`` is
    exact for folders and arrays. For a file it is cheap, and only what the container claims, unless the file was
    read to its end or the claim cannot be; :meth:`count_frames` is exact.
    """

    def __init__(self, name: str, source: str, fps: float, shape: tuple[int, int], length: int) -> None:
        self.name = name
        self.source = source
        self.fps = fps
        self.shape = shape
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        return self.frames(count())

    def __repr__(self) -> str:
        height, width = self.shape
        return f"<Video {self.name}: {len(self)} frames of {width}x{height} at {self.fps:g} fps>"

    @abstractmethod
    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield ``(index, frame)`` for increasing ``indices``; stops where the video does.

        Frames in between are passed over without being converted to RGB. A damaged frame is left out, and those
        behind it keep their index.
        """

    def frame_indices(self) -> Sequence[int]:
        """Indices of all frames that can be read, in order; a file is passed through once for them."""
        return range(self._length)

    def count_frames(self) -> int:
        """Exact number of frames that can be read, as :meth:`frame_indices`."""
        return len(self.frame_indices())

    def frame_name(self, index: int) -> str:
        """Name of frame ``index`` in the source: the image's file name in a folder, else six digits."""
        return f"{index:06d}"


class _ArrayVideo(Video):
    def __init__(self, frames: np.ndarray, name: str, fps: float) -> None:
        super().__init__(name, "array", fps, (frames.shape[1], frames.shape[2]), len(frames))
        self._frames = frames

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        for index in indices:
            if index >= len(self._frames):
                return
            yield index, _as_rgb(self._frames[index])


class _FolderVideo(Video):
    def __init__(self, source: Path, paths: Sequence[Path], name: str, fps: float) -> None:
        super().__init__(name, str(source), fps, _common_shape(paths), len(paths))
        self.paths = paths
        self._bits = _common_bits(paths)
        if self._bits is not None and self._bits < 16:
            warnings.warn(
                f"{source}: the frames use {self._bits} of their 16 bits; these are taken for black to white.",
                stacklevel=3,
            )

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        for index in indices:
            if index >= len(self.paths):
                return
            yield index, self._checked(index, _eight_bit(self.paths[index], self._bits))

    def _checked(self, index: int, frame: np.ndarray) -> np.ndarray:
        if frame.shape[:2] != self.shape:
            (height, width), (was_height, was_width) = frame.shape[:2], self.shape
            raise ValueError(
                f"{self.paths[index]} is now {width}x{height}, where it was {was_width}x{was_height} px. Was it "
                "changed in the meantime?"
            )
        return frame

    def frame_name(self, index: int) -> str:
        return self.paths[index].name


class _FileVideo(Video):
    def __init__(self, path: Path, name: str) -> None:
        capture = Capture(path)
        try:
            first = capture.retrieve() if capture.grab() else None
            if first is None:
                raise ValueError(capture.no_frame())
        finally:
            capture.close()
        fps = capture.fps if 0 < capture.fps < 1000 else 25.0
        super().__init__(name, str(path), fps, (first.shape[0], first.shape[1]), 0)
        self._claimed = _credible_claim(path, capture.claimed)
        self._read: Sequence[int] | None = None  # indices, once the file was read to its end

    def __len__(self) -> int:
        if self._read is None and self._claimed is not None:
            return self._claimed
        indices = self.frame_indices()
        return indices[-1] + 1 if indices else 0

    def frame_indices(self) -> Sequence[int]:
        if self._read is None:
            capture = Capture(Path(self.source))
            try:
                while capture.grab():
                    pass
                self._read = _indices(capture)
            finally:
                capture.close()
        return self._read

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        capture = Capture(Path(self.source))
        asked = -1
        try:
            for index in indices:
                if index <= asked:
                    raise ValueError(f"frames() goes forward only: {index} was asked for after {asked}.")
                asked = index
                while capture.index < index:
                    if not capture.grab():
                        self._read = _indices(capture)
                        self._say_if_cut_off(len(self._read))
                        return
                if capture.index > index:  # it lies in a gap
                    continue
                image = capture.retrieve()
                if image is not None:
                    yield index, cv2.cvtColor(self._checked(index, image), cv2.COLOR_BGR2RGB)
        finally:
            capture.close()
            self._say_if_skipped(capture.gaps)

    def _checked(self, index: int, image: np.ndarray) -> np.ndarray:
        if image.shape[:2] != self.shape:
            (height, width), (first_height, first_width) = image.shape[:2], self.shape
            raise ValueError(
                f"{self.source}: frame {index} is {width}x{height}, the first one {first_width}x{first_height} px. A "
                "video has one size: cut it where its size changes."
            )
        return image

    def _say_if_cut_off(self, decoded: int) -> None:
        # Containers round their claims: one frame or one in a hundred is no news.
        if self._claimed is not None and decoded < self._claimed - max(1, self._claimed // 100):
            warnings.warn(
                f"{self.source}: {decoded} of {self._claimed} frames can be decoded; the file seems cut off or "
                "damaged. Going on with those.",
                stacklevel=3,
            )

    def _say_if_skipped(self, gaps: Sequence[tuple[int, int]]) -> None:
        if gaps:
            number = sum(last - first + 1 for first, last in gaps)
            warnings.warn(
                f"{self.source}: {number} frame{'s are' if number > 1 else ' is'} damaged and left out, the first at "
                f"{gaps[0][0]}. Those behind keep their numbers.",
                stacklevel=3,
            )


def _indices(capture: Capture) -> Sequence[int]:
    """What a capture that is at its end has given."""
    if not capture.gaps:
        return range(capture.index + 1)
    missing = {index for first, last in capture.gaps for index in range(first, last + 1)}
    return [index for index in range(capture.index + 1) if index not in missing]


def _credible_claim(path: Path, claimed: float) -> int | None:
    """Number of frames that a container claims and shows; None if it cannot be (0, 2**31 - 1, more than its bytes)."""
    if not 1 <= claimed < 2**31 - 1 or claimed > os.path.getsize(path) or not counts_frames(path):
        return None
    track = mp4_track(path)
    shown = track.frames if track is not None else None
    return int(claimed) if shown is None else max(1, min(int(claimed), shown))


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
        return _ArrayVideo(_checked_array(source), name or "array", fps)
    return open_found(find(_as_path(source)), name, fps)


def open_found(found: Found, name: str | None = None, fps: float = 25.0) -> Video:
    """Open what :func:`.finding.find` found; arguments and errors as those of :func:`read_video`."""
    path, images, clip = found
    return _FolderVideo(path, images, name or clip, fps) if images else _FileVideo(path, name or clip)


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
    return source.name if isinstance(source, Video) else find(_as_path(source)).name


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
    if isinstance(source, _FolderVideo):
        return [Path(source.source), *(path for path in source.paths if path.is_symlink())]
    if isinstance(source, _FileVideo):
        return [Path(source.source)]
    if not isinstance(source, str | os.PathLike):
        return []
    return paths_of(source, find(_as_path(source)))


def paths_of(source: str | os.PathLike[str], found: Found) -> list[Path]:
    """The paths of :func:`source_paths`, of what :func:`.finding.find` found at a path."""
    given = Path(os.fspath(source))
    return list(dict.fromkeys([given, found.path, *(image for image in found.images if image.is_symlink())]))


def _as_path(source: object) -> str | os.PathLike[str]:
    if isinstance(source, int | np.integer):
        raise ValueError(
            f"{source} would be a camera, and cameras are not read. Record a file first, for instance with: "
            "ffmpeg -f v4l2 -i /dev/video0 -t 60 clip.mp4"
        )
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"A {type(source).__name__} is no path of a video. Give a file or a folder of frames.")
    return source


# ------------------------------------------------------------------------------------------------- frames


def _common_shape(paths: Sequence[Path]) -> tuple[int, int]:
    """Height and width that all images share, read from their headers alone."""
    kinds: dict[tuple[tuple[int, int], int], Path] = {}
    for path in paths:
        kinds.setdefault(image_view(path), path)
    shapes = list(dict.fromkeys(shape for shape, _ in kinds))
    if len(shapes) > 1:
        a, b = (next(path for (shape, _), path in kinds.items() if shape == s) for s in shapes[:2])
        (height_a, width_a), (height_b, width_b) = shapes[:2]
        turned = " (as their EXIF orientation turns them)" if len({turn for _, turn in kinds}) > 1 else ""
        raise ValueError(
            f"The images of {a.parent} differ in size: {a.name} is {width_a}x{height_a}, {b.name} is "
            f"{width_b}x{height_b}{turned}. A video has one size: put other images into another folder."
        )
    if len(kinds) > 1:
        ((_, turn_a), a), ((_, turn_b), b) = list(kinds.items())[:2]
        raise ValueError(
            f"The images of {a.parent} differ in their EXIF orientation: {a.name} has {turn_a}, {b.name} has {turn_b} "
            "(1 is upright). Turn them alike, or put them into folders of their own."
        )
    return shapes[0]


def _common_bits(paths: Sequence[Path]) -> int | None:
    """Bits that 16-bit images use, as some of the frames show (8, 10, 12, 14 or 16); None for ordinary images."""
    if read_deep(paths[0]).dtype == np.uint8:
        return None
    step = max(1, (len(paths) - 1) // (_LOOKED_AT - 1))
    largest = max(int(read_deep(path).max()) for path in [*paths[::step], paths[-1]])
    return next(bits for bits in (8, 10, 12, 14, 16) if largest < 2**bits)


def _eight_bit(path: Path, bits: int | None) -> np.ndarray:
    """A frame of a folder as (H, W, 3) uint8 RGB; ``bits`` are those of all its frames, see :func:`_common_bits`."""
    frame = read_deep(path)
    if (frame.dtype == np.uint8) != (bits is None):
        raise ValueError(
            f"{path} is stored in {8 * frame.itemsize} bits a colour, other frames are not. Convert all to 8 bits."
        )
    if bits is None:
        return frame
    return read_image(path) if bits == 16 else (frame >> (bits - 8)).clip(max=255).astype(np.uint8)


def _checked_array(frames: object) -> np.ndarray:
    if isinstance(frames, int | np.integer | bytes | dict | set) or frames is None:
        _as_path(frames)
    try:
        array = np.asarray(frames)
    except ValueError as error:
        raise ValueError("The frames of the array differ in size; a video has one size.") from error
    if array.ndim and len(array) == 0:
        raise ValueError("The array holds no frame.")
    if array.dtype != np.uint8 or array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)):
        raise ValueError(
            f"An array of frames is (T, H, W, 3) RGB or (T, H, W) grey, uint8; this one is {array.shape} {array.dtype}."
        )
    if 0 in array.shape:
        raise ValueError(f"The frames of the array have no pixels: it is {array.shape}.")
    return array


def _as_rgb(frame: np.ndarray) -> np.ndarray:
    if frame.ndim == 3 and frame.shape[2] == 3:
        return frame
    grey = frame if frame.ndim == 2 else frame[:, :, 0]
    return np.repeat(grey[:, :, None], 3, axis=2)
