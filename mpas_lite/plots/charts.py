"""Charts: the losses over the epochs, and scores as bars. Each function draws on an Axes and returns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mpas_lite.plots.axes import LABEL, TICK, chart_axes, new_axes
from mpas_lite.plots.palette import PALETTE, PATTERNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = ("grey", "sky", "orange", "blue", "green", "vermillion", "purple")  # grey and sky have no pattern


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
    ax = new_axes(ax, (8, 5))
    curves = [("segmentation", segmentation, "blue", "--")]
    if any(air):
        curves = [("total", total, "black", "-"), *curves, ("AIR", air, "vermillion", "-.")]
    for name, loss, color, style in curves:
        epoch = np.arange(1, len(loss) + 1)
        ax.plot(epoch, loss, style, marker="o", color=PALETTE[color], linewidth=2.5, markersize=6, label=name)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("epoch", fontsize=LABEL)
    ax.set_ylabel("loss", fontsize=LABEL)
    ax.legend(fontsize=TICK, frameon=False)
    return chart_axes(ax)


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
    ax = new_axes(ax, (1.5 + max(6.0, 0.45 * len(table) * (len(methods) + 1)), 5))
    width = 0.84 / len(methods)
    place = np.arange(len(table))
    for n, method in enumerate(methods):
        score = np.array([np.nan if row.get(method) is None else row[method] for row in table], dtype=float)
        x = place + (n - (len(methods) - 1) / 2) * width
        name = BARS[n % len(BARS)]
        ax.bar(
            x,
            score,
            width * 0.94,
            color=PALETTE[name],
            hatch=2 * PATTERNS.get(name, ""),
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
    ax.set_ylabel("IoU", fontsize=LABEL)
    rows = -(-len(methods) // 4)  # of the legend, which must not be wider than a narrow figure
    columns = -(-len(methods) // rows)
    ax.legend(fontsize=TICK, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns)
    return chart_axes(ax)
