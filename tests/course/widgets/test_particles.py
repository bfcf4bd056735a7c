"""The sliders of notebook 01, and the true velocities that it measures against."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure

import mpas_lite as mp
from mpas_lite.course.widgets.explorer import png
from mpas_lite.course.widgets.particles import particles_explorer, plot_points, true_velocity
from mpas_lite.motion.klt import particles_of_window
from tests.helpers import values


@pytest.fixture(scope="module")
def scene():
    return mp.render_scene("group_split", seed=1, frames=8, shape=(120, 160))


@pytest.fixture(scope="module")
def explorer(scene):
    return particles_explorer(scene, index=1, longest=6)


@pytest.mark.parametrize("name", ["interval", "min_speed", "max_drift"])
def test_both_ends_of_every_slider_draw_and_differ(explorer, name):
    control = explorer.controls[name]
    pictures = set()
    for value in (control.min, control.max):
        figure, line = explorer.callback(**values(explorer, **{name: value}))
        assert isinstance(figure, Figure)
        assert "median error" in line
        pictures.add(png(figure))
    assert len(pictures) == 2


def test_the_numbers_are_those_of_the_library(explorer, scene):
    _, line = explorer.callback(interval=4, min_speed=0.2, max_drift=1.0)
    particles = particles_of_window(scene.frames[1:6])
    truth, person = true_velocity(scene, 1, particles.position, 4)
    error = np.nanmedian(np.linalg.norm(particles.velocity - truth, axis=1)[person >= 0])
    count, _, median = re.findall(r"\d+\.?\d*", re.sub("<.*?>", "", line))
    assert int(count) == len(particles)
    assert float(median) == pytest.approx(error, abs=0.001)


def test_nothing_kept_is_told(explorer):
    _, line = explorer.callback(interval=1, min_speed=1e9, max_drift=1.0)
    assert "0 particles, none at all" in line


def test_true_velocity_is_that_of_the_person_under_the_point(scene):
    person = int(np.argmax([(scene.instance[0] == i + 1).sum() for i in range(len(scene.ids[0]))]))
    y, x = np.argwhere(scene.instance[0] == person + 1)[0]
    later = list(scene.ids[3]).index(scene.ids[0][person])
    expected = (scene.position[3][later] - scene.position[0][person]) / 3
    off_y, off_x = np.argwhere(scene.instance[0] == 0)[0]
    velocity, whom = true_velocity(scene, 0, np.array([[x, y], [off_x, off_y]]), 3)
    assert whom.tolist() == [person, -1]
    assert velocity[0] == pytest.approx(expected)
    assert velocity[1].tolist() == [0, 0]


def test_true_velocity_is_not_known_of_people_half_outside(scene):
    half = scene.instance[0] > len(scene.ids[0])
    if not half.any():
        pytest.skip("nobody is half outside in this frame")
    y, x = np.argwhere(half)[0]
    assert np.isnan(true_velocity(scene, 0, np.array([[x, y]]), 2)[0]).all()


def test_a_scene_that_is_too_short_is_told(scene):
    with pytest.raises(ValueError, match="8 frames; frame 10 is not among them"):
        true_velocity(scene, 5, np.zeros((1, 2)), 5)
    with pytest.raises(ValueError, match="not among them"):
        particles_explorer(scene, index=3, longest=6)


def test_points_are_named_and_counted(scene):
    ax = plot_points(scene.frames[0], {"here": np.ones((3, 2)), "there": np.ones((1, 2))}, Figure().subplots())
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"here (3)", "there (1)"}
