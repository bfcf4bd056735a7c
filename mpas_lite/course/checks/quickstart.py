"""Exercises of notebook 00: labels of a clip, and how good they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import islice

import numpy as np

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, compare, number
from mpas_lite.evaluation.ground_truth import truth_of
from mpas_lite.evaluation.scores import Score, score_masks
from mpas_lite.labels.circles import circular_region_merging
from mpas_lite.labels.frames import label_frames
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.scenes.samples import sample_path
from mpas_lite.video.reader import read_video

_SHAPE = (240, 320)  # of the bundled clips
_CLIPS = ("marathon_bend", "group_split", "sparse_square")


@lru_cache(maxsize=16)
def _kept(name: str, every: int, count: int | None, motion: bool) -> dict[int, np.ndarray]:
    """Particles of the groups in the first so many labelled frames of a bundled clip."""
    particles = {"quality": 0.02, "min_distance": 2.0} if motion else {}
    steps = label_frames(read_video(sample_path(name)), LabelSettings(every=every, **particles))  # type: ignore[arg-type]
    return {step.index: step.particles.position[step.labels > 0] for step in islice(steps, count)}


def _masks(name: str, radius: float, every: int, count: int | None, motion: bool = True) -> dict[int, np.ndarray]:
    """The first so many pseudo-labels of a bundled clip; without ``motion`` with the particles' default settings."""
    kept = _kept(name, every, count, motion)
    return {index: circular_region_merging(place, radius, _SHAPE) for index, place in kept.items()}


def _share(name: str, *, radius: float = 5, place: int = 0, motion: bool = True) -> float:
    return float(list(_masks(name, radius, 5, place + 1, motion).values())[place].mean())


def check_1(answer: Answer) -> None:
    """``crowd_share(name)``: the share of crowd in the first pseudo-label of a clip."""
    compare(
        answer,
        [(name,) for name in _CLIPS],
        _share,
        form=number,
        mistakes=[
            ("every clip gets the share of marathon_bend; is `name` used?", lambda name: _share("marathon_bend")),
            ("this is in per cent; a share lies between 0 and 1, the mean of the mask.", lambda n: 100 * _share(n)),
            ("this is the share that is not crowd; True is crowd.", lambda name: 1 - _share(name)),
            ("this counts pixels; a share is the count over the number of all pixels.", _pixels),
            ("this is the mean over all labelled frames; only the first is asked for.", _mean_of_clip),
            ("this is the second labelled frame; the first is asked for.", lambda name: _share(name, place=1)),
            ("the discs are larger than those of labels_of; pass labels_of as it is.", lambda n: _share(n, radius=6)),
            ("these are other settings than those above; pass labels_of.", lambda n: _share(n, motion=False)),
            ("these are the default settings; pass labels_of.", lambda n: _share(n, radius=20, motion=False)),
        ],
        say=lambda got, wanted, name: (
            f"of the first labelled frame of {name} {wanted:.3f} are crowd, and crowd_share says {got:.3f}."
        ),
    )


def _pixels(name: str) -> float:
    return float(next(iter(_masks(name, 5, 5, 1).values())).sum())


def _mean_of_clip(name: str) -> float:
    return float(np.mean([mask.mean() for mask in _masks(name, 5, 5, None).values()]))


@lru_cache(maxsize=16)
def _score(radius: float, every: int = 5, kind: str = "crowd", count: int | None = None) -> Score:
    folder = sample_path("group_split")
    truth = truth_of(read_video(folder), folder / "truth" / kind)
    return score_masks(_masks("group_split", radius, every, count).items(), truth)


def _pooled(radius: float) -> float:
    return _score(radius).pooled


def check_2(answer: Answer) -> None:
    """``iou_of_labels(radius)``: how good labels with such discs are."""
    one_off: Callable[[float], float] = lambda radius: _pooled(radius + 1)  # noqa: E731
    compare(
        answer,
        [(5,), (9,), (20,)],
        _pooled,
        form=number,
        mistakes=[
            ("every radius gets the same; is `radius` used?", lambda radius: _pooled(5)),
            ("the discs are larger by 1 px than they should be; take the radius as it is.", one_off),
            ("this is the mean over frames; all frames together count: take .pooled.", lambda r: _score(r).mean),
            ("this is in per cent; the IoU lies between 0 and 1.", lambda radius: 100 * _pooled(radius)),
            ("this is 1 - IoU, the share that is wrong.", lambda radius: 1 - _pooled(radius)),
            (
                "this compares with the pixels of persons; `truth` is the crowd.",
                lambda r: _score(r, 5, "person").pooled,
            ),
            ("this is the first frame alone; score all labelled frames.", lambda r: _score(r, 5, "crowd", 1).pooled),
            ("every tenth frame is labelled here; take every=5, as above.", lambda r: _score(r, 10).pooled),
        ],
        say=lambda got, wanted, radius: (
            f"with discs of {radius} px the labels of our clip have {wanted:.3f}, and iou_of_labels says {got:.3f}; "
            "are the other settings those above?"
        ),
    )


EXERCISES = (
    Exercise("00.1", "crowd_share", check_1, "take the first of mp.label_frames(path, labels_of), and its .mask."),
    Exercise("00.2", "iou_of_labels", check_2, "label with that radius, then score_masks(...).pooled."),
)
