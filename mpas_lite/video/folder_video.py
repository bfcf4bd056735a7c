"""A video that is a folder of images."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mpas_lite.video.arrays import Frame
from mpas_lite.video.images import image_view, read_deep, read_image
from mpas_lite.video.video import Video

_LOOKED_AT = 32  # frames of a folder of 16-bit images that tell how many of the bits are used


class FolderVideo(Video):
    """Frames of a folder, one image each, all of one size; images of 16 bits are stretched to what they use."""

    def __init__(self, source: Path, paths: Sequence[Path], name: str, fps: float) -> None:
        super().__init__(name, str(source), fps, _common_shape(paths), len(paths))
        self.paths = paths
        self._bits = _common_bits(paths)
        if self._bits is not None and self._bits < 16:
            warnings.warn(
                f"{source}: the frames use {self._bits} of their 16 bits; these are taken for black to white.",
                stacklevel=3,
            )

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, Frame]]:
        """As :meth:`Video.frames`; an image that has changed its size since is refused."""
        for index in indices:
            if index >= len(self.paths):
                return
            yield index, self._checked(index, _eight_bit(self.paths[index], self._bits))

    def _checked(self, index: int, frame: Frame) -> Frame:
        if frame.shape[:2] != self.shape:
            (height, width), (was_height, was_width) = frame.shape[:2], self.shape
            raise ValueError(
                f"{self.paths[index]} is now {width}x{height}, where it was {was_width}x{was_height} px. Was it "
                "changed in the meantime?"
            )
        return frame

    def frame_name(self, index: int) -> str:
        """Name of the image file."""
        return self.paths[index].name


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


def _eight_bit(path: Path, bits: int | None) -> Frame:
    """A frame of a folder as (H, W, 3) uint8 RGB; ``bits`` are those of all its frames, see :func:`_common_bits`."""
    frame = read_deep(path)
    if (frame.dtype == np.uint8) != (bits is None):
        raise ValueError(
            f"{path} is stored in {8 * frame.itemsize} bits a colour, other frames are not. Convert all to 8 bits."
        )
    if bits is None:
        return frame
    return read_image(path) if bits == 16 else (frame >> (bits - 8)).clip(max=255).astype(np.uint8)
