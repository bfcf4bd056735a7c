"""How high people are, from boxes whose heights are known."""

import numpy as np
import pytest

from mpas_lite.labels.refine.person_size import PersonSize, local_height, person_size

SHAPE = (240, 320)


def box(foot, height, width, left=100):
    mask = np.zeros(SHAPE, bool)
    mask[foot - height : foot, left : left + width] = True
    return mask


def test_one_height_everywhere_is_the_median_and_has_no_slope():
    person = person_size([box(100 + k, 40, 12) for k in range(12)])
    assert (person.slope, person.intercept, person.reason) == (0.0, 40.0, None)
    heights = [39, 40, 40, 41, 42, 42, 42, 43, 43, 44, 44, 44]
    assert person_size([box(120, h, 12) for h in heights]).intercept == 42


def test_eleven_people_are_too_few():
    person = person_size([box(120, 40, 12)] * 11)
    assert (person.slope, person.intercept) == (0.0, 30.0)  # an eighth of the picture's height
    assert person.reason == "only 11 regions look like a person standing alone"


def test_all_people_of_a_picture_count():
    three = box(100, 40, 12, 50) | box(150, 50, 15, 120) | box(200, 60, 18, 200)
    person = person_size([three] * 4)
    assert person.reason is None
    np.testing.assert_allclose(person.height(np.array([100, 150, 200])), [40, 50, 60], atol=1e-9)


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        (box(120, 40, 26), True),  # 1.54 times as high as wide
        (box(120, 39, 26), False),  # 1.5 times
        (box(120, 40, 9), True),  # 4.4 times
        (box(120, 45, 10), False),  # 4.5 times
        (box(120, 8, 4), True),
        (box(120, 7, 4), False),  # lower than 8 px
        (box(43, 40, 12), True),
        (box(40, 40, 12), False),  # at the upper border
        (box(42, 40, 12), False),  # so near that the gap is closed
        (box(237, 40, 12), True),
        (box(240, 40, 12), False),  # at the lower one
        (box(238, 40, 12), False),
        (box(120, 40, 12, 2), True),
        (box(120, 40, 12, 0), False),  # at the left one
        (box(120, 40, 12, 306), True),
        (box(120, 40, 12, 308), False),  # at the right one
    ],
)
def test_a_person_is_slender_and_inside_the_picture(kind, counts):
    assert (person_size([kind] * 12).reason is None) == counts


def test_a_person_is_fairly_full():
    for width, counts in (
        (10, True),
        (8, False),
    ):  # a frame of 24x40 px that is filled from the left, 0.4 of it or less
        hollow = box(120, 40, width) | box(120, 2, 24)
        assert (person_size([hollow] * 12).reason is None) == counts


def test_a_persons_least_height_grows_with_the_picture():
    for rows, counts in ((320, True), (400, False)):
        mask = np.zeros((rows, 320), bool)
        mask[100:108, 100:104] = True  # 8 px: a fortieth of 320 rows
        assert (person_size([mask] * 12).reason is None) == counts


def test_small_holes_are_closed():
    torn = box(120, 40, 12)
    torn[98:102] = False  # of four rows: closed by the kernel of five
    assert person_size([torn] * 12).intercept == 40


def test_parts_of_people_are_left_out():
    whole = [box(120, 60, 18)] * 20
    parts = [box(120, 36, 12)] * 9
    assert person_size(whole + parts).intercept == 60
    # Three quarters of the height is no part: the median of both is what most have.
    assert person_size([box(120, 60, 18)] * 10 + [box(120, 45, 14)] * 11).intercept == 45


def test_a_slope_is_measured_where_feet_are_far_enough_apart():
    def line(span):
        feet = np.linspace(120, 120 + span, 24).round().astype(int)
        return [box(int(f), round(0.25 * f + 10), 12) for f in feet]

    person = person_size(line(60))
    assert person.slope == pytest.approx(0.25, abs=0.01)
    assert person.intercept == pytest.approx(10, abs=1.5)
    assert person_size(line(30)).slope == 0  # an eighth of 240 rows
    assert person_size(line(32)).slope == pytest.approx(0.25, abs=0.02)


def test_people_do_not_grow_with_distance():
    person = person_size([box(100 + 5 * k, 60 - k, 18) for k in range(20)])
    assert person.slope == 0
    assert 40 < person.intercept < 61


@pytest.mark.parametrize(("alike", "measured"), [(8, False), (16, True)])
def test_where_half_of_the_heights_lie_far_off_nothing_is_measured(alike, measured):
    # Off by 0.43 and 0.54 of themselves are 6 each; the median tells whether they are half.
    heights = [42] * 6 + [60] * alike + [130] * 6
    person = person_size([box(230, h, h // 3) for h in heights])
    assert (person.reason is None) == measured
    assert person.intercept == (60 if measured else 30)
    assert measured or person.reason == "the regions that look like a person differ too much in height"


def test_the_height_at_a_row_is_six_px_at_least():
    person = PersonSize(0.5, -20.0)
    assert person.height(np.array([0, 40, 52, 60, 100])).tolist() == [6, 6, 6, 10, 30]
    assert person.height([100]).dtype == np.float64
    assert PersonSize(0.0, 30.0).reason is None


def test_the_local_height_is_that_of_who_stands_around_the_row():
    # Whose feet are at row 40 is 20 high; whose middle is there has his feet 10 px below, where one is 25 high.
    local = local_height(PersonSize(0.5, 0.0), (60, 80))
    assert local.shape == (60, 1)
    assert local.dtype == np.float32
    assert local[40, 0] == 25
    assert local[0, 0] == 6
