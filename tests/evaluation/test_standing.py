"""Recall by how long people stand, on a clip of three people that one can count by hand."""

from __future__ import annotations

import numpy as np

from mpas_lite.evaluation.standing import STANDING, found_by_standing, standing_share

IDS = [np.array([5, 8, 9]), np.array([9, 5])]
PAUSED = [np.array([True, False, True]), np.array([False, True])]


def test_found_and_all_by_how_long_people_stand() -> None:
    assert standing_share(IDS, PAUSED) == {5: 1.0, 8: 0.0, 9: 0.5}
    instance = np.array([[[1, 1, 2, 3], [1, 0, 2, 4]], [[2, 2, 1, 1], [2, 0, 0, 3]]], np.uint8)
    masks = {
        0: np.array([[True, False, True, True], [False, True, True, True]]),
        1: np.array([[False, True, True, False], [True, True, False, True]]),
    }
    found = found_by_standing(masks, instance, IDS, PAUSED)
    assert tuple(found) == STANDING
    # 5 always stands: 1 of 3 pixels, then as number 2 of the second frame 2 of 3. 8 walks: 2 of 2. 9: 1 of 1, 1 of 2.
    assert found == {"never": (2, 2), "up to half": (2, 3), "longer": (0, 0), "always": (3, 6)}
    assert found_by_standing({1: masks[1]}, instance, IDS, PAUSED)["always"] == (2, 3)
