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
    with pytest.raises(ValueError, match="shape"):
        order(np.zeros((0, 2)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"noise": 1.5}, "between 0"), ({"n": 0, "noise": 0}, "at least 1"), ({"noise": 0, "side": 0}, "above 0")],
)
def test_nonsense_is_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        self_driven_particles(**settings)
