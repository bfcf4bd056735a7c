"""Walks drawn: lit on the crowd graph, and their sum closing in on the closed form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.matrices import as_dense
from mpas_lite.course.widgets.pictures import LABEL, TICK
from mpas_lite.course.widgets.walks.listing import (
    Walk,
    as_graph,
    closed_form,
    edge_shares,
    partial_sums,
    strongest_walk,
    tail_bound,
    walks_between,
)
from mpas_lite.crowd.similarity import kappa
from mpas_lite.plots.axes import new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes

_NODE, _BEND = 620, 0.27  # area of a particle in square points; how far an edge bends away from its opposite


def plot_walks(position: np.ndarray, W: Any, start: int, end: int, length: int, ax: Axes | None = None) -> Axes:
    """Draw a small crowd graph, and light the walks of ``length`` steps from ``start`` to ``end``.

    Lit edges are blue, the wider, the larger the share of the sum of Eq. 2 that comes over them. The
    strongest walk is orange on top of them, its steps numbered.

    Parameters
    ----------
    position : (N, 2) array
        Drawn with y upwards, as in a mathematics book.
    W : (N, N) sparse or dense array
        Eq. 1; no particle looks at itself. One number serves both directions, whose weights are equal.
    start, end, length : int
        i, j and L.
    ax : Axes, optional
    """
    ax = new_axes(ax, (8, 4.4))
    graph, place = as_graph(W), np.asarray(position, dtype=float)
    draw_graph(ax, place, graph)
    draw_walks(ax, place, graph, start, end, walks_between(graph, start, end, length))
    return ax


def plot_partial_sums(W: Any, z: float, k: int, start: int, end: int, length: int, ax: Axes | None = None) -> Axes:
    """Draw how the walks from ``start`` to ``end``, added up length by length, close in on the closed form.

    Parameters
    ----------
    W : (N, N) sparse or dense array, small
    z, k : float, int
        The damping per step and K; ``0 < z < 1/K``.
    start, end : int
        i and j.
    length : int
        The last L.
    ax : Axes, optional
    """
    ax = new_axes(ax, (6, 4.4))
    graph = as_graph(W)
    draw_sum_scales(ax, kappa(z, k), length)
    sums = partial_sums(graph, z, start, end, length)
    draw_sums(ax, sums, closed_form(W, z)[start, end], z, k, signed=bool((as_dense(W) < 0).any()))
    return ax


def draw_graph(ax: Axes, place: np.ndarray, graph: nx.DiGraph) -> None:
    """Draw particles, edges and weights, pale: what is the same for all walks."""
    if place.shape != (len(graph), 2):
        raise ValueError(f"W has {len(graph)} particles; give as many positions, not an array of {place.shape}.")
    for i, j in graph.edges:
        if i == j:
            raise ValueError(f"This picture has no place for an edge from particle {i} to itself.")
        _draw_edge(ax, place, (i, j), color="darkgrey", width=1.4)
    for (i, j), weight in {tuple(sorted(edge)): graph.edges[edge]["weight"] for edge in graph.edges}.items():
        x, y = (place[i] + place[j]) / 2
        ax.text(x, y, f"{weight:.3g}", fontsize=LABEL, ha="center", va="center")
    for node in graph:
        _draw_node(ax, place[node], node, color="white", linewidth=1.5)
    ax.margins(0.13, 0.24)
    ax.set_aspect("equal")
    ax.set_axis_off()


def _draw_node(ax: Axes, point: np.ndarray, node: int, color: str, linewidth: float) -> None:
    x, y = point
    ax.scatter(x, y, s=_NODE, color=color, edgecolors="black", linewidths=linewidth, zorder=3)
    ax.text(x, y, str(node), fontsize=15, ha="center", va="center", zorder=4)


def _draw_edge(ax: Axes, place: np.ndarray, edge: tuple[int, int], color: str, width: float, zorder: float = 1) -> None:
    from matplotlib.patches import FancyArrowPatch

    radius = np.sqrt(_NODE / np.pi)
    ax.add_patch(
        FancyArrowPatch(
            place[edge[0]],
            place[edge[1]],
            connectionstyle=f"arc3,rad={_BEND}",
            arrowstyle=f"-|>,head_length={4 + 0.9 * width},head_width={2 + 0.7 * width}",
            mutation_scale=1,
            shrinkA=radius,
            shrinkB=radius,
            color=color,
            linewidth=width,
            zorder=zorder,
        )
    )


def draw_walks(ax: Axes, place: np.ndarray, graph: nx.DiGraph, start: int, end: int, walks: Sequence[Walk]) -> None:
    """Light the walks from ``start`` to ``end``, as wide as their share, and number the steps of the strongest."""
    for edge, share in edge_shares(graph, walks).items():
        _draw_edge(ax, place, edge, PALETTE["blue"], 2 + 6 * share, zorder=1.5)
    if walks:
        strongest = strongest_walk(graph, walks)
        steps: dict[tuple[int, int], list[str]] = {}
        for number, edge in enumerate(pairwise(strongest), start=1):
            steps.setdefault(edge, []).append(str(number))
        for edge, numbers in steps.items():
            _draw_edge(ax, place, edge, PALETTE["orange"], 1.8, zorder=2)
            _number_edge(ax, place, edge, ", ".join(numbers))
    names = {start: "i", end: "j"} if start != end else {start: "i = j"}
    for node, name in names.items():
        _draw_node(ax, place[node], node, color=PALETTE["yellow"], linewidth=2.5)
        others = [other for other in graph if graph.has_edge(node, other) or graph.has_edge(other, node)]
        aside = _unit(place[node] - place[others].mean(axis=0)) if others else np.array([0.0, 1.0])
        _write_beside(ax, place[node], (24 + 6 * (len(name) > 1)) * aside, name, fontsize=16, style="italic")


def _number_edge(ax: Axes, place: np.ndarray, edge: tuple[int, int], text: str) -> None:
    """Write on the outer side of a bent edge, nearer to its head, as the heads of different edges lie apart."""
    tail, head = place[list(edge)]
    outwards = np.array([(head - tail)[1], (tail - head)[0]])
    corner, t = (tail + head) / 2 + _BEND * outwards, 0.62
    on_edge = (1 - t) ** 2 * tail + 2 * t * (1 - t) * corner + t**2 * head
    aside = _unit(outwards) * (7 + 2.4 * len(text), 10)
    _write_beside(ax, on_edge, aside, text, fontsize=12, color="black", weight="bold")


def _write_beside(ax: Axes, point: np.ndarray, aside: np.ndarray, text: str, **style: Any) -> None:
    """Write next to a point, so many typographic points aside, on a white ground."""
    ground = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    x, y = aside
    ax.annotate(
        text, tuple(point), (x, y), textcoords="offset points", ha="center", va="center", bbox=ground, zorder=5, **style
    )


def _unit(vector: np.ndarray) -> np.ndarray:
    """The vector, 1 long; up, where it has no direction."""
    size = float(np.hypot(*vector))
    return vector / size if size else np.array([0.0, 1.0])


def draw_sum_scales(ax: Axes, limit: float, longest: int) -> None:
    """Draw what is the same for all walks: the axes, and kappa."""
    ax.axhline(limit, color="dimgrey", linewidth=1.2)
    ax.text(longest + 0.3, limit * 0.985, "κ: no entry of Z exceeds it", fontsize=TICK, ha="right", va="top")
    ax.plot([], [], "o", color=PALETTE["blue"], markersize=7, markeredgecolor="black", label="walks, added up")
    ax.plot([], [], color=PALETTE["sky"], linewidth=5, label="may be missing")
    ax.plot([], [], "--", color=PALETTE["vermillion"], linewidth=2.2, label="closed form")
    ax.legend(fontsize=TICK, loc="upper right", bbox_to_anchor=(1.02, 0.9), frameon=False)
    ax.set(xlim=(-0.5, longest + 0.5), ylim=(-0.03 * limit, 1.06 * limit), xticks=range(longest + 1))
    ax.set_xlabel("L, the longest walk counted (steps)", fontsize=LABEL)
    ax.set_ylabel("similarity of i to j (no unit)", fontsize=LABEL)
    ax.tick_params(labelsize=TICK)
    ax.spines[["top", "right"]].set_visible(False)


def draw_sums(ax: Axes, sums: np.ndarray, closed: float, z: float, k: int, *, signed: bool) -> None:
    """Draw the sums for L = 0, 1, ..., what each may lack (or exceed, if ``signed``), and what they approach."""
    L = np.arange(len(sums))
    bound = np.array([tail_bound(z, k, length) for length in range(len(sums))])
    low = sums - bound if signed else sums
    ax.vlines(L, low, sums + bound, color=PALETTE["sky"], linewidth=5, alpha=0.7, zorder=1)
    ax.axhline(closed, linestyle="--", color=PALETTE["vermillion"], linewidth=2.2, zorder=2)
    ax.plot(L, sums, "o", color=PALETTE["blue"], markersize=7, markeredgecolor="black", zorder=3)
