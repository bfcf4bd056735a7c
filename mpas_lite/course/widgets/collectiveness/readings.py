"""What "collectiveness thresholding" compares with its threshold: particles, or the links between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.collectiveness.self_driven import label_radii
from mpas_lite.course.widgets.pictures import LABEL, TICK
from mpas_lite.crowd.similarity import collectiveness, kappa, regularized_path_similarity
from mpas_lite.plots.axes import new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    left.set_xlabel("φ of a particle (at most 1)", fontsize=LABEL)
    right.set_xlabel(f"entry of Z, on the edges of W (at most κ = {kappa(1 / (2 * k), k):.2f})", fontsize=LABEL)
    left.set_ylabel("particles", fontsize=LABEL)
    right.set_ylabel("entries", fontsize=LABEL)
    for ax, below, of in ((left, (phi <= limit).mean(), "particles"), (right, _share_below(Z, W, limit), "entries")):
        ax.axvline(limit, color="black", linewidth=2.5, linestyle="--")
        ax.set_title(f"{threshold:g} κ = {limit:g}: {below:.0%} of the {of} lie below", fontsize=LABEL + 1)
        ax.tick_params(labelsize=TICK)
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
    label_radii(ax)
    ax.legend(fontsize=TICK, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax
