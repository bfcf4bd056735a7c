"""Controls for i, j and L: the walks from i to j on the graph, and their sum closing in on Z[i, j]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.matrices import as_dense
from mpas_lite.course.widgets.pictures import DPI, add_key, backdrop
from mpas_lite.course.widgets.walks.drawing import draw_graph, draw_sum_scales, draw_sums, draw_walks
from mpas_lite.course.widgets.walks.listing import (
    Walk,
    as_graph,
    closed_form,
    count_walks_to,
    partial_sums,
    strongest_walk,
    tail_bound,
    walk_product,
    walks_between,
)
from mpas_lite.crowd.similarity import kappa

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.figure import Figure

_MAX_EXPLORED = 1_000  # walks of one length behind a slider: listed and drawn in a tenth of a second
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


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
    from matplotlib.figure import Figure

    graph, place, closed = as_graph(W), np.asarray(position, dtype=float), closed_form(W, z)
    counts = (count for node in graph for ways in count_walks_to(graph, node, longest) for count in ways.values())
    if max(counts, default=0) > _MAX_EXPLORED:
        raise ValueError(
            f"Some two particles of this graph are joined by more than {_MAX_EXPLORED:,} walks of one length; "
            f"take fewer particles or neighbours, or a smaller `longest` than {longest}."
        )
    powers = [np.linalg.matrix_power(as_dense(W), length) for length in range(longest + 1)]
    signed = bool((as_dense(W) < 0).any())
    still = Figure(figsize=(10.5, 4.2), dpi=DPI)
    picture, sums_axes = still.add_axes((0.01, 0.0, 0.57, 0.92)), still.add_axes((0.675, 0.14, 0.32, 0.82))
    draw_graph(picture, place, graph)
    draw_sum_scales(sums_axes, kappa(z, k), longest)
    add_key(
        still,
        0.01,
        0.945,
        {"walks: wide where much comes over": "blue", "the strongest, step by step": "orange"},
        marks="━━",
    )
    fresh = backdrop(still, [picture, sums_axes])

    def draw(start: int, end: int, length: int) -> tuple[Figure, str]:
        figure, (left, right) = fresh()
        walks = walks_between(graph, start, end, length)
        sums = partial_sums(graph, z, start, end, length)
        draw_walks(left, place, graph, start, end, walks)
        draw_sums(right, sums, closed[start, end], z, k, signed=signed)
        bound = tail_bound(z, k, length)
        power = powers[length][start, end]
        return figure, _walk_line(graph, start, end, length, walks, power, sums[-1], closed[start, end], bound)

    return Explorer(
        _controls(graph, start, end, length, longest),
        draw,
        alt=(
            "Left, the crowd graph with the walks from i to j in blue, the strongest in orange. "
            "Right, their damped sum over L, with the closed form."
        ),
    )


def _controls(graph: nx.DiGraph, start: int, end: int, length: int, longest: int) -> dict[str, Any]:
    import ipywidgets

    particles = [(f"particle {node}", node) for node in graph]
    menu = ipywidgets.Dropdown
    return {
        "start": slider(menu, "i  where the walks start", options=particles, value=start),
        "end": slider(menu, "j  where they end", options=particles, value=end),
        "length": slider(ipywidgets.IntSlider, "L  length of the walks [steps]", value=length, min=1, max=longest),
    }


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
        strongest = strongest_walk(graph, walks)
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
