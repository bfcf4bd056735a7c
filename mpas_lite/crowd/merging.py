"""Collective merging: which particles are linked, and so who forms a crowd with whom."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from mpas_lite.crowd.checks import correlations, whole_number
from mpas_lite.crowd.similarity import damped, damping, kappa, most_neighbours, row_norm, walk_sums

_DENSE_SOLVE_LIMIT = 5_000  # particles: up to here collective_merging may turn to a dense solve
_MAX_STEPS = 200  # of walks in collective_merging; the default z never needs more than about 50


def collective_merging(W: Any, z: float | None = None, *, threshold: float = 0.6, min_size: int = 10) -> np.ndarray:
    r"""Which particles form crowds: collective merging, exact and without the inverse.

    i and j are linked where ``Z[i, j]`` or ``Z[j, i]`` exceeds ``threshold * kappa(z, K)``; a crowd is a
    connected component of the links with at least ``min_size`` particles (Zhou et al., the original code).

    Parameters
    ----------
    W : (N, N) sparse or dense array, entries in [-1, 1]
    z : float, optional
        The damping per step, 0 < z < 1/K; 1/(2K) if not given, K being the largest number of entries stored
        in a row of W (`crowd_graph` stores min(K, N - 1) in each).
    threshold : float
        As a share of kappa, the bound on the entries of Z; above 0. From 1 on there are no links.
    min_size : int
        Components with fewer particles are outliers.

    Returns
    -------
    labels : (N,) int array
        1, 2, ... from the largest crowd to the smallest, of equals first the one with the lowest particle
        number; 0 for outliers.

    Raises
    ------
    ValueError
        If W is not such an array, z is not between 0 and 1/K, the threshold is not above 0, or too many
        of the particles influence each other for an exact answer (below).

    Notes
    -----
    Let A = zW >= 0 and ``S_m = A + A**2 + ... + A**m``. What S_m lacks is ``A**m Z``:

    * ``(A**m Z)[i, j] = sum_k (A**m)[i, k] Z[k, j] <= max_k (A**m)[i, k] * psi[j]``, psi being the column
      sums of Z. So a link is *certain* as soon as S_m exceeds the threshold, *impossible* as soon as S_m
      and this bound together do not, and *open* otherwise. Only rows with open links are multiplied on.
    * It is also at most ``(zK)**m kappa``, as the rows of A**m sum up to at most (zK)**m. With m = 1 and
      z = 1/(2K), an entry of Z where W has none is at most kappa/2: all links above 0.5 kappa lie where W
      has entries, and nowhere else need be looked. For other z and thresholds the search starts from the
      first S_m outside which no link can lie.
    * An open link within one component no longer matters, and is dropped.

    Where W has negative entries the same holds for \|W\|, and S_m may err in both directions. Entries within
    1e-12 kappa of the threshold count as equal to it, thus as no links.

    With the default z and a threshold of at least one half, time and memory grow as N does (100,000
    particles: some 2 s). With z near 1/K, small thresholds or negative entries it takes longer; where many
    walks of 8 steps and more still matter, the open rows of Z of up to 5,000 particles come from a dense
    solve instead, and for more it may be refused.

    Examples
    --------
    Twelve walk right in a row, twelve left in another, and one stands aside:

    >>> from mpas_lite.crowd.graph import crowd_graph
    >>> x = np.arange(12)
    >>> position = np.concatenate([np.c_[x, 0 * x], np.c_[x, 0 * x + 3], [[30, 30]]])
    >>> velocity = np.concatenate([np.tile([1, 0], (12, 1)), np.tile([-1, 0], (12, 1)), [[0, 0]]])
    >>> collective_merging(crowd_graph(position, velocity, k=4))
    array([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
           2, 2, 0])
    """
    W = correlations(W)
    z = damping(W, z)
    min_size = whole_number(min_size, "min_size")
    if not threshold > 0:
        raise ValueError(f"The threshold must be above 0, a share of kappa; it is {threshold}.")
    t = (threshold + 1e-12) * kappa(z, most_neighbours(W))
    A = damped(W, z)
    if A.nnz == 0:
        return _labels(np.arange(A.shape[0]), min_size)
    # Neighbours side by side in memory: sparse products of a shuffled crowd take three times as long.
    order = reverse_cuthill_mckee(A)
    component = np.empty(A.shape[0], dtype=np.intp)
    component[order] = _components(A[order][:, order], t)
    return _labels(component, min_size)


def _components(A: csr_array, t: float) -> np.ndarray:
    """Components of the links Z > t, where Z = A + A**2 + ...; the proof is in `collective_merging`."""
    n = A.shape[0]
    size = abs(A)
    r = row_norm(A)
    peak = float(np.max(size.data, initial=0.0)) / (1 - r)  # bounds |Z|: kappa, or less
    signed = bool(np.any(A.data < 0))
    psi = walk_sums(size.T.tocsr(), r, np.sum, rest=1e-4) + 1e-4
    component = np.arange(n)

    m, S, power, spent = 1, A, A, 0.0  # S = A + ... + A**m, power = A**m
    while r**m * peak > t:  # a link may lie where S has no entry
        if _solve_instead(n, m, spent):
            return _join(component, *np.nonzero(_rows_of_Z(A, component) > t))
        spent += power.nnz * A.nnz / n
        m, power = m + 1, _product(power, A, m)
        S = S + power

    pairs = S.tocoo()
    i, j, s = pairs.row, pairs.col, pairs.data
    row: np.ndarray = i  # where in `power` i has its row: from here on `power` keeps those of open links only
    while True:
        rest = _row_maxima(power)[row] * psi[j]
        certain = (s - rest if signed else s) > t
        component = _join(component, i[certain], j[certain])
        still_open = (s + rest > t) & ~certain & (component[i] != component[j])
        i, j, s, row = i[still_open], j[still_open], s[still_open], row[still_open]
        if i.size == 0:
            return component
        if _solve_instead(n, m, spent):
            rows, row = np.unique(i, return_inverse=True)
            certain = _rows_of_Z(A, rows)[row, j] > t
            return _join(component, i[certain], j[certain])
        needed = np.zeros(power.shape[0], dtype=bool)
        needed[row] = True
        row = (np.cumsum(needed) - 1)[row]
        power = power[needed]
        spent += power.nnz * A.nnz / n
        m, power = m + 1, _product(power, A, m)
        s = s + power[row, j]


def _row_maxima(power: csr_array) -> np.ndarray:
    """The largest absolute value in each row (scipy's own ``max`` would first sort every row)."""
    largest = np.maximum.reduceat(np.append(np.abs(power.data), 0.0), power.indptr[:-1])
    return np.where(np.diff(power.indptr) > 0, largest, 0.0)


def _join(component: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The components after i and j have been linked."""
    if i.size == 0:
        return component
    n = component.size
    links = csr_array((np.ones(i.size, dtype=bool), (component[i], component[j])), shape=(n, n))
    return connected_components(links, directed=False)[1][component]


def _product(power: csr_array, A: csr_array, m: int) -> csr_array:
    """``A**(m + 1)`` from (rows of) ``A**m``, unless that would take for ever or fill the memory."""
    n = A.shape[0]
    if m >= _MAX_STEPS or power.nnz > max(300 * n, 20_000_000):
        raise ValueError(
            f"With this z and threshold too many of the {n} particles influence each other for an exact "
            "answer; choose a smaller z (1/(2K) is the default), a higher threshold, or fewer particles."
        )
    return power @ A


def _solve_instead(n: int, m: int, spent: float) -> bool:
    """Whether the walks are long, the crowd is small, and the products have cost what a dense solve would.

    ``spent`` counts their multiplications; each takes as long as some 250 of the n**3 of a solve.
    """
    return n <= _DENSE_SOLVE_LIMIT and (m >= 64 or (m >= 8 and 250 * spent > n**3))


def _rows_of_Z(A: csr_array, rows: np.ndarray) -> np.ndarray:
    """The given rows of Z = A inv(I - A), dense."""
    return np.linalg.solve(np.eye(A.shape[0]) - A.toarray().T, A[rows].toarray().T).T


def _labels(component: np.ndarray, min_size: int) -> np.ndarray:
    """Number the components 1, 2, ... from the largest on; 0 for those under ``min_size``."""
    _, first, size = np.unique(component, return_index=True, return_counts=True)
    kept = np.flatnonzero(size >= min_size)
    rank = np.zeros(size.size, dtype=np.intp)
    rank[kept[np.lexsort((first[kept], -size[kept]))]] = np.arange(1, kept.size + 1)
    return rank[component]
