"""Answers to the exercises of notebook 07."""

import numpy as np

from mpas_lite.labels.refine import densest_value


def densest(values, size, pick=np.argmin, skip=0, place=None):
    ordered = np.sort(np.asarray(values, int))
    width = (ordered[size - 1 :] - ordered[: len(ordered) - size + 1])[: len(ordered) - size + 1 - skip]
    return ordered[pick(width) + (size // 2 if place is None else place)]


def last_tie(width):
    return len(width) - 1 - np.argmin(width[::-1])


def in_a_loop(values, size):
    ordered, best = sorted(int(v) for v in values), None
    for start in range(len(ordered) - size + 1):
        width = ordered[start + size - 1] - ordered[start]
        if best is None or width < best[0]:
            best = width, ordered[start + size // 2]
    return best[1]


def with_min(values, size):
    s = sorted(map(int, values))
    start = min(range(len(s) - size + 1), key=lambda i: s[i + size - 1] - s[i])
    return s[start : start + size][size // 2]


def sorts_its_input(values, size):
    values.sort()
    return densest(values, size)


def shadow(pixel, ground, darkest=0.5, spread=np.ptp, bound=0.12, light=np.mean, top=1.0, relative=True):
    ratio = np.asarray(pixel, float) / np.asarray(ground, float)
    mean = light(ratio)
    return bool(darkest < mean < top and spread(ratio) < bound * (mean if relative else 1))


def plain(pixel, ground, darkest=0.5):
    r = [p / g for p, g in zip(pixel, ground, strict=True)]
    mean = sum(r) / 3
    return mean > darkest and mean < 1 and max(r) - min(r) < 0.12 * mean


def numpy_bool(pixel, ground, darkest=0.5):
    ratio = np.divide(pixel, ground)
    return (ratio.mean() > darkest) & (ratio.mean() < 1) & (np.ptp(ratio / ratio.mean()) < 0.12)


def each(pixel, ground, darkest=0.5):
    ratio = np.divide(pixel, ground)
    return bool((ratio > darkest).all() and (ratio < 1).all() and np.ptp(ratio) < 0.12 * ratio.mean())


def passed(label, same, differs, step=lambda before, same, differs: before & same & differs, chain=True):
    result = label.copy()
    for t in range(1, len(label)):
        result[t] |= step((result if chain else label)[t - 1], same[t], differs[t])
    return result


def with_list(label, same, differs):
    rows = [label[0]]
    for here, alike, off in zip(label[1:], same[1:], differs[1:], strict=True):
        rows.append(here | (rows[-1] & alike & off))
    return np.stack(rows)


def with_where(label, same, differs):
    result = np.array(label)
    for t in range(1, result.shape[0]):
        result[t] = np.where(same[t] & differs[t], result[t] | result[t - 1], result[t])
    return result


def overwrites(label, same, differs):
    for t in range(1, len(label)):
        label[t] |= label[t - 1] & same[t] & differs[t]
    return label


def late(label, same, differs):
    result = label.copy()
    for t in range(1, len(label)):
        result[t] |= result[t - 1] & same[t - 1] & differs[t - 1]
    return result


ANSWERS = {
    "07.1": (
        [densest, in_a_loop, with_min, lambda v, n: int(densest_value(np.uint8(v), part=n / len(v)))],
        [
            (lambda v, n: densest(v, n, skip=1), "the last run is skipped"),
            (lambda v, n: densest(v, n, pick=last_tie), "this takes the last"),
            (lambda v, n: densest(v, n, place=0), "this is the run's first"),
            (lambda v, n: densest(v, n, place=n - 1), "this is the run's last"),
            (lambda v, n: densest(v, n, place=(n - 1) // 2), "this is one before"),
            (lambda v, n: densest(v, n, pick=np.argmax), "the widest run"),
            (lambda v, n: np.median(v), "the median of all values"),
            (lambda v, n: densest(v, n + 1), "one value too many"),
            (sorts_its_input, "changes what it is given"),
            (lambda v, n: 10, "densest says 10"),
        ],
    ),
    "07.2": (
        [shadow, plain, numpy_bool],
        [
            (lambda p, g, darkest=0.5: shadow(p, g, darkest, bound=99), "colour is not tested"),
            (lambda p, g, darkest=0.5: shadow(p, g, darkest, relative=False), "0.12 of the mean is the bound"),
            (lambda p, g, darkest=0.5: shadow(p, g, darkest, spread=np.std), "the standard deviation"),
            (lambda p, g, darkest=0.5: shadow(p, g), "`darkest` is not used"),
            (lambda p, g, darkest=0.5: shadow(p, g, 0), "nothing is too dark here"),
            (lambda p, g, darkest=0.5: shadow(p, g, darkest, top=9), "more light than the ground"),
            (each, "not each of them"),
            (lambda p, g, darkest=0.5: shadow(g, p, darkest), "the ratio is turned"),
            (lambda p, g, darkest=0.5: not shadow(p, g, darkest), "not a shadow"),
            (lambda p, g, darkest=0.5: shadow(p, g, darkest, light=np.median), "not their median"),
            (lambda p, g, darkest=0.5: "yes", "True or False is asked for, not a str"),
            (lambda p, g, darkest=0.5: True, "is_shadow says True"),
        ],
    ),
    "07.3": (
        [passed, with_list, with_where],
        [
            (overwrites, "changes what it is given"),
            (lambda label, same, differs: passed(label, same, differs) & differs, "also where it does not differ"),
            (lambda label, same, differs: passed(label, same, differs, chain=False), "by you as well"),
            (lambda label, same, differs: passed(label, same, differs, lambda b, s, d: b & d), "`same` is not used"),
            (lambda label, same, differs: passed(label, same, differs, lambda b, s, d: b & s), "`differs` is not used"),
            (lambda label, same, differs: passed(label, same, differs, lambda b, s, d: b & (s | d)), "both are asked"),
            (lambda label, same, differs: passed(label, same, differs, lambda b, s, d: s & d), "makes new ones"),
            (late, "not of the frame before"),
            (lambda *a: passed(*(b[::-1] for b in a))[::-1], "this goes backward"),
            (lambda label, same, differs: label.copy(), "nothing is passed on"),
            (lambda label, same, differs: passed(label, same, differs).astype(int), "dtype bool"),
        ],
    ),
}
