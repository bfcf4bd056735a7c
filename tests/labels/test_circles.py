import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from mpas_lite.labels.circles import circular_region_merging, radius_in_pixels

points = st.lists(st.tuples(st.integers(-30, 90), st.integers(-30, 70)), max_size=12)


@pytest.mark.slow
@given(points=points, radius=st.floats(1, 30))
def test_union_of_discs_by_definition(points, radius):
    position = np.array(points, float).reshape(-1, 2)
    mask = circular_region_merging(position, radius, (40, 60))
    y, x = np.mgrid[:40, :60]
    expected = np.zeros((40, 60), bool)
    for px, py in points:
        expected |= (x - px) ** 2 + (y - py) ** 2 <= radius**2
    np.testing.assert_array_equal(mask, expected)


def test_one_disc_has_about_the_area_of_a_circle():
    mask = circular_region_merging(np.array([[50.0, 50.0]]), 20, (101, 101))
    assert abs(mask.sum() - np.pi * 20**2) < 20


def test_no_particle_no_region():
    mask = circular_region_merging(np.zeros((0, 2)), 20, (10, 12))
    assert mask.shape == (10, 12)
    assert mask.dtype == bool
    assert not mask.any()


def test_a_radius_below_one_is_a_fraction_of_the_height():
    position = np.array([[30.0, 20.0]])
    np.testing.assert_array_equal(
        circular_region_merging(position, 0.25, (40, 60)), circular_region_merging(position, 10, (40, 60))
    )
    assert radius_in_pixels(0.5, (300, 10)) == 150


@pytest.mark.parametrize("radius", [0, -3, float("nan"), float("inf")])
def test_radii_that_are_none(radius):
    with pytest.raises(ValueError, match="must be above 0"):
        circular_region_merging(np.zeros((1, 2)), radius, (10, 10))


def test_positions_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        circular_region_merging(np.zeros((3, 3)), 5, (10, 10))


def test_a_disc_larger_than_the_image_takes_no_more_memory_than_the_image():
    import tracemalloc

    position = np.array([[30.0, 20.0], [90_000.0, 0.0]])
    tracemalloc.start()
    mask = circular_region_merging(position, 89_950, (40, 60))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert mask.all()
    y, x = np.mgrid[:40, :60]
    far = circular_region_merging(position[1:], 89_950, (40, 60))
    np.testing.assert_array_equal(far, np.hypot(x - 90_000, y) <= 89_950)


def test_particles_outside_count_for_what_reaches_in():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:30, :40]
    for _ in range(50):
        position = rng.uniform(-60, 90, (3, 2))
        radius = rng.uniform(1, 80)
        pixel = np.rint(position)
        oracle = np.any([(x - px) ** 2 + (y - py) ** 2 <= radius**2 for px, py in pixel], axis=0)
        np.testing.assert_array_equal(circular_region_merging(position, radius, (30, 40)), oracle)


def test_a_radius_of_one_is_a_pixel_and_a_disc_that_just_reaches_in_counts():
    assert radius_in_pixels(1, (300, 10)) == 1
    mask = circular_region_merging(np.array([[-5.0, 3.0]]), 5, (8, 9))
    assert np.argwhere(mask).tolist() == [[3, 0]]
    far = circular_region_merging(np.array([[-500.0, 3.0]]), 500, (8, 9))
    assert np.argwhere(far).tolist() == [[3, 0]]
