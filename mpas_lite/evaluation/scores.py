"""Are the masks right? Intersection over union, per frame and per scene.

**Which number is the score of a scene?** Two are in use, and papers seldom say which:

- ``pooled``: the intersections of all frames added up, over the unions of all frames added up. A frame counts
  as much as there is crowd in it, and a frame with nobody in it counts only if something is found there. This
  is our headline, and the IoU of PASCAL VOC and most segmentation benchmarks.
- ``mean``: the mean of the frames' IoU, each frame counting the same; one that is empty in both counts 1.

The *mIoU* of a table is the mean of its scenes' ``pooled`` scores, each scene counting the same. It is the
IoU of the crowd alone: the background is not averaged in, which would flatter every method.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mpas_lite.evaluation.ground_truth import _span, _that_count, read_ground_truth
from mpas_lite.video.arrays import Mask
from mpas_lite.video.masks import mask_files, names_in_source, numbered, read_mask, source_names


def iou(pred: Mask, target: Mask, valid: Mask | None = None) -> float:
    """Intersection over union of two masks: 1 where they agree everywhere, 0 where they share nothing.

    Two empty masks agree, so their IoU is 1 (some libraries say 0, which punishes being right).

    Parameters
    ----------
    pred, target : (H, W) bool
    valid : (H, W) bool, optional
        Only pixels that are True here count.

    Raises
    ------
    ValueError
        If the shapes differ, or an array is not bool.

    Examples
    --------
    >>> iou(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.3333333333333333
    """
    intersection, union = _overlap(pred, target, valid)
    return _ratio(intersection, union)


def _overlap(pred: Mask, target: Mask, valid: Mask | None) -> tuple[int, int]:
    """Pixels in both masks and pixels in either, among the valid ones."""
    masks = [np.asarray(mask) for mask in (pred, target, *([] if valid is None else [valid]))]
    for mask in masks:
        if mask.dtype != bool:
            raise ValueError(f"A mask must be an array of bool, not of {mask.dtype}. Compare first: mask > 0.")
        if mask.shape != masks[0].shape:
            raise ValueError(
                f"The masks differ in shape: {masks[0].shape} and {mask.shape}. Bring them to one size first."
            )
    counted = masks[2] if valid is not None else True
    intersection = masks[0] & masks[1] & counted
    union = (masks[0] | masks[1]) & counted
    return int(intersection.sum()), int(union.sum())


def _ratio(intersection: int, union: int) -> float:
    return intersection / union if union else 1.0


@dataclass(frozen=True)
class Score:
    """How well the masks of one clip fit its ground truth; see the top of this file for the two summaries.

    Attributes
    ----------
    name : str
        The clip.
    frames : tuple of int
        The number of each frame that was compared, increasing.
    intersection, union : tuple of int
        Pixels of each frame.

    Examples
    --------
    >>> score = Score("plaza", frames=(0, 20), intersection=(90, 1), union=(100, 10))
    >>> score.iou, round(score.mean, 3), round(score.pooled, 3)
    ((0.9, 0.1), 0.5, 0.827)
    """

    name: str
    frames: tuple[int, ...]
    intersection: tuple[int, ...]
    union: tuple[int, ...]

    @property
    def iou(self) -> tuple[float, ...]:
        """IoU of each frame."""
        return tuple(_ratio(i, u) for i, u in zip(self.intersection, self.union, strict=True))

    @property
    def mean(self) -> float:
        """Mean of the frames' IoU; a frame that is empty in both counts 1."""
        return float(np.mean(self.iou))

    @property
    def pooled(self) -> float:
        """All intersections over all unions: the headline."""
        return _ratio(sum(self.intersection), sum(self.union))

    def as_dict(self) -> dict[str, Any]:
        """Everything that a JSON report needs."""
        per_frame = {f"{number:06d}": value for number, value in zip(self.frames, self.iou, strict=True)}
        return {"name": self.name, "pooled": self.pooled, "mean": self.mean, "frames": per_frame}


def score_frames(frames: Iterable[tuple[int, Mask, Mask, Mask | None]], *, name: str = "") -> Score:
    """Score masks that are in memory.

    Parameters
    ----------
    frames : iterable of tuple
        Number, ``pred``, ``target`` and ``valid`` of each: (H, W) bool, ``valid`` or None where every pixel counts.
        A frame without a single valid pixel is skipped.
    name : str
        What to call the clip.

    Raises
    ------
    ValueError
        If no frame is left to compare, or masks of one frame differ in shape.

    Warns
    -----
    UserWarning
        If there is not one pixel of a person in all of the ground truth: then the score says little.

    Examples
    --------
    >>> right, empty = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    >>> score_frames([(0, right, right, None), (1, empty, right, None)]).pooled
    0.5
    """
    compared, has_people = [], False
    for number, pred, target, valid in frames:
        if valid is None or np.any(valid):
            compared.append((number, *_overlap(pred, target, valid)))
            has_people = has_people or bool(np.any(target if valid is None else np.asarray(target) & valid))
    if not compared:
        raise ValueError(
            f"{name or 'The clip'} has no frame to compare: it has no ground truth, or only ignored pixels."
        )
    if not has_people:
        warnings.warn(
            f"{name or 'The clip'}: the ground truth has nobody in any of the {len(compared)} frames that are scored. "
            "Is it the right one? An IoU of 1 says here that nobody was found, and 0 that somebody was.",
            stacklevel=2,
        )
    numbers, intersection, union = zip(*sorted(compared), strict=True)
    return Score(name, numbers, intersection, union)


def evaluate(pred: str | Path, gt: str | Path, *, name: str | None = None) -> Score:
    """Compare a folder of predicted masks with a folder of ground truth, paired by their numbers.

    The number is the last group of digits in the file name: 12 in ``in000012.jpg`` and in ``gt000012.png``. Digits
    that all names of a folder share, or that are a size, are passed over: 12 in ``frame_12_320x240.png``. Frames that
    only one side has are passed over too, so predictions may be every n-th frame.

    Masks that `mpas_lite.segment_to` wrote are named by the frame's index, from 0, whereas a folder of frames
    may count from 1. Beside them lies ``frames.json``, which tells each mask the name of its source frame:
    where it exists, the number in that name counts.

    Parameters
    ----------
    pred : str or Path
        Folder of masks of 0 and 255.
    gt : str or Path
        Folder of ground truth, see `read_ground_truth`. If ``temporalROI.txt`` (CDnet: the first and the last frame
        to count) lies in it or in the folder above, other frames are passed over. Frames fully ignored are skipped.
    name : str, optional
        What to call the clip; the name of the folder above ``pred`` by default.

    Raises
    ------
    ValueError
        If a folder holds no masks, no number is in both, a file is not clearly a mask (see
        `mpas_lite.video.masks.read_mask`), or a mask and its ground truth differ in size.

    Warns
    -----
    UserWarning
        If the ground truth is empty everywhere.
    """
    pred, gt = Path(pred), Path(gt)
    files, truth_files = mask_files(pred), mask_files(gt)
    names, truth_names = names_in_source(files, source_names(pred)), [file.name for file in truth_files]
    predictions = numbered(files, names, truth_names)
    truths = _that_count(gt, numbered(truth_files, truth_names, names))
    wanted = [number for number in predictions if number in truths]
    if not wanted:
        number, file = next(iter(predictions.items()))
        read = f"{names[files.index(file)]} as {number}, {truths[min(truths)].name} as {min(truths)}"
        raise ValueError(
            f"No frame is in both folders: {pred} has {_span(predictions)}, {gt} has {_span(truths)} that count. Masks "
            f"are paired by the number in the file name, which was read from {read}."
        )
    compared = (_with_truth(n, read_mask(predictions[n]) == 255, predictions[n], truths[n]) for n in wanted)
    return score_frames(compared, name=pred.resolve().parent.name if name is None else name)


def score_masks(masks: Iterable[tuple[int, Mask]], truth: Mapping[int, Path], *, name: str = "") -> Score:
    """Score masks as they come, such as from `mog2_masks` or `mpas_lite.segment`.

    Parameters
    ----------
    masks : iterable of tuple
        Index and mask of each frame. Masks are (H, W) bool. Those that have no ground truth are passed over.
    truth : mapping from int to Path
        File of each index, as `truth_of` returns it.
    name : str
        What to call the clip.

    Raises
    ------
    ValueError
        If no frame is left to compare, or a mask and its ground truth differ in size.
    """
    compared = (_with_truth(n, mask, f"The mask of frame {n}", truth[n]) for n, mask in masks if n in truth)
    return score_frames(compared, name=name)


def _with_truth(number: int, pred: Mask, what: str | Path, path: Path) -> tuple[int, Mask, Mask, Mask]:
    target, valid = read_ground_truth(path)
    if pred.shape != target.shape:
        raise ValueError(
            f"{what} is {_size(pred)} and {path} is {_size(target)} (width x height). "
            "Segment the video at the size of the ground truth."
        )
    return number, pred, target, valid


def _size(mask: Mask) -> str:
    return f"{mask.shape[1]}x{mask.shape[0]}"
