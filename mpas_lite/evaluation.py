"""Are the masks right? Intersection over union, per frame and per scene, and the MOG2 baseline.

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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mpas_lite.masks import CDNET, frame_numbers, mask_files, names_in_source, numbered, read_mask, source_names
from mpas_lite.masks import frame_number as frame_number
from mpas_lite.video import Video, read_video


def iou(pred: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
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


def _overlap(pred: np.ndarray, target: np.ndarray, valid: np.ndarray | None) -> tuple[int, int]:
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


def score_frames(frames: Iterable[tuple[int, np.ndarray, np.ndarray, np.ndarray | None]], *, name: str = "") -> Score:
    """Score masks that are in memory.

    Parameters
    ----------
    frames : iterable of (number, pred, target, valid)
        ``pred`` and ``target`` are (H, W) bool; ``valid`` too, or None where every pixel counts. A frame
        without a single valid pixel is skipped.
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
    pred : folder
        Masks of 0 and 255.
    gt : folder
        See `read_ground_truth`. If ``temporalROI.txt`` (CDnet: the first and the last frame to count) lies
        in it or in the folder above, other frames are passed over. Frames fully ignored are skipped.
    name : str, optional
        What to call the clip; the name of the folder above ``pred`` by default.

    Raises
    ------
    ValueError
        If a folder holds no masks, no number is in both, a file is not clearly a mask (see
        `mpas_lite.masks.read_mask`), or a mask and its ground truth differ in size.

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


def truth_of(video: Video, folder: str | Path) -> dict[int, Path]:
    """Find the ground truth of a video's frames: 0-based index of the frame -> file in ``folder``.

    A frame of a folder goes by the number in its name, so frame 0 of a folder that begins with ``in000001.jpg`` has
    ``gt000001.png``; in a video file, frame 0 has ``000000.png``. Frames without ground truth are left out, and those
    outside ``temporalROI.txt`` too; see `evaluate`. How many frames a video file has is not asked, as containers claim
    what they like: of ground truth past its end nothing will be compared.
    """
    folder = Path(folder)
    files = mask_files(folder)
    truth_names = [file.name for file in files]
    if Path(video.source).is_file():
        return _that_count(folder, numbered(files, truth_names))
    names = [video.frame_name(index) for index in range(len(video))]
    truths = _that_count(folder, numbered(files, truth_names, names))
    indices = enumerate(frame_numbers(names, truth_names))
    return {index: truths[number] for index, number in indices if number in truths}


def score_masks(masks: Iterable[tuple[int, np.ndarray]], truth: Mapping[int, Path], *, name: str = "") -> Score:
    """Score masks as they come, such as from `mog2_masks` or `mpas_lite.segment`.

    Parameters
    ----------
    masks : iterable of (index, mask)
        Masks are (H, W) bool. Those that have no ground truth are passed over.
    truth : mapping from index to file
        As `truth_of` returns it.
    name : str
        What to call the clip.

    Raises
    ------
    ValueError
        If no frame is left to compare, or a mask and its ground truth differ in size.
    """
    compared = (_with_truth(n, mask, f"The mask of frame {n}", truth[n]) for n, mask in masks if n in truth)
    return score_frames(compared, name=name)


def _with_truth(
    number: int, mask: np.ndarray, what: str | Path, path: Path
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    target, valid = read_ground_truth(path)
    if mask.shape != target.shape:
        raise ValueError(
            f"{what} is {_size(mask)} and {path} is {_size(target)} (width x height). "
            "Segment the video at the size of the ground truth."
        )
    return number, mask, target, valid


def read_ground_truth(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one ground-truth mask: see `mpas_lite.masks.read_mask` for what is taken for one.

    Black and white is 0 and 255. CDnet 2014 adds 50 (shadow: background), 85 (outside the region of interest)
    and 170 (unknown motion, mostly outlines); the last two do not count.

    Returns
    -------
    target, valid : (H, W) bool
        Where a person is, and which pixels count.

    Raises
    ------
    ValueError
        If the image has other values.
    """
    image = read_mask(path, CDNET)
    return image == 255, (image != 85) & (image != 170)


def _that_count(gt: Path, files: dict[int, Path]) -> dict[int, Path]:
    """The ground truth that counts: all there is, or what temporalROI.txt limits it to."""
    for path in (gt / "temporalROI.txt", gt.resolve().parent / "temporalROI.txt"):
        if path.exists():
            try:
                first, last = (int(word) for word in path.read_text().split())
            except ValueError:
                raise ValueError(f"{path} should hold two whole numbers, such as: 300 1099") from None
            counted = {number: file for number, file in files.items() if first <= number <= last}
            if not counted:
                raise ValueError(f"{gt} has {_span(files)}, but {path} lets only {first} to {last} count.")
            return counted
    return files


def _span(numbers: Collection[int]) -> str:
    return f"{len(numbers)} masks with numbers {min(numbers)} to {max(numbers)}"


def _size(mask: np.ndarray) -> str:
    return f"{mask.shape[1]}x{mask.shape[0]}"


def mog2_masks(
    video: Video | str | Path | np.ndarray,
    *,
    closed: bool = False,
    indices: Collection[int] | None = None,
    history: int = 500,
    var_threshold: float = 16.0,
) -> Iterator[tuple[int, np.ndarray]]:
    """Segment by background subtraction (OpenCV's MOG2): the baseline everybody asks for.

    A mixture of Gaussians per pixel (Zivkovic 2004) learns what the still camera sees; what departs from it
    is foreground. Shadows are detected and dropped. It needs no training. It fails on people who stand, on
    a moving camera, and while the background is still being learnt: in the very first frame it finds nothing.

    Parameters
    ----------
    video : Video, or whatever `read_video` takes
        Every frame is looked at, in order, whatever ``indices`` says.
    closed : bool
        Close the mask morphologically with a disc as wide as a twentieth of the frame's shorter side: 13 px
        at 320x240, about a person's width. That fills the gaps between people, as an outline by hand does.
    indices : collection of int, optional
        Yield only these frames; all by default.
    history : int
        Over how many frames the background is remembered.
    var_threshold : float
        Squared Mahalanobis distance beyond which a pixel is foreground.

    Yields
    ------
    index : int
    mask : (H, W) bool
    """
    import cv2

    subtractor = cv2.createBackgroundSubtractorMOG2(history, var_threshold, detectShadows=True)
    wanted = None if indices is None else set(indices)
    last = np.inf if wanted is None else max(wanted, default=-1)
    for index, frame in read_video(video):
        if index > last:
            return
        mask = (subtractor.apply(frame) == 255).astype(np.uint8)  # 127 is shadow
        if wanted is not None and index not in wanted:
            continue
        if closed:
            mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(min(mask.shape) / 20))
        yield index, mask.astype(bool)


def _disc(diameter: float) -> np.ndarray:
    """A disc of an odd diameter in pixels, the least that is not under ``diameter``."""
    radius = int(np.ceil((diameter - 1) / 2))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x**2 + y**2 <= (radius + 0.5) ** 2).astype(np.uint8)


def scene_table(scores: Mapping[str, Mapping[str, float]], *, mean: str = "mIoU") -> list[dict[str, Any]]:
    """A table of scores: a row per scene, a column per method, and last the mean over the scenes.

    Parameters
    ----------
    scores : method -> scene -> score
        Scenes come in the order in which they are first met. A missing score is None, and so is the mean of a
        method that lacks one: means over different scenes cannot be compared.
    mean : str
        What to call the last row.

    Examples
    --------
    >>> table = scene_table({"CM+CRM": {"plaza": 0.5, "hall": 0.6}, "MPASNET": {"plaza": 0.7}})
    >>> print(markdown_table(table))
    | scene | CM+CRM | MPASNET |
    |:------|-------:|--------:|
    | plaza |  0.500 |   0.700 |
    | hall  |  0.600 |       – |
    | mIoU  |  0.550 |       – |
    """
    scenes = list(dict.fromkeys(scene for row in scores.values() for scene in row))
    rows: list[dict[str, Any]] = [
        {"scene": scene, **{method: row.get(scene) for method, row in scores.items()}} for scene in scenes
    ]
    means = {
        method: float(np.mean([row[scene] for scene in scenes])) if scenes and row.keys() >= set(scenes) else None
        for method, row in scores.items()
    }
    return [*rows, {"scene": mean, **means}]


def markdown_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None, *, digits: int = 3) -> str:
    """Rows as a Markdown table, aligned so that it reads well as plain text too.

    Parameters
    ----------
    rows : sequence of mappings
        One mapping from column to value per row; a value that is missing, None or not a number is shown as –.
    columns : sequence of str, optional
        Which columns, in which order; by default all, as they are met.
    digits : int
        Decimals of every float.
    """
    if columns is None:
        columns = list(dict.fromkeys(column for row in rows for column in row))

    def cell(value: Any) -> str:
        if value is None or value != value:
            return "–"
        return (f"{value:.{digits}f}" if isinstance(value, float | np.floating) else str(value)).replace("|", r"\|")

    body = [[cell(row.get(column)) for column in columns] for row in rows]
    header = [cell(column) for column in columns]
    width = [max(3, *(len(line[i]) for line in [header, *body])) for i in range(len(columns))]
    numeric = [all(isinstance(row.get(c), int | float | np.number | None) for row in rows) for c in columns]
    text = [
        [w.rjust(n) if r else w.ljust(n) for w, n, r in zip(line, width, numeric, strict=True)]
        for line in [header, *body]
    ]
    rule = ["-" * (n + 1) + ":" if right else ":" + "-" * (n + 1) for n, right in zip(width, numeric, strict=True)]
    lines = ["| " + " | ".join(line) + " |" for line in text]
    return "\n".join([lines[0], "|" + "|".join(rule) + "|", *lines[1:]])
