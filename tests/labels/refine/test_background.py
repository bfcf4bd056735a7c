"""The background of a clip, and what is known of it."""

import numpy as np

from mpas_lite.labels.refine.background import densest_value


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
