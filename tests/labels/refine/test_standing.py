"""Labels that stay with those who stand, against the definition pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpas_lite.labels.refine.pipeline import seed_mask
from mpas_lite.labels.refine.standing import Look, propagate_static, unchanged


@given(st.integers(0, 9).flatmap(lambda n: arrays(bool, (3, n, 4))))
def test_a_label_is_passed_on_forward_and_backward_while_nothing_changes(masks):
    seed, foreground, same = masks
    expected = seed.copy()
    frames, places = seed.shape
    for place in range(places):
        for start in range(frames):
            if not seed[start, place]:
                continue
            for t in range(start + 1, frames):
                if not (same[t, place] and foreground[t, place]):
                    break
                expected[t, place] = True
            for t in range(start - 1, -1, -1):
                if not (same[t + 1, place] and foreground[t, place]):
                    break
                expected[t, place] = True
    passed = list(propagate_static([Look(*each) for each in zip(seed, foreground, same, strict=True)]))
    np.testing.assert_array_equal(np.reshape(passed, seed.shape), expected)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_what_differs_by_the_tolerance_at_most_looks_the_same(channel):
    before = np.full((20, 30, 3), 100, np.uint8)
    frame = before.copy()
    frame[5:15, 10:20, channel] = 90
    tolerance = np.full((20, 30), 10.0, np.float32)
    assert unchanged(frame, before, tolerance).all()
    tolerance[:, 15:] = 9.9
    differs = ~unchanged(frame, before, tolerance)
    assert differs[6:14, 15:19].all()
    assert not differs[:, :15].any()
    np.testing.assert_array_equal(differs, ~unchanged(before, frame, tolerance))


def test_a_frame_labels_what_stands_near_the_crowd_and_the_circles_where_nothing_is_known():
    on = np.array([False, True])
    foreground, near, known, circles = np.meshgrid(on, on, on, on, indexing="ij")
    label = seed_mask(foreground, near, known, circles)
    for f, n, k, c in np.ndindex(2, 2, 2, 2):
        assert label[f, n, k, c] == (bool(f) and bool(n) if k else bool(c))
