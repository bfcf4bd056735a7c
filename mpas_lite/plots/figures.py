"""Figures of the method: every function takes data, draws on an Axes and returns it.

Nothing is shown and no global setting is changed; without ``ax`` a new figure is made. The colours are those
of Okabe and Ito, which colour-blind people tell apart, and the text can be read from the last row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import sparse

from mpas_lite.evaluation.scores import iou
from mpas_lite.plots.drawing import overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#999999",
    "black": "#000000",
}
_PARTS = {"hit": "sky", "miss": "yellow", "false alarm": "vermillion"}
_GROUPS = [PALETTE[name] for name in ("orange", "sky", "green", "yellow", "purple", "vermillion", "blue")]
_BARS = [PALETTE[name] for name in ("grey", "sky", "orange", "blue", "green", "vermillion", "purple")]
_TITLE, _LABEL, _TICK = 17, 15, 13  # points


class Moving(Protocol):
    """What a plot needs to know of particles; `mpas_lite.Particles` fits."""

    @property
    def position(self) -> np.ndarray:
        """(N, 2) px."""

    @property
    def velocity(self) -> np.ndarray:
        """(N, 2) px/frame."""


class Losses(Protocol):
    """What a plot needs to know of training; the `History` that `mpas_lite.fit` returns fits."""

    @property
    def loss(self) -> Sequence[float]:
        """Total of each epoch."""

    @property
    def segmentation(self) -> Sequence[float]:
        """L_SEG of each epoch."""

    @property
    def air(self) -> Sequence[float]:
        """L_AIR of each epoch."""


def plot_particles(
    frame: np.ndarray,
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
        Groups as `mpas_lite.collective_merging` numbers them: particles of a group share a colour, outliers
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

    ax = _on_frame(frame, ax, fade=0.45)
    size = float(np.clip(80 / np.sqrt(max(len(position), 1)), 2.5, 5))  # points; many particles, small dots
    if labels is not None:
        text = f"dropped ({(~kept).sum()})"
        ax.plot(*position[~kept].T, "x", color="dimgrey", markersize=max(size, 4), markeredgewidth=1, label=text)
    for rank, number in enumerate(by_size):
        x, y = position[group == number].T
        u, v = velocity[group == number].T * ahead
        color = _GROUPS[rank % len(_GROUPS)]
        ax.quiver(x, y, u, v, color=color, angles="xy", scale_units="xy", scale=1, width=0.003, zorder=2)
        ax.plot(x, y, "o", color=color, markersize=size, markeredgecolor="black", markeredgewidth=size / 10)
    groups = f", {len(by_size)} group{'s'[: len(by_size) != 1]}" if labels is not None else ""
    text = f"{'particles' if labels is None else 'kept'} ({kept.sum()}{groups})"
    ax.plot([], [], "o", color=_GROUPS[0], markersize=6, markeredgecolor="black", label=text)
    return _legend_below(ax)


def plot_mask(
    frame: np.ndarray,
    mask: np.ndarray,
    truth: np.ndarray | None = None,
    ax: Axes | None = None,
    *,
    valid: np.ndarray | None = None,
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
        return _on_frame(overlay(frame, mask, _rgb("orange"), opacity=0.5), ax)
    ax = _on_frame(_marked(frame, mask, truth, valid), ax)
    for name, color in _PARTS.items():
        ax.plot([], [], "s", color=PALETTE[color], markersize=11, markeredgecolor="black", label=name)
    ax.set_title(f"IoU {iou(mask, truth, valid):.2f}", fontsize=_TITLE)
    return _legend_below(ax)


def _marked(frame: np.ndarray, mask: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """The frame, paler, with what the mask has right and wrong in the colours of `_PARTS`."""
    counted = np.ones(mask.shape, bool) if valid is None else valid
    parts = {
        "hit": mask & truth & counted,
        "miss": truth & ~mask & counted,
        "false alarm": mask & ~truth & counted,
    }
    drawn = _towards_white(frame, 0.25)
    for name, part in parts.items():
        drawn = overlay(drawn, part, _rgb(_PARTS[name]), opacity=0.6)
    return drawn


def plot_graph(
    frame: np.ndarray,
    position: np.ndarray,
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

    ax = _on_frame(frame, ax, fade=0.45)
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
        bar.set_label("velocity correlation $w_{ij}$", fontsize=_LABEL)
        bar.ax.tick_params(labelsize=_TICK)
    ax.set_title(f"{len(position)} particles, {len(weight)} edges", fontsize=_TITLE)
    return ax


def plot_pipeline(
    frame: np.ndarray,
    particles: Moving,
    labels: np.ndarray | None,
    pseudo_label: np.ndarray,
    mask: np.ndarray,
    truth: np.ndarray | None = None,
    axes: Sequence[Axes] | None = None,
    *,
    valid: np.ndarray | None = None,
) -> np.ndarray:
    """Show the whole method in a row, as the paper's Fig. 4 does: frame, particles, pseudo-label, network.

    Parameters
    ----------
    frame, particles, labels
        See `plot_particles`.
    pseudo_label, mask, truth, valid : (H, W) bool
        See `plot_mask`.
    axes : four Axes, optional

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
    _on_frame(frame, row[0])
    plot_particles(frame, particles, labels, row[1])
    plot_mask(frame, pseudo_label, truth, row[2], valid=valid)
    plot_mask(frame, mask, truth, row[3], valid=valid)
    for ax, title in zip(row, ("frame", "particles", "pseudo-label", "network"), strict=True):
        score = ax.get_title()
        ax.set_title(f"{title}: {score}" if score else title, fontsize=_TITLE)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        if ax.get_legend():
            _legend_below(ax)  # closer, now that there are no ticks
    return row


def plot_training(history: Losses | Sequence[Mapping[str, float]], ax: Axes | None = None) -> Axes:
    """Draw the losses over the epochs: the total and its two parts, L = L_SEG + L_AIR.

    Parameters
    ----------
    history : History
        As `mpas_lite.fit` returns it: ``loss``, ``segmentation`` and ``air``, a number an epoch; or a
        sequence of mappings, one an epoch, with these keys. An AIR loss that is 0 throughout (a net without
        the siamese branch) is left out.
    ax : Axes, optional

    Raises
    ------
    ValueError
        If there is no epoch to draw.
    """
    from matplotlib.ticker import MaxNLocator

    if isinstance(history, Sequence):
        total, segmentation, air = ([row[key] for row in history] for key in ("loss", "segmentation", "air"))
    else:
        total, segmentation, air = list(history.loss), list(history.segmentation), list(history.air)
    if not total:
        raise ValueError("The history is empty: train for at least one epoch.")
    ax = _new_axes(ax, (8, 5))
    curves = [("segmentation", segmentation, "blue", "--")]
    if any(air):
        curves = [("total", total, "black", "-"), *curves, ("AIR", air, "vermillion", "-.")]
    for name, loss, color, style in curves:
        epoch = np.arange(1, len(loss) + 1)
        ax.plot(epoch, loss, style, marker="o", color=PALETTE[color], linewidth=2.5, markersize=6, label=name)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("epoch", fontsize=_LABEL)
    ax.set_ylabel("loss", fontsize=_LABEL)
    ax.legend(fontsize=_TICK, frameon=False)
    return _plain(ax)


def plot_scores(table: Sequence[Mapping[str, Any]], ax: Axes | None = None) -> Axes:
    """Draw a table of scores as bars: a cluster per scene, a bar per method.

    Parameters
    ----------
    table : sequence of mappings
        As `mpas_lite.evaluation.scene_table` returns it: the first column is the scene, the others are methods, the
        last row is the mean. A missing score is a gap.
    ax : Axes, optional

    Raises
    ------
    ValueError
        If the table is empty.
    """
    if not table or len(table[0]) < 2:
        raise ValueError("The table is empty: it needs at least one scene and one method.")
    first, *methods = table[0]
    ax = _new_axes(ax, (1.5 + max(6.0, 0.45 * len(table) * (len(methods) + 1)), 5))
    width = 0.84 / len(methods)
    place = np.arange(len(table))
    for n, method in enumerate(methods):
        score = np.array([np.nan if row.get(method) is None else row[method] for row in table], dtype=float)
        x = place + (n - (len(methods) - 1) / 2) * width
        ax.bar(
            x,
            score,
            width * 0.94,
            color=_BARS[n % len(_BARS)],
            edgecolor="black",
            linewidth=0.6,
            label=method,
        )
        for left, height in zip(x, score, strict=True):
            if np.isfinite(height):
                ax.text(left, height + 0.01, f"{height:.2f}", ha="center", va="bottom", fontsize=12, rotation=90)
    ax.axvspan(len(table) - 1.5, len(table) - 0.5, color="0.93", zorder=0)  # the mean stands apart
    ax.set(ylim=(0, 1.1), xlim=(-0.5, len(table) - 0.5), yticks=np.linspace(0, 1, 6))
    ax.set_xticks(place, [str(row[first]) for row in table])
    ax.set_ylabel("IoU", fontsize=_LABEL)
    ax.legend(fontsize=_TICK, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(methods))
    return _plain(ax)


def _new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # late: most of the package needs no figures

    return plt.subplots(figsize=size, layout="compressed")[1]


def _on_frame(frame: np.ndarray, ax: Axes | None, *, fade: float = 0) -> Axes:
    """Axes of the frame's pixels, with the frame as background, faded so that marks on it stand out."""
    height, width = frame.shape[:2]
    ax = _new_axes(ax, (9, 9 * height / width + 0.8))
    ax.imshow(_towards_white(frame, fade), interpolation="bilinear")
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    ax.set_xlabel("x (px)", fontsize=_LABEL)
    ax.set_ylabel("y (px)", fontsize=_LABEL)
    ax.tick_params(labelsize=_TICK)
    return ax


def _towards_white(frame: np.ndarray, fade: float) -> np.ndarray:
    """The frame in grey and ``fade`` of the way to white; as it is if ``fade`` is 0."""
    if not fade:
        return frame
    grey = frame.mean(axis=2, keepdims=True) * (1 - fade) + 255 * fade
    return np.broadcast_to(grey, frame.shape).astype(np.uint8)


def _legend_below(ax: Axes) -> Axes:
    """A legend in a row beneath the axes, where it hides nothing."""
    below = -0.02 if not len(ax.get_xticks()) else -0.13
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, below),
        ncols=4,
        fontsize=_TICK,
        frameon=False,
        columnspacing=1.2,
        handletextpad=0.3,
    )
    return ax


def _plain(ax: Axes) -> Axes:
    ax.tick_params(labelsize=_TICK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.3)
    ax.set_axisbelow(True)
    return ax


def _rgb(name: str) -> tuple[int, int, int]:
    digits = PALETTE[name][1:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
