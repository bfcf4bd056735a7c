"""Gaps, specks and borders of labels, counted pixel by pixel."""

import numpy as np
import pytest

from mpas_lite.labels.refine.outline import close_gaps, distance_to, doubtful, wide_regions


def tall(height, rows=60):
    return np.full((rows, 1), float(height))


def square(shape=(60, 80), rows=(20, 40), columns=(20, 40)):
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


def test_only_particles_in_the_picture_are_near():
    assert distance_to(np.array([[3.4, 2.4]]), (3, 4))[2].tolist() == [3, 2, 1, 0]  # the last pixel
    for outside in ([4.0, 2.0], [3.0, 3.0], [-1.0, 0.0], [0.0, -1.0], [3.6, 2.0]):
        far = distance_to(np.array([outside]), (3, 4))
        assert np.isinf(far).all()
        assert far.shape == (3, 4)
        assert far.dtype == np.float32
        np.testing.assert_array_equal(
            distance_to(np.array([outside, [0.0, 0.0]]), (3, 4)), distance_to(np.zeros((1, 2)), (3, 4))
        )


@pytest.mark.parametrize("place", [(20, 20), (0, 0), (40, 60), (0, 60)])
def test_closing_leaves_a_block_alone_wherever_it_stands(place):
    block = square(rows=(place[0], place[0] + 20), columns=(place[1], place[1] + 20))
    np.testing.assert_array_equal(close_gaps(block, tall(40), 0.25), block)


@pytest.mark.parametrize(("gap", "closed"), [(2, True), (4, True), (8, True), (12, False)])
def test_gaps_up_to_a_share_of_a_persons_height_are_closed(gap, closed):
    mask = square(columns=(5, 25)) | square(columns=(25 + gap, 45 + gap))
    filled = close_gaps(mask, tall(40), 0.25)  # 10 px
    assert filled[25:35, 25 : 25 + gap].all() == closed
    assert filled[25:35, 25 : 25 + gap].any() == closed
    assert not filled[:, 46 + gap :].any()
    assert not filled[:19].any()


def test_near_people_have_wider_gaps():
    mask = square(rows=(5, 25), columns=(10, 30)) | square(rows=(5, 25), columns=(36, 60))
    mask |= square(rows=(35, 55), columns=(10, 30)) | square(rows=(35, 55), columns=(36, 60))
    heights = np.where(np.arange(60) < 30, 12.0, 40.0)[:, None]
    filled = close_gaps(mask, heights, 0.25)
    assert not filled[10:20, 31:35].any()
    assert filled[40:50, 31:35].all()


@pytest.mark.parametrize(("area", "stays"), [(30, False), (31, False), (32, True), (33, True)])
def test_specks_and_pinholes_below_a_fiftieth_of_a_square_height_go(area, stays):
    speck = np.zeros((60, 80), bool)
    speck[10:13, 50 : 50 + area // 3] = True  # 0.02 * 40**2 = 32 px
    speck[13, 50 : 50 + area % 3] = True
    assert speck.sum() == area
    block = square(rows=(20, 50), columns=(5, 45))
    np.testing.assert_array_equal(close_gaps(block | speck, tall(40), 0.0), block | speck if stays else block)
    hole = np.roll(speck, (15, -35), (0, 1))
    np.testing.assert_array_equal(close_gaps(block & ~hole, tall(40), 0.0), block & ~hole if stays else block)


def test_pixels_that_touch_at_a_corner_do_not_hang_together():
    diagonal = np.zeros((60, 80), bool)
    for k in range(4):
        diagonal[10 + 3 * k : 13 + 3 * k, 10 + 3 * k : 13 + 3 * k] = True  # four of 9 px each: 36 in all
    assert not close_gaps(diagonal, tall(40), 0.0).any()


def test_nothing_and_everything_stay_as_they_are():
    for mask in (np.zeros((60, 80), bool), np.ones((60, 80), bool)):
        np.testing.assert_array_equal(close_gaps(mask, tall(40), 0.3), mask)
    nearly = np.ones((60, 80), bool)
    nearly[28:33, 38:43] = False  # a hole of 25 px, and the whole picture is within reach
    assert close_gaps(nearly, tall(40), 0.5).all()


@pytest.mark.parametrize(("height", "reach"), [(10, 1), (30, 1), (100, 2), (200, 4)])
def test_doubt_is_as_wide_as_compression_blurs(height, reach):
    mask = square()
    doubt = doubtful(mask, mask, tall(height))
    grown = square(rows=(20 - reach, 40 + reach), columns=(20 - reach, 40 + reach))
    shrunk = square(rows=(20 + reach, 40 - reach), columns=(20 + reach, 40 - reach))
    np.testing.assert_array_equal(doubt, grown & ~shrunk)
    beside = square(columns=(60, 70))
    np.testing.assert_array_equal(doubtful(mask, beside | mask, tall(height)), (grown & ~shrunk) | beside)


@pytest.mark.parametrize(
    ("height", "particles", "whole"),
    [(17, 4, True), (17, 3, False), (23, 4, False)],  # some 10 px lead inside from the outline
)
def test_a_region_deeper_than_a_person_is_taken_whole_if_four_particles_lie_on_it(height, particles, whole):
    near, far = square(), square(rows=(20, 40), columns=(50, 70))
    on_it = np.float64([(20, 20), (39, 20), (20, 39), (39, 39)])[:particles]
    beside = np.float64([(5, 5), (200, 20), (-3, 4), (45, 10)])
    wide = wide_regions(near | far, np.concatenate([on_it, beside]), tall(height))
    np.testing.assert_array_equal(wide, near & whole)


def test_where_nobody_is_near_nothing_is_taken_whole():
    assert not wide_regions(np.zeros((60, 80), bool), np.zeros((9, 2)), tall(2)).any()
    assert not wide_regions(square(), np.zeros((0, 2)), tall(2)).any()
