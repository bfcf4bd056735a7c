"""What a video is, wherever its frames come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from mpas_lite.video.arrays import Frame


class Video(ABC):
    """Frames in order, from a file, a folder of images or an array. Made by :func:`read_video`.

    Iterating yields ``(index, frame)``: the 0-based index and the frame, (H, W, 3) uint8 RGB. ``len(video)`` is
    exact for folders and arrays. For a file it is cheap, and only what the container claims, unless the file was
    read to its end or the claim cannot be; :meth:`count_frames` is exact.

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
    """

    def __init__(self, name: str, source: str, fps: float, shape: tuple[int, int], length: int) -> None:
        self.name = name
        self.source = source
        self.fps = fps
        self.shape = shape
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, Frame]]:
        return self.frames(count())

    def __repr__(self) -> str:
        height, width = self.shape
        return f"<Video {self.name}: {len(self)} frames of {width}x{height} at {self.fps:g} fps>"

    @abstractmethod
    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, Frame]]:
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
