"""Exercises of notebook 02: walks, how many steps are enough, and who is looked at."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, NotYet, compare, number, numbers, whole_number
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.similarity import collectiveness, path_similarity, regularized_path_similarity


def _matrix(graph: Any) -> np.ndarray:
    return nx.to_numpy_array(graph, nodelist=range(len(graph)))


def _sum(graph: Any, start: int, end: int, length: int) -> float:
    return float(path_similarity(_matrix(graph), length)[start, end])


def check_1(answer: Answer) -> None:
    """``walk_sum(graph, start, end, length)``: the products of all walks from start to end, added up."""
    cases = []
    for seed, k in ((1, 3), (4, 2)):
        rng = np.random.default_rng(seed)
        W = crowd_graph(rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), k=k).toarray()
        graph = nx.from_numpy_array(W, create_using=nx.DiGraph)
        cases += [(graph, i, j, length) for length in (1, 2, 3) for i, j in product(range(6), repeat=2)]

    compare(
        answer,
        cases,
        _sum,
        form=number,
        mistakes=[
            (
                "this adds up all walks from `start`, wherever they end; keep those whose last node is `end`.",
                lambda g, i, j, n: path_similarity(_matrix(g), n).toarray()[i].sum(),
            ),
            ("this counts the walks; add up their products.", lambda g, i, j, n: _each(g, i, j, n, lambda w: 1)),
            ("multiply the weights along a walk; this adds them.", lambda g, i, j, n: _each(g, i, j, n, sum)),
            ("a walk may visit a node again; this leaves such walks out.", _simple),
            ("these walks are one step too long.", lambda g, i, j, n: _sum(g, i, j, n + 1)),
            ("these walks are one step too short; L steps have L + 1 nodes.", lambda g, i, j, n: _sum(g, i, j, n - 1)),
            ("only walks of exactly `length` steps count; this adds the shorter ones, too.", _up_to),
            ("these walks go from `end` to `start`; the graph is directed.", lambda g, i, j, n: _sum(g, j, i, n)),
            ("add up all walks; this is the best one alone.", lambda g, i, j, n: max(_products(g, i, j, n), default=0)),
            ("this is the mean of the walks; add them up.", lambda g, i, j, n: np.mean(_products(g, i, j, n) or [0])),
            ("keep the walks that end at `end`; this keeps those that pass through it.", _through),
        ],
        say=lambda got, wanted, graph, start, end, length: (
            f"from {start} to {end} in {length} steps the sum is {wanted:.4f}, and walk_sum says {got:.4f}."
        ),
    )


def _walks(graph: Any, start: int, length: int) -> Iterator[list[int]]:
    if length == 0:
        yield [start]
        return
    for node in graph.successors(start):
        for rest in _walks(graph, node, length - 1):
            yield [start, *rest]


def _weights(graph: Any, walk: list[int]) -> list[float]:
    return [graph.edges[step]["weight"] for step in pairwise(walk)]


def _each(graph: Any, start: int, end: int, length: int, value: Any) -> float:
    return float(sum(value(_weights(graph, walk)) for walk in _walks(graph, start, length) if walk[-1] == end))


def _products(graph: Any, start: int, end: int, length: int) -> list[float]:
    return [math.prod(_weights(graph, walk)) for walk in _walks(graph, start, length) if walk[-1] == end]


def _simple(graph: Any, start: int, end: int, length: int) -> float:
    found = [walk for walk in _walks(graph, start, length) if walk[-1] == end and len(set(walk)) == len(walk)]
    return float(sum(math.prod(_weights(graph, walk)) for walk in found))


def _up_to(graph: Any, start: int, end: int, length: int) -> float:
    return sum(_sum(graph, start, end, n) for n in range(1, length + 1))


def _through(graph: Any, start: int, end: int, length: int) -> float:
    found = [walk for walk in _walks(graph, start, length) if end in walk]
    return float(sum(math.prod(_weights(graph, walk)) for walk in found))


def _enough(z: float, k: int, share: float) -> int:
    """The smallest L with (zK)**L <= share, by trying."""
    length = 0
    while (z * k) ** length > share * (1 + 1e-9):
        length += 1
    return length


def check_2(answer: Answer) -> None:
    """``steps_needed(z, k, share)``: after how many steps the bound is below a share of kappa."""
    cases = [(1 / 40, 20, 1e-6), (1 / 25, 20, 1e-6), (0.25, 2, 0.5), (0.3, 3, 0.1), (0.25, 2, 0.25), (0.05, 2, 0.05)]
    compare(
        answer,
        cases,
        _enough,
        form=whole_number,
        mistakes=[
            ("rounding to the nearest number is not enough: where it rounds down, the bound is missed.", _rounded),
            (
                "rounding down misses the bound: take the next larger whole number.",
                lambda z, k, s: _enough(z, k, s) - 1,
            ),
            ("rounding down misses the bound: take the next larger whole number.", _floored),
            ("this is one step more than needed.", lambda z, k, s: _enough(z, k, s) + 1),
            ("a rest of exactly `share` is small enough: at most, not less than.", _strict),
            ("K is missing: with each step the bound falls by zK, not by z.", lambda z, k, s: _enough(z, 1, s)),
            ("20 steps are enough at the default z alone; use z, k and share.", lambda z, k, s: 20),
            ("the rest is compared with `share` times kappa, and kappa stands on both sides.", _of_one),
        ],
        say=_say_steps,
    )


def _exact(z: float, k: int, share: float) -> float:
    return math.log(share) / math.log(z * k)


def _rounded(z: float, k: int, share: float) -> int:
    return round(_exact(z, k, share))


def _floored(z: float, k: int, share: float) -> int:
    return math.floor(_exact(z, k, share))


def _strict(z: float, k: int, share: float) -> int:
    length = _enough(z, k, share)
    return length + 1 if math.isclose((z * k) ** length, share) else length


def _of_one(z: float, k: int, share: float) -> int:
    return math.ceil(_exact(z, k, share * (1 - z * k) / z))


def _say_steps(got: int, wanted: int, z: float, k: int, share: float) -> str:
    if got < wanted:
        rest = (z * k) ** got
        return f"with z = {z:.3f}, K = {k} and L = {got} the rest may still be {rest:.2g} kappa, more than {share:g}."
    return f"with z = {z:.3f}, K = {k} and share = {share:g}, L = {got} is enough, but L = {got - 1} is, too."


@lru_cache(maxsize=8)
def _crowd(side: int, k: int, seed: int) -> csr_array:
    """A crowd on a shaken grid, half in step: nobody is looked at by many more than K, and walks fade slowly."""
    rng = np.random.default_rng(seed)
    place = np.indices((side, side)).reshape(2, -1).T + 0.2 * rng.normal(size=(side**2, 2))
    return crowd_graph(place, [1, 0] + 0.6 * rng.normal(size=(side**2, 2)), k=k)


def _columns(W: csr_array, z: float) -> np.ndarray:
    return regularized_path_similarity(W, z).sum(axis=0)


def check_3(answer: Answer) -> None:
    """``looked_at(W, z)``: column sums of Z, without an inverse and without a dense W."""
    cases = [(_crowd(side, k, seed), 1 / (2 * k)) for seed, side, k in ((2, 6, 4), (3, 7, 6), (4, 9, 20))]
    cases.append((cases[0][0], 0.1))
    compare(
        answer,
        cases,
        _columns,
        form=numbers,
        mistakes=[
            ("these are row sums, walks that leave; multiply from the other side.", collectiveness),
            ("ten rounds are not enough: walks of more steps still count.", lambda W, z: _rounds(W, z, 10)),
            ("one round is walks of one step; longer walks are missing.", lambda W, z: _rounds(W, z, 1)),
            ("the walk of no steps does not count: subtract 1.", lambda W, z: 1 + _columns(W, z)),
            ("each step needs its own factor z; here one z stands for all.", lambda W, z: z * _powers(W, 45)),
            (
                "this is longer walks alone; those of one step are missing.",
                lambda W, z: _columns(W, z) - _rounds(W, z, 1),
            ),
            ("this is the mean of each column, not its sum.", lambda W, z: _columns(W, z) / W.shape[0]),
            ("z is not used: with 1/(2K) this would be right.", lambda W, z: _columns(W, 1 / (2 * _most(W)))),
            (
                "this is the sum over all pairs; one number for each particle is asked for.",
                lambda W, z: _columns(W, z).sum(),
            ),
        ],
        say=_say_columns,
    )
    _must_stay_sparse(answer)


def _rounds(W: csr_array, z: float, rounds: int) -> np.ndarray:
    return regularized_path_similarity(W, z, max_length=rounds).sum(axis=0)


def _powers(W: csr_array, rounds: int) -> np.ndarray:
    term, total = np.ones(W.shape[0]), np.zeros(W.shape[0])
    for _ in range(rounds):
        term = term @ W
        total += term
    return total


def _most(W: csr_array) -> int:
    return int(np.diff(W.indptr).max())


def _say_columns(got: np.ndarray, wanted: np.ndarray, W: csr_array, z: float) -> str:
    if got.shape != wanted.shape:
        return f"give one number for each particle, shape {wanted.shape}; yours has {got.shape}."
    if bool((got < wanted).all()) and np.allclose(got, wanted, rtol=0.2):
        return "a little is missing from every column sum: are there enough rounds?"
    i = int(np.abs(got - wanted).argmax())
    return f"with z = {z:.3f} column {i} of Z sums up to {wanted[i]:.4f}, and looked_at says {got[i]:.4f}."


def _must_stay_sparse(answer: Answer) -> None:
    """Refuse an answer that holds a dense (N, N) array: of 2,025 particles that is 33 MB, and W takes 0.5."""
    W = _crowd(45, 20, 5)
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        answer(W, 1 / 40)
        used = tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
    if used > 0.9 * 8 * W.shape[0] ** 2:
        raise NotYet(
            "the numbers are right, but W is turned dense (or inverted) on the way: of 30,000 particles that is 7 GB. "
            "Start from the vector of ones, and multiply it by W again and again."
        )


EXERCISES = (
    Exercise("02.1", "walk_sum", check_1, "loop over walks(graph, start, length)."),
    Exercise("02.2", "steps_needed", check_2, "for which L is (zK)**L at most `share`?"),
    Exercise("02.3", "looked_at", check_3, "start from the vector of ones and multiply.", 3),
)
