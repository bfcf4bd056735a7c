"""One place of the picture over time: people cover it, and the background has to be told from what is left."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import DPI, LABEL, backdrop
from mpas_lite.labels.refine.background import densest_value
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUND = 120  # grey level of the place that `place_explorer` looks at


def place_explorer() -> Explorer:
    """Sliders for one place of the picture: how often people cover it, and how different they are from each other.

    Returns
    -------
    Explorer
        Its callback takes ``covered`` (share of the time), ``variety`` (standard deviation of the people's grey
        levels), ``samples`` (frames) and ``part`` (of `mpas_lite.labels.refine.background.densest_value`).
    """
    import ipywidgets

    whole, real = ipywidgets.IntSlider, ipywidgets.FloatSlider
    controls = {
        "covered": slider(real, "covered by people  [share of the time]", min=0.0, max=0.95, step=0.05, value=0.6),
        "variety": slider(whole, "variety of their clothes  [grey levels]", min=0, max=60, step=5, value=50),
        "samples": slider(whole, "samples of the clip  [frames]", min=8, max=64, step=4, value=32),
        "part": slider(real, "part of the samples that must agree  [share]", min=0.15, max=0.95, step=0.05, value=0.45),
    }
    return Explorer(
        controls,
        _place,
        alt="The grey levels of one place over the clip, of ground and of people, with their median and densest value.",
    )


def place_samples(covered: float, variety: float, samples: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels of one place over time, and when people cover it; the same for the same arguments.

    The ground is 120 with noise of 2; a person is 60 on the average, and stays for some three samples.

    Returns
    -------
    value : (samples,) uint8
    person : (samples,) bool

    Examples
    --------
    >>> value, person = place_samples(0.25, 50, 32)
    >>> int(person.sum()), abs(float(np.median(value[~person])) - 120) < 2
    (8, True)
    """
    rng = np.random.default_rng(seed)
    person = np.zeros(samples, bool)
    left, order = round(covered * samples), rng.permutation(samples)
    person[order[:left]] = True
    wear = 60 + variety * rng.standard_normal(64)
    value = np.where(person, wear[np.arange(samples) // 3], GROUND) + 2 * rng.standard_normal(samples)
    return np.clip(np.rint(value), 0, 255).astype(np.uint8), person


@lru_cache(maxsize=1)
def _place_backdrop() -> Callable[[], tuple[Figure, list[Axes]]]:
    """Axes and key of the picture of a place."""
    from matplotlib.figure import Figure

    still = Figure(figsize=(9.4, 4.0), dpi=DPI)
    ax = still.add_axes((0.09, 0.16, 0.66, 0.8), xlim=(0, 100), ylim=(0, 255), yticks=[0, 60, GROUND, 180, 240])
    ax.set_xlabel("time (% of the clip)", fontsize=LABEL)
    ax.set_ylabel("grey level", fontsize=LABEL)
    keys = (
        ("ground", "o", "sky"),
        ("person", "x", "vermillion"),
        ("median", "--", "orange"),
        ("densest value", "-", "blue"),
    )
    for name, style, color in keys:
        ax.plot([], [], style, color=PALETTE[color], linewidth=3, markersize=7, mew=1.5, label=name)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=LABEL)
    return backdrop(still, [ax])


def _place(covered: float, variety: float, samples: int, part: float) -> tuple[Figure, str]:
    value, person = place_samples(covered, variety, samples)
    median, densest = float(np.median(value)), int(densest_value(value, part=part))
    figure, (ax,) = _place_backdrop()()
    time = 100 * (np.arange(samples) + 0.5) / samples
    ax.plot(time[~person], value[~person], "o", color=PALETTE["sky"], markersize=7, markeredgecolor="black", mew=0.6)
    ax.plot(time[person], value[person], "x", color=PALETTE["vermillion"], markersize=7, mew=2)
    ax.axhline(median, color=PALETTE["orange"], linestyle="--", linewidth=3)
    ax.axhline(densest, color=PALETTE["blue"], linewidth=3)
    line = (
        f"People cover the place in {int(person.sum())} of {samples} samples. Wrong by: "
        f"median <b>{abs(median - GROUND):.0f}</b>, densest value <b>{abs(densest - GROUND):.0f}</b> grey levels."
    )
    return figure, f"<p style='font-size:1.15em'>{line}</p>"
