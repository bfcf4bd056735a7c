"""Reading video: the frames of a file, of a folder of images, or of an array, one after the other.

Nothing is held in memory that need not be: frames are decoded when they are asked for, and those that are
only passed over are never converted.
"""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

import cv2
import numpy as np

IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
VIDEO_ENDINGS = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv"})
_PLAIN_NAMES = frozenset({"input", "frames", "images", "img", "img1", "video"})  # say nothing of the clip


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

    Iterating yields ``(index, frame)``: the 0-based index and the frame, (H, W, 3) uint8 RGB. ``len(video)``
    is exact for folders and arrays, and what the container claims for files.
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

        Frames in between are passed over without being converted to RGB.
        """

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
    def __init__(self, folder: Path, paths: Sequence[Path], name: str, fps: float) -> None:
        super().__init__(name, str(folder), fps, _common_shape(paths), len(paths))
        self._paths = paths

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        for index in indices:
            if index >= len(self._paths):
                return
            image = cv2.imread(str(self._paths[index]), cv2.IMREAD_COLOR)
            if image is None:
                raise ValueError(f"{self._paths[index]} cannot be decoded. Is the image damaged? Replace or remove it.")
            yield index, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def frame_name(self, index: int) -> str:
        return self._paths[index].name


class _FileVideo(Video):
    def __init__(self, path: Path, name: str) -> None:
        capture = _open(path)
        decodes, first = capture.read()
        fps = capture.get(cv2.CAP_PROP_FPS)
        length = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        if not decodes:
            raise ValueError(f"{path} holds no frame that can be decoded. Is it empty, or cut off at the start?")
        fps = fps if np.isfinite(fps) and 0 < fps < 1000 else 25.0
        super().__init__(name, str(path), fps, (first.shape[0], first.shape[1]), max(length, 1))

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        capture = _open(Path(self.source))
        position = 0  # of the next frame that the capture would grab
        try:
            for index in indices:
                if index < position:
                    raise ValueError(f"frames() goes forward only: {index} was asked for after {position - 1}.")
                while position <= index:
                    if not capture.grab():
                        self._say_if_cut_off(position)
                        return
                    position += 1
                decodes, image = capture.retrieve()
                if not decodes:
                    self._say_if_cut_off(position - 1)
                    return
                yield index, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()

    def _say_if_cut_off(self, decoded: int) -> None:
        # Containers round their claims: one frame or one in a hundred is no news.
        if decoded < len(self) - max(1, len(self) // 100):
            warnings.warn(
                f"{self.source}: {decoded} of {len(self)} frames can be decoded; the file seems cut off or damaged. "
                "Going on with those.",
                stacklevel=3,
            )


def read_video(
    source: str | Path | np.ndarray | Sequence[np.ndarray] | Video,
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
        If it is no video, holds no frame, or holds images of different sizes.

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
    if not isinstance(source, str | Path):
        return _ArrayVideo(_checked_array(source), name or "array", fps)
    path, images, clip = _locate(Path(source))
    return _FolderVideo(path, images, name or clip, fps) if images else _FileVideo(path, name or clip)


def clip_name(source: str | Path | Video) -> str:
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
    return source.name if isinstance(source, Video) else _locate(Path(source))[2]


def _locate(path: Path) -> tuple[Path, list[Path], str]:
    """The video file or the folder of images, those images, and the clip's name."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}. Check the path.")
    if path.is_file():
        return path, [], _plain_name(path.absolute())
    images = sorted((p for p in path.iterdir() if is_visible(p, IMAGE_ENDINGS)), key=_by_number)
    if (path / "imageList.txt").exists():
        images = [image for image in images if image.stem != "000000"]
    if images:
        return path, images, _plain_name(path.absolute())
    files = [p for p in path.iterdir() if is_visible(p, VIDEO_ENDINGS)]
    if len(files) == 1:
        return files[0], [], path.absolute().name
    raise ValueError(f"{path} holds no images{_hint(path, files)}.")


def _hint(folder: Path, files: Sequence[Path]) -> str:
    """What the user may have meant by a folder without images."""
    if files:
        return f", but {len(files)} videos: name one, or give them all, as in {files[0]}"
    for below in sorted(p for p in folder.iterdir() if p.is_dir()):
        if any(is_visible(p, IMAGE_ENDINGS) for p in below.iterdir()):
            return f"; did you mean {below}?"
    return f" (looked for {', '.join(sorted(IMAGE_ENDINGS))})"


def _open(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise ValueError(f"{path} is not a video that OpenCV can open. Is it damaged, or another kind of file?")
    return capture


def _plain_name(path: Path) -> str:
    """The file's or folder's name; where that says nothing (``input``), the name of the folder above."""
    name = path.stem if path.is_file() else path.name
    return path.parent.name if name.lower() in _PLAIN_NAMES and path.parent.name else name


def is_visible(path: Path, endings: frozenset[str]) -> bool:
    """Whether a file has one of these endings, and is none that the system hides."""
    return path.suffix.lower() in endings and not path.name.startswith(".")


def _by_number(path: Path) -> list[tuple[int, int | str]]:
    """Sort key in which frame 9 comes before frame 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part)) if part.isdigit() else (0, part) for part in parts]


def _common_shape(paths: Sequence[Path]) -> tuple[int, int]:
    """Height and width that all images share, read from their headers alone."""
    from PIL import Image, UnidentifiedImageError

    sizes: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            with Image.open(path) as image:
                sizes.setdefault(image.size, path)
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"{path} is not an image that can be read. Replace or remove it.") from error
    if len(sizes) > 1:
        (size_a, a), (size_b, b) = list(sizes.items())[:2]
        raise ValueError(
            f"The images of {a.parent} differ in size: {a.name} is {size_a[0]}x{size_a[1]}, {b.name} is "
            f"{size_b[0]}x{size_b[1]}. A video has one size: put other images into another folder."
        )
    width, height = next(iter(sizes))
    return height, width


def _checked_array(frames: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    try:
        array = np.asarray(frames)
    except ValueError as error:
        raise ValueError("The frames of the array differ in size; a video has one size.") from error
    if len(array) == 0:
        raise ValueError("The array holds no frame.")
    if array.dtype != np.uint8 or array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)):
        raise ValueError(
            f"An array of frames is (T, H, W, 3) RGB or (T, H, W) grey, uint8; this one is {array.shape} {array.dtype}."
        )
    return array


def _as_rgb(frame: np.ndarray) -> np.ndarray:
    if frame.ndim == 3 and frame.shape[2] == 3:
        return frame
    grey = frame if frame.ndim == 2 else frame[:, :, 0]
    return np.repeat(grey[:, :, None], 3, axis=2)
