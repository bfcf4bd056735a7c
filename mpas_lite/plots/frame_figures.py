"""Figures over a frame: every function takes data, draws on an Axes and returns it.

Nothing is shown and no global setting is changed; without ``ax`` a new figure is made. The colours are those
of Okabe and Ito, which colour-blind people tell apart, and the text can be read from the last row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import sparse

from mpas_lite.evaluation.scores import iou
from mpas_lite.plots.axes import LABEL, TICK, TITLE, axes_on_frame, legend_below, name_region
from mpas_lite.plots.overlays import overlay, overlay_errors
from mpas_lite.plots.palette import ERROR_COLORS, ORANGE, PALETTE
from mpas_lite.video.arrays import Frame, Mask, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUP_MARKS = "os^Dv*P"
GROUP_COLORS = [PALETTE[name] for name in ("orange", "sky", "green", "yellow", "purple", "vermillion", "blue")]


class Moving(Protocol):
    """What a plot needs to know of particles; `mpas_lite.Particles` fits."""

    @property
    def position(self) -> Points:
        """(N, 2) px."""

    @property
    def velocity(self) -> Points:
        """(N, 2) px/frame."""


def plot_particles(
    frame: Frame,
    particles: Moving,
    labels: np.ndarray | None = None,
    ax: Axes | None = None,
    *,
    ahead: float = 10,
) -> Axes:
    """Draw particles, and where they are going, on the frame.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    particles : Particles
        ``position`` (N, 2) in px and ``velocity`` (N, 2) in px/frame.
    labels : (N,) int, optional
        Groups as `mpas_lite.collective_merging` numbers them: particles of a group share colour and mark, outliers
        (0) are grey crosses. Without labels all particles look the same.
    ax : Axes, optional
    ahead : float
        An arrow ends where its particle will be in this many frames.

    Raises
    ------
    ValueError
        If there is not one label per particle.
    """
    position = np.asarray(particles.position, dtype=float).reshape(-1, 2)
    velocity = np.asarray(particles.velocity, dtype=float).reshape(-1, 2)
    group = np.ones(len(position), int) if labels is None else np.asarray(labels)
    if group.shape != (len(position),):
        raise ValueError(f"{len(position)} particles need as many labels, not labels of shape {group.shape}.")
    kept = group != 0
    numbers, count = np.unique(group[kept], return_counts=True)
    by_size = numbers[np.argsort(-count, kind="stable")]  # the largest group has the first colour

    ax = axes_on_frame(frame, ax, fade=0.45)
    size = float(np.clip(80 / np.sqrt(max(len(position), 1)), 2.5, 5))  # points; many particles, small dots
    if labels is not None:
        text = f"dropped ({(~kept).sum()})"
        ax.plot(*position[~kept].T, "x", color="dimgrey", markersize=max(size, 4), markeredgewidth=1, label=text)
    for rank, number in enumerate(by_size):
        x, y = position[group == number].T
        u, v = velocity[group == number].T * ahead
        color, mark = GROUP_COLORS[rank % len(GROUP_COLORS)], GROUP_MARKS[rank % len(GROUP_MARKS)]
        ax.quiver(x, y, u, v, color=color, angles="xy", scale_units="xy", scale=1, width=0.003, zorder=2)
        ax.plot(x, y, mark, color=color, markersize=size, markeredgecolor="black", markeredgewidth=size / 10)
    groups = f", {len(by_size)} group{'s'[: len(by_size) != 1]}" if labels is not None else ""
    text = f"{'particles' if labels is None else 'kept'} ({kept.sum()}{groups})"
    ax.plot([], [], "o", color=GROUP_COLORS[0], markersize=6, markeredgecolor="black", label=text)
    return legend_below(ax)


def plot_mask(
    frame: Frame,
    mask: Mask,
    truth: Mask | None = None,
    ax: Axes | None = None,
    *,
    valid: Mask | None = None,
) -> Axes:
    """Lay a mask over the frame; with the truth, show where the mask is right and where it is wrong.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    mask, truth : (H, W) bool
        A pseudo-label or the network's answer, and the ground truth if there is one.
    ax : Axes, optional
    valid : (H, W) bool, optional
        Pixels where ground truth exists; others are left as they are and do not count for the IoU.
    """
    if truth is None:
        return axes_on_frame(overlay(frame, mask, ORANGE, opacity=0.5), ax)
    ax = axes_on_frame(overlay_errors(frame, mask, truth, valid), ax)
    for name, color in ERROR_COLORS.items():
        name_region(ax, name, color)
    ax.set_title(f"IoU {iou(mask, truth, valid):.2f}", fontsize=TITLE)
    return legend_below(ax)


def plot_graph(
    frame: Frame,
    position: Points,
    W: sparse.csr_array,
    ax: Axes | None = None,
    *,
    colorbar: bool = True,
) -> Axes:
    """Draw the crowd graph: a line for each edge, the broader and the more opaque the heavier it is.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    position : (N, 2)
        Of the particles, in px.
    W : (N, N) sparse
        `mpas_lite.crowd_graph`, Eq. 1; edges of weight 0 are left out.
    ax : Axes, optional
    colorbar : bool
        Whether to add a scale of the weights.

    Raises
    ------
    ValueError
        If ``W`` does not have a row per particle.
    """
    from matplotlib.collections import LineCollection

    position = np.asarray(position, dtype=float).reshape(-1, 2)
    edges = sparse.coo_array(W)
    if edges.shape != (len(position), len(position)):
        raise ValueError(f"W is {edges.shape}, but there are {len(position)} particles; it needs a row for each.")
    edges.eliminate_zeros()
    order = np.argsort(np.abs(edges.data))  # the heavy ones on top
    i, j, weight = edges.row[order], edges.col[order], edges.data[order]
    strength = np.abs(weight).clip(0, 1)

    ax = axes_on_frame(frame, ax, fade=0.45)
    lines = LineCollection(
        list(np.stack([position[i], position[j]], axis=1)),
        array=weight,
        cmap="cividis_r",
        clim=(min(0.0, weight.min(initial=0.0)), 1.0),
        linewidths=np.clip(60 / np.sqrt(max(len(weight), 1)), 0.4, 1.5) * (0.3 + 0.7 * strength),
    )
    if len(weight):  # matplotlib refuses an empty array of them
        lines.set_alpha(0.1 + 0.5 * strength)
    ax.add_collection(lines, autolim=False)
    ax.plot(*position.T, "o", color="white", markersize=4, markeredgecolor="black", markeredgewidth=0.6)
    if colorbar:
        from matplotlib.cm import ScalarMappable

        scale = ScalarMappable(lines.norm, lines.cmap)  # of its own: the lines' has their transparency
        bar = ax.figure.colorbar(scale, ax=ax, fraction=0.046, pad=0.02)
        bar.set_label("velocity correlation $w_{ij}$", fontsize=LABEL)
        bar.ax.tick_params(labelsize=TICK)
    ax.set_title(f"{len(position)} particles, {len(weight)} edges", fontsize=TITLE)
    return ax


def plot_pipeline(
    frame: Frame,
    particles: Moving,
    labels: np.ndarray | None,
    pseudo_label: Mask,
    mask: Mask,
    truth: Mask | None = None,
    axes: Sequence[Axes] | None = None,
    *,
    valid: Mask | None = None,
    answer: str = "network",
) -> np.ndarray:
    """Show the whole method in a row, as the paper's Fig. 4 does: frame, particles, pseudo-label, network.

    Parameters
    ----------
    frame, particles, labels
        See `plot_particles`.
    pseudo_label, mask, truth, valid : (H, W) bool
        See `plot_mask`.
    axes : four Axes, optional
    answer : str
        Title of the last panel, where the mask is not a network's alone.

    Returns
    -------
    (4,) array of Axes
    """
    if axes is None:
        import matplotlib.pyplot as plt

        height, width = frame.shape[:2]
        _, axes = plt.subplots(1, 4, figsize=(20, 5 * height / width + 0.9), layout="compressed")
    row = np.asarray(axes, dtype=object).ravel()
    if row.size != 4:
        raise ValueError(f"The row has four panels, so it needs four Axes, not {row.size}.")
    axes_on_frame(frame, row[0])
    plot_particles(frame, particles, labels, row[1])
    plot_mask(frame, pseudo_label, truth, row[2], valid=valid)
    plot_mask(frame, mask, truth, row[3], valid=valid)
    for ax, title in zip(row, ("frame", "particles", "pseudo-label", answer), strict=True):
        score = ax.get_title()
        ax.set_title(f"{title}: {score}" if score else title, fontsize=TITLE)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        if ax.get_legend():
            legend_below(ax)  # closer, now that there are no ticks
    return row
