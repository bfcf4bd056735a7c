"""The pinhole against OpenCV's, the ground against the pinhole, shadows against similar triangles."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpas_lite.scenes.camera import Camera, Light, corners, discs, shadow_on_ground

CAMERA = Camera((240, 320), height=6.0, pitch=0.5, focal=300.0)
POINTS = np.array([[0.0, 12.0, 0.0], [-3.0, 9.0, 1.7], [4.0, 25.0, 1.0], [0.5, 6.0, 0.2]])


def test_points_are_seen_where_opencv_sees_them():
    rotation = cv2.Rodrigues(np.array([np.pi / 2 + CAMERA.pitch, 0, 0]))[0]  # world Z up to camera y down, tilted down
    matrix = np.array([[300.0, 0, 160], [0, 300.0, 120], [0, 0, 1]])
    shift = -rotation @ np.array([0, 0, CAMERA.height])
    expected, _ = cv2.projectPoints(POINTS, cv2.Rodrigues(rotation)[0], shift, matrix, None)
    seen, depth = CAMERA.project(POINTS)
    np.testing.assert_allclose(seen, expected[:, 0], atol=1e-9)
    np.testing.assert_allclose(depth, (POINTS @ rotation.T + shift)[:, 2])


@given(u=st.floats(0, 320), v=st.floats(60, 240))
def test_the_ground_under_a_pixel_is_seen_at_that_pixel(u, v):
    ground = CAMERA.ground(np.array([u, v]))
    back, depth = CAMERA.project(np.array([*ground, 0.0]))
    np.testing.assert_allclose(back, [u, v], atol=1e-6)
    assert CAMERA.depth(ground) == pytest.approx(float(depth))


def test_a_higher_pixel_shows_ground_that_is_farther_away():
    column = CAMERA.ground(np.stack([np.full(100, 160.0), np.linspace(60, 240, 100)], 1))
    assert (np.diff(column[:, 1]) < 0).all()
    assert np.abs(column[:, 0]).max() < 1e-9


def test_ground_near_the_horizon_is_far_and_beyond_it_very_far():
    level = Camera((240, 320), height=6.0, pitch=0.2, focal=300.0)
    horizon = 120 - 300 * np.tan(0.2)
    for below in (2.0, 10.0):
        angle = 0.2 + np.arctan((horizon + below - 120) / 300)  # beneath the horizontal
        np.testing.assert_allclose(level.ground(np.array([160.0, horizon + below])), [0, 6 / np.tan(angle)], atol=1e-6)
    assert level.ground(np.array([160.0, horizon - 5]))[1] > 1000


def test_a_sphere_is_as_wide_as_its_depth_says():
    (outline,) = discs(CAMERA, POINTS[:1], np.array([0.5]))
    depth = CAMERA.depth(POINTS[0])
    assert np.ptp(outline[:, 0]) == pytest.approx(2 * 0.5 * 300 / depth)
    np.testing.assert_allclose(outline.mean(0), CAMERA.project(POINTS[0])[0])


def test_shadows_are_as_long_as_the_sun_is_low_and_fall_away_from_it():
    low = np.deg2rad(30)
    sun = np.array([np.cos(low), 0, np.sin(low)])  # in the direction of +X
    shadow = shadow_on_ground(np.array([2.0, 5.0, 1.8]), sun)
    np.testing.assert_allclose(shadow, [2.0 - 1.8 / np.tan(low), 5.0, 0.0], atol=1e-12)


def test_corners_are_sixteenths_of_a_sample():
    assert corners(np.array([1.0, 2.5])).tolist() == [48, 120]
    assert corners(np.array([1.0, 2.5]), fine=1).tolist() == [16, 40]


def test_a_surface_is_brighter_the_more_it_faces_the_sun():
    sun = np.array([0.6, 0.0, 0.8])
    light = Light(sun, 0.4, 1.0, np.ones(3))
    towards, across, away = (light.facing(np.array(n)) for n in ([1.0, 0, 0], [0.0, 1, 0], [-1.0, 0, 0]))
    assert towards > across == away
    assert towards - across == pytest.approx(0.34 * 0.4 * 0.6)
    assert light.facing(np.array([0, 0, 1.0])) - across == pytest.approx(0.12 + 0.34 * 0.4 * 0.8)
