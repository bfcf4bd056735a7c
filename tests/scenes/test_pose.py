"""Bodies that walk: feet on the ground, one leg before the other, arms against legs, parts over parts."""

from dataclasses import replace

import numpy as np
import pytest

from mpas_lite.scenes.appearance import FORE, HAND, HEAD, SHOE, THIGH, TORSO, random_appearance
from mpas_lite.scenes.bodies import people_polygons
from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.pose import pose

PEOPLE = [random_appearance(np.random.default_rng(seed)) for seed in (0, 1, 5)]
ON_FOOT = [k for k, person in enumerate(PEOPLE) if not person.phone]


def bodies(*, phase=0.0, speed=1.34, heading=0.0, time=0.0, running=False, cheering=False):
    n = len(PEOPLE)
    return pose(
        PEOPLE,
        np.array([[0.0, 0.0], [5.0, 0.0], [10.0, 3.0]]),
        np.full(n, heading),
        np.full(n, speed),
        np.full(n, phase),
        time,
        running=np.full(n, running),
        cheering=np.full(n, cheering),
    )


def forward(part, **how):
    """How far the middles of a part, left and right, are ahead of the body, (N, 2), m; the body looks along +X."""
    centre, _ = bodies(**how)
    return (centre[:, part : part + 2, :, 0].mean(axis=2).T - [0.0, 5.0, 10.0]).T


@pytest.mark.parametrize("phase", [0.0, 1.0, np.pi / 2, 3.0, 5.0])
@pytest.mark.parametrize("speed", [0.0, 1.34])
def test_the_lower_foot_is_on_the_ground(phase, speed):
    centre, radius = bodies(phase=phase, speed=speed)
    lowest = (centre[..., 2] - radius)[radius.max(axis=2) > 0].min()
    sole = (centre[:, SHOE : SHOE + 2, :, 2] - radius[:, SHOE : SHOE + 2]).min(axis=(1, 2))
    np.testing.assert_allclose(sole, 0.0, atol=0.035)
    assert lowest == pytest.approx(sole.min())


def test_one_leg_is_before_the_other_and_they_take_turns():
    now, half_a_cycle_later = forward(SHOE, phase=np.pi / 2), forward(SHOE, phase=3 * np.pi / 2)
    assert (now[:, 0] - now[:, 1] > 0.3).all()
    np.testing.assert_allclose(half_a_cycle_later, now[:, ::-1], atol=1e-9)
    assert np.abs(np.diff(forward(SHOE, speed=0.0), axis=1)).max() < 0.02, "who stands has the feet side by side"


def test_arms_swing_against_the_legs():
    legs, arms = forward(THIGH, phase=np.pi / 2)[ON_FOOT], forward(HAND, phase=np.pi / 2)[ON_FOOT]
    assert len(ON_FOOT) >= 2
    assert (legs[:, 0] > legs[:, 1]).all()
    assert (arms[:, 0] < arms[:, 1]).all()


def test_who_runs_bends_the_arms_and_who_cheers_lifts_them():
    walking, running, cheering = (
        bodies(**how)[0][ON_FOOT][:, HAND : HAND + 2, :, 2].mean()
        for how in ({}, {"running": True, "speed": 2.6}, {"cheering": True, "speed": 0.0})
    )
    shoulder = bodies()[0][ON_FOOT][:, TORSO, :2, 2].mean()
    assert walking < running < cheering
    assert cheering > shoulder


def test_bodies_turn_as_a_whole():
    ahead, _ = bodies(heading=0.0)
    turned, _ = bodies(heading=np.pi / 2)
    origin = np.array([[0.0, 0.0], [5.0, 0.0], [10.0, 3.0]])[:, None, None]
    x, y = np.moveaxis(ahead[..., :2] - origin, -1, 0)
    np.testing.assert_allclose(turned[..., :2] - origin, np.stack([-y, x], -1), atol=1e-9)
    np.testing.assert_allclose(turned[..., 2], ahead[..., 2])


def test_the_crown_is_as_high_as_the_stature():
    centre, radius = bodies(speed=0.0)
    crown = (centre[:, HEAD, :, 2] + radius[:, HEAD]).max(axis=1)
    np.testing.assert_allclose(crown, [person.stature for person in PEOPLE], rtol=0.03)


def test_nearer_parts_are_painted_over_farther_ones():
    """Somebody who walks past from left to right: the left arm is painted before the torso, the right one after it."""
    camera, light = Camera((240, 320), 1.2, 0.0, 300.0), Light(np.array([0.0, 0.0, 1.0]), 0.3, 1.0, np.ones(3))
    centre, radius = bodies(heading=0.0, speed=0.0)
    colour = np.stack([np.arange(17) * 10, np.full(17, 100), np.zeros(17)], axis=1)  # red tells the part
    marked = [replace(person, colour=colour, number=False) for person in PEOPLE]
    before_the_camera = centre + np.array([0.0, 6.0, 0.0])
    painted = people_polygons(camera, light, marked, before_the_camera, radius, np.arange(1, 4))[ON_FOOT[0]]
    dark = [round(red / 7.4) for _, (red, green, _, _) in painted if green == pytest.approx(74)]
    assert dark.index(FORE) < dark.index(TORSO) < dark.index(FORE + 1)
