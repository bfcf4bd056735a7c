"""What a whole clip says."""

import numpy as np

from mpas_lite.labels.refine.survey import FrameSampler


def test_samples_are_spread_evenly_whatever_the_length():
    for length in (1, 20, 64, 65, 500, 3000):
        spread = FrameSampler()
        for t in range(length):
            spread.add(np.full((2, 2, 3), (t // 256, t % 256, 0), np.uint8))
        times = np.array([f[0, 0, 0] * 256 + f[0, 0, 1] for f in np.int32(spread.frames)])
        assert min(length, 32) <= len(times) <= 64
        assert times[0] == 0
        assert len(np.unique(np.diff(times))) <= 1
        assert length - times[-1] <= 2 * max(1, length // 32)
