"""Every walk from i to j, listed and multiplied (Eq. 2), and damped and added up (Eq. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.matrices import as_dense
from mpas_lite.crowd.checks import whole_number
from mpas_lite.crowd.similarity import kappa

if TYPE_CHECKING:
    import networkx as nx

Walk = tuple[int, ...]  # the particles on the way, in order; L + 1 of them for L steps

_MAX_WALKS, _MAX_STEPS = 10_000, 100  # what is listed at most


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
    ways = count_walks_to(graph, end, length)
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


def count_walks_to(graph: nx.DiGraph, end: int, length: int) -> list[dict[int, int]]:
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


def strongest_walk(graph: nx.DiGraph, walks: Sequence[Walk]) -> Walk:
    """The walk with the largest product; of equals, the first."""
    return max(walks, key=lambda walk: abs(walk_product(graph, walk)))


def edge_shares(graph: nx.DiGraph, walks: Sequence[Walk]) -> dict[tuple[int, int], float]:
    """For each edge on a walk: the share of the products' sum that belongs to walks over this edge."""
    over: dict[tuple[int, int], float] = {}
    total = 0.0
    for walk in walks:
        product = abs(walk_product(graph, walk))
        total += product
        for edge in set(pairwise(walk)):
            over[edge] = over.get(edge, 0.0) + product
    return {edge: share / total if total else 0.0 for edge, share in over.items()}


def as_graph(W: Any) -> nx.DiGraph:
    """The crowd graph as networkx knows it: an edge with its weight wherever W is not 0."""
    import networkx as nx

    return nx.from_numpy_array(as_dense(W), create_using=nx.DiGraph)


def closed_form(W: Any, z: float) -> np.ndarray:
    """Eq. 4, as it is printed."""
    W = as_dense(W)
    return np.linalg.inv(np.eye(len(W)) - z * W) - np.eye(len(W))
