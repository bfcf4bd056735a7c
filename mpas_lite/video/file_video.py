"""A video that is a file: what OpenCV can read of it, and what it says of itself."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2

from mpas_lite.video.arrays import Frame
from mpas_lite.video.capture import Capture
from mpas_lite.video.containers import counts_frames, mp4_track
from mpas_lite.video.video import Video


class FileVideo(Video):
    """Frames of a video file, decoded anew each time they are asked for."""

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
        """Indices of all frames that can be decoded, in order."""
        if self._read is None:
            capture = Capture(Path(self.source))
            try:
                while capture.grab():
                    pass
                self._read = _indices(capture)
            finally:
                capture.close()
        return self._read

    def frames(self, indices: Iterable[int]) -> Iterator[tuple[int, Frame]]:
        """As :meth:`Video.frames`; what is damaged or cut off is said in a warning."""
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

    def _checked(self, index: int, image: Frame) -> Frame:
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
