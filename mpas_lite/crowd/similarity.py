"""Path similarity and collectiveness: how much a particle moves with those around it (Eq. 2-5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, identity
from scipy.sparse.linalg import spsolve

from mpas_lite.crowd.checks import correlations, square_array, whole_number

_DENSE_LIMIT = 30_000  # particles: a dense (N, N) array of float64 then takes 7.2 GB


def path_similarity(W: Any, length: int) -> csr_array:
    """Similarity of i and j along all walks of L steps: ``nu_L = W**L`` (Eq. 2).

    A walk's weight is the product of its edges' weights; entry (i, j) sums over all walks from i to j.

    Parameters
    ----------
    W : (N, N) sparse or dense array
    length : int
        L >= 0, the number of steps; L = 0 is the identity.

    Returns
    -------
    nu : (N, N) scipy.sparse.csr_array, float64

    Raises
    ------
    ValueError
        If W is not square and finite, or the length is negative.

    Examples
    --------
    From 0 to 3 there are two walks of two steps, through 1 and through 2:

    >>> W = np.array([[0, 1, 0.5, 0], [0, 0, 0, 0.5], [0, 0, 0, 1], [0, 0, 0, 0]])
    >>> float(path_similarity(W, 2)[0, 3])  # 1 * 0.5 + 0.5 * 1
    1.0
    """
    W = square_array(W)
    nu = csr_array(identity(W.shape[0]))
    for _ in range(whole_number(length, "length")):
        nu = nu @ W
    return nu


def regularized_path_similarity(W: Any, z: float | None = None, *, max_length: int | None = None) -> np.ndarray:
    """Similarity along walks of every length, the long ones damped: Z (Eq. 3 and 4).

    ``Z = sum over L >= 1 of z**L W**L = inv(I - zW) - I``. The sum converges for 0 < z < 1/K, because no
    row of W sums up to more than K; then no entry of Z exceeds ``kappa(z, K)``.

    Parameters
    ----------
    W : (N, N) sparse or dense array, entries in [-1, 1]
    z : float, optional
        The damping per step; 1/(2K) if not given, K being the largest number of entries stored in a row of W
        (`crowd_graph` stores min(K, N - 1) in each).
    max_length : int, optional
        Only the walks of up to this many steps: the partial sum of Eq. 3.

    Returns
    -------
    Z : (N, N) array, float64
        Dense, 8 N**2 bytes: for looking at. `collectiveness` and `collective_merging` do without it.

    Raises
    ------
    ValueError
        If W is not such an array or has more than 30,000 rows, or z is not between 0 and 1/K.

    Examples
    --------
    Two that see each other (K = 1, z = 1/2): 1/2 + 1/8 + ... over the odd lengths, 1/4 + 1/16 + ... over
    the even ones:

    >>> W = np.array([[0, 1], [1, 0]])
    >>> print(regularized_path_similarity(W).round(3))
    [[0.333 0.667]
     [0.667 0.333]]
    >>> print(regularized_path_similarity(W, max_length=2))
    [[0.25 0.5 ]
     [0.5  0.25]]
    """
    W = correlations(W)
    n = W.shape[0]
    if n > _DENSE_LIMIT:
        raise ValueError(
            f"Z of {n} particles is a dense array of {8e-9 * n * n:.0f} GB; "
            "collectiveness and collective_merging give their results without it."
        )
    zW = damped(W, damping(W, z)).toarray()
    if max_length is None:
        return np.linalg.solve(np.eye(n) - zW, zW)  # inv(I - zW) zW = inv(I - zW) - I
    Z = np.zeros((n, n))
    for _ in range(whole_number(max_length, "max_length")):
        Z = zW + zW @ Z
    return Z


def collectiveness(W: Any, z: float | None = None) -> np.ndarray:
    """Collectiveness of each particle: ``phi = Z 1``, the row sums of Z (Eq. 5).

    No inverse is needed: ``phi = zW 1 + (zW)**2 1 + ...`` is a few dozen sparse products with a vector. It
    is Katz centrality. In perfectly coherent motion phi is zK / (1 - zK) for everyone, which is 1 at the
    default z. The collectiveness of a crowd is the mean, ``phi.mean()``.

    Parameters
    ----------
    W : (N, N) sparse or dense array, entries in [-1, 1]
    z : float, optional
        The damping per step, 0 < z < 1/K; 1/(2K) if not given, K being the largest number of entries stored
        in a row of W (`crowd_graph` stores min(K, N - 1) in each).

    Returns
    -------
    phi : (N,) array, float64

    Raises
    ------
    ValueError
        If W is not such an array, or z is not between 0 and 1/K.

    Examples
    --------
    >>> W = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    >>> print(collectiveness(W).round(3))  # K = 2, z = 1/4; 2 follows nobody
    [0.667 0.667 0.   ]
    """
    W = correlations(W)
    A = damped(W, damping(W, z))
    return walk_sums(A, row_norm(A), np.max)


def kappa(z: float, k: int) -> float:
    """The bound on the entries of Z: ``kappa = z / (1 - zK)``.

    After L steps at most K**(L - 1) of the K**L walks from i end at j, so ``(W**L)[i, j] <= K**(L - 1)`` and
    ``Z[i, j] <= z + z**2 K + z**3 K**2 + ...``.

    Parameters
    ----------
    z : float
        The damping per step, 0 < z < 1/K.
    k : int
        K, the number of neighbours.

    Raises
    ------
    ValueError
        If z is not between 0 and 1/K.

    Examples
    --------
    >>> kappa(z=1 / 40, k=20)
    0.05
    """
    if not 0 < z * k < 1 - 1e-9:
        raise ValueError(f"z must be above 0 and below 1/K = 1/{k}, or the series may diverge; it is {z}.")
    return z / (1 - z * k)


def row_norm(A: csr_array) -> float:
    """r: the largest absolute row sum; the rows of ``abs(A**L)`` then sum up to at most r**L."""
    return float(np.max(abs(A).sum(axis=1), initial=0.0))


def walk_sums(A: csr_array, r: float, size: Callable[[np.ndarray], float], rest: float = 1e-13) -> np.ndarray:
    """Row sums of A + A**2 + A**3 + ..., cut where at most ``rest`` is missing.

    ``size`` says which size of ``A**L 1`` shrinks at least by r with each L: its maximum where r bounds the
    row sums of A, its sum where r bounds the column sums.
    """
    n = A.shape[0]
    if r > 0.97:  # the series would take a thousand terms or more
        return np.atleast_1d(spsolve(csc_array(identity(n) - A), A.sum(axis=1)))
    term: np.ndarray = np.ones(n)
    total = np.zeros(n)
    while n and size(np.abs(term)) * r > rest * (1 - r):
        term = A @ term
        total += term
    return total


def most_neighbours(W: csr_array) -> int:
    """K: the largest number of entries stored in a row (1 for a graph without any)."""
    return max(int(np.max(np.diff(W.indptr), initial=1)), 1)


def damping(W: csr_array, z: float | None) -> float:
    """z, or 1/(2K); refused where the series of Eq. 3 might diverge."""
    k = most_neighbours(W)
    z = 1 / (2 * k) if z is None else float(z)
    kappa(z, k)  # refuses what diverges
    return z


def damped(W: csr_array, z: float) -> csr_array:
    """A = zW, without the zeros that W stores."""
    A = z * W
    A.eliminate_zeros()
    return A
