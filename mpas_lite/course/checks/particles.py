"""Exercises of notebook 01: speeds, corners, and the way there and back."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, NotYet, compare, number, numbers
from mpas_lite.motion.klt import find_corners, follow
from mpas_lite.scenes.samples import sample_path
from mpas_lite.video.reader import read_video


def check_1(answer: Answer) -> None:
    """``speed_kmh(velocity, fps, metres_per_px)``."""
    rng = np.random.default_rng(1)
    cases: list[Any] = [(np.array([[3.0, 4.0], [0.0, 0.0]]), 25, 0.02)]
    cases += [(rng.normal(size=(n, 2)), fps, scale) for n, fps, scale in ((5, 30, 0.05), (1, 12.5, 0.1), (4, 50, 0.01))]

    def right(velocity: np.ndarray, fps: float, scale: float) -> np.ndarray:
        return np.hypot(*velocity.T) * (3.6 * fps * scale)

    compare(
        answer,
        cases,
        right,
        form=numbers,
        mistakes=[
            ("this is in m/s; one m/s is 3.6 km/h.", lambda v, f, s: right(v, f, s) / 3.6),
            ("1 m/s is 3.6 km/h: multiply, do not divide.", lambda v, f, s: right(v, f, s) / 3.6**2),
            ("`fps` is not used, or 25 for all videos.", lambda v, f, s: right(v, 25, s)),
            ("`fps` is not used.", lambda v, f, s: right(v, 1, s)),
            ("`metres_per_px` is not used, or 0.02 for all.", lambda v, f, s: right(v, f, 0.02)),
            ("`metres_per_px` is not used.", lambda v, f, s: right(v, f, 1)),
            (
                "25 frames/s and 0.02 m/px are one case; use `fps` and `metres_per_px`.",
                lambda v, f, s: right(v, 25, 0.02),
            ),
            ("the sum of the squares needs its root.", lambda v, f, s: (v**2).sum(axis=1) * (3.6 * f * s)),
            (
                "a speed is the root of the sum of squares, not the larger part.",
                lambda v, f, s: _largest(v) * 3.6 * f * s,
            ),
            ("a speed is not the sum of its parts: take the root of the sum of squares.", _manhattan),
            ("this is the motion along x alone.", lambda v, f, s: np.abs(v[:, 0]) * (3.6 * f * s)),
            ("multiply by fps, do not divide: px/frame times frames/s times m/px.", lambda v, f, s: right(v, 1 / f, s)),
            ("one speed for each velocity: this is the norm of all numbers together.", _norm_of_all),
        ],
        say=_say_speed,
    )


def _largest(vectors: np.ndarray) -> np.ndarray:
    return np.abs(vectors).max(axis=1)


def _manhattan(velocity: np.ndarray, fps: float, scale: float) -> np.ndarray:
    return np.abs(velocity).sum(axis=1) * (3.6 * fps * scale)


def _norm_of_all(velocity: np.ndarray, fps: float, scale: float) -> float:
    return float(np.linalg.norm(velocity) * (3.6 * fps * scale))


def _say_speed(got: np.ndarray, wanted: np.ndarray, velocity: np.ndarray, fps: float, scale: float) -> str:
    if got.shape != wanted.shape:
        return f"{len(wanted)} velocities have as many speeds, shape {wanted.shape}; yours has the shape {got.shape}."
    i = int(np.abs(got - wanted).argmax())
    u, v = velocity[i]
    return f"({u:.2f}, {v:.2f}) px/frame at {fps} frames/s and {scale} m/px are {wanted[i]:.2f} km/h, not {got[i]:.2f}."


def _tensor(patch: np.ndarray) -> np.ndarray:
    along_y, along_x = np.gradient(patch)
    return np.array([[(a * b).sum() for b in (along_x, along_y)] for a in (along_x, along_y)])


def check_2(answer: Answer) -> None:
    """``corner_score(patch)``: the smaller eigenvalue of the structure tensor."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[-7:8, -7:8]
    cases = [(cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 1.5),) for shape in ((15, 15), (9, 9), (15, 11))]
    cases += [(1 / (1 + np.exp(-(x + 2 * y) / 3)),), (np.full((15, 15), 0.5),), (np.float64(x * y) / 9,)]

    compare(
        answer,
        cases,
        lambda patch: np.linalg.eigvalsh(_tensor(patch))[0],
        form=number,
        mistakes=[
            ("this is the larger eigenvalue; an edge has one as well.", lambda p: np.linalg.eigvalsh(_tensor(p))[1]),
            ("this is the sum of the eigenvalues (the trace).", lambda p: np.trace(_tensor(p))),
            ("this is the product of the eigenvalues (the determinant).", lambda p: np.linalg.det(_tensor(p))),
            ("this is Harris' score; the smaller eigenvalue is asked for.", _harris),
            ("sum over the patch; this is divided by its number of pixels.", lambda p: _smaller(_tensor(p) / p.size)),
            (
                "this is the root of the eigenvalue: singular values of the gradients are.",
                lambda p: _smaller(_tensor(p)) ** 0.5,
            ),
            ("the products I_x I_y are missing: M has them beside its diagonal.", lambda p: min(np.diag(_tensor(p)))),
            ("one of the products I_x I_y has a wrong place: M is symmetric.", lambda p: _tensor(p)[0, 1]),
        ],
        say=lambda got, wanted, patch: (
            f"for a patch of {patch.shape} px the smaller eigenvalue is {wanted:.4f}, and corner_score says {got:.4f}."
        ),
    )


def _smaller(tensor: np.ndarray) -> float:
    return float(np.linalg.eigvalsh(tensor)[0])


def _harris(patch: np.ndarray) -> float:
    tensor = _tensor(patch)
    return float(np.linalg.det(tensor) - 0.04 * np.trace(tensor) ** 2)


@lru_cache(maxsize=1)
def _street() -> tuple[list[np.ndarray], np.ndarray]:
    """Six grey frames, and corners of the first that are never lost in them."""
    frames = [frame for _, frame in read_video(sample_path("marathon_bend")).frames(range(40, 46))]
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    corners = find_corners(greys[0])
    kept = np.isfinite(follow(greys, corners)[1]) & np.isfinite(follow(greys[:4], corners)[1])
    return greys, corners[kept][::4].copy()


def check_3(answer: Answer) -> None:
    """``round_trip(greys, points)``: how far from the start the way there and back ends."""
    greys, corners = _street()
    rows = [(greys, corners), (greys[:4], corners[::3].copy()), (greys[:2], corners[:1])]

    compare(
        answer,
        rows,
        lambda frames, points: follow(frames, points)[1],
        form=numbers,
        mistakes=[
            ("this is how far the points have gone; follow them back, too.", lambda g, p: _distance(_last(g, p) - p)),
            ("follow from each frame to the next one, not straight from the first to the last.", _straight),
            ("the way back goes straight from the last frame to the first; go through all frames.", _straight_back),
            ("the way back ends one frame too early.", lambda g, p: _distance(_last([*g, *g[-2:0:-1]], p) - p)),
            ("this is the motion along x alone; take both.", lambda g, p: np.abs(_error(g, p)[:, 0])),
            ("this is the larger of the two parts, not the distance.", lambda g, p: _largest(_error(g, p))),
            ("this is the sum of the two parts, not the distance.", lambda g, p: np.abs(_error(g, p)).sum(axis=1)),
            ("this is the distance squared; take the root.", lambda g, p: _distance(_error(g, p)) ** 2),
            ("these are the differences in x and y; one distance for each point is asked for.", _error),
            ("one distance for each point; this is the mean over them.", lambda g, p: _distance(_error(g, p)).mean()),
        ],
        say=_say_trip,
    )


def _last(greys: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    for before, after in pairwise(greys):
        points = follow([before, after], points)[0][-1]
    return points


def _error(greys: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    return _last([*greys, *greys[-2::-1]], points) - points


def _straight(greys: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    return _distance(_last([greys[0], greys[-1], greys[0]], points) - points)


def _straight_back(greys: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    return _distance(_last([*greys, greys[0]], points) - points)


def _distance(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1)


def _say_trip(got: np.ndarray, wanted: np.ndarray, greys: Any, points: np.ndarray) -> str:
    if got.shape != wanted.shape:
        return f"{len(points)} points need as many distances, shape {wanted.shape}, not {got.shape}."
    if np.median(got) > 10 * np.median(wanted) + 0.1:
        raise NotYet("most points come home; do you compare the end of the way back with the start?")
    i = int(np.abs(got - wanted).argmax())
    return f"over {len(greys)} frames and back a point ends {wanted[i]:.3f} px from its start, not {got[i]:.3f}."


EXERCISES = (
    Exercise("01.1", "speed_kmh", check_1, "write your formula behind `return`."),
    Exercise("01.2", "corner_score", check_2, "build M from np.gradient(patch), and return one number.", 3),
    Exercise("01.3", "round_trip", check_3, "follow the points through greys, then through greys[::-1].", 3),
)
