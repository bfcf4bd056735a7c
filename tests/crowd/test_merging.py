"""Collective merging against the dense inverse and the components that networkx finds."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import block_diag, csr_array
from scipy.sparse.csgraph import connected_components

from mpas_lite.crowd import merging
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.merging import collective_merging
from mpas_lite.crowd.similarity import kappa, regularized_path_similarity
from tests.helpers import crowd, dense_Z


def merged_densely(Z: np.ndarray, limit: float, min_size: int) -> np.ndarray:
    """The definition, with networkx: components of the links, the largest first, small ones 0."""
    links = nx.Graph()
    links.add_nodes_from(range(len(Z)))
    links.add_edges_from(np.argwhere(limit < Z))
    crowds = [sorted(c) for c in nx.connected_components(links) if len(c) >= min_size]
    labels = np.zeros(len(Z), dtype=int)
    for number, members in enumerate(sorted(crowds, key=lambda c: (-len(c), c[0])), start=1):
        labels[members] = number
    return labels


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 150),
    k=st.integers(1, 25),
    groups=st.integers(1, 6),
    noise=st.sampled_from([0.0, 0.1, 0.4, 0.8, 1.5]),
    grid=st.booleans(),
    clip=st.booleans(),
    share=st.one_of(st.just(0.5), st.floats(0.05, 0.97)),
    threshold=st.one_of(st.just(0.6), st.floats(0.02, 1.0)),
    min_size=st.sampled_from([1, 2, 10]),
)
@settings(max_examples=150, deadline=None)
def test_merging_equals_the_dense_inverse(
    seed: int,
    n: int,
    k: int,
    groups: int,
    noise: float,
    grid: bool,
    clip: bool,
    share: float,
    threshold: float,
    min_size: int,
) -> None:
    W = crowd_graph(*crowd(seed, n, groups=groups, noise=noise, grid=grid), k, clip=clip)
    used_k = max(min(k, n - 1), 1)
    z = share / used_k
    Z, limit = dense_Z(W, z), threshold * kappa(z, used_k)
    assume(np.abs(Z - limit).min() > 1e-10 * limit)  # neither answer is wrong on an exact tie
    labels = collective_merging(W, z, threshold=threshold, min_size=min_size)
    np.testing.assert_array_equal(labels, merged_densely(Z, limit, min_size))


def awkward_crowd(rng: np.random.Generator, n: int, clumps: int, spread: float, noise: float, at_rest: float,
                  doubles: float, grid: float, compass: bool) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Clumps of particles, some at rest, some on top of others, on a grid or not, in any or eight directions."""
    clump = rng.integers(0, clumps, n)
    position = rng.uniform(0, 100, (clumps, 2))[clump] + spread * rng.normal(size=(n, 2))
    angle = rng.uniform(0, 2 * np.pi, clumps)[clump] + noise * rng.normal(size=n)
    if grid:
        position = np.round(position / grid) * grid
    if compass:
        angle = np.round(angle / (np.pi / 4)) * (np.pi / 4)
    velocity = rng.uniform(0.1, 5, (n, 1)) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    velocity[rng.random(n) < at_rest] = 0
    double = rng.random(n) < doubles
    twin = rng.integers(0, n, n)
    position[double] = position[twin][double]
    return position, velocity


def refines(fine: np.ndarray, coarse: np.ndarray) -> bool:
    """Whether all members of each part of the one lie in one part of the other."""
    return len(np.unique(np.stack([fine, coarse]), axis=1).T) == len(np.unique(fine))


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.one_of(st.integers(1, 30), st.integers(30, 160)),
    k=st.one_of(st.just(20), st.integers(1, 30)),
    share=st.one_of(st.just(0.5), st.floats(0.02, 0.98)),
    threshold=st.one_of(st.just(0.6), st.floats(0.02, 1.1)),
    clip=st.booleans(),
    clumps=st.integers(1, 8),
    spread=st.sampled_from([0.0, 1.0, 10.0, 50.0]),
    noise=st.sampled_from([0.0, 0.2, 0.5, 1.0, 3.0]),
    at_rest=st.sampled_from([0.0, 0.1, 0.9]),
    doubles=st.sampled_from([0.0, 0.2, 0.9]),
    grid=st.sampled_from([0.0, 5.0, 30.0]),
    compass=st.booleans(),
)
@settings(max_examples=1000, deadline=None)
def test_a_thousand_crowds_merge_as_by_the_dense_inverse(
    seed: int, n: int, k: int, share: float, threshold: float, clip: bool, **kind: float
) -> None:
    W = crowd_graph(*awkward_crowd(np.random.default_rng(seed), n, **kind), k, clip=clip)  # type: ignore[arg-type]
    z = share / max(min(k, n - 1), 1)
    Z, limit = dense_Z(W, z), threshold * kappa(z, max(min(k, n - 1), 1))
    # A link within a billionth of the threshold is a tie in floating point: the inverse does not know either.
    surely, perhaps = (
        connected_components(csr_array(limit * (1 + tie) < Z), directed=False)[1] for tie in (1e-9, -1e-9)
    )
    labels = collective_merging(W, z, threshold=threshold, min_size=1)
    assert refines(surely, labels)
    assert refines(labels, perhaps)  # without a tie both are one, and the labels are exactly that
    sizes = np.bincount(labels)[1:]
    assert (np.diff(sizes) <= 0).all()
    small = sizes[labels - 1] < 10
    np.testing.assert_array_equal(collective_merging(W, z, threshold=threshold), np.where(small, 0, labels))


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 14),
    hubs=st.floats(0, 3),
    density=st.floats(0.05, 0.8),
    low=st.sampled_from([0.0, 0.9, -1.0]),
    share=st.floats(0.3, 0.97),
    threshold=st.floats(0.02, 1.0),
)
@settings(max_examples=300, deadline=None)
def test_merging_of_any_graph_equals_the_dense_inverse(
    seed: int, n: int, hubs: float, density: float, low: float, share: float, threshold: float
) -> None:
    # Nothing of a plane here: some are seen by all and see few, so that links off the graph decide.
    rng = np.random.default_rng(seed)
    popularity = np.arange(1, n + 1) ** -hubs
    W = csr_array(rng.uniform(low, 1, (n, n)) * (rng.random((n, n)) < density * popularity))
    k = max(int(np.diff(W.indptr).max()), 1)
    z = share / k
    Z, limit = dense_Z(W, z), threshold * kappa(z, k)
    assume(np.abs(Z - limit).min() > 1e-10 * limit)
    labels = collective_merging(W, z, threshold=threshold, min_size=2)
    np.testing.assert_array_equal(labels, merged_densely(Z, limit, 2))


@pytest.mark.parametrize(
    ("share", "threshold", "clip"),
    [(0.5, 0.6, True), (0.5, 0.6, False), (0.9, 0.3, True), (0.99, 0.6, False)],
)
@pytest.mark.parametrize("noise", [0.2, 0.7, 1.2])
def test_merging_of_larger_crowds_equals_the_dense_inverse(
    share: float, threshold: float, clip: bool, noise: float
) -> None:
    W = crowd_graph(*crowd(7, 900, groups=8, noise=noise), clip=clip)
    z = share / 20
    limit = threshold * kappa(z, 20)
    labels = collective_merging(W, z, threshold=threshold)
    np.testing.assert_array_equal(labels, merged_densely(dense_Z(W, z), limit, 10))


@pytest.mark.slow
def test_the_certificate_alone_settles_every_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_DENSE_SOLVE_LIMIT", 0)
    for clip in (True, False):
        W = crowd_graph(*crowd(8, 300, groups=3, noise=0.6), k=12, clip=clip)
        for share, threshold in [(0.5, 0.6), (0.5, 0.1), (0.8, 0.4), (0.3, 0.05)]:
            z = share / 12
            labels = collective_merging(W, z, threshold=threshold, min_size=3)
            expected = merged_densely(dense_Z(W, z), threshold * kappa(z, 12), 3)
            np.testing.assert_array_equal(labels, expected)


def test_many_crowds_far_apart_merge_like_each_alone() -> None:
    parts = [crowd_graph(*crowd(seed, 600, groups=4, noise=0.5)) for seed in range(10)]
    apart = [collective_merging(W, min_size=1) for W in parts]
    together = collective_merging(block_diag(parts * 3, format="csr"), min_size=1)
    pairs = {
        (part, label, joint)
        for part, (labels, joint_labels) in enumerate(zip(apart * 3, np.split(together, 30), strict=True))
        for label, joint in zip(labels, joint_labels, strict=True)
    }
    assert len(pairs) == together.max() == 3 * sum(labels.max() for labels in apart)


def test_labels_do_not_depend_on_the_order_of_the_particles() -> None:
    position, velocity = crowd(9, 500, groups=5, noise=0.5)
    labels = collective_merging(crowd_graph(position, velocity))
    shuffled = np.random.default_rng(0).permutation(500)
    again = collective_merging(crowd_graph(position[shuffled], velocity[shuffled]))
    np.testing.assert_array_equal(labels[shuffled] == 0, again == 0)
    assert len(set(zip(labels[shuffled], again, strict=True))) == labels.max() + bool((labels == 0).any())


def test_crowds_are_numbered_by_size_then_first_particle() -> None:
    position = np.concatenate([[[x, y] for x in range(n)] for n, y in [(12, 0), (20, 500), (12, 1000), (5, 1500)]])
    labels = collective_merging(crowd_graph(position, np.ones(position.shape), k=4))
    np.testing.assert_array_equal(labels, np.repeat([2, 1, 3, 0], [12, 20, 12, 5]))


def test_one_direction_of_a_link_is_enough() -> None:
    # 0 sees 1, which sees nobody: Z[0, 1] = z = 1/2, kappa = 1.
    W = np.array([[0, 1.0], [0, 0]])
    np.testing.assert_array_equal(collective_merging(W, threshold=0.4, min_size=2), [1, 1])
    np.testing.assert_array_equal(collective_merging(W, threshold=0.6, min_size=2), [0, 0])


def test_a_link_may_lie_where_W_has_no_entry_when_z_is_large() -> None:
    # 0 sees 1..4, those see the hubs 5..8, and the hubs see each other and themselves: K = 4, zK = 0.9.
    W = np.zeros((9, 9))
    W[0, 1:5] = W[1:5, 5:] = W[5:, 5:] = 1
    Z = regularized_path_similarity(W, 0.225) / kappa(0.225, 4)
    np.testing.assert_allclose([Z[0, 1], Z[0, 5], Z[1, 5]], [0.1, 0.9, 1.0])
    np.testing.assert_array_equal(collective_merging(W, 0.225, min_size=9), np.ones(9))


def test_a_tie_with_the_threshold_is_no_link() -> None:
    W = np.array([[0, 1.0], [1.0, 0]])  # Z[0, 1] = (1/2) / (1 - 1/4) = 2/3, kappa = 1
    np.testing.assert_array_equal(collective_merging(W, threshold=2 / 3, min_size=2), [0, 0])
    np.testing.assert_array_equal(collective_merging(W, threshold=2 / 3 - 1e-9, min_size=2), [1, 1])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_particles(n: int) -> None:
    W = crowd_graph(np.zeros((n, 2)), np.ones((n, 2)))
    np.testing.assert_array_equal(collective_merging(W), np.zeros(n))


def test_nobody_moves() -> None:
    W = crowd_graph(np.random.default_rng(0).normal(size=(30, 2)), np.zeros((30, 2)))
    assert not collective_merging(W).any()


def test_dense_sparse_and_unsorted_inputs_agree_and_stay_as_they_are() -> None:
    W = crowd_graph(*crowd(10, 50, groups=1, noise=0.3), k=5)
    backwards = np.arange(250).reshape(50, 5)[:, ::-1].ravel()  # each row from its last column to its first
    unsorted = csr_array((W.data[backwards], W.indices[backwards], W.indptr), shape=W.shape)
    before = unsorted.indices.copy()
    for other in (W.toarray(), W.tocoo(), W.tocsc(), unsorted):
        np.testing.assert_array_equal(collective_merging(other, 0.1), collective_merging(W, 0.1))
    np.testing.assert_array_equal(unsorted.indices, before)


# Refusals


@pytest.mark.parametrize("z", [0, -0.1, 0.25, 0.3, np.nan, np.inf])
def test_z_outside_its_range_is_refused(z: float) -> None:
    W = crowd_graph(*crowd(11, 30, groups=1, noise=0), k=4)
    with pytest.raises(ValueError, match="below 1/K = 1/4"):
        collective_merging(W, z)


@pytest.mark.parametrize(
    ("W", "message"),
    [
        (np.ones((2, 3)), "square"),
        (np.array([[0, np.nan], [1, 0]]), "NaN"),
        (np.array([[0, 2.0], [1, 0]]), "between -1 and 1"),
        ([["a"]], "array of numbers"),
    ],
)
def test_bad_graphs_are_refused(W: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        collective_merging(W)


def test_bad_options_are_refused() -> None:
    W = crowd_graph(*crowd(12, 30, groups=1, noise=0), k=4)
    with pytest.raises(ValueError, match="threshold must be above 0"):
        collective_merging(W, threshold=0)
    with pytest.raises(ValueError, match="threshold must be above 0"):
        collective_merging(W, threshold=np.nan)
    with pytest.raises(ValueError, match="min_size must not be negative"):
        collective_merging(W, min_size=-1)


def test_what_cannot_be_settled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_DENSE_SOLVE_LIMIT", 0)
    W = crowd_graph(*crowd(13, 60, groups=1, noise=0.1), k=4)
    with pytest.raises(ValueError, match="choose a smaller z"):
        collective_merging(W, 0.24999, threshold=1e-3)


def test_where_all_see_all_every_link_is_as_strong_as_a_link_can_be() -> None:
    # Z is kappa everywhere, so the bound on what S_m lacks is reached: links hold up to a threshold of 1.
    W = np.ones((4, 4))
    np.testing.assert_array_equal(collective_merging(W, threshold=1 - 1e-6, min_size=4), np.ones(4))
    np.testing.assert_array_equal(collective_merging(W, threshold=1, min_size=2), np.zeros(4))


def test_labels_are_whole_numbers() -> None:
    for W in (np.ones((4, 4)), np.zeros((4, 4))):
        assert collective_merging(W, min_size=1).dtype == np.intp


def test_without_links_everyone_is_a_crowd_of_one_in_order() -> None:
    np.testing.assert_array_equal(collective_merging(np.zeros((3, 3)), min_size=1), [1, 2, 3])
    # The same where there are entries, but none of them is a link.
    weak = np.array([[0, 0.1, 0], [0, 0, 0.1], [0.1, 0, 0]])
    np.testing.assert_array_equal(collective_merging(weak, min_size=1), [1, 2, 3])


def test_a_crowd_has_at_least_ten_unless_told_otherwise() -> None:
    def line(n: int) -> csr_array:
        return crowd_graph(np.c_[np.arange(n), np.zeros(n)], np.ones((n, 2)), k=2)

    np.testing.assert_array_equal(collective_merging(line(10)), np.ones(10))
    np.testing.assert_array_equal(collective_merging(line(9)), np.zeros(9))
    np.testing.assert_array_equal(collective_merging(line(9), min_size=0), np.ones(9))


def test_by_default_a_link_exceeds_six_tenths_of_kappa() -> None:
    # Two see each other with weight w: Z[0, 1] = (w/2) / (1 - (w/2)**2), and kappa = (1/2) / (1 - 1/2) = 1.
    for share, together in ((0.599, 0), (0.601, 1)):
        w = (np.sqrt(1 + 4 * share**2) - 1) / share
        np.testing.assert_array_equal(collective_merging([[0, w], [w, 0]], min_size=2), [together, together])


@pytest.mark.parametrize(
    ("n", "steps", "spent", "solves"),
    [
        (100, 8, 4001, True),  # a solve costs 100**3, and each multiplication of the products 250 of these
        (100, 8, 4000, False),
        (100, 7, 1e9, False),  # short walks end by themselves
        (100, 64, 0, True),  # long ones do not
        (100, 63, 0, False),
        (5000, 64, 0, True),
        (5001, 64, 1e15, False),  # too many for a dense array
    ],
)
def test_a_dense_solve_takes_over_where_it_is_cheaper(n: int, steps: int, spent: float, solves: bool) -> None:
    assert merging._solve_instead(n, steps, spent) == solves
