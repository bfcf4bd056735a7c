"""What is said of a whole clip: speed, camera, and the sentences about what is left out."""

import numpy as np
import pytest

from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import FrameSampler, survey_clip, working_frame, working_scale
from mpas_lite.motion.klt import Particles
from tests.helpers import texture

SHAPE = (120, 160)
WIDE = np.repeat(texture(140, 200)[..., None], 3, axis=2)


def clip(count=12, shifts=None):
    shifts = np.zeros((count, 2), int) if shifts is None else shifts
    return [WIDE[10 + y : 130 + y, 20 + x : 180 + x] for x, y in shifts]


def particles(*speeds, groups=None):
    """A frame's particles with velocities to the right, and their groups (1 if not given)."""
    velocity = np.column_stack([speeds, np.zeros(len(speeds))]).astype(np.float32)
    position = np.full((len(speeds), 2), 50, np.float32)
    return Particles(position, velocity, 0), np.ones(len(speeds), int) if groups is None else np.array(groups)


def test_the_usual_speed_is_the_median_of_those_in_groups_in_heights_of_a_person():
    found = [particles(3, 6, 90, groups=[1, 2, 0]), particles(9), particles()]
    survey = survey_clip(clip(), found, Refinement())
    assert survey.person.height(50) == 15  # an eighth of 120 rows: nobody stands alone
    assert survey.speed == pytest.approx(6 / 15)
    # The samples are half as large as the frames that the particles are of.
    assert survey_clip(clip(), found, Refinement(), scale=0.5).speed == pytest.approx(3 / 15)
    assert survey_clip(clip(), [], Refinement()).speed == 0
    assert survey_clip(clip(), [particles()], Refinement()).speed == 0


def test_seven_frames_are_too_few_for_a_background_and_eight_are_not():
    survey = survey_clip(clip(7), [], Refinement())
    assert survey.background is None
    assert survey.notes == ("7 frames are too few to tell the background: discs stay.",)
    assert survey_clip(clip(8), [], Refinement()).background is not None
    assert survey_clip([], [], Refinement()).person.height(0) == 30


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


@pytest.mark.parametrize("sways", [True, False])
def test_places_that_sway_are_found_in_the_size_of_the_samples(sways):
    to_and_fro = [particles(2 if t % 2 or not sways else -2, *[6] * 3) for t in range(12)]
    for moving, _ in to_and_fro:
        moving.position[1:] = 90
    survey = survey_clip(clip(), to_and_fro, Refinement())
    assert survey.sways.shape == SHAPE
    assert survey.sways[50, 50] == sways
    assert not survey.sways[90, 90]
    # The frames are twice as large as the samples.
    for moving, _ in to_and_fro:
        moving.position[:] *= 2
        moving.velocity[:] *= 2
    large = survey_clip(clip(), to_and_fro, Refinement(), scale=0.5)
    np.testing.assert_array_equal(large.sways, survey.sways)


def test_a_camera_shakes_where_a_quarter_of_the_frames_are_moved_by_a_pixel():
    for moved, shakes in ((2, False), (12, True)):
        shifts = np.zeros((24, 2), int)
        shifts[: 2 * moved : 2] = (2, 1)
        shifts[12] = 0  # the middle one
        survey = survey_clip(clip(24, shifts), [], Refinement())
        assert survey.shakes == shakes
        assert any("The camera shakes" in note for note in survey.notes) == shakes
        assert not survey_clip(clip(24, shifts), [], Refinement(camera=False)).shakes
    np.testing.assert_allclose(survey.background.image[10:-10, 10:-10].astype(int), clip(1)[0][10:-10, 10:-10], atol=9)


def test_where_the_ground_is_hidden_a_sentence_says_so():
    rng = np.random.default_rng(0)
    for rows, said in ((40, False), (80, True)):
        frames = [frame.copy() for frame in clip(20)]
        for frame in frames:
            frame[:rows] = rng.integers(0, 255, (rows, 160, 3))
        survey = survey_clip(frames, [], Refinement(camera=False))
        assert any("the background is not seen" in note for note in survey.notes) == said
        assert survey.background.known[:rows].mean() < 0.5 < survey.background.known[rows:].mean()


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


def test_samples_are_spread_evenly_whatever_the_length():
    for length in (1, 20, 64, 65, 500, 3000):
        spread = FrameSampler()
        for t in range(length):
            spread.add(np.full((2, 2, 3), (t // 256, t % 256, 0), np.uint8))
        times = np.array([f[0, 0, 0] * 256 + f[0, 0, 1] for f in np.int32(spread.frames)])
        assert min(length, 32) <= len(times) <= 64
        assert times[0] == 0
        assert len(np.unique(np.diff(times))) <= 1
        assert length - times[-1] <= 2 * max(1, length // 32)
