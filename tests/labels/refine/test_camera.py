"""Cameras that shake, pan or stand still."""

import cv2
import numpy as np
import pytest

from mpas_lite.labels.refine.camera import camera_motion, shift_of, spread_corners, steadying, unwarp_mask, warp
from tests.helpers import texture
from tests.labels.refine.hand_made import floor

WIDE = np.repeat(texture(200, 300)[..., None], 3, axis=2)


def window(dx=0, dy=0):
    """What a camera sees of a wide wall, (120, 160, 3)."""
    return WIDE[40 + dy : 160 + dy, 60 + dx : 220 + dx]


REFERENCE = cv2.cvtColor(window(), cv2.COLOR_RGB2GRAY)
CORNERS = spread_corners(REFERENCE)


def test_a_shaking_camera_is_followed_and_a_panning_one_is_refused():
    jumps = np.random.default_rng(0).integers(-3, 4, (12, 2))
    jumps[6] = 0
    motion = camera_motion([window(dx, dy) for dx, dy in jumps])
    assert np.abs(motion[:, :, 2] - jumps).max() < 0.3
    assert camera_motion([WIDE[40:160, 10 * k : 160 + 10 * k] for k in range(14)]) is None


@pytest.mark.parametrize(("far", "known"), [(6, True), (7, False)])
def test_a_camera_that_half_of_the_frames_see_elsewhere_is_refused(far, known):
    """A twentieth of 160 px: 7 px are a shake, 10 px are another view, though each frame can be laid over."""
    frames = [window(10)] * far + [window(7)] * (13 - far)
    motion = camera_motion([*frames[:7], window(), *frames[7:]])
    assert (motion is not None) == known


def test_a_still_camera_is_still_in_another_light_and_without_anything_to_see():
    picture = floor()
    lit = [np.uint8((picture * gain).clip(0, 255)) for gain in np.linspace(0.6, 1.4, 12)]
    assert np.abs(camera_motion(lit)[:, :, 2]).max() < 0.3
    assert np.array_equal(camera_motion([np.full((60, 80, 3), 90, np.uint8)] * 8), np.repeat(np.eye(2, 3)[None], 8, 0))


# ------------------------------------------------------------------------------------------------- one frame


@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (0.25, 0), (0.6, 90)])
def test_a_frame_is_laid_over_the_reference_in_any_light(gain, offset):
    frame = np.uint8(window(3, 2) * gain + offset)
    np.testing.assert_allclose(steadying(frame, REFERENCE, CORNERS), [[1, 0, 3], [0, 1, 2]], atol=0.1)


def test_what_shows_something_else_is_not_laid_over():
    other = np.repeat(texture(120, 160, 9)[..., None], 3, axis=2)
    for frame in (other, np.full_like(other, 100), np.zeros_like(other)):
        assert steadying(frame, REFERENCE, CORNERS) is None


def test_eight_corners_are_enough_and_seven_are_not():
    assert steadying(window(), REFERENCE, CORNERS[:7]) is None
    np.testing.assert_array_equal(steadying(window(), REFERENCE, CORNERS[:8]), np.eye(2, 3))


@pytest.mark.parametrize(("wall", "expected"), [(70, 0), (20, 5)])
def test_what_rests_is_the_camera_though_people_have_more_corners(wall, expected):
    """So many columns of a wall rest; the others show people, who all go 5 px."""
    frame = window(5).copy()
    frame[:, :wall] = window()[:, :wall]
    np.testing.assert_allclose(steadying(frame, REFERENCE, CORNERS), [[1, 0, expected], [0, 1, 0]], atol=0.1)


def test_corners_are_looked_for_in_every_part_of_the_picture():
    grey = np.zeros((100, 200), np.uint8)
    grey[30:36, 150:156] = 255
    grey[70:76, 50:56] = 255
    grey[5:15, 5:35:2] = 255  # has more corners than all the rest
    corners = spread_corners(grey)[:, 0]
    for x, y in ((150, 30), (155, 35), (50, 70), (55, 75)):
        assert np.linalg.norm(corners - (x, y), axis=1).min() < 2
    rows, columns = (corners // (40, 20)).astype(int).T
    assert np.unique(rows * 5 + columns, return_counts=True)[1].max() <= 8


def test_shifts_are_those_of_the_corner_that_moves_most():
    turn = cv2.getRotationMatrix2D((80, 60), 5, 1.1)
    still, shifted = np.eye(2, 3), np.float64([[1, 0, 3], [0, 1, 4]])
    points = np.array([(0, 0), (160, 0), (0, 120), (160, 120)])
    moved = points @ turn[:, :2].T + turn[:, 2]
    largest = np.linalg.norm(moved - points, axis=1).max()
    np.testing.assert_allclose(shift_of(np.stack([still, shifted, turn]), (120, 160)), [0, 5, largest])
    grown = np.float64([[1.1, 0, 0], [0, 1.1, 0]])  # from the first corner: the last one moves most
    np.testing.assert_allclose(shift_of(grown[None], (120, 160)), [20])


# ------------------------------------------------------------------------------------------------- there and back


def test_a_mask_goes_back_to_where_the_frame_was():
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    move = np.float64([[1, 0, 4], [0, 1, -3]])
    there = warp(mask.astype(np.uint8), move) > 0
    assert there[17:37, 34:54].all()
    assert there.sum() == mask.sum()
    np.testing.assert_array_equal(unwarp_mask(there, move, mask.shape), mask)
    everything = np.ones((60, 80), bool)
    assert warp(everything.astype(np.uint8), move).all()  # the border is drawn out
    assert unwarp_mask(everything, move, mask.shape).all()


def test_a_mask_grows_to_the_frames_size_with_its_outline_in_place():
    mask = np.zeros((4, 6), bool)
    mask[:, :3] = True
    large = unwarp_mask(mask, None, (8, 12))
    assert large[:, :6].all()
    assert not large[:, 6:].any()
    assert unwarp_mask(mask, None, (4, 6)) is mask
