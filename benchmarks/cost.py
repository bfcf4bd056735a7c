"""The plot of cost over the number of particles: ``python -m benchmarks --only cost --out FOLDER``."""

from __future__ import annotations

from pathlib import Path

from benchmarks.collectiveness import slope
from mpas_lite.files.atomic import atomic_write
from mpas_lite.plots.palette import PALETTE

STYLES = {
    "merging, dense inverse": (PALETTE["vermillion"], "s"),
    "merging, exact": (PALETTE["blue"], "o"),
    "graph": (PALETTE["green"], "^"),
    "phi": (PALETTE["orange"], "D"),
}


def plot(curves: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Draw seconds over N on log-log, each curve with its slope from 1,000 particles on."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), dpi=90, layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves.items():
        color, marker = STYLES[name]
        steep = slope([(n, t) for n, t in curve if n >= 1_000])
        n, t = zip(*curve, strict=True)
        axes.loglog(n, t, marker=marker, color=color, linewidth=2, label=f"{name}: slope {steep:.2f}")
    axes.set_xlabel("particles N", fontsize=13)
    axes.set_ylabel("time (s), one thread", fontsize=13)
    axes.tick_params(labelsize=11)
    axes.grid(which="major", color="0.85")
    figure.legend(loc="outside upper center", ncols=2, fontsize=11, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    with atomic_write(path) as temporary:
        figure.savefig(temporary)
