"""Small matrices of the course's graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array


def as_dense(W: Any) -> np.ndarray:
    """A sparse or dense matrix as an array of float64, if it is small enough to be dense.

    Parameters
    ----------
    W : (N, N) sparse or dense array

    Returns
    -------
    (N, N) float64

    Raises
    ------
    ValueError
        If there are none or more than 1,000 particles.
    """
    if not 0 < np.shape(W)[0] <= 1000:
        raise ValueError("This is for graphs of 1 to 1,000 particles; mpas_lite.collectiveness takes larger ones.")
    return csr_array(W, dtype=np.float64).toarray()
