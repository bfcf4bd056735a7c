"""Cameras that shake, pan or stand still."""

import numpy as np

from mpas_lite.labels.refine.camera import camera_motion
from tests.helpers import texture
from tests.labels.refine.hand_made import floor


def test_a_shaking_camera_is_followed_and_a_panning_one_is_refused():
    wide = np.repeat(texture(200, 300)[..., None], 3, axis=2)
    jumps = np.random.default_rng(0).integers(-3, 4, (12, 2))
    jumps[6] = 0
    shaken = [wide[40 + dy : 160 + dy, 60 + dx : 220 + dx] for dx, dy in jumps]
    motion = camera_motion(shaken)
    assert np.abs(motion[:, :, 2] - jumps).max() < 0.3
    assert camera_motion([wide[40:160, 10 * k : 160 + 10 * k] for k in range(14)]) is None


def test_a_still_camera_is_still_in_another_light_and_without_anything_to_see():
    picture = floor()
    lit = [np.uint8((picture * gain).clip(0, 255)) for gain in np.linspace(0.6, 1.4, 12)]
    assert np.abs(camera_motion(lit)[:, :, 2]).max() < 0.3
    assert np.array_equal(camera_motion([np.full((60, 80, 3), 90, np.uint8)] * 8), np.repeat(np.eye(2, 3)[None], 8, 0))
