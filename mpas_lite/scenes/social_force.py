"""The social-force model: what pushes and pulls the people of a synthetic scene, in metres and seconds.

Helbing & Molnar (1995), with the repulsion along an ellipse that reaches ahead with the relative velocity
(Johansson, Helbing & Shukla 2007). All functions are pure, on arrays of N people.
"""

from __future__ import annotations

import numpy as np

STRENGTH, RANGE = 2.1, 0.3  # V0 in m2/s2 and sigma in m: the repulsion between two walkers (Helbing & Molnar 1995)
ANTICIPATION = 0.6  # s: walkers keep clear of where the other will be (Johansson, Helbing & Shukla 2007)
BEHIND = 0.3  # how much a walker minds those behind, relative to those in front (Helbing & Molnar 1995: 0.5)
CONTACT = 0.42  # m: two bodies never come closer than this, the near edge of Hall's personal distance (0.46 m)


def repulsion(x: np.ndarray, v: np.ndarray, heading: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Force (N, 2) between people, in m/s2; those of one ``group`` (of the first walkers) mind each other less."""
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


def obstacle_repulsion(x: np.ndarray, obstacles: np.ndarray) -> np.ndarray:
    """Force (N, 2) away from round obstacles (M, 3), each x, y and radius, in m/s2."""
    d = x[:, None] - obstacles[None, :, :2]
    dist = np.maximum(np.linalg.norm(d, axis=2), 1e-6)
    push = 5.0 * np.exp((obstacles[None, :, 2] + 0.2 - dist) / 0.3)
    return (d / dist[..., None] * np.minimum(push, 8.0)[..., None]).sum(1)


def cohesion(x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Force (N, 2) that draws people back to the middle of their group when they are 0.7 to 4 m away, in m/s2."""
    count = np.bincount(group, minlength=len(x))
    centre = np.stack([np.bincount(group, x[:, a], minlength=len(x)) for a in (0, 1)], 1)
    away = centre[group] / count[group, None] - x
    dist = np.linalg.norm(away, axis=1, keepdims=True)
    return np.where((dist > 0.7) & (dist < 4.0), away / np.maximum(dist, 1e-6) * 0.8, 0.0)


def separate(x: np.ndarray, still: np.ndarray, obstacles: np.ndarray) -> np.ndarray:
    """Move overlapping bodies apart, and out of round obstacles (M, 3); those who stand give way less."""
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


def turn_towards(heading: np.ndarray, velocity: np.ndarray, dt: float) -> np.ndarray:
    """Turn bodies towards where they go, within a third of a second; who stands keeps facing as before."""
    goal = np.arctan2(velocity[:, 1], velocity[:, 0])
    turn = (goal - heading + np.pi) % (2 * np.pi) - np.pi
    moving = np.linalg.norm(velocity, axis=1) > 0.25
    return heading + np.where(moving, turn * min(1.0, dt / 0.3), 0.0)
