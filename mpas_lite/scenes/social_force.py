"""How the people of a synthetic scene walk: a social-force crowd on the ground, in metres and seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

RELAXATION = 0.5  # s, tau: how fast a walker takes up the wanted velocity (Helbing & Molnar 1995)
STRENGTH, RANGE = 2.1, 0.3  # V0 in m2/s2 and sigma in m: the repulsion between two walkers (same source)
ANTICIPATION = 0.6  # s: walkers keep clear of where the other will be (Johansson, Helbing & Shukla 2007)
BEHIND = 0.3  # how much a walker minds those behind, relative to those in front (Helbing & Molnar 1995: 0.5)
CONTACT = 0.42  # m: two bodies never come closer than this, the near edge of Hall's personal distance (0.46 m)
MEAN_PAUSE = 5.0  # s: how long a stop lasts on average
STILL = 0.1  # m/s: slower than this on the ground counts as standing


@dataclass(frozen=True)
class Route:
    """A way that walkers take: ``points`` (M, 2) in metres, walked from first to last, ``width`` m wide."""

    points: np.ndarray
    width: float
    share: float = 1.0  # of all walkers
    speed: tuple[float, float] = (1.34, 0.26)  # m/s, mean and spread: Weidmann 1993
    start: tuple[float, float] = (0.0, 1.0)  # where along the way, 0 to 1, the first walkers are placed
    company: float = 0.5  # the fraction that walks in twos and threes (Moussaid et al. 2010: up to 0.7)


@dataclass(frozen=True)
class Plan:
    """Who walks where: routes, people who only stand (x, y, facing), and round obstacles (x, y, radius)."""

    routes: Sequence[Route]
    walkers: int
    standing: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    obstacles: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    warm_up: float = 5.0  # s walked before the first frame, so that nobody stands on anybody's toes


@dataclass(frozen=True)
class Moment:
    """The crowd at one frame. Lengths in metres, N people."""

    ids: np.ndarray  # (N,) int, never reused
    position: np.ndarray  # (N, 2) on the ground
    step: np.ndarray  # (N, 2) what they move until the next frame
    heading: np.ndarray  # (N,) rad, where the body faces
    speed: np.ndarray  # (N,) m/s, smoothed: how wide the gait is
    phase: np.ndarray  # (N,) rad, of the gait
    standing: np.ndarray  # (N,) bool: slower than 0.1 m/s


class _Way:
    """A route as a curve one can ask for points by arc length."""

    def __init__(self, points: np.ndarray):
        dense = smooth(np.asarray(points, float))
        self.point = dense
        self.arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))]
        self.length = float(self.arc[-1])

    def at(self, s: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(s, self.arc, self.point[:, a]) for a in (0, 1)], axis=-1)

    def tangent(self, s: np.ndarray) -> np.ndarray:
        s = np.clip(s, 0.25, self.length - 0.25)
        t = self.at(s + 0.25) - self.at(s - 0.25)
        return t / np.maximum(np.linalg.norm(t, axis=-1, keepdims=True), 1e-9)


def smooth(points: np.ndarray) -> np.ndarray:
    """Round the corners of a polyline (Chaikin's corner cutting, ends kept)."""
    for _ in range(3):
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.concatenate([points[:1], np.stack([near, far], 1).reshape(-1, 2), points[-1:]])
    return points


def walk(plan: Plan, rng: np.random.Generator, *, fps: float, pause_fraction: float) -> Iterator[Moment]:
    """Yield the crowd frame after frame, for ever.

    Each walker accelerates towards the wanted speed along the route and is pushed away by others:
    dv/dt = (v0 e - v) / tau + sum_j f_ij, the social-force model of Helbing & Molnar (1995) with the
    repulsion along an ellipse that reaches ahead with the relative velocity (Johansson et al. 2007).
    Companions walk side by side. Every group stops now and then (a two-state Markov process with the
    stationary probability ``pause_fraction``). Who reaches the end of a route leaves, and somebody new
    starts at its beginning.
    """
    ways = [_Way(r.points) for r in plan.routes]
    walkers, people = plan.walkers, plan.walkers + len(plan.standing)
    substeps = max(1, int(np.ceil(1 / fps / 0.05)))
    dt = 1 / fps / substeps

    route, group = _companies(plan, rng)
    spread = np.array([r.speed[1] for r in plan.routes])[route]
    mean = np.array([r.speed[0] for r in plan.routes])[route]
    wanted_of_group = rng.standard_normal(walkers)  # companions keep the same pace
    wanted = np.clip(mean + spread * wanted_of_group[group], 0.45 * mean, 1.6 * mean)
    paused_group = rng.random(walkers) < pause_fraction

    s, offset = np.zeros(walkers), np.zeros(walkers)
    x = np.zeros((people, 2))
    x[walkers:] = plan.standing[:, :2]
    for i in range(walkers):  # one after the other, each where there is room
        r = plan.routes[route[i]]
        lead = np.flatnonzero(group[:i] == group[i])
        low, high = r.start
        s[i], offset[i], x[i] = _free_place(
            ways[route[i]],
            np.r_[x[:i], x[walkers:]],
            rng,
            low=low * ways[route[i]].length if not lead.size else s[lead[0]] - 0.4,
            high=high * ways[route[i]].length if not lead.size else s[lead[0]] + 0.4,
            middle=0.0 if not lead.size else offset[lead[0]],
            width=r.width if not lead.size else 1.8,
        )
    v = np.zeros((people, 2))
    for k, way in enumerate(ways):
        mine = np.flatnonzero(route == k)
        v[mine] = way.tangent(s[mine]) * wanted[mine, None]
    heading = np.r_[np.arctan2(v[:walkers, 1], v[:walkers, 0]), plan.standing[:, 2]]
    v[:walkers][paused_group[group]] = 0
    ids = np.arange(people)
    next_id = people
    phase = rng.uniform(0, 2 * np.pi, people)
    pace = np.linalg.norm(v, axis=1)

    begin_pause = pause_fraction / max(1 - pause_fraction, 1e-6) / MEAN_PAUSE * dt
    for frame in range(-int(plan.warm_up * fps), 2**62):
        before = x.copy()
        for _ in range(substeps):
            chance = rng.random(walkers)
            paused_group = np.where(paused_group, chance > dt / MEAN_PAUSE, chance < begin_pause)
            pausing = paused_group[group]
            goal = np.zeros((people, 2))
            for k, way in enumerate(ways):
                mine = np.flatnonzero(route == k)
                tangent = way.tangent(s[mine])
                s[mine] += np.einsum("ij,ij->i", x[mine] - way.at(s[mine]), tangent)  # the foot of the plumb
                normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
                ahead = way.at(s[mine] + 2.0) + offset[mine, None] * normal - x[mine]
                ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
                goal[mine] = ahead * (wanted[mine] * ~pausing[mine])[:, None]
            force = (goal - v) / RELAXATION + _repulsion(x, v, heading, group) + _from_obstacles(x, plan)
            force[:walkers] += _cohesion(x[:walkers], group)
            v = v + force * dt
            limit = np.r_[1.3 * wanted, np.zeros(people - walkers)]
            fast = np.maximum(np.linalg.norm(v, axis=1), 1e-9)
            v *= np.minimum(1, limit / fast)[:, None]
            still = np.r_[pausing & (fast[:walkers] < 0.35), np.ones(people - walkers, bool)]
            v[still] = 0  # feet on the ground: nobody glides while standing
            x = _apart(x + v * dt, still, plan.obstacles)
        step = x - before
        pace = 0.8 * pace + 0.2 * np.linalg.norm(step, axis=1) * fps
        if frame >= 0:
            standing = np.linalg.norm(step, axis=1) * fps < STILL
            yield Moment(ids.copy(), before, step, heading.copy(), pace.copy(), phase.copy(), standing)
        heading = _turn(heading, step * fps, 1 / fps)
        phase = phase + 2 * np.pi * np.linalg.norm(step, axis=1) / (0.75 + 0.5 * pace)  # stride grows with pace
        for i in map(int, np.flatnonzero(s > np.array([w.length for w in ways])[route] - 0.5)):
            way, width = ways[route[i]], plan.routes[route[i]].width
            s[i], offset[i], x[i] = _free_place(way, np.delete(x, i, 0), rng, low=0, high=1.5, width=width)
            v[i] = way.tangent(s[i : i + 1])[0] * wanted[i]
            heading[i] = np.arctan2(v[i, 1], v[i, 0])
            ids[i], next_id = next_id, next_id + 1


def _companies(plan: Plan, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Deal the walkers out to routes and to companies of one to three; both (walkers,) int."""
    share = np.array([r.share for r in plan.routes], float)
    bounds = np.round(np.cumsum(share) / share.sum() * plan.walkers).astype(int)
    route = np.searchsorted(bounds, np.arange(plan.walkers), side="right")
    group = np.arange(plan.walkers)
    for k, r in enumerate(plan.routes):
        mine = list(np.flatnonzero(route == k))
        while mine:
            size = int(rng.choice([2, 2, 3])) if rng.random() < r.company / 1.6 else 1
            for i in mine[:size]:
                group[i] = mine[0]
            mine = mine[size:]
    return route, group


def _free_place(
    way: _Way,
    others: np.ndarray,
    rng: np.random.Generator,
    *,
    low: float,
    high: float,
    width: float,
    middle: float = 0.0,
) -> tuple[float, float, np.ndarray]:
    """The roomiest of some random places on a way: arc length, offset to the left, and point."""
    s = np.clip(rng.uniform(low, high, 24), 0, way.length - 1)
    offset = middle + rng.uniform(-width / 2, width / 2, 24)
    tangent = way.tangent(s)
    point = way.at(s) + offset[:, None] * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    room = np.linalg.norm(point[:, None] - others[None], axis=2).min(axis=1, initial=9.0)
    best = int(np.argmax(np.minimum(room, 0.8)))  # room enough is enough: crowds are not spread evenly
    return float(s[best]), float(offset[best]), point[best]


def _repulsion(x: np.ndarray, v: np.ndarray, heading: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Social force between people (N, 2), in m/s2."""
    d = x[:, None] - x[None]  # from j to i
    ahead = (v[None] - v[:, None]) * ANTICIPATION  # how far j comes towards i
    e = d - ahead
    dist, edist = np.sqrt((d**2).sum(2)) + 1e-6, np.sqrt((e**2).sum(2)) + 1e-6
    b = 0.5 * np.sqrt(np.maximum((dist + edist) ** 2 - (ahead**2).sum(2), 1e-4))  # the ellipse's half axis
    size = STRENGTH / RANGE * np.exp(-b / RANGE) * (dist + edist) / (4 * b)
    push = (d / dist[..., None] + e / edist[..., None]) * np.minimum(size, 8.0)[..., None]
    facing = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    cosine = -(d * facing[:, None]).sum(2) / dist
    weight = BEHIND + (1 - BEHIND) * (1 + cosine) / 2
    n = len(group)
    weight[:n, :n] *= np.where(group[:, None] == group[None], 0.4, 1.0)
    np.fill_diagonal(weight, 0)
    return (push * weight[..., None]).sum(1)


def _from_obstacles(x: np.ndarray, plan: Plan) -> np.ndarray:
    d = x[:, None] - plan.obstacles[None, :, :2]
    dist = np.maximum(np.linalg.norm(d, axis=2), 1e-6)
    push = 5.0 * np.exp((plan.obstacles[None, :, 2] + 0.2 - dist) / 0.3)
    return (d / dist[..., None] * np.minimum(push, 8.0)[..., None]).sum(1)


def _cohesion(x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Companions drift back together when more than a metre from the middle of their company."""
    count = np.bincount(group, minlength=len(x))
    centre = np.stack([np.bincount(group, x[:, a], minlength=len(x)) for a in (0, 1)], 1)
    away = centre[group] / count[group, None] - x
    dist = np.linalg.norm(away, axis=1, keepdims=True)
    return np.where((dist > 0.7) & (dist < 4.0), away / np.maximum(dist, 1e-6) * 0.8, 0.0)


def _apart(x: np.ndarray, still: np.ndarray, obstacles: np.ndarray) -> np.ndarray:
    """Move overlapping bodies apart; those who stand give way less."""
    for _ in range(4):
        d = x[:, None] - x[None]
        dist = np.linalg.norm(d, axis=2) + 1e-9
        np.fill_diagonal(dist, np.inf)
        overlap = np.maximum(CONTACT - dist, 0)
        give = np.where(still[:, None], 0.1, 0.5) + np.where(still[None], 0.4, 0.0)
        give[np.ix_(still, still)] = 0.5
        x = x + (d / dist[..., None] * (overlap * give)[..., None]).sum(1)
        if not overlap.any():
            break
    d = x[:, None] - obstacles[None, :, :2]
    dist = np.linalg.norm(d, axis=2) + 1e-9
    return x + (d / dist[..., None] * np.maximum(obstacles[None, :, 2] + 0.2 - dist, 0)[..., None]).sum(1)


def _turn(heading: np.ndarray, velocity: np.ndarray, dt: float) -> np.ndarray:
    """Turn bodies towards where they go, within a third of a second; who stands keeps facing as before."""
    goal = np.arctan2(velocity[:, 1], velocity[:, 0])
    turn = (goal - heading + np.pi) % (2 * np.pi) - np.pi
    moving = np.linalg.norm(velocity, axis=1) > 0.25
    return heading + np.where(moving, turn * min(1.0, dt / 0.3), 0.0)
