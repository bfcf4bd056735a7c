"""Self-driven particles: what the model says of simple cases, and the order."""

import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.motion.vicsek import at_steps, order, self_driven_particles


def test_one_step_is_the_mean_direction_of_those_near_by_the_definition():
    (x, v), (x2, v2) = at_steps(self_driven_particles(60, noise=0, side=5, speed=0.1, seed=3), (0, 1))
    for i in range(60):
        gap = np.abs(x - x[i])
        near = np.hypot(*np.minimum(gap, 5 - gap).T) <= 1  # opposite sides are joined
        mean = v[near].sum(axis=0)
        np.testing.assert_allclose(v2[i], 0.1 * mean / np.linalg.norm(mean), atol=1e-12)
    np.testing.assert_allclose(x2, (x + v2) % 5, atol=1e-12)


def test_with_noise_each_errs_by_a_share_of_a_half_turn_drawn_from_the_seed():
    (x, v), (x2, v2) = at_steps(self_driven_particles(40, noise=0.3, outliers=4, side=5, seed=8), (0, 1))
    rng = np.random.default_rng(8)  # where they start, where they head, and by what they err
    assert np.array_equal(rng.uniform(0, 5, (44, 2)), x)
    heading = rng.uniform(-np.pi, np.pi, 44)
    np.testing.assert_allclose(v, 0.03 * np.stack([np.cos(heading), np.sin(heading)], axis=1), atol=1e-15)
    gap = np.abs(x[:, None] - x)
    near = np.hypot(*np.minimum(gap, 5 - gap).transpose(2, 0, 1)) <= 1
    mean = near @ np.stack([np.cos(heading), np.sin(heading)], axis=1)
    aligned = np.where(np.arange(44) < 40, np.arctan2(mean[:, 1], mean[:, 0]), heading)  # outliers keep theirs
    after = aligned + 0.3 * np.pi * rng.uniform(-1, 1, 44)
    np.testing.assert_allclose(v2, 0.03 * np.stack([np.cos(after), np.sin(after)], axis=1), atol=1e-12)
    np.testing.assert_allclose(x2, (x + v2) % 5, atol=1e-12)


def test_the_settings_of_zhou_stand_where_none_are_given():
    zhou = {"outliers": 0, "side": 7.0, "radius": 1.0, "speed": 0.03, "seed": 0}
    bare, told = (
        at_steps(s, (0, 3)) for s in (self_driven_particles(noise=0.1), self_driven_particles(400, noise=0.1, **zhou))
    )
    np.testing.assert_array_equal(bare, told)


def test_a_box_a_radius_and_steps_smaller_than_one_are_fine():
    (_, _), (x, v) = at_steps(self_driven_particles(1, noise=1, side=0.5, radius=0.2, speed=0.01), (0, 50))
    assert x.max() < 0.5
    assert np.linalg.norm(v) == pytest.approx(0.01)


def test_no_step_is_made_beyond_the_last_that_is_wanted():
    steps = iter([(np.full((1, 2), i), np.zeros((1, 2))) for i in range(9)])
    assert [int(x[0, 0]) for x, _ in at_steps(steps, (1, 4))] == [1, 4]
    assert next(steps)[0][0, 0] == 5


def test_every_particle_keeps_its_speed_and_stays_in_the_box():
    for x, v in at_steps(self_driven_particles(50, noise=0.4, outliers=5), (0, 7, 30)):
        assert x.shape == v.shape == (55, 2)
        np.testing.assert_allclose(np.linalg.norm(v, axis=1), 0.03)
        assert x.min() >= 0
        assert x.max() < 7


def test_outliers_keep_their_direction():
    (_, start), (_, end) = at_steps(self_driven_particles(50, noise=0, outliers=5, side=3), (0, 20))
    np.testing.assert_allclose(start[50:], end[50:])
    assert order(end[:50]) > 0.9 > order(start[:50])


def test_noise_destroys_order_and_collectiveness():
    calm, wild = (at_steps(self_driven_particles(200, noise=eta), (50,))[0] for eta in (0, 1))
    assert order(calm[1]) > 0.95
    assert order(wild[1]) < 0.25
    assert mp.collectiveness(mp.crowd_graph(*calm)).mean() > 0.95
    c = 1 / np.pi  # the mean of max(cos, 0)
    assert mp.collectiveness(mp.crowd_graph(*wild)).mean() == pytest.approx((c / 2) / (1 - c / 2), abs=0.03)


def test_the_same_seed_gives_the_same_crowd_and_the_same_start_for_every_noise():
    one, same, other = (at_steps(self_driven_particles(30, noise=eta), (0, 9)) for eta in (0.2, 0.2, 0.3))
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])


def test_order_by_hand():
    assert order(np.array([[2, 0], [0, 1]])) == pytest.approx(np.sqrt(0.5))
    assert order(np.array([[2, 0], [0, 0]])) == pytest.approx(0.5)  # who stands goes nowhere
    assert order([[3, 4]]) == pytest.approx(1)
    for wrong in (np.zeros((0, 2)), np.ones((2, 3)), np.ones(2), np.ones((2, 2, 2))):
        with pytest.raises(ValueError, match="shape"):
            order(wrong)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": 1.5}, "between 0"),
        ({"noise": -0.1}, "between 0"),
        ({"n": 0, "noise": 0}, "at least 1"),
        ({"noise": 0, "outliers": -1}, "not fewer than 0 outliers"),
        ({"noise": 0, "side": 0}, "above 0"),
        ({"noise": 0, "radius": 0}, "above 0"),
        ({"noise": 0, "speed": 0}, "above 0"),
    ],
)
def test_nonsense_is_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        self_driven_particles(**settings)
