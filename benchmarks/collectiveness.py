"""How fast the crowd graph and collective merging are: ``python -m benchmarks --only collectiveness``.

The dense way is numpy's inverse, its threshold and scipy's components: the definition, written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from benchmarks.measure import Row, paired, peak_memory, seconds
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.merging import collective_merging
from mpas_lite.crowd.similarity import collectiveness, kappa

KINDS = {
    "clumps": "groups of some 150, each with its direction, 17 degrees of noise",
    "turning flow": "a direction that turns over the plane, 29 degrees of noise: most links are close calls",
    "incoherent": "every direction alike",
}


def crowd(kind: str, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Position and velocity of n particles of one kind of crowd; one in twenty stands still."""
    rng = np.random.default_rng(seed)
    groups = max(n // 150, 1)
    group = rng.integers(0, groups, n)
    position = rng.uniform(0, 10 * np.sqrt(n), (groups, 2))[group] + rng.normal(size=(n, 2)) * 60
    if kind == "clumps":
        angle = rng.uniform(0, 2 * np.pi, groups)[group] + 0.3 * rng.normal(size=n)
    elif kind == "turning flow":
        angle = 2 * np.pi * (np.sin(position[:, 0] / 300) + np.cos(position[:, 1] / 250))
        angle += 0.5 * rng.normal(size=n)
    else:
        angle = rng.uniform(0, 2 * np.pi, n)
    speed = rng.uniform(0.5, 3, n) * (rng.random(n) > 0.05)
    return position, np.stack([speed * np.cos(angle), speed * np.sin(angle)], axis=1)


def merge_densely(W: csr_array) -> np.ndarray:
    """The links of collective merging by the inverse: component numbers."""
    identity, z = np.eye(W.shape[0]), 1 / 40
    limit = 0.6 * kappa(z, 20)
    Z = np.linalg.inv(identity - z * W.toarray()) - identity
    return connected_components(csr_array(limit < Z), directed=False)[1]


def rows(quick: bool) -> Iterator[Row]:
    """Merging, collectiveness and the graph, for each kind of crowd."""
    kinds = {"turning flow": KINDS["turning flow"]} if quick else KINDS
    for kind in kinds:
        small, large = crowd_graph(*crowd(kind, 4_000)), crowd_graph(*crowd(kind, 100_000))
        same = _same_parts(collective_merging(small, min_size=1), merge_densely(small))
        if not same:
            raise AssertionError(f"{kind}: merging and the dense inverse give different crowds.")
        merge = _merging(small)
        ours, dense, ratio = paired(merge, lambda W=small: merge_densely(W), 1 if quick else 3)
        what = f"merging, N = 4,000, K = 20 ({kind})"
        yield Row(what, "dense inverse, threshold, components: same crowds", _s(ours), _s(dense), ratio, 60, True)
        many = median(seconds(_merging(large)) for _ in range(1 if quick else 3))
        yield Row(f"merging, N = 100,000 ({kind})", "patience", _s(many), "", many, 5, unit=" s")
        memory = peak_memory(
            f"from benchmarks.collectiveness import *\ncollective_merging(crowd_graph(*crowd({kind!r}, 100_000)))\n"
        )
        what = f"memory of graph and merging, N = 100,000 ({kind})"
        yield Row(what, "", f"{memory:.0f} MB", "", memory / 1000, 1.5, unit=" GB")
        phi = median(seconds(lambda W=large: collectiveness(W)) for _ in range(3))
        yield Row(f"collectiveness, N = 100,000 ({kind})", "", _s(phi), "", phi, 0.2, unit=" s")
        position, velocity = crowd(kind, 100_000)
        graph, tree, ratio = paired(
            lambda x=position, v=velocity: crowd_graph(x, v), lambda x=position: KDTree(x).query(x, 21), 3
        )
        what = f"crowd graph, N = 100,000 ({kind})"
        yield Row(what, "scipy's KDTree, built and asked for 21", _s(graph), _s(tree), 1 / ratio, 1.5)


def cost(quick: bool) -> dict[str, list[tuple[int, float]]]:
    """Seconds over N of everything that the plot of cost shows, in a turning flow."""
    numbers = (1_000, 4_000, 16_000) if quick else (1_000, 2_000, 4_000, 10_000, 30_000, 100_000)
    curves: dict[str, list[tuple[int, float]]] = {
        "merging, dense inverse": [],
        "merging, exact": [],
        "graph": [],
        "phi": [],
    }
    for n in numbers:
        position, velocity = crowd("turning flow", n)
        W = crowd_graph(position, velocity)
        jobs: dict[str, Callable[[], object]] = {
            "merging, exact": _merging(W),
            "graph": lambda x=position, v=velocity: crowd_graph(x, v),
            "phi": lambda W=W: collectiveness(W),
        }
        for name, job in jobs.items():
            curves[name].append((n, median(seconds(job) for _ in range(3))))
    for n in (250, 500, 1_000, 2_000) + (() if quick else (4_000,)):
        W = crowd_graph(*crowd("turning flow", n))
        runs = 3 if n < 2_000 else 1
        curves["merging, dense inverse"].append((n, median(seconds(lambda W=W: merge_densely(W)) for _ in range(runs))))
    return curves


def slope(curve: list[tuple[int, float]]) -> float:
    """Slope of time over N on log-log: 1 where twice the particles take twice the time."""
    n, t = np.log(np.array(curve)).T
    return float(np.polyfit(n, t, 1)[0])


def slope_row(curves: dict[str, list[tuple[int, float]]]) -> Row:
    """The slope of merging from 4,000 particles on, where its fixed costs no longer show."""
    curve = [(n, t) for n, t in curves["merging, exact"] if n >= 4_000]
    (first, few), (last, many) = curve[0], curve[-1]
    what = f"slope of merging, N = {first:,} to {last:,} (turning flow)"
    return Row(what, "on log-log", _s(many), _s(few), slope(curve), 1.2, unit="")


def _merging(W: csr_array) -> Callable[[], object]:
    return lambda: collective_merging(W)


def _same_parts(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two labellings mean the same parts."""
    return len(np.unique(np.stack([a, b]), axis=1).T) == len(np.unique(a)) == len(np.unique(b))


def _s(value: float) -> str:
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"
