"""Refined labels of a whole video, in two passes.

The first finds circles, frame by frame, and gathers what a whole clip says; the second makes of both what ``refine``
can. Memory does not grow with the clip.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mpas_lite.files.spill import Spill
from mpas_lite.labels.frames import LabelledFrame, label_window
from mpas_lite.labels.refine.pipeline import Refined, refine_clip
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import FrameSampler, Survey, working_scale
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import Particles, windows
from mpas_lite.video.arrays import Frame
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video


def refine_video(
    video: Video | str | Path | np.ndarray, settings: LabelSettings | None = None
) -> tuple[Survey, Iterator[Refined]]:
    """Label a video beyond the paper.

    Parameters
    ----------
    video : Video, str, Path or array
        What :func:`mpas_lite.read_video` takes.
    settings : LabelSettings, optional
        Without ``settings.refine`` all steps are taken.

    Returns
    -------
    survey : Survey
        What the whole clip says.
    refined : iterator of Refined
        The label of each kept frame, in order.
    """
    settings = settings or LabelSettings()
    video = read_video(video)
    first, frames = FirstPass(replace(settings, refine=settings.refine or Refinement())), Spill[Frame]()
    for index, window in windows(video, every=settings.every, interval=settings.interval):
        frames.append(first.label(index, window).frame)
    return first.refine(zip(first.indices, frames, strict=True), video)


class FirstPass:
    """The first of two passes: circles of one kept frame after the other, and what the second pass needs of them.

    Parameters
    ----------
    settings : LabelSettings

    Attributes
    ----------
    indices : array of int
        Of the kept frames so far.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self.indices = array("q")
        self._settings = settings
        self._found: Spill[tuple[Particles, np.ndarray]] = Spill()
        self._starts, self._both = FrameSampler(), FrameSampler()  # of windows, and both their ends

    def label(self, index: int, window: list[Frame]) -> LabelledFrame:
        """The paper's label of the first of some consecutive frames, (H, W, 3) uint8 RGB."""
        one = label_window(index, window, self._settings)
        self.indices.append(index)
        self._found.append((one.particles, one.labels))
        first, last = window[0], window[self._settings.interval]
        self._starts.add(first, last)
        self._both.add(first, last)
        self._both.add(last, first)
        return one

    def refine(
        self, frames: Iterable[tuple[int, Frame]], video: Video, *, both_ends: bool | None = None
    ) -> tuple[Survey, Iterator[Refined]]:
        """The second pass, once all kept frames are labelled.

        Parameters
        ----------
        frames : iterable of (int, (H, W, 3) uint8 RGB)
            The kept frames again, in order.
        video : Video
        both_ends : bool, optional
            Whether the last frames of windows serve to tell the background, beside the first. By default where the
            clip is short.

        Returns
        -------
        survey : Survey
        refined : iterator of Refined
        """
        if both_ends is None:
            both_ends = self._is_short(video)
        samples = self._both if both_ends else self._starts
        return refine_clip(
            frames,
            self._found,
            samples.frames,
            moving=samples.moving,
            radius=self._settings.radius,
            scale=working_scale(video.shape),
            settings=self._settings.refine,
        )

    def _is_short(self, video: Video) -> bool:
        every = self._settings.every
        least = self.indices[-1] + self._settings.interval + 1  # were seen; the file may count wrongly
        length = len(video) if least <= len(video) < least + every else least
        return length < 16 * every
