"""Collectiveness to play with: self-driven particles under noise, and outliers planted in a real scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import backdrop
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.merging import collective_merging
from mpas_lite.crowd.similarity import collectiveness, kappa, regularized_path_similarity
from mpas_lite.motion.vicsek import at_steps, order, self_driven_particles
from mpas_lite.plots.axes import axes_on_frame, new_axes
from mpas_lite.plots.frame_figures import Moving
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISES = tuple(np.linspace(0, 1, 21).round(2).tolist())
STEPS = (0, 1, 2, 5, 10, 20, 50, 100)
READINGS = {
    "links: Z(i, j) > τ κ, then groups": "links",
    "particles: φ(i) > τ κ": "literal",
    "particles: φ(i) > τ, a share of its largest value": "share",
}
_LABEL, _TICK, _DPI = 13, 12, 80


@dataclass(frozen=True)
class Sweep:
    """Self-driven particles under every noise, after every number of steps.

    Attributes
    ----------
    noise : (A,) array, eta
    step : (B,) array, numbers of steps
    position, velocity : (A, B, N, 2) arrays
    phi : (A, B, N) array, collectiveness of each particle (Eq. 5)
    order : (A, B) array, the length of the mean direction
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
    noise : increasing numbers between 0 and 1
    step : increasing numbers of steps after which to look
    n : int, particles
    k : int, K of the crowd graph; z is 1/(2K)
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
    _name_radii(ax)
    ax.locator_params(nbins=4)
    if colorbar:
        bar = ax.figure.colorbar(arrows, ax=ax, fraction=0.046, pad=0.03, ticks=(0, 0.5, 1))
        bar.set_label("collectiveness φ", fontsize=_LABEL)
        bar.ax.tick_params(labelsize=_TICK)
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


def _name_radii(ax: Axes) -> None:
    ax.set_aspect("equal")
    ax.set_xlabel("x (interaction radii)", fontsize=_LABEL)
    ax.set_ylabel("y (interaction radii)", fontsize=_LABEL)
    ax.tick_params(labelsize=_TICK)


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
    ax.set_ylabel(f"after {step} steps", fontsize=_LABEL)
    _draw_sweep(ax, sweep, step, noise)
    return ax


def _draw_noise_axes(ax: Axes) -> None:
    ax.set(ylim=(-0.02, 1.04), xlim=(-0.02, 1.02), xticks=(0, 0.25, 0.5, 0.75, 1), yticks=(0, 0.25, 0.5, 0.75, 1))
    ax.set_xlabel("noise η (1: any direction)", fontsize=_LABEL)
    ax.tick_params(labelsize=_TICK)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_sweep(ax: Axes, sweep: Sweep, step: int, noise: float | None) -> None:
    b = int(np.flatnonzero(sweep.step == step)[0])
    ax.plot(sweep.noise, sweep.order[:, b], "s--", color=PALETTE["vermillion"], linewidth=2, label="order v")
    phi = sweep.phi[:, b].mean(axis=1)
    ax.plot(sweep.noise, phi, "o-", color=PALETTE["blue"], linewidth=2, label="collectiveness Φ")
    if noise is not None:
        ax.axvline(noise, color="black", linewidth=1.2)
    ax.legend(fontsize=_LABEL, loc="upper right")


def noise_explorer(sweep: Sweep | None = None) -> Explorer:
    """Build the sliders for noise and time: self-driven particles, their order and their collectiveness.

    Parameters
    ----------
    sweep : Sweep, optional
        As `sweep_noise` gives it; simulated if not given, which takes seconds.
    """
    import ipywidgets
    from matplotlib.figure import Figure

    data = sweep_noise() if sweep is None else sweep
    still = Figure(figsize=(10.5, 4.6), dpi=_DPI)
    box, curves = still.add_axes((0.06, 0.13, 0.4, 0.84)), still.add_axes((0.56, 0.13, 0.42, 0.84))
    side = data.position.max()
    box.set(xlim=(-0.04 * side, 1.04 * side), ylim=(-0.04 * side, 1.04 * side))
    _name_radii(box)
    box.locator_params(nbins=4)
    _draw_noise_axes(curves)
    fresh = backdrop(still, [box, curves])

    def draw(noise: float, step: int) -> tuple[Figure, str]:
        a, b = int(np.abs(data.noise - noise).argmin()), int(np.abs(data.step - step).argmin())
        figure, (left, right) = fresh()
        phi = data.phi[a, b]
        _draw_arrows(left, data.position[a, b], data.velocity[a, b], phi)
        _draw_sweep(right, data, int(data.step[b]), float(data.noise[a]))
        figure.text(0.51, 0.55, f"after {data.step[b]} steps", fontsize=_LABEL, rotation=90, ha="center", va="center")
        return figure, (
            f"Noise η = <b>{data.noise[a]:.2f}</b>, after <b>{data.step[b]}</b> steps: order v = "
            f"<b>{data.order[a, b]:.2f}</b>, collectiveness Φ = <b>{phi.mean():.2f}</b> (single particles from "
            f"{phi.min():.2f} to {phi.max():.2f}; yellow is 0, violet is 1)."
        )

    noises = [(f"{eta:.2f}", float(eta)) for eta in data.noise]
    steps = [(str(step), int(step)) for step in data.step]
    choice = ipywidgets.SelectionSlider
    controls = {
        "noise": slider(choice, "η noise of the direction [1]", options=noises, value=noises[len(noises) // 4][1]),
        "step": slider(choice, "t time [steps]", options=steps, value=steps[-1][1]),
    }
    return Explorer(controls, draw)


def plot_readings(W: Any, threshold: float = 0.6, axes: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw what the threshold is compared with in two readings: phi of particles, and the entries of Z.

    Parameters
    ----------
    W : (N, N) sparse array of `mpas_lite.crowd_graph`, small; z is 1/(2K)
    threshold : float
        tau; a line is drawn at tau kappa.
    axes : two Axes, optional

    Returns
    -------
    (2,) array of Axes
    """
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(1, 2, figsize=(14, 4.6), layout="compressed")[1]
    k = max(int(np.diff(W.indptr).max(initial=1)), 1)
    limit = threshold * kappa(1 / (2 * k), k)
    phi, Z = collectiveness(W), regularized_path_similarity(W)
    left, right = axes
    left.hist(phi, bins=50, range=(0, 1), color=PALETTE["blue"])
    right.hist(Z[W.toarray() > 0], bins=50, range=(0, kappa(1 / (2 * k), k)), color=PALETTE["sky"])
    left.set_xlabel("φ of a particle (at most 1)", fontsize=_LABEL)
    right.set_xlabel(f"entry of Z, on the edges of W (at most κ = {kappa(1 / (2 * k), k):.2f})", fontsize=_LABEL)
    left.set_ylabel("particles", fontsize=_LABEL)
    right.set_ylabel("entries", fontsize=_LABEL)
    for ax, below, of in ((left, (phi <= limit).mean(), "particles"), (right, _share_below(Z, W, limit), "entries")):
        ax.axvline(limit, color="black", linewidth=2.5, linestyle="--")
        ax.set_title(f"{threshold:g} κ = {limit:g}: {below:.0%} of the {of} lie below", fontsize=_LABEL + 1)
        ax.tick_params(labelsize=_TICK)
        ax.spines[["top", "right"]].set_visible(False)
    return np.array([left, right])


def _share_below(Z: np.ndarray, W: Any, limit: float) -> float:
    return float((Z[W.toarray() > 0] <= limit).mean())


def plot_links(position: np.ndarray, links: np.ndarray, labels: np.ndarray, ax: Axes | None = None) -> Axes:
    """Draw the links between particles, and the groups they make; outliers are grey crosses.

    Parameters
    ----------
    position : (N, 2) array
    links : (N, N) bool array
        Of any direction.
    labels : (N,) int array
        As `mpas_lite.collective_merging` gives them.
    ax : Axes, optional
    """
    from matplotlib.collections import LineCollection

    ax = new_axes(ax, (6.6, 5.6))
    i, j = np.nonzero(links | links.T)
    once = i < j
    lines = list(np.stack([position[i[once]], position[j[once]]], axis=1))
    ax.add_collection(LineCollection(lines, colors="0.6", linewidths=0.7), autolim=False)
    colors = [PALETTE[name] for name in ("orange", "sky", "green", "purple", "yellow")]
    for group in range(1, int(labels.max(initial=0)) + 1):
        members = labels == group
        ax.plot(
            *position[members].T,
            "o",
            color=colors[(group - 1) % len(colors)],
            markeredgecolor="black",
            markersize=6,
            label=f"group {group} ({members.sum()})",
        )
    ax.plot(*position[labels == 0].T, "x", color="black", markersize=7, label=f"dropped ({(labels == 0).sum()})")
    _name_radii(ax)
    ax.legend(fontsize=_TICK, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


def plant_outliers(
    particles: Moving, shape: tuple[int, int], *, share: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add particles that go with nobody: anywhere in the frame, in any direction, as fast as the others.

    Parameters
    ----------
    particles : Particles
    shape : (int, int)
        Height and width of the frame, px.
    share : float
        How many, as a share of the particles that are there.
    seed : int

    Returns
    -------
    position, velocity : (N + M, 2) arrays, px and px/frame; the M planted ones are the last
    planted : (N + M,) bool array
    """
    rng = np.random.default_rng(seed)
    n = len(particles.position)
    m = round(share * n)
    angle = rng.uniform(0, 2 * np.pi, m)
    speed = rng.choice(np.linalg.norm(particles.velocity, axis=1), m) if m else np.zeros(0)
    place = rng.uniform(0, (shape[1], shape[0]), (m, 2))
    position = np.concatenate([np.asarray(particles.position, dtype=float), place])
    heading = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    velocity = np.concatenate([np.asarray(particles.velocity, dtype=float), speed[:, None] * heading])
    return position, velocity, np.arange(n + m) >= n


def drop_outliers(W: Any, threshold: float, reading: str = "links", *, min_size: int = 10) -> np.ndarray:
    """Which particles "collectiveness thresholding" drops, in one of three readings.

    Parameters
    ----------
    W : (N, N) sparse array of `mpas_lite.crowd_graph`; z is 1/(2K)
    threshold : float
        tau; 0.6 in the paper.
    reading : str
        "links": particles outside all groups of `mpas_lite.collective_merging`; "literal": phi at most tau kappa;
        "share": phi at most tau times its largest possible value, zK / (1 - zK).
    min_size : int
        Smallest group, for the links.

    Returns
    -------
    dropped : (N,) bool array
    """
    k = max(int(np.diff(W.indptr).max(initial=1)), 1)
    if reading == "links":
        return collective_merging(W, threshold=threshold, min_size=min_size) == 0
    if reading not in ("literal", "share"):
        raise ValueError(f"The reading is one of {', '.join(READINGS.values())}; it is {reading!r}.")
    bound = kappa(1 / (2 * k), k) * (k if reading == "share" else 1)
    return collectiveness(W) <= threshold * bound


def precision_recall(dropped: np.ndarray, planted: np.ndarray) -> tuple[float, float]:
    """How good it is to drop these: the share of the dropped that are planted, and of the planted that are dropped.

    Where nothing is dropped, or nothing planted, the share of nothing is 1.

    Examples
    --------
    >>> precision_recall(np.array([True, True, False, False]), np.array([True, False, True, False]))
    (0.5, 0.5)
    """
    hits = int((dropped & planted).sum())
    precision = hits / int(dropped.sum()) if dropped.any() else 1.0
    recall = hits / int(planted.sum()) if planted.any() else 1.0
    return precision, recall


def plot_outliers(
    frame: np.ndarray,
    position: np.ndarray,
    velocity: np.ndarray,
    dropped: np.ndarray,
    planted: np.ndarray,
    ax: Axes | None = None,
    *,
    ahead: float = 10,
) -> Axes:
    """Draw who is dropped and who was planted: found, missed, dropped by mistake, and kept.

    An arrow ends where its particle will be in ``ahead`` frames.
    """
    ax = axes_on_frame(frame, ax, fade=0.6)
    ax.locator_params(nbins=4)
    _draw_outliers(ax, position, velocity, dropped, planted, ahead)
    return ax


def _draw_outliers(
    ax: Axes,
    position: np.ndarray,
    velocity: np.ndarray,
    dropped: np.ndarray,
    planted: np.ndarray,
    ahead: float = 10,
) -> None:
    for part, color, marker, size, name in (
        (~dropped & ~planted, "sky", "o", 4, "kept"),
        (dropped & planted, "black", "X", 9, "planted, dropped"),
        (~dropped & planted, "yellow", "D", 8, "planted, kept"),
        (dropped & ~planted, "vermillion", "s", 7, "not planted, dropped"),
    ):
        x, y = position[part].T
        u, v = ahead * velocity[part].T
        ax.quiver(x, y, u, v, angles="xy", scale_units="xy", scale=1, width=0.0025, color="0.25", zorder=2)
        edge = "white" if color == "black" else "black"
        text = f"{name} ({part.sum()})"
        ax.plot(x, y, marker, color=PALETTE[color], markersize=size, markeredgecolor=edge, label=text, zorder=3)
    ax.legend(
        fontsize=_TICK,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=2,
        frameon=False,
        handletextpad=0.2,
        columnspacing=1,
    )


def outlier_explorer(frame: np.ndarray, particles: Moving) -> Explorer:
    """Build the controls for threshold, reading and planted outliers on one frame, with precision and recall.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    particles : Particles of that frame
    """
    import ipywidgets
    from matplotlib.figure import Figure

    height = 8 * 0.88 * frame.shape[0] / frame.shape[1] + 1.6
    still = Figure(figsize=(8, height), dpi=_DPI)
    picture = axes_on_frame(frame, still.add_axes((0.09, 1.5 / height, 0.88, 1 - 1.6 / height)), fade=0.6)
    picture.locator_params(nbins=4)
    fresh = backdrop(still, [picture])

    def draw(threshold: float, reading: str, share: float) -> tuple[Figure, str]:
        position, velocity, planted = plant_outliers(particles, frame.shape[:2], share=share)
        dropped = drop_outliers(crowd_graph(position, velocity), threshold, reading)
        precision, recall = precision_recall(dropped, planted)
        figure, (ax,) = fresh()
        _draw_outliers(ax, position, velocity, dropped, planted)
        return figure, (
            f"τ = {threshold:.2f}: {dropped.sum()} of {len(dropped)} particles are dropped. Precision "
            f"<b>{precision:.2f}</b> (of the dropped, this share was planted), recall <b>{recall:.2f}</b> (of the "
            f"{planted.sum()} planted, this share is dropped)."
        )

    real = ipywidgets.FloatSlider
    controls = {
        "threshold": slider(real, "τ threshold [1]", value=0.6, min=0.05, max=0.95, step=0.05),
        "reading": slider(ipywidgets.Dropdown, "what is compared", options=list(READINGS.items())),
        "share": slider(real, "planted outliers [per particle]", value=0.2, min=0.0, max=1.0, step=0.1),
    }
    return Explorer(controls, draw)
