"""Outliers planted in a real scene: whom a threshold drops, in three readings, with precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import DPI, TICK, backdrop
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.merging import collective_merging
from mpas_lite.crowd.similarity import collectiveness, kappa
from mpas_lite.plots.axes import axes_on_frame
from mpas_lite.plots.frame_figures import Moving
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

READINGS = {
    "links: Z(i, j) > τ κ, then groups": "links",
    "particles: φ(i) > τ κ": "literal",
    "particles: φ(i) > τ, a share of its largest value": "share",
}


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
    """Draw who is dropped and who was planted: hits, misses, false alarms, and who is kept.

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
    *,
    beside: bool = False,
) -> None:
    for part, color, marker, size, name in (
        (~dropped & ~planted, "sky", "o", 4, "kept"),
        (dropped & planted, "black", "X", 9, "hit: planted, dropped"),
        (~dropped & planted, "yellow", "D", 8, "miss: planted, kept"),
        (dropped & ~planted, "vermillion", "s", 7, "false alarm: not planted, dropped"),
    ):
        x, y = position[part].T
        u, v = ahead * velocity[part].T
        ax.quiver(x, y, u, v, angles="xy", scale_units="xy", scale=1, width=0.0025, color="0.25", zorder=2)
        edge = "white" if color == "black" else "black"
        text = f"{name} ({part.sum()})"
        ax.plot(x, y, marker, color=PALETTE[color], markersize=size, markeredgecolor=edge, label=text, zorder=3)
    style = {"fontsize": TICK, "frameon": False, "handletextpad": 0.2, "columnspacing": 1}
    if beside:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), labelspacing=1.2, **style)
    else:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, **style)


def outlier_explorer(frame: np.ndarray, particles: Moving) -> Explorer:
    """Build the controls for threshold, reading and planted outliers on one frame, with precision and recall.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    particles : Particles
        Of that frame.
    """
    import ipywidgets
    from matplotlib.figure import Figure

    tall = frame.shape[0] / frame.shape[1]
    wide = min(6.4, 4.4 / tall)  # inches: picture and controls fit on a screen together
    width, height = wide + 4.7, wide * tall + 0.75
    still = Figure(figsize=(width, height), dpi=DPI)
    place = (0.75 / width, 0.65 / height, wide / width, wide * tall / height)
    picture = axes_on_frame(frame, still.add_axes(place), fade=0.6)
    picture.locator_params(nbins=4)
    fresh = backdrop(still, [picture])

    def draw(threshold: float, reading: str, share: float) -> tuple[Figure, str]:
        position, velocity, planted = plant_outliers(particles, frame.shape[:2], share=share)
        dropped = drop_outliers(crowd_graph(position, velocity), threshold, reading)
        precision, recall = precision_recall(dropped, planted)
        figure, (ax,) = fresh()
        _draw_outliers(ax, position, velocity, dropped, planted, beside=True)
        line = f"τ = {threshold:.2f}: {dropped.sum()} of {len(dropped)} particles are dropped. "
        if not planted.any():
            line += "Nothing is planted: there is nothing to find, and each of the dropped is a false alarm."
        elif not dropped.any():
            line += f"Nothing is dropped: each of the {planted.sum()} planted is a miss."
        else:
            line += (
                f"Precision <b>{precision:.2f}</b> (of the dropped, this share was planted), recall "
                f"<b>{recall:.2f}</b> (of the {planted.sum()} planted, this share is dropped)."
            )
        return figure, line

    real = ipywidgets.FloatSlider
    controls = {
        "threshold": slider(real, "τ threshold [1]", value=0.6, min=0.05, max=0.95, step=0.05),
        "reading": slider(ipywidgets.Dropdown, "what is compared", options=list(READINGS.items())),
        "share": slider(real, "planted outliers [per particle]", value=0.2, min=0.0, max=1.0, step=0.1),
    }
    return Explorer(
        controls,
        draw,
        alt="The frame with its particles: kept; hits, planted and dropped; misses, planted and kept; false alarms.",
    )
