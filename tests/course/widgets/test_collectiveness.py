"""Notebook 03's sliders, readings and outliers: against definitions, and at both ends of every control."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import mpas_lite as mp
from mpas_lite.course.widgets.collectiveness import (
    READINGS,
    drop_outliers,
    noise_explorer,
    outlier_explorer,
    plant_outliers,
    plot_crowd,
    plot_links,
    plot_outliers,
    plot_readings,
    precision_recall,
    sweep_noise,
)
from mpas_lite.motion.vicsek import order
from tests.helpers import drawn_at_ends, ends

FRAME = np.full((120, 160, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def particles():
    rng = np.random.default_rng(0)
    position = rng.uniform((20, 20), (140, 100), (90, 2)).astype(np.float32)
    return mp.Particles(position, np.tile(np.float32([2, 0.5]), (90, 1)), 0)


@pytest.fixture(scope="module")
def sweep():
    return sweep_noise([0, 0.5, 1], [0, 5, 40], n=60, k=8)


def test_sweep_measures_what_it_stores(sweep):
    for a in range(3):
        for b in range(3):
            x, v = sweep.position[a, b], sweep.velocity[a, b]
            assert sweep.order[a, b] == pytest.approx(order(v))
            np.testing.assert_allclose(sweep.phi[a, b], mp.collectiveness(mp.crowd_graph(x, v, 8)))
    np.testing.assert_array_equal(sweep.position[0, 0], sweep.position[2, 0])  # one start for all
    assert sweep.order[0, 2] > sweep.order[2, 2]


def test_planted_particles_come_last_inside_the_frame_as_fast_as_the_others(particles):
    position, velocity, planted = plant_outliers(particles, (120, 160), share=0.5)
    assert planted.sum() == 45
    assert planted[-45:].all()
    np.testing.assert_array_equal(position[:90], particles.position)
    assert (position[planted] < (160, 120)).all()
    np.testing.assert_allclose(np.linalg.norm(velocity[planted], axis=1), np.hypot(2, 0.5), rtol=1e-6)
    assert not plant_outliers(particles, (120, 160), share=0)[2].any()


def test_readings_are_what_they_say(particles):
    position, velocity, planted = plant_outliers(particles, (120, 160), share=0.5)
    W = mp.crowd_graph(position, velocity)
    phi = mp.regularized_path_similarity(W).sum(axis=1)
    np.testing.assert_array_equal(drop_outliers(W, 0.6, "literal"), phi <= 0.6 * 0.05)
    np.testing.assert_array_equal(drop_outliers(W, 0.6, "share"), phi <= 0.6)
    links = drop_outliers(W, 0.6, "links")
    np.testing.assert_array_equal(links, mp.collective_merging(W) == 0)
    assert precision_recall(links, planted)[1] > 2 * precision_recall(drop_outliers(W, 0.6, "literal"), planted)[1]
    with pytest.raises(ValueError, match="reading is one of links"):
        drop_outliers(W, 0.6, "guess")


@pytest.mark.parametrize(
    ("dropped", "planted", "expected"),
    [
        ([1, 1, 1, 0], [1, 0, 0, 0], (1 / 3, 1)),
        ([0, 0, 0, 0], [1, 0, 0, 0], (1, 0)),
        ([0, 1, 0, 0], [0, 0, 0, 0], (0, 1)),
        ([0, 0, 0, 0], [0, 0, 0, 0], (1, 1)),
    ],
)
def test_precision_and_recall_by_hand(dropped, planted, expected):
    assert precision_recall(np.array(dropped, bool), np.array(planted, bool)) == pytest.approx(expected)


def test_outlier_plot_counts_all_four_kinds(particles):
    planted = np.arange(90) >= 60
    dropped = np.arange(90) % 3 == 0
    ax = plot_outliers(FRAME, particles.position, particles.velocity, dropped, planted, Figure().subplots())
    shown = {text.get_text() for text in ax.get_legend().get_texts()}
    assert shown == {
        "kept (40)",
        "hit: planted, dropped (10)",
        "miss: planted, kept (20)",
        "false alarm: not planted, dropped (20)",
    }


def test_link_plot_draws_each_link_once():
    links = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0]], bool)
    ax = plot_links(np.eye(3)[:, :2], links, np.array([1, 1, 0]), Figure().subplots())
    assert len(ax.collections[0].get_segments()) == 2


def test_histograms_count_every_particle_and_every_edge(particles):
    W = mp.crowd_graph(particles.position, particles.velocity)
    left, right = plot_readings(W, 0.6, Figure().subplots(1, 2))
    assert sum(bar.get_height() for bar in left.patches) == 90
    assert sum(bar.get_height() for bar in right.patches) == np.count_nonzero(W.toarray())


def test_crowd_plot_of_those_who_stand():
    plot_crowd(np.eye(2), np.zeros((2, 2)), np.zeros(2), Figure().subplots())


@pytest.mark.parametrize("name", ["noise", "outliers"])
def test_every_control_works_at_both_ends_and_changes_picture_and_line(name, particles, sweep):
    explorer = noise_explorer(sweep) if name == "noise" else outlier_explorer(FRAME, particles)
    for control in explorer.controls.values():
        drawn = drawn_at_ends(explorer, control)
        assert drawn[0][0] != drawn[-1][0]
        assert drawn[0][1] != drawn[-1][1]
    for extreme in (0, -1):
        for control in explorer.controls.values():
            control.value = ends(control)[extreme]
        assert explorer.draw()[0].startswith(b"\x89PNG")


def test_outlier_line_holds_precision_and_recall(particles):
    explorer = outlier_explorer(FRAME, particles)
    position, velocity, planted = plant_outliers(particles, (120, 160), share=0.3)
    expected = precision_recall(drop_outliers(mp.crowd_graph(position, velocity), 0.7, "share"), planted)
    line = explorer.callback(threshold=0.7, reading="share", share=0.3)[1]
    assert all(f"<b>{number:.2f}</b>" in line for number in expected)
    assert set(READINGS.values()) == {"links", "literal", "share"}


def test_outlier_line_says_what_there_is_to_say_where_nothing_is_planted_or_dropped(particles):
    draw = outlier_explorer(FRAME, particles).callback
    nothing = draw(threshold=0.7, reading="share", share=0.0)[1]
    assert "Nothing is planted: there is nothing to find, and each of the dropped is a false alarm." in nothing
    assert "recall" not in nothing
    none = draw(threshold=0.0, reading="literal", share=0.3)[1]
    assert "Nothing is dropped: each of the 27 planted is a miss." in none
    assert "recision" not in none
