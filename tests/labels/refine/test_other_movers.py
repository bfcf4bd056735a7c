"""Vehicles and what sways: each of the conditions alone decides."""

import numpy as np
import pytest

from mpas_lite.labels.refine.other_movers import not_crowd, swaying, vehicles
from mpas_lite.labels.refine.person_size import PersonSize

SHAPE = (120, 160)
PERSON = PersonSize(0.0, 30.0)
SPEED = 0.1  # heights a frame: 3 px


def car(wide=40, high=20, pace=7.0, points=4, *, apart=0.0, at=(30, 50)):
    """A region and ``points`` particles on it that move right; ``apart`` is how differently."""
    left, top = at
    foreground = np.zeros(SHAPE, bool)
    foreground[top : top + high, left : left + wide] = True
    position = np.column_stack([left + np.linspace(2, wide - 3, points), np.full(points, top + high // 2)])
    velocity = np.column_stack([np.full(points, pace), apart * np.resize([1.0, -1.0], points)])
    return foreground, position, velocity


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"pace": 6.1}, True),
        ({"pace": 5.9}, False),  # twice the usual speed is 6 px
        ({"points": 3}, False),
        ({"wide": 25, "high": 20}, True),
        ({"wide": 23, "high": 20}, False),  # 0.8 of a height is 24
        ({"wide": 30, "high": 30}, True),
        ({"wide": 30, "high": 32}, False),  # higher than wide
        ({"apart": 2.0}, True),
        ({"apart": 3.5}, False),  # not of one piece: 0.4 of 7 is 2.8
        ({"pace": -7.0}, True),
    ],
)
def test_a_vehicle_is_wide_and_fast_and_of_one_piece(options, expected):
    foreground, position, velocity = car(**options)
    found = vehicles(foreground, position, velocity, PERSON, SPEED)
    assert found.any() == expected
    if expected:  # two pixels wider all around
        wide, high = options.get("wide", 40), options.get("high", 20)
        grown = np.zeros(SHAPE, bool)
        grown[48 : 52 + high, 28 : 32 + wide] = True
        np.testing.assert_array_equal(found, grown)


def test_without_a_usual_speed_there_are_no_vehicles():
    assert not vehicles(*car(), PERSON, 0.0).any()
    assert vehicles(*car(pace=0.5), PERSON, 0.004).any()


def test_each_region_is_judged_by_its_own_particles_and_its_own_feet():
    fast, slow = car(at=(20, 20)), car(at=(90, 80), pace=2.0)
    both = [fast[0] | slow[0], *(np.concatenate(pair) for pair in zip(fast[1:], slow[1:], strict=True))]
    found = vehicles(*both, PERSON, SPEED)
    assert found[30, 30]
    assert not found[90, 100]
    # Near the camera people are higher: what is a car's width far away is none there.
    near = PersonSize(0.5, 0.0)
    assert vehicles(*car(at=(20, 10), pace=9), near, SPEED).any()  # people of 15 px at row 30
    assert not vehicles(*car(at=(20, 90), pace=20), near, SPEED).any()  # and of 55 at row 110


def test_particles_beside_the_picture_count_at_its_border():
    foreground, _, velocity = car(at=(120, 100))
    outside = np.array([[170.0, 110.0], [165.0, 125.0], [159.6, 119.7], [150.0, 110.0]])
    assert vehicles(foreground, outside, velocity, PERSON, SPEED).any()


def test_what_is_fast_but_stands_before_no_background_is_no_vehicle():
    foreground, position, velocity = car()
    assert not vehicles(np.zeros_like(foreground), position, velocity, PERSON, SPEED).any()


def test_the_last_row_of_the_picture_may_be_a_vehicles():
    foreground = np.zeros(SHAPE, bool)
    foreground[119, 100:150] = True
    position = np.column_stack([np.linspace(105, 145, 4), [119, 119.4, 121, 130]])
    assert vehicles(foreground, position, np.tile([7.0, 0.0], (4, 1)), PERSON, SPEED)[119, 120]


def test_vehicles_and_what_sways_are_no_crowd():
    foreground, position, velocity = car()
    sways = np.zeros(SHAPE, bool)
    sways[:5] = True
    driving = vehicles(foreground, position, velocity, PERSON, SPEED)
    np.testing.assert_array_equal(not_crowd(foreground, position, velocity, PERSON, SPEED, None), driving)
    np.testing.assert_array_equal(not_crowd(foreground, position, velocity, PERSON, SPEED, sways), driving | sways)


def clip(velocities, place=(50.0, 30.0)):
    """One particle a frame at a place; None is a frame without any."""
    moving = []
    for v in velocities:
        position, velocity = ([], []) if v is None else ([place], [v])
        moving.append((np.array(position, float).reshape(-1, 2), np.array(velocity, float).reshape(-1, 2)))
    return moving


TO_AND_FRO = [(1.0, 0.0), (-1.0, 0.0)] * 5


@pytest.mark.parametrize(
    ("velocities", "expected"),
    [
        (TO_AND_FRO, True),
        ([(1.0, 0.0)] * 10, False),  # gets somewhere
        ([(1.0, 0.0)] * 6 + [(-1.0, 0.0)] * 4, True),  # 0.2 of the pace is left
        ([(1.0, 0.0)] * 7 + [(-1.0, 0.0)] * 3, False),  # 0.4
        ([(2.0, 0.0), (-2.0, 0.0)] * 5, True),
        ([(2.2, 0.0), (-2.2, 0.0)] * 5, False),  # 0.7 of 3 px is 2.1: as fast as people
        (TO_AND_FRO[:4], False),  # in four frames of four: at least five
        (TO_AND_FRO[:5] + [None] * 7, True),  # in 5 of 12 frames
        (TO_AND_FRO[:6] + [None] * 10, False),  # in 6 of 16: less than 0.4
        ([(0.0, 1.0), (0.0, -1.0)] * 5, True),
    ],
)
def test_what_sways_is_slow_and_there_most_of_the_time_and_gets_nowhere(velocities, expected):
    sways = swaying(clip(velocities), PERSON, SPEED, SHAPE)
    assert sways.shape == SHAPE
    assert sways[30, 50] == expected
    cell = np.zeros(SHAPE, bool)
    cell[28:32, 48:52] = expected  # cells of 120 / 30 px
    np.testing.assert_array_equal(sways, cell)


def test_most_of_what_sways_is_slow():
    slow, fast = [(1.0, 0.0), (-1.0, 0.0)], [(4.0, 0.0), (-4.0, 0.0)]
    assert swaying(clip(slow * 8 + fast * 3), PERSON, SPEED, SHAPE).any()  # 16 of 22
    assert not swaying(clip(slow * 7 + fast * 3), PERSON, SPEED, SHAPE).any()  # 14 of 20 is 0.7


def test_cells_cover_the_picture_to_its_last_pixel():
    for shape, side in (((121, 163), 4), ((300, 410), 10), ((60, 80), 4)):
        last = (shape[1] - 1.0, shape[0] - 1.0)
        sways = swaying(clip(TO_AND_FRO, last), PERSON, SPEED, shape)
        assert sways.shape == shape
        cell = np.zeros(shape, bool)
        cell[(shape[0] - 1) // side * side :, (shape[1] - 1) // side * side :] = True
        np.testing.assert_array_equal(sways, cell)
    beyond = swaying(clip(TO_AND_FRO, (163.4, 122.0)), PERSON, SPEED, SHAPE)
    assert beyond[-1, -1]
    assert swaying(clip(TO_AND_FRO, (-3.0, -2.0)), PERSON, SPEED, SHAPE)[0, 0]


def test_two_particles_of_one_frame_are_one_visit():
    pair = (np.array([[50.0, 30.0], [51.0, 31.0]]), np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert not swaying([pair] * 4, PERSON, SPEED, SHAPE).any()
    assert swaying([pair] * 5, PERSON, SPEED, SHAPE)[30, 50]
