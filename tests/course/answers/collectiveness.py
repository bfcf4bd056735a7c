"""Answers to the exercises of notebook 03."""

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import mpas_lite as mp


def series(c, z, k):
    return sum((z * k * c) ** n for n in range(1, 500))


def groups(*directions, n=25, spread=1.0, error=0.2, seed=0, apart=99):
    """Clumps far from each other; those in opposite directions have opposite errors."""
    rng = np.random.default_rng(seed)
    place, off = spread * rng.normal(size=(n, 2)), error * rng.normal(size=n)
    x = np.concatenate([place + np.array([apart * i, 0]) for i in range(len(directions))])
    angle = np.concatenate([off + direction for direction in directions])
    return x, np.stack([np.cos(angle), np.sin(angle)], axis=1)


FOUR = (0, np.pi, np.pi / 2, -np.pi / 2)
SIX = tuple(np.pi * i / 3 for i in range(6))


def two_lines(shake=0.0):
    rng = np.random.default_rng(1)
    along = np.tile(np.arange(30.0), 2)
    x = np.stack([along, np.repeat([0.0, 99.0], 30)], axis=1) + shake * rng.normal(size=(60, 2))
    angle = np.repeat([0, np.pi], 30) + np.tile(0.1 * (shake > 0) * rng.normal(size=30), 2)
    return x, np.stack([np.cos(angle), np.sin(angle)], axis=1)


def circle(shake=0.0, n=120):
    turn = 2 * np.pi * np.arange(n) / n
    x = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    off = np.tile(shake * np.random.default_rng(2).normal(size=n // 2), 2)
    return x, np.stack([-np.sin(turn + off), np.cos(turn + off)], axis=1)


def without_order():
    rng = np.random.default_rng(4)
    angle = np.tile(rng.uniform(0, np.pi, 40), 2) + np.repeat([0, np.pi], 40)
    return rng.normal(size=(80, 2)), np.stack([np.cos(angle), np.sin(angle)], axis=1)


def merge(Z, limit, min_size):
    graph = nx.Graph()
    graph.add_edges_from(np.argwhere(limit < Z).tolist())
    return [group for group in nx.connected_components(graph) if len(group) >= min_size]


def with_scipy(Z, limit, min_size):
    _, component = connected_components(csr_array(limit < Z), directed=False)
    found = [np.flatnonzero(component == c).tolist() for c in range(component.max() + 1)]
    return [set(group) for group in found if len(group) >= min_size]


def by_spreading(Z, limit, min_size):
    link, left, found = (limit < Z) | (limit < Z.T), set(range(len(Z))), []
    while left:
        group, front = set(), {left.pop()}
        while front:
            i = front.pop()
            group.add(i)
            front |= {int(j) for j in np.flatnonzero(link[i])} - group
        left -= group
        if len(group) >= min_size:
            found.append(group)
    return found


def following_arrows(Z, limit, min_size):
    graph = nx.DiGraph(np.argwhere(limit < Z).tolist())
    return [group for group in nx.strongly_connected_components(graph) if len(group) >= min_size]


ANSWERS = {
    "03.1": (
        [
            lambda c, z, k: z * k * c / (1 - z * k * c),
            series,
            lambda c, z, k: 1 / (1 - c * z * k) - 1,
            lambda c, z, k: mp.collectiveness(c * (1 - np.eye(k + 1)), z).mean(),
        ],
        [
            (lambda c, z, k: 1 / (1 - z * k * c), "subtract 1"),
            (lambda c, z, k: z * k / (1 - z * k), "`c` is not used"),
            (lambda c, z, k: c * z * k / (1 - z * k), "at every step"),
            (lambda c, z, k: z * k * c, "walks of one step"),
            (lambda c, z, k: z / (1 - z * k), "this is kappa"),
            (lambda c, z, k: z * c / (1 - z * k * c), "K is missing above"),
            (lambda c, z, k: z * k * c / (1 + z * k * c), "the sign beneath"),
            (lambda c, z, k: c / (2 - c), "z is not used"),
            (lambda c, z, k: np.array([1.0, 0.5]), "one number is asked for"),
        ],
    ),
    "03.2": (
        [lambda: groups(*FOUR), lambda: groups(*SIX, n=15, seed=3), lambda: groups(*FOUR, n=40, spread=0.3, error=0.1)],
        [
            (two_lines, "everybody has the same phi"),
            (lambda: two_lines(0.05), "the two lines of section 3"),
            (lambda: groups(0, np.pi, n=30), "the two lines of section 3"),
            (circle, "everybody has the same phi"),
            (lambda: circle(0.05), "the circle of section 3, shaken"),
            (lambda: groups(*FOUR, n=12), "at least 50 particles, not 48"),
            (lambda: groups(0, 0.1, n=30), "give every direction an opposite one"),
            (without_order, "keep those who agree closer together"),
            (lambda: [part.T for part in groups(*FOUR)], "both have the shape (N, 2)"),
            (lambda: 7, "return two arrays"),
            (lambda: (groups(*FOUR)[0], np.zeros((100, 2))), "stand still"),
        ],
    ),
    "03.3": (
        [merge, with_scipy, by_spreading],
        [
            (lambda Z, limit, m: merge(Z, 0, m), "`limit` is not used"),
            (lambda Z, limit, m: merge(Z, limit, m + 1), "at least, not more than"),
            (lambda Z, limit, m: merge(Z, limit, 10), "`min_size` is not used"),
            (lambda Z, limit, m: merge(Z, limit, 1), "keep those of at least min_size"),
            (lambda Z, limit, m: merge(np.minimum(Z, Z.T), limit, m), "Z_ij or Z_ji, not both"),
            (following_arrows, "Z_ij or Z_ji, not both"),
            (lambda Z, limit, m: merge(np.triu(Z), limit, m), "Z_ji counts, too"),
            (lambda Z, limit, m: sorted(merge(Z, limit, m), key=len)[-1:], "only the largest group"),
            (lambda Z, limit, m: np.zeros(len(Z), int), "return a list of sets"),
            (lambda Z, limit, m: merge(Z, 0.2, m), "groups, not"),
        ],
    ),
}
