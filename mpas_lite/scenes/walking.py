"""How the people of a synthetic scene walk: a social-force crowd on the ground, stepped from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mpas_lite.scenes.routes import Curve, Plan, assign_groups, free_place, left_of
from mpas_lite.scenes.social_force import cohesion, obstacle_repulsion, repulsion, separate, turn_towards

RELAXATION = 0.5  # s, tau: how fast a walker takes up the wanted velocity (Helbing & Molnar 1995)
LOOK_AHEAD = 2.0  # m: walkers head for the point of their route that is so far before them
MEAN_PAUSE = 5.0  # s: how long a stop lasts on average
STILL = 0.1  # m/s: slower than this on the ground counts as standing
LONGEST_STEP = 0.05  # s, of the simulation


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


def walk(
    plan: Plan,
    rng: np.random.Generator,
    *,
    fps: float,
    pause_fraction: float,
    waiting: np.ndarray | None = None,
) -> Iterator[Moment]:
    """Yield the crowd frame after frame, for ever.

    Each walker accelerates towards the wanted speed along the route and is pushed away by others:
    dv/dt = (v0 e - v) / tau + sum_j f_ij, the social-force model of Helbing & Molnar (1995) with the
    repulsion along an ellipse that reaches ahead with the relative velocity (Johansson et al. 2007).
    Companions walk side by side. Every group stops now and then (a two-state Markov process with the
    stationary probability ``pause_fraction``). Who reaches the end of a route leaves, and somebody new
    starts at its beginning.

    Parameters
    ----------
    plan : Plan
    rng : numpy.random.Generator
    fps : float
        Frames per second.
    pause_fraction : float in [0, 1)
        The part of the walkers that stands at any time.
    waiting : (walkers,) bool, optional
        Who never moves at all, and with them their companions: groups wait that have such a first walker.

    Yields
    ------
    Moment
    """
    substeps = max(1, int(np.ceil(1 / fps / LONGEST_STEP)))
    crowd = _Crowd(plan, rng, pause_fraction, waiting)
    for frame in range(-int(plan.warm_up * fps), 2**62):
        before = crowd.x.copy()
        for _ in range(substeps):
            crowd.advance(1 / fps / substeps)
        step = crowd.x - before
        speed = np.linalg.norm(step, axis=1) * fps
        crowd.pace = 0.8 * crowd.pace + 0.2 * np.linalg.norm(step, axis=1) * fps
        if frame >= 0:
            yield crowd.moment(before, step, standing=speed < STILL)
        crowd.heading = turn_towards(crowd.heading, step * fps, 1 / fps)
        stride = 0.75 + 0.5 * crowd.pace  # m, of two paces: it grows with the speed
        crowd.phase = crowd.phase + 2 * np.pi * np.linalg.norm(step, axis=1) / stride
        crowd.replace_arrived()


class _Crowd:
    """The people of a plan and how they move: first the walkers, then those who only stand.

    ``x``, ``v`` and ``heading`` are of all people; ``route``, ``group``, ``s`` (arc length along the route), ``offset``
    (to the left of it) and ``wanted`` (speed) of the walkers; ``paused`` of the groups, by their first walker.
    """

    def __init__(self, plan: Plan, rng: np.random.Generator, pause_fraction: float, waiting: np.ndarray | None = None):
        self.plan, self.rng, self.pause_fraction = plan, rng, pause_fraction
        self.curves = [Curve(r.points) for r in plan.routes]
        self.walkers, people = plan.walkers, plan.walkers + len(plan.standing)
        self.route, self.group = assign_groups(plan, rng)
        self.waiting = np.zeros(plan.walkers, bool) if waiting is None else waiting[self.group]
        spread = np.array([r.speed[1] for r in plan.routes])[self.route]
        mean = np.array([r.speed[0] for r in plan.routes])[self.route]
        wanted_of_group = rng.standard_normal(self.walkers)  # companions keep the same pace
        self.wanted = np.clip(mean + spread * wanted_of_group[self.group], 0.45 * mean, 1.6 * mean)
        self.paused = rng.random(self.walkers) < pause_fraction
        self.s, self.offset, self.x = np.zeros(self.walkers), np.zeros(self.walkers), np.zeros((people, 2))
        self.x[self.walkers :] = plan.standing[:, :2]
        for walker in range(self.walkers):  # one after the other, each where there is room
            self._place(walker)
        self.v = np.zeros((people, 2))
        for curve, mine in self._routes():
            self.v[mine] = curve.tangent(self.s[mine]) * self.wanted[mine, None]
        walking = self.v[: self.walkers]
        self.heading = np.r_[np.arctan2(walking[:, 1], walking[:, 0]), plan.standing[:, 2]]
        walking[self.paused[self.group] | self.waiting] = 0
        self.ids, self.next_id = np.arange(people), people
        self.phase = rng.uniform(0, 2 * np.pi, people)
        self.pace = np.linalg.norm(self.v, axis=1)  # m/s, smoothed speed

    def moment(self, position: np.ndarray, step: np.ndarray, *, standing: np.ndarray) -> Moment:
        """The crowd at these positions, before it makes the step."""
        ids, heading, pace, phase = (a.copy() for a in (self.ids, self.heading, self.pace, self.phase))
        return Moment(ids, position, step, heading, pace, phase, standing)

    def _routes(self) -> Iterator[tuple[Curve, np.ndarray]]:
        """Every route, and the indices of those who walk on it."""
        for k, curve in enumerate(self.curves):
            yield curve, np.flatnonzero(self.route == k)

    def _place(self, walker: int) -> None:
        """Put a walker where the route begins to be filled, or beside the first of the group."""
        route, curve = self.plan.routes[self.route[walker]], self.curves[self.route[walker]]
        first = np.flatnonzero(self.group[:walker] == self.group[walker])[:1]
        if first.size:
            s, middle, width = self.s[first[0]], self.offset[first[0]], 1.8
            low, high = s - 0.4, s + 0.4
        else:
            (low, high), middle, width = np.array(route.start) * curve.length, 0.0, route.width
        others = np.r_[self.x[:walker], self.x[self.walkers :]]
        place = free_place(curve, others, self.rng, low=low, high=high, middle=middle, width=width)
        self.s[walker], self.offset[walker], self.x[walker] = place

    def advance(self, dt: float) -> None:
        """Let everybody move for so many seconds."""
        pausing = self._pausing(dt) | self.waiting
        force = (self._wanted_velocity(pausing) - self.v) / RELAXATION
        force = force + repulsion(self.x, self.v, self.heading, self.group)
        force = force + obstacle_repulsion(self.x, self.plan.obstacles)
        force[: self.walkers] += cohesion(self.x[: self.walkers], self.group)
        v = self.v + force * dt
        only_stand = len(self.x) - self.walkers
        limit = np.r_[1.3 * self.wanted, np.zeros(only_stand)]
        speed = np.maximum(np.linalg.norm(v, axis=1), 1e-9)
        v *= np.minimum(1, limit / speed)[:, None]
        stops = self.waiting | (pausing & (speed[: self.walkers] < 0.35))
        still = np.r_[stops, np.ones(only_stand, bool)]
        v[still] = 0  # feet on the ground: nobody glides while standing
        before, wait = self.x, np.flatnonzero(self.waiting)
        self.v, self.x = v, separate(self.x + v * dt, still, self.plan.obstacles)
        self.x[wait] = before[wait]  # whoever waits is not pushed aside

    def _pausing(self, dt: float) -> np.ndarray:
        """Which walkers pause, (walkers,) bool, after groups have begun and ended their pauses."""
        begin = self.pause_fraction / max(1 - self.pause_fraction, 1e-6) / MEAN_PAUSE * dt
        chance = self.rng.random(self.walkers)
        self.paused = np.where(self.paused, chance > dt / MEAN_PAUSE, chance < begin)
        return self.paused[self.group]

    def _wanted_velocity(self, pausing: np.ndarray) -> np.ndarray:
        """The velocity (N, 2) that everybody wants: ahead along the route, at the own offset; 0 for those who stand."""
        goal = np.zeros_like(self.x)
        for curve, mine in self._routes():
            tangent = curve.tangent(self.s[mine])
            foot = np.einsum("ij,ij->i", self.x[mine] - curve.at(self.s[mine]), tangent)
            self.s[mine] += foot  # the route's point that is nearest to the walker
            ahead = curve.at(self.s[mine] + LOOK_AHEAD) + self.offset[mine, None] * left_of(tangent) - self.x[mine]
            ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
            goal[mine] = ahead * (self.wanted[mine] * ~pausing[mine])[:, None]
        return goal

    def replace_arrived(self) -> None:
        """Whoever is at the end of a route leaves; somebody new starts at its beginning."""
        length = np.array([curve.length for curve in self.curves])[self.route]
        for i in map(int, np.flatnonzero(self.s > length - 0.5)):
            curve, width = self.curves[self.route[i]], self.plan.routes[self.route[i]].width
            others = np.delete(self.x, i, 0)
            self.s[i], self.offset[i], self.x[i] = free_place(curve, others, self.rng, low=0, high=1.5, width=width)
            self.v[i] = curve.tangent(self.s[i : i + 1])[0] * self.wanted[i]
            self.heading[i] = np.arctan2(self.v[i, 1], self.v[i, 0])
            self.ids[i], self.next_id = self.next_id, self.next_id + 1
