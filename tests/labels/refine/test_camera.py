"""Cameras that shake, pan or stand still: maps of known shifts, turns and zooms."""

import numpy as np
import pytest

from mpas_lite.labels.refine.camera import camera_motion, shift_of, spread_corners, steadying, unwarp_mask, warp
from tests.helpers import texture
from tests.labels.refine.hand_made import floor

WIDE = np.repeat(texture(200, 300)[..., None], 3, axis=2)
STILL = WIDE[40:160, 60:220]


def shifted(x, y):
    """What a camera sees that has moved by (x, y) px."""
    return WIDE[40 + y : 160 + y, 60 + x : 220 + x]


def moves(*shifts):
    return np.stack([np.float64([[1, 0, x], [0, 1, y]]) for x, y in shifts])


def test_how_far_a_map_moves_the_picture_is_that_of_its_farthest_corner():
    np.testing.assert_allclose(shift_of(moves((0, 0), (3, 4), (0, -2)), (120, 160)), [0, 5, 2])
    zoom = np.float64([[[1.1, 0, 0], [0, 1.1, 0]]])  # the lower right corner goes by a tenth of the diagonal
    np.testing.assert_allclose(shift_of(zoom, (120, 160)), [20])
    around = np.float64([[[-1, 0, 160], [0, -1, 120]]])  # half a turn about the centre
    np.testing.assert_allclose(shift_of(around, (120, 160)), [200])
    upper = np.float64([[[1.1, 0, -16], [0, 1, 0]]])  # stretched leftward: the right border stays
    np.testing.assert_allclose(shift_of(upper, (120, 160)), [16])


def test_corners_are_taken_from_all_parts_of_the_picture():
    grey = WIDE[..., 0]
    corners = spread_corners(grey)
    assert corners.shape[1:] == (1, 2)
    assert corners.dtype == np.float32
    x, y = corners[:, 0].T
    cells = np.histogram2d(x, y, bins=[np.linspace(0, 300, 6), np.linspace(0, 200, 6)])[0]
    assert (cells >= 1).all()
    assert cells.max() <= 8
    assert spread_corners(np.full((60, 80), 90, np.uint8)).shape == (0, 1, 2)
    one = np.full((100, 100), 90, np.uint8)
    one[64:70, 44:50] = 200  # in the middle column and the fourth row
    x, y = spread_corners(one)[:, 0].T
    assert 1 <= len(x) <= 4
    assert 42 <= x.min() <= x.max() <= 51
    assert 62 <= y.min() <= y.max() <= 71


@pytest.mark.parametrize("shift", [(3, 0), (0, -4), (5, 2)])
@pytest.mark.parametrize("light", [1.0, 0.6])
def test_a_shift_is_found_in_any_light(shift, light):
    grey = STILL[..., 0]
    frame = np.rint(shifted(*shift) * light).astype(np.uint8)
    move = steadying(frame, grey, spread_corners(grey))
    np.testing.assert_allclose(move, moves(shift)[0], atol=0.05)
    np.testing.assert_allclose(warp(shifted(*shift), move)[20:-20, 20:-20].astype(int), STILL[20:-20, 20:-20], atol=12)


def test_a_still_picture_is_not_moved_at_all_although_people_go():
    grey = STILL[..., 0]
    frame = STILL.copy()
    frame[30:90, 20:60] = shifted(5, 0)[30:90, 20:60]
    np.testing.assert_array_equal(steadying(frame, grey, spread_corners(grey)), np.eye(2, 3))


def test_another_picture_and_too_few_corners_say_nothing():
    grey, corners = STILL[..., 0], spread_corners(STILL[..., 0])
    other = np.repeat(texture(120, 160, 9)[..., None], 3, axis=2)
    assert steadying(other, grey, corners) is None
    assert steadying(STILL, grey, corners[:7]) is None
    assert steadying(STILL, grey, corners[:8]) is not None
    assert steadying(np.zeros_like(STILL), grey, corners) is None


@pytest.mark.parametrize(("x", "there"), [(7, True), (9, False)])
def test_half_of_the_frames_must_lie_within_a_twentieth_of_the_picture(x, there):
    frames = [shifted(x, 0)] * 5 + [STILL] * 5  # the middle one is still; a twentieth of 160 px is 8
    motion = camera_motion(frames)
    assert (motion is not None) == there
    if there:
        np.testing.assert_allclose(motion, moves(*[(x, 0)] * 5, *[(0, 0)] * 5), atol=0.05)
    assert camera_motion([shifted(x, 0)] * 4 + [STILL] * 6) is not None


def test_frames_that_cannot_be_laid_over_stay_where_they_are():
    other = np.repeat(texture(120, 160, 9)[..., None], 3, axis=2)
    motion = camera_motion([other] * 4 + [STILL] * 6)
    np.testing.assert_array_equal(motion, np.repeat(np.eye(2, 3)[None], 10, axis=0))
    assert camera_motion([other] * 5 + [STILL] * 5) is None


def test_a_mask_goes_back_to_where_the_frame_was():
    mask = np.zeros((120, 160), bool)
    mask[40:60, 50:80] = True
    back = unwarp_mask(mask, moves((3, -2))[0], (120, 160))
    expected = np.zeros_like(mask)
    expected[42:62, 47:77] = True
    np.testing.assert_array_equal(back, expected)
    assert unwarp_mask(mask, None, (120, 160)) is mask
    large = unwarp_mask(mask, None, (240, 320))
    np.testing.assert_array_equal(large, np.kron(mask, np.ones((2, 2), bool)))
    border = np.zeros((120, 160), bool)
    border[:, :5] = True
    assert unwarp_mask(border, moves((8, 0))[0], (120, 160)).sum() == 0
    assert unwarp_mask(border, moves((-8, 0))[0], (120, 160))[:, :13].all()  # what was outside is as its border


def test_a_shaking_camera_is_followed_and_a_panning_one_is_refused():
    wide = np.repeat(texture(200, 300)[..., None], 3, axis=2)
    jumps = np.random.default_rng(0).integers(-3, 4, (12, 2))
    jumps[6] = 0
    shaken = [wide[40 + dy : 160 + dy, 60 + dx : 220 + dx] for dx, dy in jumps]
    motion = camera_motion(shaken)
    assert np.abs(motion[:, :, 2] - jumps).max() < 0.3
    assert camera_motion([wide[40:160, 10 * k : 160 + 10 * k] for k in range(14)]) is None


def test_a_still_camera_is_still_in_another_light_and_without_anything_to_see():
    picture = floor()
    lit = [np.uint8((picture * gain).clip(0, 255)) for gain in np.linspace(0.6, 1.4, 12)]
    assert np.abs(camera_motion(lit)[:, :, 2]).max() < 0.3
    assert np.array_equal(camera_motion([np.full((60, 80, 3), 90, np.uint8)] * 8), np.repeat(np.eye(2, 3)[None], 8, 0))
