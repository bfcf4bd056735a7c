"""A video that is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from mpas_lite.video.arrays import Frame
from mpas_lite.video.finding import as_path
from mpas_lite.video.video import Video


class ArrayVideo(Video):
    """Frames of an array, as :func:`frames_of_array` returns it."""

    def __init__(self, frames: np.ndarray, name: str, fps: float) -> None:
        super().__init__(name, "array", fps, (frames.shape[1], frames.shape[2]), len(frames))
        self._frames = frames

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, Frame]]:
        """As :meth:`Video.frames`; a grey frame is given three equal colours."""
        for index in indices:
            if index >= len(self._frames):
                return
            yield index, _as_rgb(self._frames[index])


def frames_of_array(frames: object) -> np.ndarray:
    """The frames as one array, (T, H, W, 3), (T, H, W, 1) or (T, H, W) uint8, or one clear sentence."""
    if isinstance(frames, int | np.integer | bytes | dict | set) or frames is None:
        as_path(frames)
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


def _as_rgb(frame: Frame) -> Frame:
    if frame.ndim == 3 and frame.shape[2] == 3:
        return frame
    grey = frame if frame.ndim == 2 else frame[:, :, 0]
    return np.repeat(grey[:, :, None], 3, axis=2)
