"""The sensor: shifts are rolls, exposure and noise are as large as said, the frame is the mean of its samples."""

import numpy as np
import pytest

from mpas_lite.scenes.camera import FINE
from mpas_lite.scenes.sensor import Sensor, camera_shake, shifted, visible_people

SHAPE = (90, 120)


def canvas_of(colour):
    canvas = np.zeros((SHAPE[0] * FINE, SHAPE[1] * FINE, 4), np.uint8)
    canvas[..., :3] = colour
    return canvas


def sensor(noise=0.0, phase=0.0):
    return Sensor(SHAPE, noise, cloud=(phase, 8.0), seed=(3, 1))


def test_a_grey_canvas_is_a_grey_frame_darker_towards_the_corners():
    frame = sensor().frame(canvas_of((100, 80, 60)), 0, 0.0).astype(float)
    np.testing.assert_allclose(frame[45, 60], [110, 88, 66], atol=1)  # 1.1 times
    corner = 1.1 * (1 - 0.32 * (0.25 + (45 / 120) ** 2))
    for row in (0, -1):
        for column in (0, -1):
            np.testing.assert_allclose(frame[row, column], np.array([100, 80, 60]) * corner, atol=1)


def test_clouds_come_and_go_with_their_period():
    at = [float(sensor(phase=0.3).exposure(t)[45, 60, 0]) for t in np.arange(0, 8, 0.1)]
    assert max(at) / min(at) == pytest.approx(1.025 / 0.975, rel=1e-3)
    assert float(sensor(phase=0.3).exposure(8.0)[45, 60, 0]) == pytest.approx(at[0], rel=1e-6)
    assert at[40] - 1.1 == pytest.approx(-(at[0] - 1.1), rel=1e-3)  # half a period later


@pytest.mark.parametrize("grey", [30, 128])
def test_noise_grows_with_the_light_and_is_another_in_each_frame(grey):
    level = round(grey / 1.1)
    quiet, first, again, second = (
        sensor(noise).frame(canvas_of(level), index, 0.0).astype(float)[30:60, 40:80]
        for noise, index in ((0, 0), (4.0, 0), (4.0, 0), (4.0, 1))
    )
    expected = 4.0 * np.sqrt((quiet.mean() + 16) / 144)  # photons: the variance grows with the light; 4 in mid grey
    assert (first - quiet).std() == pytest.approx(expected, rel=0.05)
    assert np.array_equal(first, again)
    assert abs(np.corrcoef((first - quiet).ravel(), (second - quiet).ravel())[0, 1]) < 0.06


def test_a_pixel_shows_whom_its_middle_shows_or_whoever_covers_it():
    canvas = canvas_of(0)
    canvas[0:3, 0:3, 3] = [[4, 4, 4], [4, 2, 4], [0, 0, 0]]  # two thirds covered, 2 in the middle
    canvas[3:6, 0:3, 3] = [[5, 5, 5], [5, 0, 5], [0, 0, 0]]  # five of nine, but not the middle
    canvas[6:9, 0:3, 3] = [[5, 5, 0], [0, 5, 0], [0, 0, 5]]  # four of nine
    assert visible_people(canvas)[:3, 0].tolist() == [2, 5, 0]


def test_a_shift_moves_the_picture_by_whole_samples():
    canvas = np.random.default_rng(0).integers(0, 255, (SHAPE[0] * FINE, SHAPE[1] * FINE, 4), np.uint8)
    moved = shifted(canvas, np.array([2.0, -1 / 3]))
    assert np.array_equal(moved[:-1, 6:], np.roll(canvas, (-1, 6), axis=(0, 1))[:-1, 6:])
    assert (moved[5, :6] == canvas[6, 0]).all()  # the edge goes on
    assert shifted(canvas, np.zeros(2)) is canvas


def test_the_mast_shakes_as_far_as_said():
    shake = camera_shake(np.random.default_rng(0), 3.0)
    path = np.array([shake(t) for t in np.arange(0, 400, 0.05)])
    np.testing.assert_allclose(path.std(0), 3.0, rtol=0.1)
    np.testing.assert_allclose(path * FINE, np.round(path * FINE))
    assert not camera_shake(np.random.default_rng(0), 0.0)(1.0).any()
