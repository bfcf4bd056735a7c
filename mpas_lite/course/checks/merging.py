"""Exercises of notebook 04: intersection over union, discs of their own, and the best radius."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, compare, mask, number, whole_number
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.circles import circular_region_merging

Pair = tuple[np.ndarray, np.ndarray]


def check_1(answer: Answer) -> None:
    """``my_iou(a, b)`` of two boolean masks."""
    rng = np.random.default_rng(1)
    a, b = np.array([[True, True, False]]), np.array([[False, True, True]])
    nothing = np.zeros((4, 6), bool)
    cases: list[Pair] = [(a, b), (a, a), (a, ~a)]
    cases += [(rng.random((7, 9)) < p, rng.random((7, 9)) < q) for p, q in ((0.2, 0.3), (0.6, 0.1), (0.1, 0.6))]
    empty: list[Pair] = [(nothing, nothing), (nothing, ~nothing), (a, nothing[:1, :3])]
    judge = partial(compare, answer, right=iou, form=number, say=_say_iou)
    judge(
        cases,
        mistakes=[
            (
                "this is the share of pixels on which the masks agree; pixels in neither mask should not count.",
                lambda a, b: (a == b).mean(),
            ),
            ("this is the Dice score: divide by the pixels that are in either mask.", _dice),
            ("this divides by all pixels; divide by those that are in either mask.", lambda a, b: (a & b).mean()),
            (
                "this divides by the first mask alone; divide by the pixels in either.",
                lambda a, b: (a & b).sum() / a.sum(),
            ),
            (
                "this divides by the second mask alone; divide by the pixels in either.",
                lambda a, b: (a & b).sum() / b.sum(),
            ),
            ("this is 1 - IoU.", lambda a, b: 1 - iou(a, b)),
            (
                "what is in both masks counts once in the union, not twice.",
                lambda a, b: (a & b).sum() / (a.sum() + b.sum()),
            ),
            ("the pixels in just one of the masks are no union; those in both belong to it.", _over_difference),
            ("this counts the shared pixels; divide by those in either mask.", lambda a, b: (a & b).sum()),
            (
                "this divides the union by what is shared; it is the other way round.",
                lambda a, b: (a | b).sum() / (a & b).sum(),
            ),
        ],
    )
    judge(empty, mistakes=[])


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def _over_difference(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a ^ b).sum())


def _say_iou(got: float, wanted: float, a: np.ndarray, b: np.ndarray) -> str:
    if not (a | b).any():
        return f"two empty masks agree: 1, and no division by zero; yours is {got}."
    return (
        f"{(a & b).sum()} pixels are shared and {(a | b).sum()} are in either: the IoU is {wanted:.3f}, not {got:.3f}."
    )


def _discs(
    position: np.ndarray,
    radius: np.ndarray,
    shape: tuple[int, int],
    *,
    inside: Callable[[Any, Any, Any], Any] = lambda dx, dy, r: dx**2 + dy**2 <= r**2,
) -> np.ndarray:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.any([inside(x - px, y - py, r) for (px, py), r in zip(position, radius, strict=True)], axis=0)


def check_2(answer: Answer) -> None:
    """``merge(position, radius, shape)``: a disc of its own around each particle."""
    rng = np.random.default_rng(2)
    cases = [
        (np.array([[4.0, 3.0]]), np.array([2.0]), (7, 12)),
        (np.array([[2.0, 3.0], [8.0, 3.0]]), np.array([1.0, 3.0]), (7, 12)),
        (np.array([[3.0, 3.0], [5.0, 4.0], [20.0, 9.0]]), np.array([5.0, 2.0, 3.0]), (11, 24)),
        (rng.uniform(0, 20, (6, 2)), rng.uniform(1, 5, 6), (20, 26)),
        (rng.uniform(-2, 15, (4, 2)), rng.uniform(2, 6, 4), (14, 13)),
    ]
    compare(
        answer,
        cases,
        _discs,
        form=mask,
        mistakes=[
            ("x counts columns and y counts rows; yours are exchanged.", lambda p, r, s: _discs(p[:, ::-1], r, s)),
            ("`shape` is rows, then columns; yours are exchanged.", lambda p, r, s: _discs(p, r, s[::-1])),
            (
                "a pixel whose distance is exactly the radius belongs to the disc: at most, not less than.",
                partial(_discs, inside=lambda dx, dy, r: dx**2 + dy**2 < r**2),
            ),
            ("positions may lie between pixels; do not round them.", lambda p, r, s: _discs(np.rint(p), r, s)),
            (
                "positions may lie between pixels; do not cut them to whole numbers.",
                lambda p, r, s: _discs(p.astype(int), r, s),
            ),
            (
                "each particle has a radius of its own; this takes the first for all.",
                lambda p, r, s: _discs(p, 0 * r + r[0], s),
            ),
            (
                "each particle has a radius of its own; this takes the largest for all.",
                lambda p, r, s: _discs(p, 0 * r + r.max(), s),
            ),
            (
                "each particle has a radius of its own; this takes the mean for all.",
                lambda p, r, s: _discs(p, 0 * r + r.mean(), s),
            ),
            (
                "these are squares: a distance is the root of the sum of the squares.",
                partial(_discs, inside=_in_square),
            ),
            (
                "these are diamonds: a distance is the root of the sum of the squares.",
                partial(_discs, inside=_in_diamond),
            ),
            ("compare the squared distance with the squared radius.", partial(_discs, inside=_unsquared)),
            (
                "only the last disc is left: add each to those before, with |=.",
                lambda p, r, s: _discs(p[-1:], r[-1:], s),
            ),
            ("this is where all discs overlap; the union is asked for.", _all_of_them),
            ("True is inside the discs; yours is turned round.", lambda p, r, s: ~_discs(p, r, s)),
        ],
        say=_say_discs,
    )


def _in_square(dx: Any, dy: Any, r: float) -> Any:
    return np.maximum(abs(dx), abs(dy)) <= r


def _in_diamond(dx: Any, dy: Any, r: float) -> Any:
    return abs(dx) + abs(dy) <= r


def _unsquared(dx: Any, dy: Any, r: float) -> Any:
    return dx**2 + dy**2 <= r


def _all_of_them(position: np.ndarray, radius: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    discs = [_discs(position[i : i + 1], radius[i : i + 1], shape) for i in range(len(radius))]
    return np.all(discs, axis=0)


def _say_discs(got: np.ndarray, wanted: np.ndarray, position: np.ndarray, radius: np.ndarray, shape: Any) -> str:
    if got.shape != shape:
        return f"the mask should have {shape[0]} rows and {shape[1]} columns, not the shape {got.shape}."
    row, column = np.argwhere(got != wanted)[0]
    what = "not be" if got[row, column] else "be"
    return f"the pixel at x = {column}, y = {row} should {what} in the mask of {len(radius)} particles."


def _best(
    position: np.ndarray, truth: np.ndarray, *, radii: Any = range(1, 31), score: Callable[..., float] = iou
) -> int:
    scores = [score(circular_region_merging(position, r, truth.shape), truth) for r in radii]
    return int(radii[int(np.argmax(scores))])


def check_3(answer: Answer) -> None:
    """``best_radius(position, truth)``: from 1 to 30 px, by IoU."""
    rng = np.random.default_rng(3)
    cases = []
    for radius, number_of in ((13, 5), (1, 8), (30, 2), (27, 2), (4, 12)):
        position = rng.uniform((0, 0), (90, 70), (number_of, 2))
        truth = circular_region_merging(position, radius, (70, 90))
        cases.append((position, truth))
    noisy = cases[0][1] & (rng.random((70, 90)) < 0.35)  # half of the crowd was not outlined
    cases.append((cases[0][0], noisy))
    cases.append((np.array([[45.0, 35.0]]), circular_region_merging(np.array([[58.0, 35.0]]), 12, (70, 90))))

    compare(
        answer,
        cases,
        _best,
        form=whole_number,
        mistakes=[
            ("this is the worst radius; the highest IoU is asked for.", partial(_best, score=lambda m, t: -iou(m, t))),
            ("what counts is the IoU, not the share of pixels that agree.", partial(_best, score=_agreement)),
            (
                "what counts is the IoU, not an area that fits.",
                partial(_best, score=lambda m, t: -abs(int(m.sum()) - int(t.sum()))),
            ),
            (
                "what counts is the IoU; this finds the crowd and ignores what is too much.",
                partial(_best, score=_overlap),
            ),
            ("this is the place in the list, counted from 0; the radius is one more.", lambda p, t: _best(p, t) - 1),
            ("this is one too many: is the list of radii from 1 on?", lambda p, t: _best(p, t) + 1),
            ("try 30 px, too: range(1, 31) ends with 30.", partial(_best, radii=range(1, 30))),
            ("try 1 px, too.", partial(_best, radii=range(2, 31))),
            ("try all from 1 to 30 px; this looks at 2 to 24 only.", partial(_best, radii=range(2, 25))),
            ("try all from 1 to 30 px; this looks at every other one.", partial(_best, radii=range(2, 31, 2))),
        ],
        say=lambda got, wanted, position, truth: (
            f"the best of 1 to 30 px is {wanted} px for {len(position)} particles here, not {got}; "
            "mp.iou(a_mask, truth) is what counts."
            if 1 <= got <= 30
            else f"a whole number from 1 to 30 is asked for, not {got}."
        ),
    )


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    return float((one == other).mean())


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum())


EXERCISES = (
    Exercise("04.1", "my_iou", check_1, "count the pixels that the masks share, and go on."),
    Exercise("04.2", "merge", check_2, "start from an array of False and add one disc after the other.", 3),
    Exercise("04.3", "best_radius", check_3, "try all radii and keep the one with the highest IoU."),
)
