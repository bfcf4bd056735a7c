"""Walks to look at: every walk from i to j listed (Eq. 2), and their damped sum closing in on Z (Eq. 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.graph import _dense
from mpas_lite.course.widgets.pictures import add_key, backdrop
from mpas_lite.crowd.checks import whole_number
from mpas_lite.crowd.similarity import kappa
from mpas_lite.plots.axes import new_axes
from mpas_lite.plots.palette import PALETTE

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Walk = tuple[int, ...]  # the particles on the way, in order; L + 1 of them for L steps

_MAX_WALKS, _MAX_STEPS = 10_000, 100  # what is listed at most
_MAX_EXPLORED = 1_000  # walks of one length behind a slider: listed and drawn in a tenth of a second
_LABEL, _TICK, _DPI = 13, 12, 80
_NODE, _BEND = 620, 0.27  # area of a particle in square points; how far an edge bends away from its opposite
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def walks_between(graph: nx.DiGraph, start: int, end: int, length: int) -> list[Walk]:
    """Every walk of ``length`` steps from ``start`` to ``end``, found by following the edges of the graph.

    A walk may come back to where it has been. networkx lists simple paths, which may not, and only counts
    walks (``networkx.number_of_walks``); so here each walk begun is continued along every edge from which
    the end can still be reached in the steps that are left.

    Parameters
    ----------
    graph : networkx.DiGraph
        Of a few particles; an undirected Graph is followed both ways.
    start, end : nodes
        i and j.
    length : int
        L >= 0, the number of steps.

    Returns
    -------
    list of tuples of nodes
        The ``length + 1`` nodes of each walk, in the order of the graph's edges.

    Raises
    ------
    ValueError
        If there are more than 10,000 walks or 100 steps, or the graph lacks the nodes.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph([(0, 1), (1, 0), (1, 2)])
    >>> walks_between(graph, 0, 2, 2), walks_between(graph, 0, 2, 3)
    ([(0, 1, 2)], [])
    >>> walks_between(graph, 0, 2, 4)
    [(0, 1, 0, 1, 2)]
    """
    for node in (start, end):
        if node not in graph:
            raise ValueError(f"The graph has no particle {node!r}; choose one of {', '.join(map(str, graph))}.")
    length = whole_number(length, "length")
    ways = _ways(graph, end, length)
    if ways[length].get(start, 0) > _MAX_WALKS:
        raise ValueError(
            f"From {start} to {end} there are more than {_MAX_WALKS:,} walks of {length} steps, too many to list; "
            "mpas_lite.path_similarity adds them up without a list."
        )
    begun: list[Walk] = [(start,)] if start in ways[length] else []
    for left in reversed(range(length)):
        begun = [(*walk, node) for walk in begun for node in graph.adj[walk[-1]] if node in ways[left]]
    return begun


def walk_product(graph: nx.DiGraph, walk: Sequence[int]) -> float:
    """The weights along a walk, multiplied: one term of the sum in Eq. 2; 1 for the walk of no step.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_weighted_edges_from([(0, 1, 0.8), (1, 0, 0.5)])
    >>> round(walk_product(graph, [0, 1, 0]), 3)
    0.4
    """
    return prod((float(graph.edges[step].get("weight", 1)) for step in pairwise(walk)), start=1.0)


def sum_of_walks(graph: nx.DiGraph, start: int, end: int, length: int) -> float:
    """Eq. 2 as the paper prints it: the products of all walks of ``length`` steps from i to j, added up.

    It equals entry (i, j) of the power ``W**L``, and costs far more; it is for looking at.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.from_numpy_array(np.array([[0, 0.5], [0.5, 0]]), create_using=nx.DiGraph)
    >>> sum_of_walks(graph, 0, 0, 2)
    0.25
    """
    return sum((walk_product(graph, walk) for walk in walks_between(graph, start, end, length)), start=0.0)


def partial_sums(graph: nx.DiGraph, z: float, start: int, end: int, longest: int) -> np.ndarray:
    """Eq. 3 for one entry, walk by walk: ``z**l`` times the walks of l steps, added up to l = L.

    Parameters
    ----------
    graph : networkx.DiGraph
    z : float
        The damping per step.
    start, end : nodes
        i and j.
    longest : int
        The last L.

    Returns
    -------
    (longest + 1,) array
        S_L for L = 0 to ``longest``; they close in on Z[i, j] = (inv(I - zW) - I)[i, j] where 0 < z < 1/K.

    Examples
    --------
    Two that look at each other, z = 1/2: from 0 to 1 there is one walk of each odd length.

    >>> import networkx as nx
    >>> graph = nx.DiGraph([(0, 1), (1, 0)])
    >>> print(partial_sums(graph, 0.5, 0, 1, longest=5))
    [0.      0.5     0.5     0.625   0.625   0.65625]
    """
    longest = whole_number(longest, "longest")
    terms = [z**length * sum_of_walks(graph, start, end, length) for length in range(1, longest + 1)]
    return np.concatenate([[0.0], np.cumsum(terms)])


def partial_sum_matrix(graph: nx.DiGraph, z: float, longest: int) -> np.ndarray:
    """Eq. 3 for all pairs of a small graph, walk by walk: S_L with L = ``longest``.

    Parameters
    ----------
    graph : networkx.DiGraph
        Rows and columns follow the order of its nodes.
    z : float
    longest : int

    Returns
    -------
    (N, N) array
    """
    return np.array([[partial_sums(graph, z, i, j, longest)[-1] for j in graph] for i in graph])


def tail_bound(z: float, k: int, length: int) -> float:
    """What an entry of S_L can lack at most: ``(zK)**L kappa``, kappa being z / (1 - zK).

    Missing are the walks of more than L steps. The weights in a row of W add up to at most K, so those in a
    row of W**l to at most K**l, and a whole row of what is missing to at most
    ``(zK)**(L + 1) + (zK)**(L + 2) + ... = (zK)**(L + 1) / (1 - zK)``. A single entry gets at most 1/K of this:
    the last step of a walk weighs at most 1, so an entry of W**l is at most K**(l - 1).

    Parameters
    ----------
    z : float
        The damping per step, 0 < z < 1/K.
    k : int
        K, the number of neighbours.
    length : int
        L, the longest walk counted.

    Raises
    ------
    ValueError
        If z is not between 0 and 1/K: then there is no bound.

    Examples
    --------
    >>> tail_bound(z=0.25, k=2, length=3)
    0.0625
    """
    return (z * k) ** whole_number(length, "length") * kappa(z, k)


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
    graph, place = _graph(W), np.asarray(position, dtype=float)
    _draw_graph(ax, place, graph)
    _draw_walks(ax, place, graph, start, end, walks_between(graph, start, end, length))
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
    graph = _graph(W)
    _draw_sum_scales(ax, kappa(z, k), length)
    sums = partial_sums(graph, z, start, end, length)
    _draw_sums(ax, sums, _closed_form(W, z)[start, end], z, k, signed=bool((_dense(W) < 0).any()))
    return ax


def walk_explorer(
    position: np.ndarray,
    W: Any,
    z: float,
    k: int,
    *,
    start: int = 0,
    end: int = 1,
    length: int = 1,
    longest: int = 8,
) -> Explorer:
    """Build the controls for i, j and L: the walks from i to j on the graph, and their sum closing in on Z[i, j].

    Parameters
    ----------
    position : (N, 2) array
    W : (N, N) sparse or dense array
        Eq. 1, of a few particles; none looks at itself.
    z, k : float, int
        The damping per step and K; ``0 < z < 1/K``.
    start, end, length : int
        i, j and L to begin with.
    longest : int
        The largest L of the slider.

    Raises
    ------
    ValueError
        If two particles are joined by more than 1,000 walks of one length, which nobody could tell apart.
    """
    import ipywidgets
    from matplotlib.figure import Figure

    graph, place, closed = _graph(W), np.asarray(position, dtype=float), _closed_form(W, z)
    if max(max(ways.values(), default=0) for node in graph for ways in _ways(graph, node, longest)) > _MAX_EXPLORED:
        raise ValueError(
            f"Some two particles of this graph are joined by more than {_MAX_EXPLORED:,} walks of one length; "
            f"take fewer particles or neighbours, or a smaller `longest` than {longest}."
        )
    powers = [np.linalg.matrix_power(_dense(W), length) for length in range(longest + 1)]
    signed = bool((_dense(W) < 0).any())
    still = Figure(figsize=(10.5, 4.2), dpi=_DPI)
    picture, sums_axes = still.add_axes((0.01, 0.0, 0.57, 0.92)), still.add_axes((0.675, 0.14, 0.32, 0.82))
    _draw_graph(picture, place, graph)
    _draw_sum_scales(sums_axes, kappa(z, k), longest)
    add_key(still, 0.01, 0.945, {"walks: wide where much comes over": "blue", "the strongest, step by step": "orange"})
    fresh = backdrop(still, [picture, sums_axes])

    def draw(start: int, end: int, length: int) -> tuple[Figure, str]:
        figure, (left, right) = fresh()
        walks = walks_between(graph, start, end, length)
        sums = partial_sums(graph, z, start, end, length)
        _draw_walks(left, place, graph, start, end, walks)
        _draw_sums(right, sums, closed[start, end], z, k, signed=signed)
        bound = tail_bound(z, k, length)
        power = powers[length][start, end]
        return figure, _walk_line(graph, start, end, length, walks, power, sums[-1], closed[start, end], bound)

    particles = [(f"particle {node}", node) for node in graph]
    menu = ipywidgets.Dropdown
    controls = {
        "start": slider(menu, "i  where the walks start", options=particles, value=start),
        "end": slider(menu, "j  where they end", options=particles, value=end),
        "length": slider(ipywidgets.IntSlider, "L  length of the walks [steps]", value=length, min=1, max=longest),
    }
    return Explorer(controls, draw)


def _walk_line(
    graph: nx.DiGraph,
    start: int,
    end: int,
    length: int,
    walks: Sequence[Walk],
    power: float,
    partial: float,
    closed: float,
    bound: float,
) -> str:
    """What the picture shows, in words and numbers."""
    steps = f"{length} step{'s' if length > 1 else ''}"
    entry, exponent = f"[{start}, {end}]", str(length).translate(_SUPERSCRIPT)
    if walks:
        strongest = _strongest(graph, walks)
        summed = sum(walk_product(graph, walk) for walk in walks)
        listed = (
            f"<b>{len(walks)} walk{'s' if len(walks) > 1 else ''}</b> of {steps} from {start} to {end}; "
            f"the strongest is {'-'.join(map(str, strongest))} with {walk_product(graph, strongest):.4f}. "
            f"Products added up: <b>{summed:.4f}</b>; W{exponent}{entry} = <b>{power:.4f}</b>. "
        )
    else:
        listed = f"<b>No walk</b> of {steps} leads from {start} to {end}, and W{exponent}{entry} = {power:.4f}. "
    return listed + (
        f"Damped and added up to {steps}: <b>{partial:.4f}</b> of Z{entry} = <b>{closed:.4f}</b>. "
        f"Missing: {_tiny(closed - partial)}; the bound (zK)ᴸκ allows {_tiny(bound)}."
    )


def _tiny(number: float) -> str:
    """A number that shrinks from step to step; rounding errors are 0."""
    return "0" if abs(number) < 1e-15 else f"{number:.2g}"


def _strongest(graph: nx.DiGraph, walks: Sequence[Walk]) -> Walk:
    """The walk with the largest product; of equals, the first."""
    return max(walks, key=lambda walk: abs(walk_product(graph, walk)))


def _graph(W: Any) -> nx.DiGraph:
    """The crowd graph as networkx knows it: an edge with its weight wherever W is not 0."""
    import networkx as nx

    return nx.from_numpy_array(_dense(W), create_using=nx.DiGraph)


def _closed_form(W: Any, z: float) -> np.ndarray:
    """Eq. 4, as it is printed."""
    W = _dense(W)
    return np.linalg.inv(np.eye(len(W)) - z * W) - np.eye(len(W))


def _ways(graph: nx.DiGraph, end: int, length: int) -> list[dict[int, int]]:
    """For each number of steps up to ``length``: the nodes that get to ``end`` in so many, and in how many ways."""
    if length > _MAX_STEPS:
        raise ValueError(f"Walks are listed up to {_MAX_STEPS} steps; {length} are too many.")
    if graph.is_multigraph():
        raise ValueError("Give a graph with at most one edge from a particle to another: a DiGraph.")
    ways = [{end: 1}]
    for _ in range(length):
        counted = {node: sum(ways[-1].get(neighbour, 0) for neighbour in graph.adj[node]) for node in graph}
        ways.append({node: count for node, count in counted.items() if count})
    return ways


def _draw_graph(ax: Axes, place: np.ndarray, graph: nx.DiGraph) -> None:
    """Draw particles, edges and weights, pale: what is the same for all walks."""
    if place.shape != (len(graph), 2):
        raise ValueError(f"W has {len(graph)} particles; give as many positions, not an array of {place.shape}.")
    for i, j in graph.edges:
        if i == j:
            raise ValueError(f"This picture has no place for an edge from particle {i} to itself.")
        _draw_edge(ax, place, (i, j), color="darkgrey", width=1.4)
    for (i, j), weight in {tuple(sorted(edge)): graph.edges[edge]["weight"] for edge in graph.edges}.items():
        x, y = (place[i] + place[j]) / 2
        ax.text(x, y, f"{weight:.3g}", fontsize=_LABEL, ha="center", va="center")
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


def _draw_walks(ax: Axes, place: np.ndarray, graph: nx.DiGraph, start: int, end: int, walks: Sequence[Walk]) -> None:
    for edge, share in _shares(graph, walks).items():
        _draw_edge(ax, place, edge, PALETTE["blue"], 2 + 6 * share, zorder=1.5)
    if walks:
        strongest = _strongest(graph, walks)
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


def _shares(graph: nx.DiGraph, walks: Sequence[Walk]) -> dict[tuple[int, int], float]:
    """For each edge on a walk: the share of the products' sum that belongs to walks over this edge."""
    over: dict[tuple[int, int], float] = {}
    total = 0.0
    for walk in walks:
        product = abs(walk_product(graph, walk))
        total += product
        for edge in set(pairwise(walk)):
            over[edge] = over.get(edge, 0.0) + product
    return {edge: share / total if total else 0.0 for edge, share in over.items()}


def _draw_sum_scales(ax: Axes, limit: float, longest: int) -> None:
    """Draw what is the same for all walks: the axes, and kappa."""
    ax.axhline(limit, color="dimgrey", linewidth=1.2)
    ax.text(longest + 0.3, limit * 0.985, "κ: no entry of Z exceeds it", fontsize=_TICK, ha="right", va="top")
    ax.plot([], [], "o", color=PALETTE["blue"], markersize=7, markeredgecolor="black", label="walks, added up")
    ax.plot([], [], color=PALETTE["sky"], linewidth=5, label="may be missing")
    ax.plot([], [], "--", color=PALETTE["vermillion"], linewidth=2.2, label="closed form")
    ax.legend(fontsize=_TICK, loc="upper right", bbox_to_anchor=(1.02, 0.9), frameon=False)
    ax.set(xlim=(-0.5, longest + 0.5), ylim=(-0.03 * limit, 1.06 * limit), xticks=range(longest + 1))
    ax.set_xlabel("L, the longest walk counted (steps)", fontsize=_LABEL)
    ax.set_ylabel("similarity of i to j (no unit)", fontsize=_LABEL)
    ax.tick_params(labelsize=_TICK)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_sums(ax: Axes, sums: np.ndarray, closed: float, z: float, k: int, *, signed: bool) -> None:
    L = np.arange(len(sums))
    bound = np.array([tail_bound(z, k, length) for length in range(len(sums))])
    low = sums - bound if signed else sums
    ax.vlines(L, low, sums + bound, color=PALETTE["sky"], linewidth=5, alpha=0.7, zorder=1)
    ax.axhline(closed, linestyle="--", color=PALETTE["vermillion"], linewidth=2.2, zorder=2)
    ax.plot(L, sums, "o", color=PALETTE["blue"], markersize=7, markeredgecolor="black", zorder=3)
