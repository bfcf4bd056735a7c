"""Answers to the exercises of notebook 02."""

import math
from itertools import pairwise

import networkx as nx
import numpy as np
from scipy.sparse import identity
from scipy.sparse.linalg import spsolve

import mpas_lite as mp


def walks(graph, start, length):
    if length == 0:
        yield [start]
        return
    for neighbour in graph.successors(start):
        for rest in walks(graph, neighbour, length - 1):
            yield [start, *rest]


def product(graph, walk):
    return float(np.prod([graph.edges[step]["weight"] for step in pairwise(walk)]))


def walk_sum(graph, start, end, length, value=product):
    return sum(value(graph, walk) for walk in walks(graph, start, length) if walk[-1] == end)


def recursive(graph, start, end, length):
    if length == 0:
        return float(start == end)
    return sum(
        graph.edges[start, node]["weight"] * recursive(graph, node, end, length - 1) for node in graph.successors(start)
    )


def in_a_loop(graph, start, end, length):
    total = 0.0
    for walk in walks(graph, start, length):
        if walk[len(walk) - 1] != end:
            continue
        weight = 1.0
        for a, b in pairwise(walk):
            weight *= graph[a][b]["weight"]
        total += weight
    return total


def weights(graph, walk):
    return sum(graph.edges[step]["weight"] for step in pairwise(walk))


def simple(graph, start, end, length):
    paths = nx.all_simple_paths(graph, start, end, cutoff=length) if start != end else []
    return sum(product(graph, path) for path in paths if len(path) == length + 1)


def exact(z, k, share):
    return math.log(share) / math.log(z * k)


def counted(z, k, share):
    steps, rest = 0, 1.0
    while rest > share:
        rest *= z * k
        steps += 1
    return steps


def rounds(W, z, count):
    term, total = np.ones(W.shape[0]), np.zeros(W.shape[0])
    for _ in range(count):
        term = z * (term @ W)
        total += term
    return total


def until_small(W, z):
    term = total = z * W.sum(axis=0)
    while term.max() > 1e-12:
        term = z * (W.T @ term)
        total = total + term
    return total


def solved(W, z):
    A = z * W.T
    return spsolve((identity(W.shape[0]) - A).tocsc(), A @ np.ones(W.shape[0]))


def one_z(W, z):
    term, total = np.ones(W.shape[0]), 0
    for _ in range(45):
        term = term @ W
        total = total + term
    return z * total


def dense(W, z):
    n = W.shape[0]
    return (np.linalg.inv(np.eye(n) - z * W.toarray()) - np.eye(n)).sum(axis=0)


ANSWERS = {
    "02.1": (
        [walk_sum, recursive, in_a_loop],
        [
            (lambda g, i, j, n: sum(product(g, w) for w in walks(g, i, n)), "whose last node is `end`"),
            (lambda g, i, j, n: walk_sum(g, i, j, n, lambda g, w: 1), "this counts the walks"),
            (lambda g, i, j, n: walk_sum(g, i, j, n, weights), "multiply the weights"),
            (simple, "may visit a node again"),
            (lambda g, i, j, n: walk_sum(g, i, j, n + 1), "one step too long"),
            (lambda g, i, j, n: walk_sum(g, i, j, n - 1), "one step too short"),
            (lambda g, i, j, n: sum(walk_sum(g, i, j, m) for m in range(1, n + 1)), "exactly `length` steps"),
            (lambda g, i, j, n: walk_sum(g, j, i, n), "the graph is directed"),
            (lambda g, i, j, n: sum(product(g, w) for w in walks(g, i, n) if j in w), "pass through it"),
            (lambda g, i, j, n: 2 * walk_sum(g, i, j, n), "the sum is"),
        ],
    ),
    "02.2": (
        [
            lambda z, k, s: math.ceil(exact(z, k, s) - 1e-9),
            counted,
            lambda z, k, s: next(n for n in range(10_000) if (z * k) ** n <= s + 1e-15),
            lambda z, k, s: np.int64(np.ceil(exact(z, k, s))),
        ],
        [
            (lambda z, k, s: round(exact(z, k, s)), "rounding to the nearest"),
            (lambda z, k, s: np.ceil(exact(z, k, s)), "a whole number is asked for (an int), not"),
            (lambda z, k, s: float(math.ceil(exact(z, k, s))), "(an int), not 20.0"),
            (lambda z, k, s: int(exact(z, k, s)), "rounding down misses"),
            (lambda z, k, s: int(exact(z, k, s)) + 1, "at most, not less than"),
            (lambda z, k, s: math.ceil(exact(z, k, s)) + 1, "one step more than needed"),
            (lambda z, k, s: math.ceil(exact(z, 1, s)), "K is missing"),
            (lambda z, k, s: 20, "at the default z alone"),
            (lambda z, k, s: 500, "is enough, but L = 499 is, too"),
            (lambda z, k, s: 3, "the rest may still be"),
        ],
    ),
    "02.3": (
        [
            lambda W, z: rounds(W, z, 45),
            lambda W, z: mp.collectiveness(W.T.tocsr(), z),
            until_small,
            solved,
        ],
        [
            (lambda W, z: rounds(W, z, 10), "ten rounds are not enough"),
            (lambda W, z: rounds(W, z, 12), "are there enough rounds?"),
            (lambda W, z: mp.collectiveness(W, z), "these are row sums"),
            (lambda W, z: 1 + rounds(W, z, 45), "subtract 1"),
            (one_z, "its own factor z"),
            (lambda W, z: rounds(W, z, 1), "walks of one step"),
            (lambda W, z: rounds(W, z, 45).sum(), "one number for each particle"),
            (dense, "W is turned dense"),
            (lambda W, z: np.asarray(mp.regularized_path_similarity(W, z)).sum(axis=0), "W is turned dense"),
            (lambda W, z: rounds(W, z, 45)[:-1], "one number for each particle, shape"),
        ],
    ),
}
