"""Walks listed, added up and drawn: against powers, counts of networkx, the inverse, Katz, and every walk tried."""

from itertools import pairwise, product
from time import process_time

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

import mpas_lite as mp
from mpas_lite.course.widgets.walks import (
    partial_sum_matrix,
    partial_sums,
    plot_partial_sums,
    plot_walks,
    sum_of_walks,
    tail_bound,
    walk_explorer,
    walk_product,
    walks_between,
)
from tests.helpers import POSITION, VELOCITY, drawn_at_ends, ends

K, Z = 2, 0.25

sizes = st.integers(1, 5)
weights = sizes.flatmap(lambda n: arrays(float, (n, n), elements=st.sampled_from([0, 0, 0.25, -0.5, 0.8, 1])))
crowds = st.tuples(st.integers(0, 10_000), st.integers(2, 7), st.integers(1, 3))
quickly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine


@pytest.fixture(scope="module")
def W():
    return mp.crowd_graph(POSITION, VELOCITY, k=K)


@pytest.fixture(scope="module")
def graph(W):
    return directed(W.toarray())


@pytest.fixture
def explorer(W):
    return walk_explorer(POSITION, W, Z, K, start=3, end=1, length=4)


def directed(W):
    return nx.from_numpy_array(np.asarray(W), create_using=nx.DiGraph)


def crowd(drawn):
    seed, n, k = drawn
    position, velocity = np.random.default_rng(seed).normal(size=(2, n, 2))
    k = min(k, n - 1)
    return mp.crowd_graph(position, velocity + np.array([1, 0]), k=k).toarray(), k


@quickly
@given(W=weights, length=st.integers(0, 4))
def test_walks_are_all_there_are_each_once(W, length):
    graph, n = directed(W), len(W)
    for i, j in product(range(n), repeat=2):
        tried = [(i, *between) for between in product(range(n), repeat=length - 1)] if length else []
        tried = [(*walk, j) for walk in tried] if length else [(i,)] * (i == j)
        expected = [walk for walk in tried if all(W[step] != 0 for step in pairwise(walk))]
        assert sorted(walks_between(graph, i, j, length)) == sorted(expected)


@quickly
@given(W=weights, length=st.integers(0, 6))
def test_products_add_up_to_the_power_of_the_matrix(W, length):
    graph, power = directed(W), np.linalg.matrix_power(W, length)
    summands = np.linalg.matrix_power(np.abs(W), length)  # what is added up, and so how far rounding may go
    for i, j in product(range(len(W)), repeat=2):
        if nx.number_of_walks(graph, length)[i][j] <= 1000:
            assert abs(sum_of_walks(graph, i, j, length) - power[i, j]) <= 1e-13 * max(1, summands[i, j])


@quickly
@given(W=weights, length=st.integers(0, 5))
def test_networkx_counts_as_many_walks(W, length):
    graph = directed(W != 0)
    counted = nx.number_of_walks(graph, length)
    for i, j in product(range(len(W)), repeat=2):
        assert len(walks_between(graph, i, j, length)) == counted[i][j]
        assert sum_of_walks(graph, i, j, length) == counted[i][j]


@quickly
@given(drawn=crowds, share=st.floats(0.1, 0.9), longest=st.integers(0, 5))
def test_sums_of_walks_close_in_on_the_inverse_within_the_bound(drawn, share, longest):
    W, k = crowd(drawn)
    z = share / k
    closed = np.linalg.inv(np.eye(len(W)) - z * W) - np.eye(len(W))
    S = partial_sum_matrix(directed(W), z, longest)
    powers = [np.linalg.matrix_power(z * W, length) for length in range(1, longest + 1)]
    np.testing.assert_allclose(S, np.sum(powers, axis=0) if powers else 0 * W, atol=1e-13)
    missing = closed - S
    assert missing.min() >= -1e-12
    assert missing.max() <= tail_bound(z, k, longest) + 1e-12
    assert missing.sum(axis=1).max() <= (z * k) ** (longest + 1) / (1 - z * k) + 1e-12


def test_each_entry_closes_in_on_the_closed_form(W, graph):
    closed = np.linalg.inv(np.eye(5) - Z * W.toarray()) - np.eye(5)
    for i, j in product(range(5), repeat=2):
        sums = partial_sums(graph, Z, i, j, longest=8)
        missing = closed[i, j] - sums
        assert sums[0] == 0
        assert (np.diff(missing) <= 1e-15).all()
        assert (missing <= [tail_bound(Z, K, length) for length in range(9)]).all()
        assert missing[8] == pytest.approx(0, abs=2e-4)
        library = [mp.regularized_path_similarity(W, Z, max_length=length)[i, j] for length in range(9)]
        np.testing.assert_allclose(sums, library, atol=1e-15)


def test_rows_of_summed_walks_are_katz_centrality(graph):
    katz = nx.katz_centrality(graph.reverse(), alpha=Z, beta=1.0, normalized=False, weight="weight", tol=1e-12)
    S = partial_sum_matrix(graph, Z, longest=10)
    missing = np.array([katz[i] - 1 for i in range(5)]) - S.sum(axis=1)
    assert missing.min() >= -1e-10
    assert missing.max() <= K * tail_bound(Z, K, 10)
    assert missing[0] > 1e-5  # nothing is rounded away


def test_the_bound_is_reached_where_all_agree_and_look_at_one_another():
    """K = N - 1 = 1, in perfect agreement: the walks of odd length lead to the other, and none is lost."""
    pair = directed([[0, 1], [1, 0]])
    both = [partial_sum_matrix(pair, 0.5, longest=length)[0].sum() for length in range(6)]
    np.testing.assert_allclose([1 - both[length] for length in range(6)], [tail_bound(0.5, 1, n) for n in range(6)])
    with pytest.raises(ValueError, match="below 1/K"):
        tail_bound(0.5, 2, 3)


def test_a_product_is_of_the_weights_along_the_walk(graph):
    assert walk_product(graph, (3, 1, 2, 1)) == pytest.approx(0.8 * 0.96 * 0.96)
    assert walk_product(graph, (3,)) == 1
    assert walk_product(nx.DiGraph([(0, 1)]), (0, 1)) == 1  # an edge without a weight counts as one
    with pytest.raises(KeyError):
        walk_product(graph, (1, 3))


def test_what_cannot_be_listed_is_refused_in_words(graph):
    complete = nx.complete_graph(8, create_using=nx.DiGraph)
    assert len(walks_between(complete, 0, 1, 5)) == nx.number_of_walks(complete, 5)[0][1] == 2101
    with pytest.raises(ValueError, match=r"more than 10,000 walks of 6 steps, too many to list; mpas_lite\.path_sim"):
        walks_between(complete, 0, 1, 6)  # 14,706
    ring = nx.DiGraph([(0, 1), (1, 0)])
    assert len(walks_between(ring, 0, 0, 100)) == 1
    with pytest.raises(ValueError, match="up to 100 steps"):
        walks_between(ring, 0, 0, 101)
    with pytest.raises(ValueError, match="no particle 9; choose one of 0, 1, 2, 3, 4"):
        walks_between(graph, 0, 9, 2)
    with pytest.raises(ValueError, match="length must not be negative"):
        walks_between(graph, 0, 1, -1)
    with pytest.raises(ValueError, match="at most one edge"):
        walks_between(nx.MultiDiGraph([(0, 1), (0, 1)]), 0, 1, 1)


def lit(ax):
    """Width by edge of the blue arrows, and the edges of the orange ones; edges are known by their ends in space."""
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    place = {tuple(point): node for node, point in enumerate(POSITION)}
    found = {"#0072b2": {}, "#e69f00": {}}
    for arrow in arrows:
        color = to_hex(arrow.get_edgecolor())
        if color in found:
            edge = tuple(place[tuple(point)] for point in arrow._posA_posB)
            found[color][edge] = arrow.get_linewidth()
    return found["#0072b2"], set(found["#e69f00"])


def test_the_edges_of_the_walks_are_lit_as_wide_as_their_share(W, graph):
    ax = Figure().subplots()
    plot_walks(POSITION, W, 3, 1, 3, ax)
    blue, orange = lit(ax)
    by_hand = {(3, 1, 0, 1): 0.8**3, (3, 1, 2, 1): 0.8 * 0.96**2}
    assert set(walks_between(graph, 3, 1, 3)) == set(by_hand)
    assert set(blue) == {(3, 1), (1, 0), (0, 1), (1, 2), (2, 1)}
    assert orange == {(3, 1), (1, 2), (2, 1)}
    share = by_hand[3, 1, 0, 1] / sum(by_hand.values())
    assert blue[1, 0] == pytest.approx(2 + 6 * share)
    assert blue[1, 2] == pytest.approx(2 + 6 * (1 - share))
    assert blue[3, 1] == pytest.approx(8)  # every walk comes over it
    texts = [text.get_text() for text in ax.texts]
    assert {"i", "j", "1", "2", "3"} <= set(texts)
    back_and_forth = Figure().subplots()
    plot_walks(POSITION, W, 1, 1, 8, back_and_forth)
    assert max(lit(back_and_forth)[0].values()) <= 8  # a walk counts once, however often it comes over an edge


def test_no_walk_lights_no_edge_and_one_place_has_one_name(W):
    ax = Figure().subplots()
    plot_walks(POSITION, W, 3, 3, 4, ax)
    assert lit(ax) == ({}, set())
    assert "i = j" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(("start", "end"), [(3, 1), (0, 0), (4, 2)])
def test_sums_are_drawn_with_their_bound_and_the_closed_form(W, graph, start, end):
    ax = Figure().subplots()
    plot_partial_sums(W, Z, K, start, end, 5, ax)
    dots = next(line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()))
    np.testing.assert_allclose(dots.get_ydata(), partial_sums(graph, Z, start, end, 5))
    dashed = [line for line in ax.lines if line.get_linestyle() == "--" and len(line.get_xdata())]
    closed = (np.linalg.inv(np.eye(5) - Z * W.toarray()) - np.eye(5))[start, end]
    assert [line.get_ydata()[0] for line in dashed] == [pytest.approx(closed)]
    for length, segment in enumerate(ax.collections[0].get_segments()):
        assert segment[1, 1] - segment[0, 1] == pytest.approx(tail_bound(Z, K, length))
    assert "steps" in ax.get_xlabel()
    assert "no unit" in ax.get_ylabel()


def test_with_negative_weights_the_rest_may_have_either_sign():
    W = mp.crowd_graph(POSITION, VELOCITY, k=K, clip=False)
    ax = Figure().subplots()
    plot_partial_sums(W, Z, K, 4, 3, 2, ax)
    first = ax.collections[0].get_segments()[0]
    np.testing.assert_allclose(first[:, 1], [-mp.kappa(Z, K), mp.kappa(Z, K)])
    plot_walks(POSITION, W, 4, 3, 1, Figure().subplots())


def test_the_line_says_what_was_counted(explorer, W, graph):
    _, line = explorer.callback(start=3, end=1, length=3)
    power = mp.path_similarity(W, 3)[3, 1]
    closed = (np.linalg.inv(np.eye(5) - Z * W.toarray()) - np.eye(5))[3, 1]
    partial = mp.regularized_path_similarity(W, Z, max_length=3)[3, 1]
    assert "<b>2 walks</b> of 3 steps from 3 to 1; the strongest is 3-1-2-1 with 0.7373." in line
    assert f"Products added up: <b>{power:.4f}</b>; W³[3, 1] = <b>{power:.4f}</b>." in line
    assert f"added up to 3 steps: <b>{partial:.4f}</b> of Z[3, 1] = <b>{closed:.4f}</b>." in line
    assert f"Missing: {closed - partial:.2g}; the bound (zK)ᴸκ allows {tail_bound(Z, K, 3):.2g}." in line
    assert "<b>1 walk</b> of 1 step from 3" in explorer.callback(start=3, end=1, length=1)[1]
    nobody = explorer.callback(start=4, end=0, length=2)[1]
    assert nobody.startswith("<b>No walk</b> of 2 steps leads from 4 to 0, and W²[4, 0] = 0.0000.")
    assert "Missing: 0;" in nobody


@pytest.mark.slow
def test_controls_have_names_and_units_and_values_that_can_be_read_out(explorer):
    assert {name: control.value for name, control in explorer.controls.items()} == {"start": 3, "end": 1, "length": 4}
    assert all(len(control.description) > 10 for control in explorer.controls.values())
    assert "[steps]" in explorer.controls["length"].description
    for name in ("start", "end"):
        assert explorer.controls[name].options[2] == ("particle 2", 2)


@pytest.mark.slow
def test_every_control_works_everywhere_and_changes_picture_and_line(explorer):
    for control in explorer.controls.values():
        drawn = drawn_at_ends(explorer, control)
        assert len({picture for picture, _ in drawn}) == len(drawn)
        assert len({line for _, line in drawn}) == len(drawn)


@pytest.mark.slow
def test_every_end_of_every_slider_answers_within_150_ms(explorer):
    for values in product(*(sorted({min(ends(c)), max(ends(c))}) for c in explorer.controls.values())):
        for control, value in zip(explorer.controls.values(), values, strict=True):
            control.value = value
        taken = []
        for _ in range(3):
            begin = process_time()
            picture, _ = explorer.draw()
            taken.append(process_time() - begin)
        assert min(taken) < 0.15
        assert int.from_bytes(picture[20:24], "big") <= 350  # px: with three controls and two lines, below 620


def test_graphs_that_nobody_could_read_are_refused_in_words(W):
    position, velocity = np.random.default_rng(0).normal(size=(2, 12, 2))
    many = mp.crowd_graph(position, np.ones_like(velocity), k=6)
    with pytest.raises(ValueError, match="more than 1,000 walks of one length"):
        walk_explorer(position, many, 1 / 12, 6)
    walk_explorer(position, many, 1 / 12, 6, longest=3)
    with pytest.raises(ValueError, match="to itself"):
        walk_explorer(POSITION[:2], np.array([[0.5, 0], [1, 0]]), 0.5, 1)
    with pytest.raises(ValueError, match="W has 5 particles; give as many positions"):
        plot_walks(POSITION[:4], W, 0, 1, 2, Figure().subplots())
    with pytest.raises(ValueError, match="below 1/K"):
        walk_explorer(POSITION, W, 0.6, K)
