"""Answers to the exercises of notebook 00."""

from functools import lru_cache

import numpy as np

import mpas_lite as mp
from mpas_lite.evaluation import score_masks, truth_of

video = mp.read_video(mp.sample_path("group_split"))
labels_of = mp.LabelSettings(every=5, radius=5, quality=0.02, min_distance=2.0)
truth = truth_of(video, mp.sample_path("group_split") / "truth" / "crowd")


@lru_cache(maxsize=32)
def first(name, settings=labels_of, place=0):
    steps = mp.label_frames(mp.sample_path(name), settings)
    for _ in range(place):
        next(steps)
    return next(steps).mask


def in_a_loop(name):
    for step in mp.label_frames(mp.sample_path(name), labels_of):
        return np.count_nonzero(step.mask) / step.mask.size


def on_frames(name):
    frames = np.stack([frame for _, frame in mp.read_video(mp.sample_path(name))])
    return float(np.mean(next(mp.label_frames(frames[:6], labels_of)).mask))


@lru_cache(maxsize=32)
def score(radius, every=5, count=None):
    settings = mp.LabelSettings(every=every, radius=radius, quality=0.02, min_distance=2.0)
    steps = list(mp.label_frames(video, settings))[:count]
    return score_masks(((step.index, step.mask) for step in steps), truth)


def by_hand(radius):
    settings = mp.LabelSettings(every=5, radius=radius, quality=0.02, min_distance=2.0)
    shared = either = 0
    for step in mp.label_frames(video, settings):
        if step.index not in truth:
            continue
        crowd, valid = mp.read_ground_truth(truth[step.index])
        valid = np.ones_like(crowd) if valid is None else valid
        shared += (step.mask & crowd & valid).sum()
        either += ((step.mask | crowd) & valid).sum()
    return shared / either


ANSWERS = {
    "00.1": (
        [lambda name: first(name).mean(), in_a_loop, on_frames],
        [
            (lambda name: first("marathon_bend").mean(), "is `name` used?"),
            (lambda name: first(name, mp.LabelSettings(5, radius=6, quality=0.02, min_distance=2.0)).mean(), "larger"),
            (lambda name: 100 * first(name).mean(), "per cent"),
            (lambda name: first(name, place=1).mean(), "second labelled frame"),
            (lambda name: (~first(name)).mean(), "not crowd"),
            (lambda name: first(name).sum(), "counts pixels"),
            (lambda name: first(name, mp.LabelSettings(every=5)).mean(), "default settings"),
            (lambda name: first(name), "one number is asked for, not an array of shape (240, 320)"),
            (lambda name: 0.13, "crowd_share says"),
        ],
    ),
    "00.2": (
        [lambda radius: score(radius).pooled, by_hand, lambda radius: np.float32(score(int(radius)).pooled)],
        [
            (lambda radius: score(5).pooled, "is `radius` used?"),
            (lambda radius: score(radius + 1).pooled, "larger by 1 px"),
            (lambda radius: score(radius).mean, "take .pooled"),
            (lambda radius: 100 * score(radius).pooled, "per cent"),
            (lambda radius: 1 - score(radius).pooled, "1 - IoU"),
            (lambda radius: score(radius, count=1).pooled, "first frame alone"),
            (lambda radius: score(radius, every=10).pooled, "every=5"),
            (lambda radius: score(radius), "one number is asked for, not a Score"),
        ],
    ),
}
