"""Notebook 02's pictures and sliders: the numbers against linear algebra, the sliders at both ends."""

import networkx as nx
import numpy as np
import pytest
from matplotlib.figure import Figure

import mpas_lite as mp
from mpas_lite.course.widgets.graph import (
    partial_sum_distance,
    plot_reach,
    plot_series,
    plot_small_graph,
    reach_explorer,
    series_explorer,
    spectral_radius,
    walk_similarity,
)
from tests.helpers import POSITION, VELOCITY, drawn_at_ends, ends

FRAME = np.full((60, 80, 3), 90, np.uint8)


@pytest.fixture
def W():
    return mp.crowd_graph(POSITION, VELOCITY, k=2)


@pytest.fixture
def axes():
    return Figure().subplots()


def crowd(n=40):
    rng = np.random.default_rng(0)
    return rng.uniform(5, 55, (n, 2)), rng.normal(size=(n, 2)) + np.array([1, 0])


def test_distance_is_what_the_partial_sum_lacks(W):
    z = 0.2
    distance = partial_sum_distance(W, z, longest=6)
    closed = mp.regularized_path_similarity(W, z)
    for length in range(7):
        lacking = closed - mp.regularized_path_similarity(W, z, max_length=length)
        assert distance[length] == pytest.approx(lacking.max(), abs=1e-14)
        assert distance[length] <= (2 * z) ** length * mp.kappa(z, 2) + 1e-15


def test_the_spectral_radius_parts_convergence_from_divergence(W):
    critical = 1 / spectral_radius(W)
    below, above = (partial_sum_distance(W, share * critical) for share in (0.95, 1.05))
    assert below[40] < below[20] < below[5]
    assert above[40] > above[20] > above[5]
    assert below[30] / below[29] == pytest.approx(0.95, rel=1e-6)
    pair = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert np.isnan(partial_sum_distance(pair, 1.0)).all()  # no inverse at all


def test_walk_similarity_is_a_row_of_the_partial_sum():
    W = mp.crowd_graph(*crowd(), k=5)
    for length in (1, 2, 7):
        rows = mp.regularized_path_similarity(W, 0.1, max_length=length)
        np.testing.assert_allclose(walk_similarity(W, 0.1, 3, length), rows[3], atol=1e-15)
    reached = set(np.flatnonzero(walk_similarity(W, 0.1, 3, 2)))
    graph = nx.from_numpy_array(W.toarray() > 0, create_using=nx.DiGraph)
    near = set(graph[3])
    assert reached == near | {j for i in near for j in graph[i]}


def test_a_large_graph_is_refused_in_words():
    with pytest.raises(ValueError, match="1 to 1,000"):
        spectral_radius(np.zeros((1001, 1001)))


def test_small_graph_writes_each_weight_once(W, axes):
    plot_small_graph(POSITION, VELOCITY, W, axes)
    shown = sorted(text.get_text() for text in axes.texts)
    assert shown == sorted(["0", "1", "2", "3", "4", "0.8", "0.6", "0.96", "0.8", "0", "0"])


def test_series_plot_has_a_bound_only_below_one_over_k(W, axes):
    plot_series(W, 0.25, 2, axes)
    assert any("bound" in line.get_label() for line in axes.lines)
    other = Figure().subplots()
    plot_series(W, 0.58, 2, other)
    assert not any("bound" in line.get_label() for line in other.lines)


def test_reach_plot_of_nobody_and_of_everybody(axes):
    position, _ = crowd()
    plot_reach(FRAME, position, np.zeros(40), 0, axes)
    plot_reach(FRAME, position, np.full(40, 0.5), 0, Figure().subplots())


@pytest.mark.parametrize(
    ("z", "says"),
    [(0.25, "for every crowd"), (0.58, "refuses this z"), (0.75, "diverges"), (1e-3, "for every crowd")],
)
def test_series_explorer_says_why(W, z, says):
    explorer = series_explorer(W, 2)
    assert says in explorer.callback(z=z, length=10)[1]


def test_series_explorer_reaches_past_the_critical_z_and_survives_it(W):
    explorer = series_explorer(W, 2)
    assert explorer.controls["z"].max > 1 / spectral_radius(W) > 1 / 2
    pair = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert "no inverse" in series_explorer(pair, 1).callback(z=1.0, length=3)[1]


def explorers():
    position, velocity = crowd()
    graph = mp.crowd_graph(position, velocity, k=5)
    return {
        "series": series_explorer(mp.crowd_graph(POSITION, VELOCITY, k=2), 2),
        "reach": reach_explorer(FRAME, position, graph, 0.1, 5, start=7),
    }


@pytest.mark.parametrize("name", ["series", "reach"])
def test_every_slider_works_at_both_ends_and_changes_picture_and_line(name):
    explorer = explorers()[name]
    for control in explorer.controls.values():
        drawn = drawn_at_ends(explorer, control)
        assert drawn[0][0] != drawn[1][0]
        assert drawn[0][1] != drawn[1][1]
    for extreme in (0, 1):
        for control in explorer.controls.values():
            control.value = ends(control)[extreme]
        assert explorer.draw()[0].startswith(b"\x89PNG")
