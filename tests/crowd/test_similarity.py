"""Path similarity and collectiveness against counted walks, networkx and the dense inverse."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mpas_lite.crowd import similarity
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.similarity import collectiveness, kappa, path_similarity, regularized_path_similarity
from tests.helpers import crowd, dense_Z

# 0 sees 1 and 2, both see 3, and 3 sees 0.
FOUR = np.array([[0, 0.5, 1.0, 0], [0, 0, 0, 0.8], [0, 0, 0, 0.4], [0.2, 0, 0, 0]])


# Eq. 2


def walks(graph: nx.DiGraph, start: int, length: int) -> list[list[int]]:
    if length == 0:
        return [[start]]
    return [[start, *rest] for after in graph.successors(start) for rest in walks(graph, after, length - 1)]


def test_two_walks_of_two_steps_by_hand() -> None:
    # 0-1-3 weighs 0.5 * 0.8 and 0-2-3 weighs 1 * 0.4.
    assert path_similarity(FOUR, 2)[0, 3] == pytest.approx(0.8)
    # Back at 0 after three steps: times 0.2.
    assert path_similarity(FOUR, 3)[0, 0] == pytest.approx(0.16)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32])
def test_whole_numbers_and_lower_precision_become_double(dtype: type) -> None:
    W = np.ones((2, 2), dtype)
    assert path_similarity(W, 9).dtype == np.float64
    assert path_similarity(W, 9)[0, 1] == 256  # as 2**8 walks; not around again at 255
    assert collectiveness(np.eye(2, dtype=dtype)).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 7])
def test_path_similarity_sums_over_enumerated_walks(length: int) -> None:
    W = crowd_graph(*crowd(0, 7, groups=1, noise=0.5), k=3, clip=False)
    graph = nx.from_numpy_array(W.toarray(), create_using=nx.DiGraph)
    expected = np.zeros(W.shape)
    for i in graph:
        for walk in walks(graph, i, length):
            expected[i, walk[-1]] += np.prod([graph.edges[edge]["weight"] for edge in pairwise(walk)])
    np.testing.assert_allclose(path_similarity(W, length).toarray(), expected, atol=1e-12)


# Eq. 3 and 4


def test_partial_sums_lead_to_the_closed_form() -> None:
    W = crowd_graph(*crowd(1, 40, groups=2, noise=0.4), k=6)
    z = 1 / 12
    expected = np.zeros(W.shape)
    for length in range(1, 8):
        expected += z**length * path_similarity(W, length).toarray()
        partial = regularized_path_similarity(W, max_length=length)
        np.testing.assert_allclose(partial, expected, atol=1e-15)
    np.testing.assert_allclose(regularized_path_similarity(W, max_length=60), dense_Z(W, z), atol=1e-12)
    np.testing.assert_allclose(regularized_path_similarity(W), dense_Z(W, z), atol=1e-12)
    assert not regularized_path_similarity(W, max_length=0).any()


def test_kappa_bounds_the_entries_of_Z_and_is_reached() -> None:
    W = crowd_graph(*crowd(2, 60, groups=1, noise=0), k=5)
    assert regularized_path_similarity(W, 0.19).max() <= kappa(0.19, 5)
    everyone_looks_at_0 = np.zeros((4, 4))
    everyone_looks_at_0[:, 0] = 1
    Z = regularized_path_similarity(everyone_looks_at_0, 0.75)
    np.testing.assert_allclose(Z[:, 0], kappa(0.75, 1))


def test_off_the_graph_Z_stays_under_half_of_kappa() -> None:
    W = crowd_graph(*crowd(3, 200, groups=2, noise=0.1), k=8)
    Z = regularized_path_similarity(W)
    assert Z[W.toarray() == 0].max() <= kappa(1 / 16, 8) / 2


# Eq. 5


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    k=st.integers(1, 25),
    share=st.floats(0.01, 0.995),
    clip=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_collectiveness_is_the_row_sum_of_the_dense_inverse(
    seed: int, n: int, k: int, share: float, clip: bool
) -> None:
    W = crowd_graph(*crowd(seed, n, groups=3, noise=0.5), k, clip=clip)
    z = share / max(min(k, n - 1), 1)
    expected = dense_Z(W, z).sum(axis=1)
    np.testing.assert_allclose(collectiveness(W, z), expected, rtol=1e-10, atol=1e-10)


def test_two_that_see_each_other_by_hand() -> None:
    # Each walk of L steps weighs z**L, and there is one from either: Z = (z**2, z) / (1 - z**2), phi = z / (1 - z).
    W = np.array([[0, 1], [1, 0]])
    np.testing.assert_allclose(regularized_path_similarity(W), [[1 / 3, 2 / 3], [2 / 3, 1 / 3]], atol=1e-15)
    np.testing.assert_allclose(collectiveness(W), [1, 1], atol=1e-13)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.96, 0.97, 0.98, 0.999])
def test_not_more_than_the_13th_digit_is_missing(share: float) -> None:
    # In a ring everyone follows one other: phi = z + z**2 + ... = z / (1 - z).
    ring = csr_array((np.ones(9), (np.arange(9), (np.arange(9) + 1) % 9)))
    exact = share / (1 - share)
    np.testing.assert_allclose(collectiveness(ring, share), exact, rtol=0, atol=2e-13 + 2e-14 * exact)
    # One who sees himself; and two of whom one sees nobody, near the end of the range.
    np.testing.assert_allclose(collectiveness([[1.0]], share), [exact], atol=2e-13 + 2e-14 * exact)
    np.testing.assert_allclose(collectiveness([[0, 1.0], [0, 0]], share), [share, 0], atol=1e-15)


def test_an_entry_given_twice_is_their_sum_and_one_neighbour() -> None:
    twice = csr_array((np.array([0.25, 0.5, 1.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    np.testing.assert_allclose(collectiveness(twice), collectiveness([[0, 0.75], [1.0, 0]]), atol=1e-14)  # K = 1
    assert twice.nnz == 3  # what came in stays as it was


def test_collectiveness_is_katz_centrality() -> None:
    W = crowd_graph(*crowd(4, 150, groups=3, noise=0.6), k=10)
    # networkx follows edges against their direction and counts the walk of no step, which is 1.
    graph = nx.from_numpy_array(W.toarray(), create_using=nx.DiGraph).reverse()
    katz = nx.katz_centrality_numpy(graph, alpha=1 / 20, beta=1.0, normalized=False, weight="weight")
    np.testing.assert_allclose(1 + collectiveness(W), [katz[i] for i in range(150)], atol=1e-10)


def test_perfect_coherence_is_1_at_the_default_z() -> None:
    position, _ = crowd(5, 100, groups=1, noise=0)
    np.testing.assert_allclose(collectiveness(crowd_graph(position, np.ones((100, 2)))), 1, atol=1e-12)
    # With fewer particles than K, K is the number of the others.
    np.testing.assert_allclose(collectiveness(crowd_graph(position[:5], np.ones((5, 2)))), 1, atol=1e-12)


def test_clipped_entries_count_for_k_but_not_for_phi() -> None:
    W = crowd_graph(*crowd(6, 80, groups=2, noise=1.0), k=8)
    without_zeros = W.copy()
    without_zeros.eliminate_zeros()
    np.testing.assert_allclose(collectiveness(W), collectiveness(without_zeros, 1 / 16), atol=1e-14)
    assert W.nnz == 640  # and W itself is left alone


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_particles(n: int) -> None:
    W = crowd_graph(np.zeros((n, 2)), np.ones((n, 2)))
    assert collectiveness(W).shape == (n,)
    assert regularized_path_similarity(W).shape == (n, n)


def test_nobody_moves() -> None:
    W = crowd_graph(np.random.default_rng(0).normal(size=(30, 2)), np.zeros((30, 2)))
    assert not collectiveness(W).any()


def test_dense_sparse_and_unsorted_inputs_agree_and_stay_as_they_are() -> None:
    W = crowd_graph(*crowd(10, 50, groups=1, noise=0.3), k=5)
    backwards = np.arange(250).reshape(50, 5)[:, ::-1].ravel()  # each row from its last column to its first
    unsorted = csr_array((W.data[backwards], W.indices[backwards], W.indptr), shape=W.shape)
    before = unsorted.indices.copy()
    for other in (W.toarray(), W.tocoo(), W.tocsc(), unsorted):
        np.testing.assert_allclose(collectiveness(other, 0.1), collectiveness(W, 0.1), atol=1e-14)
    np.testing.assert_array_equal(unsorted.indices, before)


# Refusals


@pytest.mark.parametrize("z", [0, -0.1, 0.25, 0.3, np.nan, np.inf])
@pytest.mark.parametrize("function", [collectiveness, regularized_path_similarity])
def test_z_outside_its_range_is_refused(function: object, z: float) -> None:
    W = crowd_graph(*crowd(11, 30, groups=1, noise=0), k=4)
    with pytest.raises(ValueError, match="below 1/K = 1/4"):
        function(W, z)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("W", "message"),
    [
        (np.ones((2, 3)), "square"),
        (np.ones((3, 2)), "square"),
        (np.ones(3), "square"),
        ([[0, 1 + 1e-9], [0, 0]], "between -1 and 1"),
        ([[0, -1.5], [0, 0]], "between -1 and 1"),
        (np.array([[0, np.inf], [1, 0]]), "NaN or infinite"),
        (np.array([[0, np.nan], [1, 0]]), "NaN"),
        (np.array([[0, 2.0], [1, 0]]), "between -1 and 1"),
        ([["a"]], "array of numbers"),
    ],
)
@pytest.mark.parametrize("function", [collectiveness, regularized_path_similarity])
def test_bad_graphs_are_refused(function: object, W: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(W)  # type: ignore[operator]


def test_bad_options_are_refused() -> None:
    W = crowd_graph(*crowd(12, 30, groups=1, noise=0), k=4)
    with pytest.raises(ValueError, match="length must not be negative"):
        path_similarity(W, -1)
    with pytest.raises(ValueError, match="max_length must be a whole number"):
        regularized_path_similarity(W, max_length=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="below 1/K"):
        kappa(0.25, 4)


def test_a_dense_Z_of_a_huge_crowd_is_refused_with_its_size() -> None:
    with pytest.raises(ValueError, match=r"dense array of 80 GB;"):
        regularized_path_similarity(csr_array((100_000, 100_000)))


def test_a_dense_Z_is_refused_from_one_particle_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "_DENSE_LIMIT", 3)
    assert regularized_path_similarity(np.zeros((3, 3))).shape == (3, 3)
    with pytest.raises(ValueError, match="Z of 4 particles"):
        regularized_path_similarity(np.zeros((4, 4)))


def test_rounding_beyond_1_is_no_reason_to_refuse() -> None:
    np.testing.assert_allclose(collectiveness([[0, 1 + 1e-15], [1, 0]]), [1, 1], atol=1e-13)


def test_z_just_below_the_end_of_its_range_is_taken() -> None:
    assert kappa(0.25 * (1 - 2e-9), 4) == pytest.approx(0.25 / 2e-9, rel=1e-6)
    with pytest.raises(ValueError, match="below 1/K"):
        kappa(0.25 * (1 - 0.5e-9), 4)
