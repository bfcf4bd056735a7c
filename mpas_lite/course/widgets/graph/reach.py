"""Whom the walks of one particle reach, on the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import DPI, LABEL, TICK, backdrop
from mpas_lite.crowd.similarity import kappa
from mpas_lite.plots.axes import axes_on_frame
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_REACH = (1e-4, 1.0)  # the scale of similarities, as shares of kappa


def walk_similarity(W: Any, z: float, start: int, longest: int) -> np.ndarray:
    """One row of the partial sum of Eq. 3, by products with a vector only.

    Parameters
    ----------
    W : (N, N) sparse array
    z : float
    start : int
        The row: the particle from which all walks start.
    longest : int
        L, the longest walk counted.

    Returns
    -------
    (N,) array
        Row ``start`` of ``zW + ... + (zW)**L``.

    Examples
    --------
    >>> walk_similarity(np.array([[0.0, 1.0], [1.0, 0.0]]), 0.5, start=0, longest=2)
    array([0.25, 0.5 ])
    """
    W = csr_array(W)
    walker = np.zeros(W.shape[0])
    walker[start] = 1
    total = np.zeros(W.shape[0])
    for _ in range(longest):
        walker = z * (walker @ W)
        total += walker
    return total


def plot_reach(
    frame: np.ndarray, position: np.ndarray, similarity: np.ndarray, start: int, ax: Axes | None = None
) -> Axes:
    """Draw to whom the walks of one particle lead: the darker, the more.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    position : (N, 2), px
    similarity : (N,) array
        A row of Z, or of a partial sum, as a share of kappa; drawn on a scale of powers of ten from 1e-4 to 1.
    start : int
        The particle; marked by a star.
    ax : Axes, optional
    """
    ax = axes_on_frame(frame, ax, fade=0.6)
    ax.locator_params(nbins=4)
    _scale_of_similarity(ax)
    _draw_reach(ax, position, similarity, start)
    return ax


def _scale_of_similarity(ax: Axes) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    bar = ax.figure.colorbar(ScalarMappable(LogNorm(*_REACH), "cividis_r"), ax=ax, fraction=0.046, pad=0.02)
    bar.set_ticks([1e-4, 1e-3, 1e-2, 0.1, 1], labels=["0.0001", "0.001", "0.01", "0.1", "1"])
    bar.minorticks_off()
    bar.set_label("similarity (share of κ)", fontsize=LABEL)
    bar.ax.tick_params(labelsize=TICK)


def _draw_reach(ax: Axes, position: np.ndarray, similarity: np.ndarray, start: int) -> None:
    from matplotlib.colors import LogNorm

    reached = similarity > 0
    ax.plot(*position[~reached].T, "o", markersize=3, markerfacecolor="white", markeredgecolor="grey", linestyle="none")
    order = np.flatnonzero(reached)[np.argsort(similarity[reached])]  # the strong ones on top
    ax.scatter(
        position[order, 0],
        position[order, 1],
        c=similarity[order],
        cmap="cividis_r",
        norm=LogNorm(*_REACH),
        s=34,
        edgecolors="black",
        linewidths=0.4,
        zorder=3,
    )
    ax.plot(*position[start], "*", color=PALETTE["orange"], markersize=20, markeredgecolor="black", zorder=4)


def reach_explorer(frame: np.ndarray, position: np.ndarray, W: Any, z: float, k: int, start: int = 0) -> Explorer:
    """Build the sliders for a particle i and L: to whom its walks of up to L steps lead, on the frame.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    position : (N, 2), px
    W : (N, N) sparse array
    z, k : float, int
        The damping per step and K, the number of neighbours.
    start : int
        The particle to begin with.
    """
    import ipywidgets
    from matplotlib.figure import Figure

    W = csr_array(W)
    height, width = frame.shape[:2]
    limit = kappa(z, k)
    still = Figure(figsize=(8, 8 * 0.76 * height / width + 0.6), dpi=DPI)
    picture = axes_on_frame(frame, still.add_axes((0.09, 0.13, 0.78, 0.85)), fade=0.6)
    picture.locator_params(nbins=4)
    _scale_of_similarity(picture)
    fresh = backdrop(still, [picture])

    def draw(particle: int, length: int) -> tuple[Figure, str]:
        figure, (ax,) = fresh()
        row = walk_similarity(W, z, particle, length)
        _draw_reach(ax, position, row / limit, particle)
        neighbours = int((row > 0).sum())
        return figure, (
            f"Walks of up to <b>L = {length}</b> steps from particle <b>{particle}</b> reach <b>{neighbours}</b> of "
            f"{len(position)} particles. Summed over all of them: {row.sum():.3f}; the strongest similarity is "
            f"{row.max() / limit:.2f} κ."
        )

    whole = ipywidgets.IntSlider
    controls = {
        "particle": slider(whole, "i particle [number]", value=start, min=0, max=len(position) - 1),
        "length": slider(whole, "L longest walk counted [steps]", value=1, min=1, max=12),
    }
    return Explorer(
        controls,
        draw,
        alt="The frame with its particles, the darker the more walks lead to them from the star.",
    )
