"""How fast the crowd graph and collective merging are: ``python -m benchmarks.collectiveness``.

Each ratio is the median over pairs measured one right after the other, so that a busy machine slows both.
The dense way is numpy's inverse, its threshold and scipy's components: the definition, written down.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from mpas_lite.collectiveness import collective_merging, collectiveness, kappa
from mpas_lite.graph import crowd_graph

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


def seconds(job: Callable[[], object]) -> float:
    """How long one run takes."""
    start = perf_counter()
    job()
    return perf_counter() - start


def paired(first: Callable[[], object], second: Callable[[], object], pairs: int) -> tuple[float, float, float]:
    """Median seconds of both, and the median of second / first, over interleaved pairs after a warm-up."""
    first()
    times = [(seconds(first), seconds(second)) for _ in range(pairs)]
    return median(a for a, _ in times), median(b for _, b in times), median(b / a for a, b in times)


def peak_memory(kind: str, n: int) -> float:
    """Highest memory, MB, of a fresh process that builds the graph of n particles and merges them."""
    import resource

    code = f"from benchmarks.collectiveness import *; collective_merging(crowd_graph(*crowd({kind!r}, {n})))"
    subprocess.run([sys.executable, "-c", code], check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of all children the largest


def main() -> None:
    """Measure, and print one Markdown table."""
    print("| crowd | what | ours | the other way | ratio |")
    print("|---|---|---|---|---|")
    for kind in KINDS:
        small, large = crowd_graph(*crowd(kind, 4_000)), crowd_graph(*crowd(kind, 100_000))
        ours, dense, ratio = paired(lambda W=small: collective_merging(W), lambda W=small: merge_densely(W), 3)
        print(f"| {kind} | merging, 4,000 against dense | {ours:.3f} s | {dense:.2f} s | {ratio:.0f}x |")
        few, many, ratio = paired(lambda W=small: collective_merging(W), lambda W=large: collective_merging(W), 3)
        slope = np.log(ratio) / np.log(25)
        print(f"| {kind} | merging, 4,000 to 100,000 | {few:.3f} s | {many:.2f} s | slope {slope:.2f} |")
        print(f"| {kind} | collectiveness, 100,000 | {seconds(lambda W=large: collectiveness(W)):.3f} s | | |")
        print(f"| {kind} | memory of graph and merging, 100,000 | {peak_memory(kind, 100_000):.0f} MB | | |")
        position, velocity = crowd(kind, 100_000)
        ours, tree, ratio = paired(
            lambda x=position, v=velocity: crowd_graph(x, v), lambda x=position: KDTree(x).query(x, 21), 5
        )
        print(f"| {kind} | graph, 100,000, against KDTree | {ours:.3f} s | {tree:.3f} s | {1 / ratio:.2f} |")
    print()
    for kind, meaning in KINDS.items():
        print(f"- {kind}: {meaning}")


if __name__ == "__main__":
    main()
