"""A camera that stands still though nearly everything before it moves."""

import cv2
import numpy as np
import pytest

from mpas_lite.labels.refine import Refinement
from mpas_lite.labels.refine.background import estimate_background
from mpas_lite.labels.refine.camera import camera_motion
from mpas_lite.labels.refine.resting import camera_rests
from mpas_lite.labels.refine.survey import survey_clip
from mpas_lite.motion import Particles
from mpas_lite.video import read_video
from tests.helpers import texture

WALL = np.repeat(texture(600, 900)[..., None], 3, axis=2)
FRAMES = 32


def other(number):
    """What passes close to the camera in one frame, (240, 320, 3)."""
    return np.repeat(texture(240, 320, 100 + number)[..., None], 3, axis=2)


def crowded(view, hidden=0.6):
    """Frames of a camera: the left part hidden by something else in each, and the middle frame altogether."""
    frames = []
    for number in range(FRAMES):
        frame = view(number).copy()
        columns = 320 if number == FRAMES // 2 else round(320 * hidden)
        frame[:, :columns] = other(number)[:, :columns]
        frames.append(frame)
    return frames


def fixed(number):
    return WALL[100:340, 100:420]


def panning(number):
    return WALL[100:340, 8 * number : 8 * number + 320]


def zooming(number):
    move = np.float64([[1 + 0.03 * number, 0, -100], [0, 1 + 0.03 * number, -100]])
    return cv2.warpAffine(WALL, move, (320, 240))


def cut(number):
    return WALL[100:340, 100:420] if number < FRAMES / 2 else WALL[350:590, 500:820]


def rests(frames):
    return camera_rests(frames, estimate_background(frames).image)


def test_a_fixed_camera_rests_where_corners_agree_on_nothing():
    frames = crowded(fixed)
    assert camera_motion(frames[::2]) is None
    assert rests(frames)
    survey = survey_clip(
        frames, [(Particles(np.zeros((0, 2)), np.zeros((0, 2)), 0), np.zeros(0, int))] * 8, Refinement()
    )
    assert survey.background is not None
    assert not survey.shakes
    assert not any("camera moves" in note for note in survey.notes)


@pytest.mark.parametrize("view", [panning, zooming, cut])
def test_a_camera_that_moves_does_not_rest(view):
    assert not rests(crowded(view))
    assert not rests(crowded(view, hidden=0))


def test_all_frames_but_a_few_must_have_something_at_rest():
    """The middle frame has nothing either, so 26 and 25 of 32: over and under four in five."""
    frames = crowded(fixed)
    assert rests([*frames[:27], *map(other, range(5))])
    assert not rests([*frames[:26], *map(other, range(6))])


def test_lines_tell_nothing_of_a_pan_along_them_and_plain_ground_of_none():
    lines = np.repeat(
        np.repeat(np.uint8(40 + 160 * (np.arange(240) // 6 % 2))[:, None], 160, axis=1)[..., None], 3, axis=2
    )
    assert not rests([lines] * FRAMES)
    assert not rests([lines.transpose(1, 0, 2).copy()] * FRAMES)
    assert not rests([np.full((240, 320, 3), 90, np.uint8)] * FRAMES)
    assert not rests([np.uint8(90 + fixed(0) // 100)] * FRAMES)


def test_what_is_seen_once_and_never_again_does_not_rest():
    """A tenth of the cells in each frame, by chance and never the same: what does not come back is no place."""
    frames = [other(number).copy() for number in range(FRAMES)]
    for number, frame in enumerate(frames):
        for cell in (2 * number % 64, (2 * number + 1) % 64, (2 * number + 30) % 64, (2 * number + 31) % 64):
            top, left = 30 * (cell // 8), 40 * (cell % 8)
            place = np.s_[max(top - 3, 0) : top + 33, max(left - 3, 0) : left + 43]
            frame[place] = fixed(number)[place]
    assert not camera_rests(frames, fixed(0))
    assert camera_rests(crowded(fixed), fixed(0))


def test_the_light_does_not_matter():
    frames = crowded(fixed)
    gains = np.linspace(0.85, 1.15, FRAMES)
    assert rests([np.uint8((frame * gain).clip(0, 255)) for frame, gain in zip(frames, gains, strict=True)])


@pytest.mark.slow
def test_close_people_before_leaves_are_seen_by_a_fixed_camera(real_data):
    frames = real_data / "sbi_people_foliage" / "input"
    if not frames.is_dir():
        pytest.skip("the clip sbi_people_foliage is not at hand")
    video = read_video(frames)
    samples = [frame for _, frame in video.frames(range(0, 341, 10))]
    assert camera_motion(samples[::2]) is None
    assert rests(samples)
    small = [cv2.resize(frame, None, fx=1.3, fy=1.3)[60:300, 4 * k : 4 * k + 280] for k, frame in enumerate(samples)]
    assert not rests(small)  # the same, and the camera pans
