"""What the mathematics takes: positions, velocities, weights and numbers, checked once, before anything is computed."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from mpas_lite.video.arrays import Points


def vectors(array: ArrayLike, name: str) -> Points:
    """The array as (N, 2) finite float64, or one clear sentence."""
    try:
        vectors = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an (N, 2) array of numbers, one row (x, y) per particle.") from None
    if vectors.size == 0 and vectors.ndim <= 2 and vectors.shape[-1] in (0, 2):
        return vectors.reshape(0, 2)
    if vectors.ndim != 2 or vectors.shape[1] != 2:
        raise ValueError(f"{name} must have shape (N, 2), one row (x, y) per particle; it has {vectors.shape}.")
    if not (np.abs(vectors) < 1e150).all():  # the square of a larger one overflows
        raise ValueError(f"{name} holds NaN, infinite or enormous numbers; drop those particles first.")
    return vectors


def square_array(W: Any) -> csr_array:
    """W as a finite square csr_array of float64, or one clear sentence."""
    try:
        W = csr_array(W, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("W must be an (N, N) array of numbers, sparse or dense.") from None
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise ValueError(f"W must be a square (N, N) array; it has shape {W.shape}.")
    if not np.isfinite(W.data).all():
        raise ValueError("W holds NaN or infinite weights; build it with crowd_graph.")
    if not W.has_canonical_format:
        W = W.copy()
        W.sum_duplicates()
    return W


def correlations(W: Any) -> csr_array:
    """W with entries in [-1, 1], so that no row sums up to more than K."""
    W = square_array(W)
    if np.max(np.abs(W.data), initial=0.0) > 1 + 1e-12:
        raise ValueError("The weights of W must be correlations, between -1 and 1; scale W first.")
    return W


def whole_number(number: int, name: str, least: int = 0) -> int:
    """A whole number of at least so much, or one clear sentence."""
    try:
        value = operator.index(number)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {number!r}.") from None
    if value < least:
        wanted = "must not be negative" if least == 0 else f"must be at least {least}"
        raise ValueError(f"{name} {wanted}; it is {value}.")
    return value
