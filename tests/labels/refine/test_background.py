"""The background of a clip, and what is known of it."""

import numpy as np
import pytest

from mpas_lite.labels.refine.background import densest_value, estimate_background
from tests.helpers import texture

SHAPE = (40, 50)


def ground():
    grey = texture(*SHAPE).astype(float) * 0.4 + 90
    return np.stack([grey * 1.1, grey, grey * 0.8], axis=-1).round().astype(np.uint8)


def covered(times, count=20):
    """Frames of the ground; in the first ``times`` its left part, plain, is each time of another grey."""
    frames = np.repeat(ground()[None], count, axis=0)
    frames[:, :, :20] = 128
    for frame, grey in zip(frames[:times], np.r_[0:118:14, 138:256:14], strict=False):
        frame[:, :20] = grey
    return frames


def test_the_densest_value_is_the_median_of_the_shorth():
    samples = np.random.default_rng(0).integers(0, 255, (21, 40), dtype=np.uint8)
    found = densest_value(samples, part=0.5)
    for column, value in zip(np.sort(samples, axis=0).T.astype(int), found, strict=True):
        size = max(3, round(0.5 * 21))
        widths = [column[i + size - 1] - column[i] for i in range(21 - size + 1)]
        first = int(np.argmin(widths))
        assert value == column[first + size // 2]


def test_a_place_covered_more_than_half_of_the_time_keeps_its_background():
    rng = np.random.default_rng(0)
    samples = rng.integers(90, 110, (30, 20, 20, 3)).astype(np.uint8)  # ground
    samples[:17] = rng.integers(0, 80, (17, 1, 1, 3))  # 17 of 30 samples: each time someone else
    assert np.abs(densest_value(samples).astype(int) - 100).max() <= 12
    assert np.abs(np.median(samples, axis=0) - 100).max() > 12


def test_the_densest_value_of_few_samples_by_hand():
    assert int(densest_value(np.uint8([7]))) == 7
    assert int(densest_value(np.uint8([9, 5]))) == 9  # of two: the upper
    assert int(densest_value(np.uint8([1, 50, 52, 55, 200]))) == 52
    # Two ranges are equally narrow: the darker one is taken.
    assert int(densest_value(np.uint8([10, 11, 12, 200, 201, 202]), part=0.5)) == 11
    # 0.45 of 20 is 9: nine of one colour win over eleven that differ.
    assert int(densest_value(np.uint8([100] * 9 + list(range(0, 99, 9))))) == 100
    # With a larger part they do not.
    assert int(densest_value(np.uint8([100] * 3 + [10, 20, 30, 40, 50, 60, 70]), part=0.7)) < 100


def test_a_still_clip_is_its_own_background():
    background = estimate_background(covered(0))
    np.testing.assert_array_equal(background.image, covered(0)[0])
    assert background.known.all()
    np.testing.assert_array_equal(background.noise, np.full(SHAPE, 0.5))  # never below half a level
    assert background.min_shadow_gain == 0.5


@pytest.mark.parametrize(("free", "known"), [(6, True), (4, True), (3, False)])
def test_the_ground_must_be_seen_in_a_fifth_of_the_frames(free, known):
    frames = covered(20 - free)
    background = estimate_background(np.roll(frames, 3, axis=0))  # one that shows it is in the middle
    assert background.known[:, 22:].all()
    assert (background.image[:, :18] == 128).all()
    assert background.known[:, :18].all() == background.known[:, :18].any() == known


def test_the_background_has_the_light_of_the_middle_frame():
    gains = np.linspace(0.7, 1.3, 21)
    frames = np.stack([(ground() * gain).round().clip(0, 255).astype(np.uint8) for gain in gains])
    assert gains[10] == pytest.approx(1)
    assert np.abs(estimate_background(frames).image.astype(int) - ground()).max() <= 2


@pytest.mark.parametrize(("sigma", "expected"), [(3.0, 1.0), (6.0, 2.0)])
def test_noise_is_a_third_of_a_pixels_after_a_mean_of_nine(sigma, expected):
    rng = np.random.default_rng(0)
    frames = np.stack([(ground() + rng.normal(0, sigma, (*SHAPE, 3))).clip(0, 255).astype(np.uint8) for _ in range(30)])
    noise = estimate_background(frames).noise
    assert np.median(noise) == pytest.approx(1.3 * expected, rel=0.3)  # of the channel that differs most
    assert noise.max() <= 1.5 * noise.min() + 1e-6
    assert noise.dtype == np.float32


def test_noise_ends_at_three_levels_and_half_as_much_again():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (20, *SHAPE, 3), dtype=np.uint8)
    noise = estimate_background(frames).noise
    assert noise.min() >= 3
    assert noise.max() == pytest.approx(4.5)
