"""Exercises of notebook 07: the densest value, shadow or coat, and a label that is passed on."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, compare, mask, number, yes_or_no
from mpas_lite.labels.refine.background import densest_value


def _densest(values: Any, size: int) -> float:
    """The library's, for one pixel."""
    array = np.asarray(values, np.uint8)
    return float(densest_value(array, part=size / len(array)))


def _run(
    values: Any, size: int, *, last: bool = False, skip: int = 0, place: Any = None, widest: bool = False
) -> float:
    """As the exercise says, or with one thing otherwise."""
    ordered = np.sort(np.asarray(values, int))
    starts = range(len(ordered) - size + 1 - skip)
    widths = [ordered[start + size - 1] - ordered[start] for start in starts]
    best = max(widths) if widest else min(widths)
    found = [start for start in starts if widths[start] == best]
    run = ordered[found[-1 if last else 0] :][:size]
    return float(run[size // 2] if place is None else place(run))


def check_1(answer: Answer) -> None:
    """``densest(values, size)``: the middle of the narrowest run."""
    rng = np.random.default_rng(1)
    cases: list[tuple[Any, int]] = [
        ([10, 80, 11, 120, 10, 160, 200, 240, 10], 4),
        ([5, 100, 101, 102, 250], 3),
        ([0, 30, 60, 200, 201, 203], 3),  # the last run
        ([50, 52, 51, 150, 151, 152, 90, 92], 3),  # two as narrow: the first
        ([0, 10, 11, 20, 21, 40, 45, 70], 4),
    ]
    cases += [(rng.integers(0, top, 20).astype(np.uint8), size) for top, size in ((250, 6), (60, 9), (250, 5), (20, 7))]
    compare(
        answer,
        cases,
        _densest,
        form=number,
        mistakes=[
            ("the last run is skipped: there are len(values) - size + 1 of them.", partial(_run, skip=1)),
            ("of two runs that are equally narrow the first counts; this takes the last.", partial(_run, last=True)),
            (
                "its middle is the value at size // 2 of the run; this is the run's first.",
                partial(_run, place=lambda r: r[0]),
            ),
            (
                "its middle is the value at size // 2 of the run; this is the run's last.",
                partial(_run, place=lambda r: r[-1]),
            ),
            (
                "its middle is the value at size // 2 of the run; this is one before.",
                partial(_run, place=lambda r: r[(len(r) - 1) // 2]),
            ),
            ("its middle is the value at size // 2 of the run; this is the run's mean.", partial(_run, place=np.mean)),
            (
                "its middle is the value at size // 2 of the run; this is the run's median.",
                partial(_run, place=np.median),
            ),
            ("this is the widest run; the narrowest is asked for.", partial(_run, widest=True)),
            ("sort the values first.", _unsorted),
            ("this is the median of all values.", lambda values, size: np.median(values)),
            ("this is the most frequent value; the narrowest run is asked for.", _mode),
            (
                "a run of `size` values has size - 1 gaps; yours has one value too many.",
                lambda v, size: _run(v, size + 1),
            ),
            ("these runs have one value too few.", lambda values, size: _run(values, size - 1)),
        ],
        say=lambda got, wanted, values, size: (
            f"of {', '.join(map(str, sorted(int(v) for v in values)))} the narrowest run of {size} "
            f"has {wanted:g} in its middle, and densest says {got:g}."
        ),
    )


def _unsorted(values: Any, size: int) -> float:
    array = np.asarray(values, int)
    widths = [np.ptp(array[start : start + size]) for start in range(len(array) - size + 1)]
    return float(array[int(np.argmin(widths)) + size // 2])


def _mode(values: Any, size: int) -> float:
    return float(Counter(sorted(values)).most_common(1)[0][0])


def _shadow(
    pixel: Any,
    ground: Any,
    darkest: float = 0.5,
    *,
    brightest: float = 1,
    spread: Any = np.ptp,
    relative: bool = True,
    centre: Any = np.mean,
    colour: bool = True,
) -> bool:
    """As the exercise says, or with one thing otherwise."""
    ratio = np.asarray(pixel, float) / np.asarray(ground, float)
    light = centre(ratio)
    even = not colour or spread(ratio) < 0.12 * (light if relative else 1)
    return bool(darkest < light < brightest and even)


_RATIOS = [
    ((0.6, 0.6, 0.6), 0.5),
    ((0.6, 0.17, 0.15), 0.5),
    ((0.2, 0.2, 0.2), 0.5),
    ((1.3, 1.3, 1.3), 0.5),
    ((0.2, 0.2, 0.2), 0.1),
    ((0.6, 0.6, 0.6), 0.7),
    ((0.3, 0.28, 0.33), 0.1),  # 0.05 apart: too much of a mean of 0.3
    ((0.95, 0.9, 0.85), 0.5),  # 0.1 apart: little of a mean of 0.9
    ((0.6, 0.69, 0.6), 0.5),  # 0.09 apart: the standard deviation is 0.04
    ((0.48, 0.53, 0.51), 0.5),  # one channel below, the mean above
    ((0.97, 1.02, 0.98), 0.5),  # one channel above, the mean below
    ((0.47, 0.505, 0.505), 0.5),  # the median above, the mean below
    ((1.02, 0.99, 1.01), 0.5),
    ((0.7, 0.7, 0.82), 0.5),
    ((0.82, 0.7, 0.7), 0.5),
]  # of the three channels, and `darkest`


def check_2(answer: Answer) -> None:
    """``is_shadow(pixel, ground, darkest)``: less light, in all three channels alike."""
    ground = [100, 117, 133]
    cases = [([r * g for r, g in zip(ratio, ground, strict=True)], ground, darkest) for ratio, darkest in _RATIOS]
    cases += [
        ([104.0, 9.6, 9.6], [200, 20, 20], 0.5),
        ([30.0, 60.0, 90.0], [200, 100, 100], 0.5),
        ([100.0, 20.6, 20.0], [190, 40, 40], 0.5),
    ]
    compare(
        lambda pixel, ground, darkest: answer(pixel, ground, **({} if darkest == 0.5 else {"darkest": darkest})),
        cases,
        _shadow,
        form=yes_or_no,
        mistakes=[
            (
                "colour is not tested: a red coat lets the three ratios differ, and is no shadow.",
                partial(_shadow, colour=False),
            ),
            (
                "0.12 of the mean is the bound, not 0.12: in deep shadow ratios must lie closer.",
                partial(_shadow, relative=False),
            ),
            (
                "compare the largest with the smallest ratio; this is the standard deviation.",
                partial(_shadow, spread=np.std),
            ),
            ("`darkest` is not used: it should decide what is too dark.", lambda p, g, darkest=0.5: _shadow(p, g, 0.5)),
            (
                "nothing is too dark here: the mean must lie above `darkest`.",
                lambda p, g, darkest=0.5: _shadow(p, g, 0),
            ),
            ("more light than the ground has is no shadow: the mean must lie below 1.", partial(_shadow, brightest=99)),
            ("the mean of the ratios lies between `darkest` and 1, not each of them.", _each_between),
            ("divide channel by channel, then take the mean; this divides the means.", _of_means),
            ("the ratio is turned: pixel over ground.", lambda p, g, darkest=0.5: _shadow(g, p, darkest)),
            (
                "only one channel is looked at; take all three.",
                lambda p, g, darkest=0.5: _shadow(p[:1], g[:1], darkest),
            ),
            ("this is what is not a shadow.", lambda p, g, darkest=0.5: not _shadow(p, g, darkest)),
            ("the mean of the three ratios counts, not their median.", partial(_shadow, centre=np.median)),
        ],
        say=_say_shadow,
    )


def _each_between(pixel: Any, ground: Any, darkest: float = 0.5) -> bool:
    ratio = np.asarray(pixel, float) / ground
    return bool((ratio > darkest).all() and (ratio < 1).all() and _shadow(pixel, ground, 0, brightest=99))


def _of_means(pixel: Any, ground: Any, darkest: float = 0.5) -> bool:
    return bool(darkest < np.mean(pixel) / np.mean(ground) < 1 and _shadow(pixel, ground, 0, brightest=99))


def _say_shadow(got: bool, wanted: bool, pixel: Any, ground: Any, darkest: float) -> str:
    ratio = np.asarray(pixel, float) / np.asarray(ground, float)
    values = ", ".join(f"{value:.2f}" for value in ratio)
    what = "a shadow" if wanted else "no shadow"
    mean = f"(their mean is {ratio.mean():.2f})"
    return f"ratios of {values} {mean} are {what} with darkest = {darkest}; is_shadow says {got}."


def _passed(
    label: np.ndarray,
    same: np.ndarray,
    differs: np.ndarray,
    *,
    step: Any = lambda before, same, differs: before & same & differs,
    chain: bool = True,
    late: int = 0,
) -> np.ndarray:
    passed = label.copy()
    for t in range(1, len(label)):
        before = (passed if chain else label)[t - 1]
        passed[t] |= step(before, same[t - late], differs[t - late])
    return passed


def check_3(answer: Answer) -> None:
    """``pass_on(label, same, differs)``: a label stays with one who stands."""
    rng = np.random.default_rng(3)

    def column(*rows: str) -> tuple[np.ndarray, ...]:
        return tuple(np.array([mark == "1" for mark in row])[:, None, None] for row in rows)

    cases = [
        column("1000", "0111", "1110"),
        column("100", "001", "111"),
        column("001", "111", "111"),
        column("1010", "1111", "0000"),
    ]
    cases += [tuple(rng.random((3, 7, 4, 5)) < np.array([0.25, 0.7, 0.7])[:, None, None, None, None]) for _ in range(2)]
    compare(
        answer,
        cases,
        _passed,
        form=mask,
        mistakes=[
            ("a label stays where `label` has it, also where it does not differ.", lambda *a: _passed(*a) & a[2]),
            (
                "what was labelled in the frame before counts, by you as well: pass on what is passed on.",
                partial(_passed, chain=False),
            ),
            ("`same` is not used: what has changed is not passed on.", partial(_passed, step=lambda b, s, d: b & d)),
            (
                "`differs` is not used: who has gone does not differ any more.",
                partial(_passed, step=lambda b, s, d: b & s),
            ),
            (
                "both are asked for: the same as before, and still different.",
                partial(_passed, step=lambda b, s, d: b & (s | d)),
            ),
            ("pass on a label that was there; this makes new ones.", partial(_passed, step=lambda b, s, d: s & d)),
            ("`same` and `differs` of frame t count, not of the frame before.", partial(_passed, late=1)),
            ("only forward in time; this goes backward.", lambda *a: _passed(*(b[::-1] for b in a))[::-1]),
            ("only forward in time; this goes backward as well.", _both_ways),
            ("this passes the label on for ever, whatever is seen.", partial(_passed, step=lambda b, s, d: b)),
            ("`label` comes back as it is: nothing is passed on.", lambda label, same, differs: label),
            ("the labels themselves belong to the result, too.", lambda *a: _passed(*a) & ~a[0]),
        ],
        say=_say_passed,
    )


def _both_ways(*arrays: np.ndarray) -> np.ndarray:
    return _passed(*arrays) | _passed(*(array[::-1] for array in arrays))[::-1]


def _say_passed(got: np.ndarray, wanted: np.ndarray, label: np.ndarray, same: Any, differs: Any) -> str:
    if got.shape != wanted.shape:
        return f"return the shape of `label`, {wanted.shape}, not {got.shape}."
    _, y, x = np.argwhere(got != wanted)[0]
    rows = " ".join(str(int(mark)) for mark in wanted[:, y, x]), " ".join(str(int(mark)) for mark in got[:, y, x])
    return f"one pixel should be labelled {rows[0]} over time, and pass_on says {rows[1]}."


EXERCISES = (
    Exercise("07.1", "densest", check_1, "sort the values, and look at each run of `size` of them."),
    Exercise("07.2", "is_shadow", check_2, "begin with the three ratios.", 3),
    Exercise("07.3", "pass_on", check_3, "copy `label` and go through t.", 3),
)
