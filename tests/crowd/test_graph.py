"""The crowd graph against a brute-force reading of Eq. 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpas_lite.crowd.graph import crowd_graph, nearest_neighbours

# Small whole numbers: exact distances, and many ties, coincident and resting particles.
small = st.integers(-4, 4)
particles = st.lists(st.tuples(small, small, small, small), max_size=25)


def brute_force(rows: list, k: int, clip: bool) -> np.ndarray:
    """Eq. 1 one particle at a time, in plain Python; of equal distances the lower number is nearer."""
    W = np.full((len(rows), len(rows)), np.nan)  # NaN: no entry
    for i, (xi, yi, ui, vi) in enumerate(rows):
        others = [j for j in range(len(rows)) if j != i]
        others.sort(key=lambda j: ((rows[j][0] - xi) ** 2 + (rows[j][1] - yi) ** 2, j))
        for j in others[:k]:
            uj, vj = rows[j][2:]
            speeds = math.sqrt((ui * ui + vi * vi) * (uj * uj + vj * vj))
            cosine = (ui * uj + vi * vj) / speeds if speeds else 0.0
            W[i, j] = max(cosine, 0) if clip else cosine
    return W


def columns(rows: list) -> tuple[np.ndarray, np.ndarray]:
    array = np.array(rows, dtype=float).reshape(-1, 4)
    return array[:, :2], array[:, 2:]


@pytest.mark.slow
@given(particles, st.integers(1, 30), st.booleans())
@settings(max_examples=200, deadline=None)
def test_equals_brute_force(rows: list, k: int, clip: bool) -> None:
    expected = brute_force(rows, k, clip)
    W = crowd_graph(*columns(rows), k, clip=clip)
    stored = np.zeros(W.shape, dtype=bool)
    stored[np.repeat(np.arange(len(rows)), np.diff(W.indptr)), W.indices] = True
    np.testing.assert_array_equal(stored, ~np.isnan(expected))
    np.testing.assert_allclose(W.toarray(), np.nan_to_num(expected), atol=1e-12)


@pytest.mark.slow
@given(particles, st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_neighbours_come_nearest_first_and_never_oneself(rows: list, k: int) -> None:
    position, _ = columns(rows)
    neighbours = nearest_neighbours(position, k)
    squared = ((position[:, None] - position) ** 2).sum(axis=2)
    np.fill_diagonal(squared, -1)
    np.testing.assert_array_equal(neighbours, np.argsort(squared, axis=1, kind="stable")[:, 1 : k + 1])


def test_grid_of_many_ties_and_heap_of_coincident_particles() -> None:
    x, y = np.meshgrid(np.arange(40), np.arange(30))
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    position = np.concatenate([grid, np.full((200, 2), 7)])
    squared = ((position[:, None] - position) ** 2).sum(axis=2)
    np.fill_diagonal(squared, -1)
    expected = np.argsort(squared, axis=1, kind="stable")[:, 1:21]
    np.testing.assert_array_equal(nearest_neighbours(position, 20), expected)


def test_random_crowd_equals_sorted_distances() -> None:
    position = np.random.default_rng(0).normal(size=(700, 2)).astype(np.float32)
    exact = position.astype(np.float64)
    distance = np.linalg.norm(exact[:, None] - exact, axis=2)
    np.testing.assert_array_equal(nearest_neighbours(position, 20), np.argsort(distance, axis=1)[:, 1:21])


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_has_neighbours(n: int) -> None:
    W = crowd_graph(np.zeros((n, 2)), np.ones((n, 2)))
    assert W.shape == (n, n)
    assert W.nnz == 0
    assert nearest_neighbours(np.zeros((n, 2)), 3).shape == (n, 0)


def test_empty_list_is_an_empty_crowd() -> None:
    assert crowd_graph([], []).shape == (0, 0)
    assert crowd_graph(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0, 0)
    assert crowd_graph([[]], np.zeros((0, 2))).shape == (0, 0)
    for odd in (np.zeros((0, 3)), np.zeros((0, 5, 2)), np.zeros((3, 0, 2))):
        with pytest.raises(ValueError, match="position must have shape"):
            crowd_graph(odd, [])


def test_graph_is_a_canonical_float64_csr_array_with_k_entries_a_row() -> None:
    rng = np.random.default_rng(1)
    W = crowd_graph(rng.normal(size=(100, 2)).astype(np.float32), rng.normal(size=(100, 2)).astype(np.float32))
    assert W.format == "csr"
    assert W.dtype == np.float64
    assert W.has_canonical_format
    assert set(np.diff(W.indptr)) == {20}


def test_only_the_directions_of_the_velocities_matter() -> None:
    rng = np.random.default_rng(2)
    position, velocity = rng.normal(size=(2, 50, 2))
    faster = velocity * rng.uniform(1e-6, 1e6, size=(50, 1))
    difference = crowd_graph(position, velocity) - crowd_graph(position, faster)
    assert abs(difference).max() < 1e-12


def test_weights_never_leave_their_range() -> None:
    rng = np.random.default_rng(3)
    direction = np.repeat(rng.normal(size=(1, 2)), 500, axis=0) * rng.uniform(0.1, 9, size=(500, 1))
    for velocity in (direction, -direction):
        W = crowd_graph(rng.normal(size=(500, 2)), velocity, clip=False)
        assert W.data.max() <= 1
        assert W.data.min() >= -1


@pytest.mark.parametrize(
    ("position", "velocity", "k", "message"),
    [
        (np.zeros((3, 3)), np.zeros((3, 2)), 2, "position must have shape"),
        (np.zeros(4), np.zeros((2, 2)), 2, "position must have shape"),
        (np.zeros((3, 2)), np.zeros((3, 1)), 2, "velocity must have shape"),
        (np.zeros((3, 2)), np.zeros((4, 2)), 2, "position has 3 rows and velocity 4"),
        ([[0, np.nan], [1, 1]], np.zeros((2, 2)), 1, "position holds NaN"),
        (np.zeros((2, 2)), [[0, np.inf], [1, 1]], 1, "velocity holds NaN, infinite"),
        ([[0, 1e200], [1, 1]], np.zeros((2, 2)), 1, "position holds NaN, infinite or enormous"),
        ([["a", "b"]], [[0, 0]], 1, "position must be"),
        (np.zeros((2, 2)), np.zeros((2, 2)), 0, "k must be at least 1"),
        (np.zeros((2, 2)), np.zeros((2, 2)), -3, "k must be at least 1"),
        (np.zeros((2, 2)), np.zeros((2, 2)), 2.5, "k must be a whole number"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(position: object, velocity: object, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crowd_graph(position, velocity, k)  # type: ignore[arg-type]
