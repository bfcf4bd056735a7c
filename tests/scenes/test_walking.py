"""Routes, forces and steps of the social-force crowd, against geometry and mechanics worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from mpas_lite.scenes.routes import Curve, Plan, Route, assign_groups, free_place, left_of, round_corners
from mpas_lite.scenes.social_force import (
    CONTACT,
    cohesion,
    obstacle_repulsion,
    repulsion,
    separate,
    turn_towards,
)
from mpas_lite.scenes.walking import walk

EAST = np.array([(-20.0, 0.0), (20.0, 0.0)])


def moments(plan, count, *, seed=0, fps=25, pause_fraction=0.0):
    crowd = walk(plan, np.random.default_rng(seed), fps=fps, pause_fraction=pause_fraction)
    return [next(crowd) for _ in range(count)]


# ------------------------------------------------------------------------------------------------- routes


def test_a_curve_is_as_long_as_it_is_and_rounds_its_corners():
    straight = Curve(np.array([(0.0, 0.0), (3.0, 4.0)]))
    assert straight.length == pytest.approx(5.0)
    np.testing.assert_allclose(straight.at(np.array([0.0, 2.5, 9.0])), [[0, 0], [1.5, 2.0], [3, 4]])
    np.testing.assert_allclose(straight.tangent(np.array([0.0, 2.5])), [[0.6, 0.8]] * 2)
    np.testing.assert_allclose(straight.normal(np.array([2.5])), [[-0.8, 0.6]])
    corner = np.array([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0)])
    rounded = round_corners(corner)
    np.testing.assert_array_equal(rounded[[0, -1]], corner[[0, -1]])
    assert 5.0 < np.linalg.norm(np.diff(rounded, axis=0), axis=1).sum() < 8.0
    assert np.linalg.norm(rounded - corner[1], axis=1).min() > 0.5


def test_left_is_left():
    np.testing.assert_array_equal(left_of(np.array([[1, 0], [0, 1]])), [[0, 1], [-1, 0]])


def test_routes_get_their_shares_and_groups_stay_on_one_route():
    routes = [Route(EAST, 4.0, share, group_share=part) for share, part in ((3, 0.0), (1, 1.6))]
    route, group = assign_groups(Plan(routes, 400), np.random.default_rng(0))
    assert np.bincount(route).tolist() == [300, 100]
    size = np.bincount(group, minlength=400)
    assert (size[:300] == 1).all(), "nobody in company where none is asked"
    assert set(size[300:]) <= {0, 1, 2, 3}
    assert (size[300:] == 1).sum() <= 1, "all in company, but for one who may be left over"
    assert all(len(set(route[group == g])) == 1 for g in set(group))


def test_a_place_is_where_asked_and_the_roomiest():
    others = np.array([[-20.0 + s, y] for s in np.arange(0, 10, 0.5) for y in (-1.0, 0.0, 1.0)])  # the first ten metres
    s, offset, point = free_place(Curve(EAST), others, np.random.default_rng(0), low=5, high=15, width=4.0)
    assert 5 <= s <= 15
    assert abs(offset) <= 2
    np.testing.assert_allclose(point, [s - 20, offset], atol=1e-9)  # the route runs east: left of it is north
    assert np.linalg.norm(others - point, axis=1).min() > 0.7


# ------------------------------------------------------------------------------------------------- forces


def test_two_who_meet_push_each_other_apart_and_the_one_behind_minds_more():
    x, v = np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros((2, 2))
    apart = repulsion(x, v, np.array([0.0, np.pi]), np.array([0, 1]))  # face to face
    assert apart[0, 0] < 0 < apart[1, 0]
    np.testing.assert_allclose(apart[0], -apart[1], atol=1e-12)
    queue = repulsion(x, v, np.zeros(2), np.array([0, 1]))  # one behind the other
    assert queue[1, 0] == pytest.approx(0.3 * -queue[0, 0], rel=1e-4)
    company = repulsion(x, v, np.array([0.0, np.pi]), np.array([0, 0]))
    np.testing.assert_allclose(company, 0.4 * apart)


def test_walkers_keep_clear_of_where_the_other_will_be():
    x = np.array([[0.0, 0.0], [2.0, 0.0]])
    still = repulsion(x, np.zeros((2, 2)), np.zeros(2), np.array([0, 1]))
    nearing = repulsion(x, np.array([[0.0, 0], [-1.3, 0]]), np.zeros(2), np.array([0, 1]))
    leaving = repulsion(x, np.array([[0.0, 0], [1.3, 0]]), np.zeros(2), np.array([0, 1]))
    assert nearing[0, 0] < still[0, 0] < leaving[0, 0] < 0


def test_the_force_at_rest_is_that_of_the_exponential_potential():
    """Of Helbing & Molnar: -grad V0 exp(-r / sigma) for two at rest, whose ellipse is a circle."""
    d = 0.8
    x = np.array([[0.0, 0.0], [d, 0.0]])
    force = repulsion(x, np.zeros((2, 2)), np.array([0.0, 0.0]), np.array([0, 1]))
    assert -force[0, 0] == pytest.approx(2 * 2.1 / 0.3 * np.exp(-d / 0.3) / 2 * 2 / 2, rel=1e-4)


def test_obstacles_push_outwards_the_more_the_nearer():
    post = np.array([[0.0, 0.0, 0.5]])
    near, far = obstacle_repulsion(np.array([[1.0, 0.0]]), post), obstacle_repulsion(np.array([[0.0, -1.3]]), post)
    assert near[0, 0] == pytest.approx(5 * np.exp(-0.3 / 0.3))
    assert near[0, 1] == far[0, 0] == 0
    assert far[0, 1] == pytest.approx(-5 * np.exp(-0.6 / 0.3))


def test_companions_are_drawn_together_when_apart_but_not_for_ever():
    def pull(distance):
        return cohesion(np.array([[0.0, 0.0], [2 * distance, 0.0], [5.0, 5.0]]), np.array([0, 0, 2]))

    assert not pull(0.6).any(), "near enough"
    np.testing.assert_allclose(pull(1.5), [[0.8, 0], [-0.8, 0], [0, 0]])
    assert not pull(4.5).any(), "lost"


def test_bodies_end_at_arms_length_and_out_of_obstacles():
    rng = np.random.default_rng(0)
    crowded = rng.uniform(0, 2.5, (12, 2))
    for _ in range(20):
        crowded = separate(crowded, np.zeros(12, bool), np.zeros((0, 3)))
    gaps = np.linalg.norm(crowded[:, None] - crowded[None], axis=2)[~np.eye(12, dtype=bool)]
    assert gaps.min() > CONTACT - 0.02
    out = separate(np.array([[0.1, 0.0]]), np.zeros(1, bool), np.array([[0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(out, [[1.2, 0.0]])


def test_who_stands_gives_way_less():
    x = np.array([[0.0, 0.0], [0.32, 0.0]])
    after = separate(x, np.array([True, False]), np.zeros((0, 3)))
    assert -after[0, 0] < 0.3 * (after[1, 0] - 0.32)
    assert after[1, 0] - after[0, 0] == pytest.approx(CONTACT)


def test_bodies_turn_the_short_way_within_a_third_of_a_second():
    heading = turn_towards(np.array([3.0, 3.0, 1.0]), np.array([[-1.0, -0.1], [-1, -0.1], [0.01, 0]]), 0.1)
    short = np.arctan2(-0.1, -1) + 2 * np.pi - 3.0  # across the back, not all the way round
    assert heading[0] == pytest.approx(3.0 + short / 3)
    assert heading[2] == 1.0, "who stands keeps facing as before"
    assert turn_towards(np.array([0.0]), np.array([[0.0, 1.0]]), 0.5)[0] == pytest.approx(np.pi / 2)


# ------------------------------------------------------------------------------------------------- steps


def test_each_step_leads_to_the_next_position():
    before, after = moments(Plan([Route(EAST, 6.0)], 12), 2)
    same = np.isin(before.ids, after.ids)
    np.testing.assert_allclose((before.position + before.step)[same], after.position[same])
    assert (np.linalg.norm(before.step, axis=1) * 25 <= 1.3 * 1.6 * 1.34 + 0.5).all()


@pytest.mark.parametrize("fps", [10, 25, 60])
def test_walkers_are_as_fast_whatever_the_frame_rate(fps):
    alone = Plan([Route(EAST, 2.0, speed=(1.2, 0.0), start=(0.1, 0.3))], 1)
    for moment in moments(alone, 3, fps=fps):
        assert np.linalg.norm(moment.step) * fps == pytest.approx(1.2, rel=0.01)
        assert moment.heading[0] == pytest.approx(0.0, abs=0.2)
        assert moment.speed[0] == pytest.approx(1.2, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_walkers_keep_to_their_side_of_the_route(seed):
    """Alone on a broad straight way one keeps the distance from its middle."""
    first, *_, last = moments(Plan([Route(EAST, 10.0, start=(0.1, 0.2))], 1), 100, seed=seed)
    assert abs(first.position[0, 1]) > 0.5, "else the test tells nothing"
    assert last.position[0, 1] == pytest.approx(first.position[0, 1], abs=0.1)


@pytest.mark.parametrize(("speed", "stands"), [(0.2, False), (0.05, True)])
def test_slower_than_a_decimetre_a_second_is_standing(speed, stands):
    alone = Plan([Route(EAST, 2.0, speed=(speed, 0.0), start=(0.1, 0.2))], 1)
    assert all(m.standing[0] == stands for m in moments(alone, 5))


def test_the_legs_make_a_cycle_in_two_paces():
    alone = Plan([Route(EAST, 2.0, speed=(1.2, 0.0), start=(0.1, 0.2))], 1)
    first, *_, last = moments(alone, 101)
    cycles = (last.phase[0] - first.phase[0]) / (2 * np.pi)
    assert cycles * (0.75 + 0.5 * 1.2) == pytest.approx(np.linalg.norm(last.position - first.position), rel=0.01)


def test_who_arrives_leaves_and_somebody_with_a_new_number_begins():
    short = Plan([Route(np.array([(0.0, 0.0), (6.0, 0.0)]), 2.0)], 3)
    seen = moments(short, 400)
    numbers = [set(m.ids.tolist()) for m in seen]
    assert all(len(n) == 3 for n in numbers)
    assert max(max(n) for n in numbers) > 5
    for before, after in pairwise(numbers):
        assert all(new > max(before) for new in after - before), "a number is never used again"
    for before, after in pairwise(seen):
        for new in set(after.ids.tolist()) - set(before.ids.tolist()):
            assert after.position[after.ids == new][0, 0] < 2.0, "at the beginning of the route"
    assert max(m.position[:, 0].max() for m in seen) < 6.5


def test_those_who_only_stand_are_where_the_plan_has_them():
    plan = Plan([Route(EAST, 2.0)], 2, standing=np.array([[0.0, 9.0, 1.0], [3.0, 9.0, -2.0]]))
    for moment in moments(plan, 5):
        np.testing.assert_allclose(moment.position[2:], [[0, 9], [3, 9]], atol=1e-6)
        assert moment.standing[2:].all()
        assert moment.heading[2:].tolist() == [1.0, -2.0]


@pytest.mark.slow
def test_pauses_last_five_seconds_on_the_average():
    plan = Plan([Route(np.array([(-200.0, 0.0), (200.0, 0.0)]), 60.0, group_share=0.0)], 40)
    standing = np.array([m.standing for m in moments(plan, 500, fps=10, pause_fraction=0.3)])
    ended = (standing[:-1] & ~standing[1:]).sum()
    assert standing.mean() == pytest.approx(0.3, abs=0.07)
    assert standing.sum() / ended / 10 == pytest.approx(5.0, rel=0.25)


def test_nobody_glides_while_standing():
    plan = Plan([Route(np.array([(-200.0, 0.0), (200.0, 0.0)]), 60.0, group_share=0.0)], 20)
    steps = [m.step[m.standing] for m in moments(plan, 60, fps=10, pause_fraction=0.5)]
    still = (np.concatenate(steps) == 0).all(axis=1)
    assert still.mean() > 0.9


def test_nobody_walks_through_a_post():
    plan = Plan([Route(EAST, 3.0)], 16, obstacles=np.array([[0.0, 0.3, 0.6]]))
    nearest = min(np.linalg.norm(m.position - [0.0, 0.3], axis=1).min() for m in moments(plan, 200))
    assert nearest > 0.75


def test_who_waits_never_moves_and_the_others_walk_around_them():
    plan = Plan([Route(EAST, 4.0, group_share=1.6)], 20)
    waiting = np.arange(20) < 6
    crowd = walk(plan, np.random.default_rng(0), fps=10, pause_fraction=0.0, waiting=waiting)
    seen = [next(crowd) for _ in range(40)]
    _, group = assign_groups(plan, np.random.default_rng(0))
    wait = waiting[group]
    assert 6 <= wait.sum() <= 8  # with their companions
    for moment in seen:
        np.testing.assert_array_equal(moment.position[wait], seen[0].position[wait])
        assert moment.standing[wait].all()
    walked = np.linalg.norm(seen[-1].position - seen[0].position, axis=1)[~wait]
    assert (walked > 1).mean() > 0.9
    never = walk(plan, np.random.default_rng(0), fps=10, pause_fraction=0.0, waiting=np.zeros(20, bool))
    usual = walk(plan, np.random.default_rng(0), fps=10, pause_fraction=0.0)
    np.testing.assert_array_equal(next(never).position, next(usual).position)
