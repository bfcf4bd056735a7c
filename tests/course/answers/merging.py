"""Answers to the exercises of notebook 04."""

import cv2
import numpy as np

import mpas_lite as mp


def shared(a, b):
    return (a & b).sum()


def by_counts(a, b):
    both = np.count_nonzero(np.logical_and(a, b))
    either = np.count_nonzero(a) + np.count_nonzero(b) - both
    return 1 if either == 0 else both / either


def by_sets(a, b):
    one, other = set(np.flatnonzero(a)), set(np.flatnonzero(b))
    return len(one & other) / len(one | other) if one | other else 1.0


def unguarded(a, b):
    return int(shared(a, b)) / int((a | b).sum())


def discs(position, radius, shape, near=lambda dx, dy, r: dx**2 + dy**2 <= r**2):
    y, x = np.mgrid[: shape[0], : shape[1]]
    merged = np.zeros(shape, bool)
    for (px, py), r in zip(position, radius, strict=True):
        merged |= near(x - px, y - py, r)
    return merged


def at_once(position, radius, shape):
    x, y = np.arange(shape[1]), np.arange(shape[0])[:, None]
    squared = [(x - px) ** 2 + (y - py) ** 2 - r**2 for (px, py), r in zip(position, radius, strict=True)]
    return np.min(squared, axis=0) <= 0


def pixel_by_pixel(position, radius, shape):
    merged = np.zeros(shape, dtype=bool)
    for row in range(shape[0]):
        for column in range(shape[1]):
            distance = np.hypot(position[:, 0] - column, position[:, 1] - row)
            merged[row, column] = np.any(distance <= radius)
    return merged


def last_only(position, radius, shape):
    for one, r in zip(position, radius, strict=True):
        merged = discs([one], [r], shape)
    return merged


def drawn(position, radius, shape):
    picture = np.zeros(shape, np.uint8)
    for (px, py), r in zip(position, radius, strict=True):
        cv2.circle(picture, (round(px), round(py)), round(r), 255, -1)
    return picture > 0


def best(position, truth, radii=range(1, 31), score=mp.iou):
    return max(radii, key=lambda r: score(mp.circular_region_merging(position, r, truth.shape), truth))


def with_argmax(position, truth):
    return 1 + int(
        np.argmax([mp.iou(mp.circular_region_merging(position, r, truth.shape), truth) for r in range(1, 31)])
    )


def with_numpy(position, truth):
    radii = np.arange(1, 31)
    scores = [mp.iou(mp.circular_region_merging(position, r, truth.shape), truth) for r in radii]
    return radii[np.argmax(scores)]


ANSWERS = {
    "04.1": (
        [
            lambda a, b: shared(a, b) / (a | b).sum() if (a | b).any() else 1.0,
            by_counts,
            by_sets,
            lambda a, b: (shared(a, b) + 1e-9) / ((a | b).sum() + 1e-9),
            mp.iou,
        ],
        [
            (lambda a, b: (a == b).mean(), "share of pixels on which the masks agree"),
            (lambda a, b: 2 * shared(a, b) / max(a.sum() + b.sum(), 1), "the Dice score"),
            (lambda a, b: (a & b).mean(), "divides by all pixels"),
            (lambda a, b: shared(a, b) / max(a.sum(), 1), "first mask alone"),
            (lambda a, b: shared(a, b) / max((a | b).sum(), 1), "two empty masks agree"),
            (unguarded, "the code stopped with ZeroDivisionError: division by zero (line"),
            (lambda a, b: shared(a, b) / max(a.sum() + b.sum(), 1), "once in the union, not twice"),
            (lambda a, b: shared(a, b), "this counts the shared pixels"),
            (lambda a, b: 1 - mp.iou(a, b), "1 - IoU"),
            (lambda a, b: a & b, "one number is asked for, not an array"),
        ],
    ),
    "04.2": (
        [discs, at_once, pixel_by_pixel],
        [
            (lambda p, r, s: discs(p[:, ::-1], r, s), "x counts columns and y counts rows"),
            (lambda p, r, s: discs(p, r, s, lambda dx, dy, r: dx**2 + dy**2 < r**2), "at most, not less than"),
            (lambda p, r, s: discs(np.rint(p), r, s), "do not round them"),
            (lambda p, r, s: discs(p.astype(int), r, s), "do not cut them"),
            (lambda p, r, s: discs(p, r, s).astype(float), "dtype bool"),
            (lambda p, r, s: discs(p, r, s).astype(np.uint8), "dtype bool"),
            (lambda p, r, s: discs(p, 0 * r + r.max(), s), "takes the largest for all"),
            (lambda p, r, s: discs(p, 0 * r + r[0], s), "takes the first for all"),
            (lambda p, r, s: discs(p, r, s, lambda dx, dy, r: np.maximum(abs(dx), abs(dy)) <= r), "squares"),
            (lambda p, r, s: discs(p, r, s, lambda dx, dy, r: dx**2 + dy**2 <= r), "squared radius"),
            (last_only, "only the last disc"),
            (lambda p, r, s: ~discs(p, r, s), "turned round"),
            (lambda p, r, s: discs(p, r, s[::-1]), "rows, then columns"),
            (drawn, "in the mask of"),
        ],
    ),
    "04.3": (
        [best, with_argmax, with_numpy],
        [
            (lambda p, t: best(p, t, range(2, 25)), "2 to 24 only"),
            (lambda p, t: best(p, t, range(1, 30)), "try 30 px, too"),
            (lambda p, t: best(p, t, range(2, 31)), "try 1 px, too"),
            (lambda p, t: best(p, t) - 1, "counted from 0"),
            (lambda p, t: best(p, t, score=lambda m, t: (m == t).mean()), "share of pixels that agree"),
            (lambda p, t: best(p, t, score=lambda m, t: -mp.iou(m, t)), "the worst radius"),
            (lambda p, t: best(p, t, score=shared), "ignores what is too much"),
            (lambda p, t: float(best(p, t)), "a whole number is asked for"),
            (lambda p, t: 10, "the best of 1 to 30 px is 13 px"),
            (lambda p, t: 31, "from 1 to 30 is asked for, not 31"),
        ],
    ),
}
