"""Exercises of notebook 03: collectiveness from agreement, a crowd of one's own, and merging by hand."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, NotYet, compare, number
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.similarity import collectiveness, kappa, regularized_path_similarity
from mpas_lite.motion.vicsek import order


def _phi(c: float, z: float, k: int) -> float:
    """Of k + 1 particles that are all each other's neighbours and agree by c."""
    return float(collectiveness(c * (1 - np.eye(k + 1)), z)[0])


def check_1(answer: Answer) -> None:
    """``phi_of(c, z, k)``: collectiveness where everybody agrees by c with K neighbours."""
    rng = np.random.default_rng(1)
    cases = [(1.0, 1 / 40, 20), (0.5, 0.1, 4)]
    cases += [(float(rng.uniform(0.2, 1)), float(rng.uniform(0.2, 0.9)) / k, k) for k in (2, 5, 10, 20)]
    compare(
        answer,
        cases,
        _phi,
        form=number,
        mistakes=[
            ("the walk of no steps does not count: subtract 1.", lambda c, z, k: 1 + _phi(c, z, k)),
            ("`c` is not used: this is a crowd that agrees fully.", lambda c, z, k: _phi(1, z, k)),
            ("`c` counts at every step of a walk, not once.", lambda c, z, k: c * _phi(1, z, k)),
            ("this is walks of one step; add the longer ones.", lambda c, z, k: z * k * c),
            ("this is kappa, the bound on one entry of Z; phi is a row's sum.", lambda c, z, k: kappa(z, k)),
            ("c belongs beneath the fraction bar, too, but the first step's is missing.", _first_lost),
            ("K is missing above the fraction bar: every step has K neighbours.", lambda c, z, k: _phi(c, z, k) / k),
            ("K is not used.", lambda c, z, k: z * c / (1 - z * c)),
            ("z is not used: this is right at z = 1/(2K) alone.", lambda c, z, k: _phi(c, 1 / (2 * k), k)),
            (
                "the sign beneath the fraction bar: the series adds up to 1 - zKc there.",
                lambda c, z, k: _phi(-c, z, k) * -1,
            ),
        ],
        say=lambda got, wanted, c, z, k: (
            f"with c = {c:.3f}, z = {z:.3f} and K = {k} it is {wanted:.3f}, and phi_of says {got:.3f}."
        ),
    )


def _first_lost(c: float, z: float, k: int) -> float:
    return _phi(c, z, k) / c


def check_2(answer: Answer) -> None:
    """``my_crowd()``: no order, much collectiveness, and neither the two lines nor the circle."""
    x, u = _crowd_of(answer())
    if len(x) < 50:
        raise NotYet(f"there should be at least 50 particles, not {len(x)}.")
    if not (np.linalg.norm(u, axis=1) > 0).all():
        raise NotYet("some particles stand still; give everybody a direction.")
    if order(u) >= 0.01:
        raise NotYet(f"the order is {order(u):.3f}, not below 0.01; give every direction an opposite one.")
    phi = collectiveness(crowd_graph(x, u, k=10))
    if phi.mean() <= 0.9:
        raise NotYet(f"the collectiveness is {phi.mean():.2f}, not above 0.9; keep those who agree closer together.")
    if np.ptp(phi) <= 1e-6:
        raise NotYet("everybody has the same phi; let somebody disagree a little.")
    angle = np.arctan2(u[:, 1], u[:, 0])
    if abs(np.exp(2j * angle).mean()) > 0.9:
        raise NotYet("all go one way or its opposite, as the two lines of section 3 do; take three directions or more.")
    if _goes_round(x, u):
        raise NotYet("this is the circle of section 3, shaken: all go round one centre. Make another crowd.")


def _crowd_of(result: Any) -> tuple[np.ndarray, np.ndarray]:
    try:
        x, u = (np.asarray(part, dtype=float) for part in result)
    except (TypeError, ValueError):
        raise NotYet("return two arrays of numbers: positions, velocities.") from None
    if not x.shape == u.shape == (len(np.atleast_1d(x)), 2):
        raise NotYet(f"positions and velocities both have the shape (N, 2); yours have {x.shape} and {u.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(u).all()):
        raise NotYet("some numbers are NaN or infinite.")
    return x, u


def _goes_round(x: np.ndarray, u: np.ndarray) -> bool:
    """Whether the crowd is one ring of even radius that goes round its centre."""
    arm = x - x.mean(axis=0)
    radius = np.linalg.norm(arm, axis=1)
    if np.min(radius) == 0 or radius.std() > 0.1 * radius.mean():
        return False
    turn = (arm[:, 0] * u[:, 1] - arm[:, 1] * u[:, 0]) / radius / np.linalg.norm(u, axis=1)
    return bool(abs(turn.mean()) > 0.9)


Groups = frozenset[frozenset[int]]


def check_3(answer: Answer) -> None:
    """``merge(Z, limit, min_size)``: links above the limit, connected components, not too small ones."""
    rng = np.random.default_rng(3)
    sizes = (30, 20, 10, 6, 3)
    group = np.repeat(np.arange(5), sizes)
    centre = 30 * np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 2]])
    way = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1]])
    x, u = centre[group] + rng.normal(size=(69, 2)), way[group] + 0.25 * rng.normal(size=(69, 2))
    cases = []
    for k, share, min_size in ((2, 0.6, 10), (2, 0.6, 3), (3, 0.8, 6), (2, 0.9, 10), (2, 0.9, 4), (2, 0.3, 20)):
        Z = regularized_path_similarity(crowd_graph(x, u, k=k))
        cases.append((Z, share * kappa(1 / (2 * k), k), min_size))

    compare(
        answer,
        cases,
        _merged,
        form=_groups,
        mistakes=[
            ("`limit` is not used: a link needs an entry above it, not above 0.", lambda Z, a, m: _merged(Z, 0, m)),
            (
                "a group of exactly min_size particles is kept: at least, not more than.",
                lambda Z, a, m: _merged(Z, a, m + 1),
            ),
            ("`min_size` is not used: 10 is right in one case alone.", lambda Z, a, m: _merged(Z, a, 10)),
            ("small groups are outliers: keep those of at least min_size.", lambda Z, a, m: _merged(Z, a, 2)),
            ("small groups are outliers: keep those of at least min_size.", lambda Z, a, m: _merged(Z, a, 1)),
            ("one direction is enough: Z_ij or Z_ji, not both.", lambda Z, a, m: _merged(np.minimum(Z, Z.T), a, m)),
            ("one direction is enough: Z_ij or Z_ji, not both.", _strong),
            (
                "only the entries above the diagonal are looked at; Z_ji counts, too.",
                lambda Z, a, m: _merged(np.triu(Z), a, m),
            ),
            ("only the largest group is there; return all.", lambda Z, a, m: sorted(_merged(Z, a, m), key=len)[-1:]),
            ("these are single links, not connected components: a link's link belongs to the group.", _neighbourhoods),
            ("this links entries below the limit.", lambda Z, a, m: _merged(-Z, -a, m)),
        ],
        say=_say_groups,
    )


def _merged(Z: np.ndarray, limit: float, min_size: int) -> list[set[int]]:
    graph = nx.from_numpy_array(np.maximum(Z, Z.T) > limit)
    return [group for group in nx.connected_components(graph) if len(group) >= min_size]


def _strong(Z: np.ndarray, limit: float, min_size: int) -> list[set[int]]:
    graph = nx.from_numpy_array(limit < Z, create_using=nx.DiGraph)
    return [group for group in nx.strongly_connected_components(graph) if len(group) >= min_size]


def _neighbourhoods(Z: np.ndarray, limit: float, min_size: int) -> list[set[int]]:
    link = np.maximum(Z, Z.T) > limit
    found = [{i, *np.flatnonzero(row).tolist()} for i, row in enumerate(link)]
    return [group for group in found if len(group) >= min_size]


def _groups(result: Any) -> Groups:
    try:
        found = [frozenset(int(i) for i in group) for group in result]
    except (TypeError, ValueError):
        raise NotYet("return a list of sets of particle numbers, one set for each group.") from None
    return frozenset(found)


def _say_groups(got: Groups, wanted: Groups, Z: np.ndarray, limit: float, min_size: int) -> str:
    if any(len(group) < min_size for group in got):
        return f"a group of fewer than min_size = {min_size} particles is an outlier."
    if len(got) != len(wanted):
        return f"with limit = {limit:.3f} and min_size = {min_size} there are {len(wanted)} groups, not {len(got)}."
    return "the number of groups is right, but not who is in them."


EXERCISES = (
    Exercise("03.1", "phi_of", check_1, "the formula is in section 1."),
    Exercise("03.2", "my_crowd", check_2, "how about four groups, each with its own direction?", 3),
    Exercise("03.3", "merge", check_3, "start with nx.Graph() and np.argwhere(Z > limit).", 3),
)
