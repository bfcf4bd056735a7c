"""Self-driven particles under noise: their order and their collectiveness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, value_slider
from mpas_lite.course.widgets.pictures import DPI, LABEL, TICK, backdrop
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.similarity import collectiveness
from mpas_lite.motion.vicsek import at_steps, order, self_driven_particles
from mpas_lite.plots.axes import new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISES = tuple(np.linspace(0, 1, 21).round(2).tolist())
STEPS = (0, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Sweep:
    """Self-driven particles under every noise, after every number of steps.

    Attributes
    ----------
    noise : (A,) float
        eta.
    step : (B,) int
        Numbers of steps.
    position, velocity : (A, B, N, 2) float
    phi : (A, B, N) float
        Collectiveness of each particle (Eq. 5).
    order : (A, B) float
        The length of the mean direction.
    """

    noise: np.ndarray
    step: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    phi: np.ndarray
    order: np.ndarray


def sweep_noise(
    noise: Sequence[float] = NOISES, step: Sequence[int] = STEPS, *, n: int = 400, k: int = 20, seed: int = 0
) -> Sweep:
    """Simulate self-driven particles under every noise, and measure order and collectiveness.

    Parameters
    ----------
    noise : sequence of float
        eta, increasing, between 0 and 1.
    step : sequence of int
        Numbers of steps after which to look, increasing.
    n : int
        Particles.
    k : int
        K of the crowd graph; z is 1/(2K).
    seed : int

    Examples
    --------
    >>> sweep = sweep_noise([0, 1], [0, 60], n=50)
    >>> sweep.order.round(1)
    array([[0. , 0.8],
           [0. , 0.1]])
    """
    moments = [at_steps(self_driven_particles(n, noise=eta, seed=seed), tuple(step)) for eta in noise]
    position = np.array([[x for x, _ in row] for row in moments])
    velocity = np.array([[v for _, v in row] for row in moments])
    phi = np.array([[collectiveness(crowd_graph(x, v, k)) for x, v in row] for row in moments])
    return Sweep(
        np.array(noise),
        np.array(step),
        position,
        velocity,
        phi,
        np.array([[order(v) for _, v in row] for row in moments]),
    )


def plot_crowd(
    position: np.ndarray, velocity: np.ndarray, phi: np.ndarray, ax: Axes | None = None, *, colorbar: bool = True
) -> Axes:
    """Draw arrows the way particles move, the darker the higher their collectiveness phi, from 0 to 1."""
    ax = new_axes(ax, (6.6, 5.6))
    arrows = _draw_arrows(ax, position, velocity, phi)
    label_radii(ax)
    ax.locator_params(nbins=4)
    if colorbar:
        bar = ax.figure.colorbar(arrows, ax=ax, fraction=0.046, pad=0.03, ticks=(0, 0.5, 1))
        bar.set_label("collectiveness φ", fontsize=LABEL)
        bar.ax.tick_params(labelsize=TICK)
    return ax


def _draw_arrows(ax: Axes, position: np.ndarray, velocity: np.ndarray, phi: np.ndarray) -> Any:
    length = np.linalg.norm(velocity, axis=1, keepdims=True)
    heading = np.divide(velocity, length, out=np.zeros_like(velocity, dtype=float), where=length > 0)
    return ax.quiver(
        *position.T,
        *heading.T,
        phi,
        cmap="viridis_r",
        clim=(0, 1),
        scale=22,
        width=0.008,
        edgecolor="black",
        linewidth=0.3,
        pivot="mid",
    )


def label_radii(ax: Axes) -> None:
    """Name the axes of self-driven particles; both have the same scale."""
    ax.set_aspect("equal")
    ax.set_xlabel("x (interaction radii)", fontsize=LABEL)
    ax.set_ylabel("y (interaction radii)", fontsize=LABEL)
    ax.tick_params(labelsize=TICK)


def plot_sweep(sweep: Sweep, step: int, ax: Axes | None = None, *, noise: float | None = None) -> Axes:
    """Draw order and collectiveness over the noise, after so many steps; mark one noise.

    Parameters
    ----------
    sweep : Sweep
    step : int
        One of ``sweep.step``.
    ax : Axes, optional
    noise : float, optional
        To be marked.
    """
    ax = new_axes(ax, (8, 5))
    _draw_noise_axes(ax)
    ax.set_ylabel(f"after {step} steps", fontsize=LABEL)
    _draw_sweep(ax, sweep, step, noise)
    return ax


def _draw_noise_axes(ax: Axes) -> None:
    ax.set(ylim=(-0.02, 1.04), xlim=(-0.02, 1.02), xticks=(0, 0.25, 0.5, 0.75, 1), yticks=(0, 0.25, 0.5, 0.75, 1))
    ax.set_xlabel("noise η (1: any direction)", fontsize=LABEL)
    ax.tick_params(labelsize=TICK)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_sweep(ax: Axes, sweep: Sweep, step: int, noise: float | None) -> None:
    b = int(np.flatnonzero(sweep.step == step)[0])
    ax.plot(sweep.noise, sweep.order[:, b], "s--", color=PALETTE["vermillion"], linewidth=2, label="order v")
    phi = sweep.phi[:, b].mean(axis=1)
    ax.plot(sweep.noise, phi, "o-", color=PALETTE["blue"], linewidth=2, label="collectiveness Φ")
    if noise is not None:
        ax.axvline(noise, color="black", linewidth=1.2)
    ax.legend(fontsize=LABEL, loc="upper right")


def noise_explorer(sweep: Sweep | None = None) -> Explorer:
    """Build the sliders for noise and time: self-driven particles, their order and their collectiveness.

    Parameters
    ----------
    sweep : Sweep, optional
        As `sweep_noise` gives it; simulated if not given, which takes seconds.
    """
    from matplotlib.figure import Figure

    data = sweep_noise() if sweep is None else sweep
    still = Figure(figsize=(10.5, 4.6), dpi=DPI)
    box, curves = still.add_axes((0.06, 0.13, 0.4, 0.84)), still.add_axes((0.56, 0.13, 0.42, 0.84))
    side = data.position.max()
    box.set(xlim=(-0.04 * side, 1.04 * side), ylim=(-0.04 * side, 1.04 * side))
    label_radii(box)
    box.locator_params(nbins=4)
    _draw_noise_axes(curves)
    fresh = backdrop(still, [box, curves])

    def draw(noise: float, step: int) -> tuple[Figure, str]:
        a, b = int(np.argmin(np.abs(data.noise - noise))), int(np.argmin(np.abs(data.step - step)))
        figure, (left, right) = fresh()
        phi = data.phi[a, b]
        _draw_arrows(left, data.position[a, b], data.velocity[a, b], phi)
        _draw_sweep(right, data, int(data.step[b]), float(data.noise[a]))
        figure.text(0.51, 0.55, f"after {data.step[b]} steps", fontsize=LABEL, rotation=90, ha="center", va="center")
        return figure, (
            f"Noise η = <b>{data.noise[a]:.2f}</b>, after <b>{data.step[b]}</b> steps: order v = "
            f"<b>{data.order[a, b]:.2f}</b>, collectiveness Φ = <b>{phi.mean():.2f}</b> (single particles from "
            f"{phi.min():.2f} to {phi.max():.2f}; yellow is 0, violet is 1)."
        )

    noises, steps = data.noise.tolist(), data.step.tolist()
    controls = {
        "noise": value_slider("η noise of the direction [1]", noises, noises[len(noises) // 4]),
        "step": value_slider("t time [steps]", steps, steps[-1]),
    }
    return Explorer(
        controls,
        draw,
        alt=(
            "Left, self-driven particles as arrows, the darker the higher their collectiveness. "
            "Right, order and collectiveness over the noise."
        ),
    )
