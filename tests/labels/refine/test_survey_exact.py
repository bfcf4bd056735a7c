"""A survey of clips whose camera, particles and sizes are known: what decides, to the pixel."""

import numpy as np
import pytest

from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import survey_clip, working_frame, working_scale
from mpas_lite.motion.klt import Particles
from tests.helpers import texture

WIDE = np.repeat(texture(140, 200)[..., None], 3, axis=2)


def clip(count=12, shifts=None):
    shifts = np.zeros((count, 2), int) if shifts is None else shifts
    return [WIDE[10 + y : 130 + y, 20 + x : 180 + x] for x, y in shifts]


def particles(*speeds, groups=None):
    """A frame's particles with velocities to the right, and their groups (1 if not given)."""
    velocity = np.column_stack([speeds, np.zeros(len(speeds))]).astype(np.float32)
    position = np.full((len(speeds), 2), 50, np.float32)
    return Particles(position, velocity, 0), np.ones(len(speeds), int) if groups is None else np.array(groups)


def test_what_is_not_wanted_is_not_looked_for():
    off = survey_clip(clip(), [particles(3)], Refinement(background=False))
    assert (off.background, off.speed, off.sways, off.shakes, off.notes) == (None, 0, None, False, ())
    assert survey_clip(clip(), [particles(3)], Refinement(not_crowd=False)).sways is None
    assert not survey_clip(clip(), [particles(3)], Refinement()).sways.any()
    flat = survey_clip(clip(), [], Refinement(perspective=False))
    assert flat.notes == ()
    assert flat.person.reason == "people are taken to be an eighth of the frame high everywhere"
    assert survey_clip(clip(), [], Refinement()).notes == (
        "No size of people could be measured: only 0 regions look like a person standing alone.",
    )


def test_a_camera_shakes_where_a_quarter_of_the_frames_are_moved_by_a_pixel():
    for moved, shakes in ((2, False), (12, True)):
        shifts = np.zeros((24, 2), int)
        shifts[: 2 * moved : 2] = (1, 0)
        shifts[12] = 0  # the middle one
        survey = survey_clip(clip(24, shifts), [], Refinement())
        assert survey.shakes == shakes
        assert any("The camera shakes" in note for note in survey.notes) == shakes
        assert not survey_clip(clip(24, shifts), [], Refinement(camera=False)).shakes
    np.testing.assert_allclose(survey.background.image[10:-10, 10:-10].astype(int), clip(1)[0][10:-10, 10:-10], atol=9)


def test_a_working_frame_is_480_px_long_at_most():
    for shape, scale in (
        ((240, 480), 1),
        ((480, 300), 1),
        ((960, 300), 0.5),
        ((100, 1920), 0.25),
        ((240, 481), 480 / 481),
    ):
        assert working_scale(shape) == pytest.approx(scale)
        frame = np.zeros((*shape, 3), np.uint8)
        small = working_frame(frame)
        assert (small is frame) == (scale == 1)
        assert small.shape == (round(shape[0] * scale), round(shape[1] * scale), 3)
