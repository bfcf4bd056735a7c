"""The crowd graph: who moves like whom among the nearest neighbours (Eq. 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from mpas_lite.crowd.checks import vectors, whole_number

# Entries a batch of tied particles may hold at a time: bounds the memory on grids and heaps of particles.
_BATCH_ENTRIES = 4_000_000


def crowd_graph(position: ArrayLike, velocity: ArrayLike, k: int = 20, *, clip: bool = True) -> csr_array:
    """Who moves like whom: the weighted, directed K-NN graph of the crowd (Eq. 1).

    ``W[i, j] = max(C(i, j), 0)`` for j among the K nearest neighbours of i, where C(i, j) is the cosine of
    the angle between the velocities of i and j, and 0 where one of them does not move.

    Parameters
    ----------
    position : (N, 2) array
        Where the particles are, px. Only distances matter.
    velocity : (N, 2) array
        How they move, px/frame. Only directions matter.
    k : int
        K, the number of neighbours. With N <= K particles, all N - 1 others are neighbours.
    clip : bool
        True: opposite motion counts 0 (the paper). False: it counts negative, as in the MATLAB code of
        Zhou et al., and ``W[i, j] = C(i, j)``.

    Returns
    -------
    W : (N, N) scipy.sparse.csr_array, float64
        Row i holds i's neighbours, with sorted columns. **Every row stores exactly min(K, N - 1) entries**:
        those clipped to 0 are stored as zeros, so K can be read off W where ``z = 1/(2K)`` needs it.
        ``W.eliminate_zeros()`` drops them (then pass ``z`` to whatever asks for it).

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, or k is below 1.

    Examples
    --------
    Three walk right, the third at an angle, and one walks left. 2 is a neighbour of 0, 0 is none of 2's:

    >>> W = crowd_graph([[0, 0], [1, 0], [2.5, 0], [4.5, 0]], [[1, 0], [2, 0], [1, 1], [-1, 0]], k=2)
    >>> print(W.toarray().round(3))
    [[0.    1.    0.707 0.   ]
     [1.    0.    0.707 0.   ]
     [0.    0.707 0.    0.   ]
     [0.    0.    0.    0.   ]]
    >>> W.nnz  # the clipped entries are stored
    8
    """
    position, velocity = vectors(position, "position"), vectors(velocity, "velocity")
    if len(position) != len(velocity):
        raise ValueError(
            f"position has {len(position)} rows and velocity {len(velocity)}; give one of each per particle."
        )
    j = np.sort(nearest_neighbours(position, k), axis=1)
    n, neighbours = j.shape
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    u, v = np.divide(velocity.T, speed, out=np.zeros((2, n)), where=speed > 0)  # unit vectors, 0 if at rest
    C = u[:, None] * u[j] + v[:, None] * v[j]
    np.clip(C, 0.0 if clip else -1.0, 1.0, out=C)  # the 1 only trims rounding
    row_starts = np.arange(n + 1, dtype=j.dtype) * neighbours
    return csr_array((C.ravel(), j.ravel(), row_starts), shape=(n, n))


def nearest_neighbours(position: ArrayLike, k: int = 20) -> np.ndarray:
    """The K nearest neighbours of each particle, nearest first, itself excepted.

    A particle is excepted by its number, not by its distance: another one at the very same place counts.
    Of two at the same distance the one with the lower number comes first (as a stable sort of all
    distances would have it).

    Parameters
    ----------
    position : (N, 2) array, px
    k : int
        K >= 1. With N <= K particles, all N - 1 others are neighbours.

    Returns
    -------
    neighbours : (N, min(k, N - 1)) int array

    Raises
    ------
    ValueError
        If the shape is wrong, a number is not finite, or k is below 1.

    Examples
    --------
    >>> nearest_neighbours([[0, 0], [1, 0], [2, 0], [9, 9]], k=2)
    array([[1, 2],
           [0, 2],
           [1, 0],
           [2, 1]], dtype=int32)
    """
    position = vectors(position, "position")
    k = whole_number(k, "k", least=1)
    n = len(position)
    k = min(k, max(n - 1, 0))
    if k == 0:
        return np.empty((n, 0), dtype=np.int32)
    tree = KDTree(position, leafsize=16)
    # Ask for two more than K: the particle itself, and the next one, which shows whether place K is tied.
    # Ask in the tree's own order: particles next to each other then find the same branches in the cache.
    order = tree.indices
    distance, index = map(np.asarray, tree.query(position[order], min(k + 2, n)))
    neighbours = np.empty((n, k), dtype=np.int32)
    neighbours[order] = index[:, 1 : k + 1]
    tied = order[(distance[:, 1:] == distance[:, :-1]).any(axis=1)]
    _rank_tied(tree, tied, neighbours, asked=min(k + 2, n))
    return neighbours


def _rank_tied(tree: KDTree, rows: np.ndarray, neighbours: np.ndarray, asked: int) -> None:
    """Fill the rows of ``neighbours`` that have ties, looking further until the tie at place K has ended."""
    n, k = neighbours.shape
    while rows.size:
        unfinished = []
        batch = max(_BATCH_ENTRIES // asked, 1)
        for start in range(0, rows.size, batch):
            i = rows[start : start + batch]
            distance, index = map(np.asarray, tree.query(tree.data[i], asked))
            whole = distance[:, -1] > distance[:, k] if asked < n else np.ones(i.size, dtype=bool)
            unfinished.append(i[~whole])
            i, distance, index = i[whole], distance[whole], index[whole]
            distance[index == i[:, None]] = -1  # oneself first, whoever else stands there
            order = np.lexsort((index, distance), axis=1)[:, 1 : k + 1]
            neighbours[i] = np.take_along_axis(index, order, axis=1)
        rows = np.concatenate(unfinished)
        asked = min(2 * asked, n)
