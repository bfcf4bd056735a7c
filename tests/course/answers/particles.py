"""Answers to the exercises of notebook 01."""

from itertools import pairwise

import cv2
import numpy as np


def loop(velocity, fps, metres_per_px):
    return [(u * u + v * v) ** 0.5 * fps * metres_per_px * 3.6 for u, v in velocity]


def metres(velocity, fps, metres_per_px):
    return np.hypot(velocity[:, 0], velocity[:, 1]) * fps * metres_per_px * 3600 / 1000


def speed(velocity, fps=1.0, metres_per_px=1.0):
    return np.linalg.norm(velocity, axis=1) * fps * metres_per_px * 3.6


def entries(patch):
    i_y, i_x = np.gradient(patch)
    return (i_x**2).sum(), (i_x * i_y).sum(), (i_y**2).sum()


def tensor(patch):
    a, b, c = entries(patch)
    return np.array([[a, b], [b, c]])


def by_formula(patch):
    a, b, c = entries(patch)
    return (a + c) / 2 - np.sqrt(((a - c) / 2) ** 2 + b**2)


def by_singular_values(patch):
    i_y, i_x = np.gradient(patch)
    return np.linalg.svd(np.stack([i_x.ravel(), i_y.ravel()]), compute_uv=False)[-1] ** 2


def wrong_order(patch):
    i_x, _ = np.gradient(patch)
    return np.sum(i_x**2)


def one_step(before, after, points):
    return cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=(15, 15), maxLevel=3)[0]


def along(greys, points):
    for before, after in pairwise(greys):
        points = one_step(before, after, points)
    return points


def error(greys, points):
    return along(greys[::-1], along(greys, points)) - points


def in_one_list(greys, points):
    return np.hypot(*(along(list(greys) + list(greys)[-2::-1], points) - points).T)


def by_index(greys, points):
    moved = points.copy()
    for t in range(1, len(greys)):
        moved = one_step(greys[t - 1], greys[t], moved)
    for t in range(len(greys) - 1, 0, -1):
        moved = one_step(greys[t], greys[t - 1], moved)
    return np.sqrt(((moved - points) ** 2).sum(axis=1))


def moves_its_input(greys, points):
    start = points.copy()
    points[:] = along(greys[::-1], along(greys, points))
    return np.linalg.norm(points - start, axis=1)


def straight(greys, points):
    there = one_step(greys[0], greys[-1], points)
    return np.linalg.norm(one_step(greys[-1], greys[0], there) - points, axis=1)


ANSWERS = {
    "01.1": (
        [speed, loop, metres],
        [
            (lambda v, f, s: speed(v, f, s) / 3.6, "one m/s is 3.6 km/h"),
            (lambda v, f, s: speed(v, f, s) / 3.6**2, "multiply, do not divide"),
            (lambda v, f, s: speed(v, 25, s), "`fps` is not used"),
            (lambda v, f, s: speed(v, f), "`metres_per_px` is not used"),
            (lambda v, f, s: (v**2).sum(axis=1) * f * s * 3.6, "needs its root"),
            (lambda v, f, s: abs(v).max(axis=1) * f * s * 3.6, "not the larger part"),
            (lambda v, f, s: abs(v[:, 0]) * f * s * 3.6, "along x alone"),
            (lambda v, f, s: np.linalg.norm(v) * f * s * 3.6, "norm of all numbers together"),
            (lambda v, f, s: speed(v, f, s)[0], "as many speeds, shape (2,)"),
            (lambda v, f, s: [9, 0], "as many speeds"),
        ],
    ),
    "01.2": (
        [lambda p: np.linalg.eigvalsh(tensor(p))[0], by_formula, by_singular_values],
        [
            (lambda p: np.linalg.eigvalsh(tensor(p))[1], "larger eigenvalue"),
            (lambda p: np.linalg.det(tensor(p)), "the determinant"),
            (lambda p: np.trace(tensor(p)), "the trace"),
            (lambda p: np.linalg.eigvalsh(tensor(p) / p.size)[0], "divided by its number of pixels"),
            (lambda p: np.linalg.det(tensor(p)) - 0.04 * np.trace(tensor(p)) ** 2, "Harris"),
            (lambda p: min(np.diag(tensor(p))), "I_x I_y are missing"),
            (lambda p: np.linalg.eigvalsh(tensor(p)), "one number is asked for, not an array of shape (2,)"),
            (wrong_order, "corner_score says"),
        ],
    ),
    "01.3": (
        [lambda g, p: np.linalg.norm(error(g, p), axis=1), in_one_list, by_index],
        [
            (lambda g, p: np.linalg.norm(error(g, p), axis=1) ** 2, "distance squared"),
            (lambda g, p: abs(error(g, p)).max(axis=1), "larger of the two parts"),
            (lambda g, p: abs(error(g, p)[:, 0]), "along x alone"),
            (straight, "not straight from the first to the last"),
            (lambda g, p: np.linalg.norm(along(g, p) - p, axis=1), "follow them back"),
            (lambda g, p: error(g, p), "one distance for each point"),
            (lambda g, p: np.linalg.norm(error(g, p)), "need as many distances"),
            (moves_its_input, "changes what it is given"),
            (lambda g, p: np.linalg.norm(along(g, p), axis=1), "most points come home"),
        ],
    ),
}
