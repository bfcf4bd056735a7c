"""The crowd graph to play with: a small graph drawn, its series of walks (Eq. 3), and whom a particle reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import backdrop
from mpas_lite.crowd.similarity import kappa
from mpas_lite.plots.axes import axes_on_frame, new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABEL, _TICK, _DPI = 13, 12, 80
_REACH = (1e-4, 1.0)  # the scale of similarities, as shares of kappa
_SINGULAR = 1e12  # condition number: above it, I - zW has no inverse to speak of


def plot_small_graph(position: np.ndarray, velocity: np.ndarray, W: Any, ax: Axes | None = None) -> Axes:
    """Draw a few particles, how they move, and the crowd graph between them, with its weights.

    Parameters
    ----------
    position, velocity : (N, 2) arrays
        Drawn with y upwards, as in a mathematics book.
    W : (N, N) sparse or dense array
        Eq. 1. Edges of weight 0 are dotted; one number serves both directions, whose weights are equal.
    ax : Axes, optional
    """
    import networkx as nx

    ax = new_axes(ax, (9, 4.6))
    position, velocity = np.asarray(position, dtype=float), np.asarray(velocity, dtype=float)
    stored = csr_array(W).tocoo()
    weights = {(int(i), int(j)): float(w) for i, j, w in zip(stored.row, stored.col, stored.data, strict=True)}
    graph = nx.DiGraph(list(weights))
    graph.add_nodes_from(range(len(position)))
    place = dict(enumerate(position))
    size = 900
    once = {edge: weight for edge, weight in weights.items() if edge[::-1] not in weights or edge < edge[::-1]}
    for (i, j), weight in once.items():
        nx.draw_networkx_edges(
            graph,
            place,
            [(i, j)],
            arrowstyle="<|-|>" if (j, i) in weights else "-|>",
            style="solid" if weight else "dotted",
            width=2.2 if weight else 1.6,
            edge_color=PALETTE["blue"] if weight else "dimgrey",
            node_size=size,
            arrowsize=18,
            ax=ax,
        )
    nx.draw_networkx_nodes(graph, place, node_size=size, node_color="white", edgecolors="black", ax=ax)
    nx.draw_networkx_labels(graph, place, font_size=16, ax=ax)
    numbers = {edge: f"{weight:.3g}" for edge, weight in once.items()}
    nx.draw_networkx_edge_labels(graph, place, numbers, font_size=_LABEL, rotate=False, ax=ax)
    heading = velocity / np.maximum(np.linalg.norm(velocity, axis=1, keepdims=True), 1e-12)
    ax.quiver(
        *(position + 0.33 * heading).T,
        *heading.T,
        angles="xy",
        scale_units="xy",
        scale=1.6,
        width=0.008,
        color=PALETTE["orange"],
        edgecolor="black",
        linewidth=0.6,
        zorder=3,
    )
    ax.margins(0.1, 0.2)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def spectral_radius(W: Any) -> float:
    """Return rho(W), the largest absolute eigenvalue of a small (N, N) array.

    Examples
    --------
    >>> round(spectral_radius([[0, 0.5], [0.5, 0]]), 3)
    0.5
    """
    W = _dense(W)
    return float(np.abs(np.linalg.eigvals(W)).max(initial=0.0))


def partial_sum_distance(W: Any, z: float, longest: int = 40) -> np.ndarray:
    """How far the partial sums of Eq. 3 are from the closed form of Eq. 4, for any z at all.

    Unlike `mpas_lite.regularized_path_similarity` this does not refuse a z for which the series diverges.

    Parameters
    ----------
    W : (N, N) array
        Small: everything here is dense.
    z : float
    longest : int
        The last L.

    Returns
    -------
    distance : (longest + 1,) array
        The largest entry of ``abs(S_L - (inv(I - zW) - I))`` with ``S_L = zW + ... + (zW)**L``, for L = 0 to
        ``longest``. NaN where I - zW has no inverse.
    """
    A = z * _dense(W)
    identity = np.eye(len(A))
    if np.linalg.cond(identity - A) > _SINGULAR:
        return np.full(longest + 1, np.nan)
    closed = np.linalg.solve(identity - A, A)
    S = np.zeros_like(A)
    distance = [np.abs(closed).max(initial=0.0)]
    for _ in range(longest):
        S = A + A @ S
        distance.append(np.abs(S - closed).max(initial=0.0))
    return np.array(distance)


def plot_series(
    W: Any, z: float, k: int, ax: Axes | None = None, *, longest: int = 40, length: int | None = None
) -> Axes:
    """Draw how the partial sums of Eq. 3 close in on the closed form, or run away from it.

    Parameters
    ----------
    W : (N, N) array, small
    z : float
        The damping per step; any.
    k : int
        K, for the bound ``(zK)**L kappa`` on the distance, which is drawn where zK < 1.
    ax : Axes, optional
    longest : int
        The last L.
    length : int, optional
        An L to mark.
    """
    ax = new_axes(ax, (9, 5))
    _draw_scales(ax, longest)
    _draw_series(ax, partial_sum_distance(W, z, longest), z, k, spectral_radius(W), length)
    return ax


def _draw_scales(ax: Axes, longest: int) -> None:
    """Draw what is the same for every z."""
    ax.set_yscale("log")
    ax.set(ylim=(1e-16, 1e6), xlim=(-0.5, longest + 0.5), xticks=range(0, longest + 1, 10))
    ax.set_yticks([1e-15, 1e-10, 1e-5, 1, 1e5], ["10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1", "10⁵"])
    ax.minorticks_off()
    ax.set_xlabel("L, the longest walk counted (steps)", fontsize=_LABEL)
    ax.set_ylabel("largest entry of |partial sum − closed form|", fontsize=_LABEL - 1)
    ax.tick_params(labelsize=_TICK)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_series(ax: Axes, distance: np.ndarray, z: float, k: int, rho: float, length: int | None) -> None:
    L = np.arange(len(distance))
    if z * k < 1:
        text = f"bound (zK)ᴸκ, rate zK = {z * k:.2f}"
        ax.plot(L, (z * k) ** L * kappa(z, k), "--", color=PALETTE["vermillion"], linewidth=2.2, label=text)
    seen = np.where(distance > 1e-15, distance, np.nan)  # below is rounding
    if np.isfinite(seen).any():
        ax.plot(L, seen, "o", color=PALETTE["blue"], markersize=5, label="distance, computed")
        at = int(np.flatnonzero(np.isfinite(seen[: len(seen) // 4 + 1]))[-1])
        text = f"its own rate, zρ(W) = {z * rho:.2f}"
        ax.plot(L, seen[at] * (z * rho) ** (L - at), "-", color=PALETTE["sky"], linewidth=2.2, label=text, zorder=1)
    if length is not None and np.isfinite(seen[length]):
        ax.plot(length, seen[length], "o", markersize=13, markerfacecolor="none", markeredgecolor="black")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=_TICK, loc="upper right" if z * rho < 0.7 else "lower left", framealpha=0.9)


def series_explorer(W: Any, k: int) -> Explorer:
    """Build the sliders for z, up to and past 1/K, and L: does the series of Eq. 3 converge, and why.

    On the left the distance between partial sum and closed form, on the right the eigenvalues of zW: as long
    as all of them lie inside the unit circle the series converges.

    Parameters
    ----------
    W : (N, N) sparse or dense array, small
    k : int
        K, the number of neighbours.
    """
    import ipywidgets
    from matplotlib.figure import Figure

    W = _dense(W)
    eigenvalues = np.linalg.eigvals(W)
    rho = float(np.abs(eigenvalues).max())
    still = Figure(figsize=(10.5, 4.4), dpi=_DPI)
    series, plane = still.add_axes((0.085, 0.14, 0.5, 0.82)), still.add_axes((0.665, 0.14, 0.33, 0.79))
    _draw_scales(series, longest=40)
    _draw_unit_circle(plane)
    fresh = backdrop(still, [series, plane])

    def draw(z: float, length: int) -> tuple[Figure, str]:
        figure, (left, right) = fresh()
        distance = partial_sum_distance(W, z, longest=40)
        _draw_series(left, distance, z, k, rho, length)
        _draw_eigenvalues(right, z * eigenvalues)
        return figure, _verdict(z, k, rho, length, distance[length])

    largest = round(1.6 / max(rho, 1e-9), 2)
    step = round(largest / 100, 3)
    z_slider = slider(
        ipywidgets.FloatSlider, "z damping of each step [1]", value=1 / (2 * k), min=step, max=largest, step=step
    )
    z_slider.readout_format = ".3f"
    length_slider = slider(ipywidgets.IntSlider, "L longest walk counted [steps]", value=10, min=0, max=40)
    controls = {"z": z_slider, "length": length_slider}
    return Explorer(controls, draw)


def _draw_unit_circle(ax: Axes) -> None:
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
    ax.plot(circle.real, circle.imag, color="black", linewidth=1.5)
    ax.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    ax.set_title("eigenvalues of zW", fontsize=_LABEL)
    ax.set_xlabel("real part", fontsize=_LABEL)
    ax.set_ylabel("imaginary part", fontsize=_LABEL)
    ax.tick_params(labelsize=_TICK)


def _draw_eigenvalues(ax: Axes, eigenvalues: np.ndarray) -> None:
    outside = np.abs(eigenvalues) >= 1
    for part, color, marker in ((~outside, "blue", "o"), (outside, "orange", "D")):
        ax.plot(
            eigenvalues[part].real,
            eigenvalues[part].imag,
            marker,
            color=PALETTE[color],
            markersize=9,
            markeredgecolor="black",
            linestyle="none",
        )


def _verdict(z: float, k: int, rho: float, length: int, distance: float) -> str:
    numbers = f"z = {z:.3f}, zK = {z * k:.2f}, zρ(W) = {z * rho:.2f}."
    if not np.isfinite(distance):
        return f"<b>{numbers}</b> An eigenvalue of zW is 1: I − zW has no inverse, and the sum grows without end."
    if z * rho >= 1:
        return (
            f"<b>{numbers}</b> An eigenvalue is on or outside the circle: the sum <b>diverges</b>. inv(I − zW) − I "
            "still gives numbers, but they are no sum of walks."
        )
    left = f"After L = {length} the partial sum is off by {distance:.1e}."
    if z * k >= 1:
        return (
            f"<b>{numbers}</b> All eigenvalues are inside, so the sum still converges here. But zK ≥ 1: another crowd "
            f"with the same K may diverge, and the library refuses this z. {left}"
        )
    return f"<b>{numbers}</b> zK &lt; 1: the sum <b>converges</b> for every crowd with this K. {left}"


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
    bar.set_label("similarity (share of κ)", fontsize=_LABEL)
    bar.ax.tick_params(labelsize=_TICK)


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
    still = Figure(figsize=(8, 8 * 0.76 * height / width + 0.6), dpi=_DPI)
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
    return Explorer(controls, draw)


def _dense(W: Any) -> np.ndarray:
    """W as an array of float64, small enough to be dense, or one clear sentence."""
    if not 0 < np.shape(W)[0] <= 1000:
        raise ValueError("This is for graphs of 1 to 1,000 particles; mpas_lite.collectiveness takes larger ones.")
    return csr_array(W, dtype=np.float64).toarray()
