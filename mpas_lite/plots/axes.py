"""Axes that all figures share: made where none are given, laid over a frame, with a legend that hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpas_lite.plots.overlays import fade_to_white
from mpas_lite.plots.palette import PALETTE, PATTERNS
from mpas_lite.video.arrays import Frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE, LABEL, TICK = 17, 15, 13  # points


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The Axes given, or those of a new pyplot figure.

    Parameters
    ----------
    ax : Axes or None
    size : (float, float)
        Width and height of a new figure, inch.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # late: most of the package needs no figures

    return plt.subplots(figsize=size, layout="compressed")[1]


def axes_on_frame(frame: Frame, ax: Axes | None, *, fade: float = 0) -> Axes:
    """Axes of the frame's pixels, with the frame as background.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    ax : Axes or None
        Without them a new figure is made.
    fade : float
        See `fade_to_white`.
    """
    height, width = frame.shape[:2]
    ax = new_axes(ax, (9, 9 * height / width + 0.8))
    ax.imshow(fade_to_white(frame, fade), interpolation="bilinear")
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    ax.set_xlabel("x (px)", fontsize=LABEL)
    ax.set_ylabel("y (px)", fontsize=LABEL)
    ax.tick_params(labelsize=TICK)
    return ax


def legend_below(ax: Axes) -> Axes:
    """Put a legend in a row beneath the Axes, where it hides nothing."""
    below = -0.02 if not len(ax.get_xticks()) else -0.13
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, below),
        ncols=4,
        fontsize=TICK,
        frameon=False,
        columnspacing=1.2,
        handletextpad=0.3,
    )
    return ax


def name_region(ax: Axes, name: str, color: str) -> None:
    """Enter a region of a frame into the legend: a square of its colour and pattern (`mpas_lite.plots.palette`)."""
    look = {"facecolor": PALETTE[color], "edgecolor": "black", "hatch": 3 * PATTERNS.get(color, "")}
    ax.fill([float("nan")], [float("nan")], label=name, **look)


def chart_axes(ax: Axes) -> Axes:
    """Style the Axes of a chart: horizontal grid lines behind what is drawn, no frame above and at the right."""
    ax.tick_params(labelsize=TICK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.3)
    ax.set_axisbelow(True)
    return ax
