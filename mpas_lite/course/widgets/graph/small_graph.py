"""A small crowd graph drawn: particles, how they move, and the edges between them with their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from mpas_lite.course.widgets.pictures import LABEL
from mpas_lite.plots.axes import new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_small_graph(position: np.ndarray, velocity: np.ndarray, W: Any, ax: Axes | None = None) -> Axes:
    """Draw a few particles, how they move, and the crowd graph between them, with its weights.

    Parameters
    ----------
    position, velocity : (N, 2) arrays
        Drawn with y upwards, as in a mathematics book.
    W : (N, N) sparse or dense array
        Eq. 1. Edges of weight 0 are dotted; one number serves both directions, whose weights are equal.
    ax : Axes, optional
    """
    import networkx as nx

    ax = new_axes(ax, (9, 4.6))
    position, velocity = np.asarray(position, dtype=float), np.asarray(velocity, dtype=float)
    stored = csr_array(W).tocoo()
    weights = {(int(i), int(j)): float(w) for i, j, w in zip(stored.row, stored.col, stored.data, strict=True)}
    graph = nx.DiGraph(list(weights))
    graph.add_nodes_from(range(len(position)))
    place = dict(enumerate(position))
    size = 900
    once = {edge: weight for edge, weight in weights.items() if edge[::-1] not in weights or edge < edge[::-1]}
    for (i, j), weight in once.items():
        nx.draw_networkx_edges(
            graph,
            place,
            [(i, j)],
            arrowstyle="<|-|>" if (j, i) in weights else "-|>",
            style="solid" if weight else "dotted",
            width=2.2 if weight else 1.6,
            edge_color=PALETTE["blue"] if weight else "dimgrey",
            node_size=size,
            arrowsize=18,
            ax=ax,
        )
    nx.draw_networkx_nodes(graph, place, node_size=size, node_color="white", edgecolors="black", ax=ax)
    nx.draw_networkx_labels(graph, place, font_size=16, ax=ax)
    numbers = {edge: f"{weight:.3g}" for edge, weight in once.items()}
    nx.draw_networkx_edge_labels(graph, place, numbers, font_size=LABEL, rotate=False, ax=ax)
    heading = velocity / np.maximum(np.linalg.norm(velocity, axis=1, keepdims=True), 1e-12)
    ax.quiver(
        *(position + 0.33 * heading).T,
        *heading.T,
        angles="xy",
        scale_units="xy",
        scale=1.6,
        width=0.008,
        color=PALETTE["orange"],
        edgecolor="black",
        linewidth=0.6,
        zorder=3,
    )
    ax.margins(0.1, 0.2)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax
