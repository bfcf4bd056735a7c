"""The series of walks (Eq. 3) and its closed form (Eq. 4): does it converge, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.matrices import as_dense
from mpas_lite.course.widgets.pictures import DPI, LABEL, TICK, backdrop
from mpas_lite.crowd.similarity import kappa
from mpas_lite.plots.axes import new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SINGULAR = 1e12  # condition number: above it, I - zW has no inverse to speak of


def spectral_radius(W: Any) -> float:
    """Return rho(W), the largest absolute eigenvalue of a small (N, N) array.

    Examples
    --------
    >>> round(spectral_radius([[0, 0.5], [0.5, 0]]), 3)
    0.5
    """
    W = as_dense(W)
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
    A = z * as_dense(W)
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
    ax.set_xlabel("L, the longest walk counted (steps)", fontsize=LABEL)
    ax.set_ylabel("largest entry of |partial sum − closed form|", fontsize=LABEL - 1)
    ax.tick_params(labelsize=TICK)
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
        ax.legend(fontsize=TICK, loc="upper right" if z * rho < 0.7 else "lower left", framealpha=0.9)


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

    W = as_dense(W)
    eigenvalues = np.linalg.eigvals(W)
    rho = float(np.abs(eigenvalues).max())
    still = Figure(figsize=(10.5, 4.4), dpi=DPI)
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
    return Explorer(
        controls,
        draw,
        alt=(
            "Left, the distance between partial sum and closed form over L. "
            "Right, the eigenvalues of zW and the unit circle."
        ),
    )


def _draw_unit_circle(ax: Axes) -> None:
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
    ax.plot(circle.real, circle.imag, color="black", linewidth=1.5)
    ax.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    ax.set_title("eigenvalues of zW", fontsize=LABEL)
    ax.set_xlabel("real part", fontsize=LABEL)
    ax.set_ylabel("imaginary part", fontsize=LABEL)
    ax.tick_params(labelsize=TICK)


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
