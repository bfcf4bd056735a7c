"""Refined labels of a whole video, in memory and on disk."""

from dataclasses import replace

import numpy as np
import pytest

from mpas_lite.labels.pseudolabel import pseudo_label
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import FrameSampler
from mpas_lite.labels.refined import FirstPass, refine_video
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import windows
from mpas_lite.video.array_video import ArrayVideo
from mpas_lite.video.images import read_image
from mpas_lite.video.reader import read_video

SETTINGS = LabelSettings(every=3, radius=5, refine=Refinement())


@pytest.mark.slow
def test_labels_in_memory_are_those_on_disk(tmp_path, moving_square):
    pairs = pseudo_label(moving_square, tmp_path, settings=SETTINGS, name="square", progress=False)
    survey, refined = refine_video(moving_square, SETTINGS)
    labels = list(refined)
    assert survey.background is not None
    assert [label.index for label in labels] == list(range(0, 25, 3))
    for label in labels:
        on_disk = read_image(pairs.folder / "masks" / f"{label.index:06d}.png", grey=True) > 0
        assert on_disk.any()
        np.testing.assert_array_equal(label.mask, on_disk)


def test_without_a_refinement_of_its_own_all_steps_are_taken(moving_square):
    survey, refined = refine_video(moving_square, LabelSettings(every=3, radius=5))
    assert survey.background is not None
    assert len(list(refined)) == 9


@pytest.mark.parametrize(("every", "expected"), [(1, 25), (2, 2 * 13), (3, 2 * 9)], ids=["long", "short", "shorter"])
def test_both_ends_of_a_window_tell_the_background_of_a_short_clip(moving_square, monkeypatch, every, expected):
    """30 frames are short where one in 2 is kept (under 16 of them), and not where all are."""
    seen = []
    monkeypatch.setattr(
        "mpas_lite.labels.refined.refine_clip", lambda frames, found, samples, **_: seen.append(samples)
    )
    video, first = read_video(moving_square), FirstPass(LabelSettings(every=every, radius=5))
    for index, window in windows(video, every=every, interval=5):
        first.label(index, window)
    first.refine([], video)
    assert len(seen[0]) == expected
    first.refine([], video, both_ends=True)
    first.refine([], video, both_ends=False)
    assert len(seen[1]) == 2 * len(seen[2])
    sampler = FrameSampler()
    for index in first.indices:
        sampler.add(moving_square[index])
    np.testing.assert_array_equal(seen[2], sampler.frames)


class Claiming(ArrayVideo):
    """A video whose container claims so many frames."""

    claimed = 0

    def __len__(self):
        return self.claimed


@pytest.mark.parametrize(
    ("every", "frames", "claimed", "short"),
    [(2, 31, 31, True), (2, 32, 32, False), (2, 31, 33, True), (2, 31, 2, True), (3, 47, 47, True), (3, 47, 48, False)],
)
def test_a_clip_is_short_by_the_frames_that_it_has(every, frames, claimed, short):
    """Under 16 times one in so many. A claim is believed where what was read allows it."""
    pictures = np.zeros((frames, 40, 60, 3), np.uint8)
    video, first = Claiming(pictures, "claiming", 25.0), FirstPass(LabelSettings(every=every, interval=1))
    for index, window in windows(video, every=every, interval=1):
        first.label(index, window)
    video.claimed = claimed
    assert first._is_short(video) == short


def test_large_frames_are_refined_small(monkeypatch):
    seen = {}
    monkeypatch.setattr("mpas_lite.labels.refined.refine_clip", lambda *_, **named: seen.update(named))
    first = FirstPass(replace(SETTINGS, radius=7.0))
    first.refine([], ArrayVideo(np.zeros((1, 960, 720, 3), np.uint8), "large", 25.0), both_ends=True)
    assert seen == {"radius": 7.0, "scale": 0.5, "settings": SETTINGS.refine, "moving": []}
