"""How the clips of a run scored: every method on the same frames, against each kind of ground truth there is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpas_lite.evaluation.background_subtraction import mog2_masks
from mpas_lite.evaluation.ground_truth import truth_of
from mpas_lite.evaluation.score_tables import markdown_table, scene_table
from mpas_lite.evaluation.scores import Score, score_masks
from mpas_lite.labels.pseudolabel import frame_indices_in
from mpas_lite.video.arrays import Mask
from mpas_lite.video.clip import Clip
from mpas_lite.video.masks import read_mask

NETWORKS = {True: "MPASNET", False: "MPASNET*"}  # with the siamese branch and, as the paper calls it, without
METHODS = (
    *("CM+CRM", "refined labels", "MOG2", "MOG2 closed"),
    *(network + kind for network in NETWORKS.values() for kind in ("", " persons")),
)
KINDS = {
    "crowd": "crowd masks: the region a person would outline",
    "person": "person masks: the exact pixels of the people",
    "truth": "the given ground truth",
}
FRAMES = "frames"  # the column that says how many were scored


@dataclass(frozen=True)
class ClipResult:
    """What a run made of a clip.

    Attributes
    ----------
    clip : Clip
    folder : Path
        Holds ``masks/``, and ``persons/`` where there are masks of both kinds.
    pairs : Path
        Folder of the clip's pseudo-labels.
    truth : dict from str to Path
        Of each kind of ground truth ("crowd", "person", "truth") the folder of masks; empty where there is none.
    network : str
        Which of ``NETWORKS`` made the masks.
    """

    clip: Clip
    folder: Path
    pairs: Path
    truth: dict[str, Path]
    network: str = NETWORKS[True]

    @property
    def persons(self) -> Path | None:
        """The folder of the masks of persons; None where there is one kind of masks alone."""
        folder = self.folder / "persons"
        return folder if any(folder.glob("*.png")) else None

    def masks_for(self, kind: str | None) -> Path:
        """The folder of the masks that ground truth of this kind is compared with."""
        return (self.persons if kind == "person" else None) or self.folder / "masks"


@dataclass(frozen=True)
class ClipScores:
    """How a clip scored, by kind of ground truth: IoU of each method, and on how many frames."""

    iou: dict[str, dict[str, float]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)


def clip_scores(result: ClipResult) -> ClipScores:
    """IoU of a clip against each of its ground truths.

    All methods on the same frames: those that have a pseudo-label, a mask of the network and ground truth. CM+CRM
    is always the paper's label; refined ones (see ``labels.refine``) have a row of their own. Where there are masks of
    both kinds, ground truth of persons is compared with those of persons, that of crowds with those of crowds, and
    ground truth of which the kind is not known with each.

    Warns
    -----
    UserWarning
        For each ground truth that fits no frame or cannot be read: the clip is not scored against it.
    """
    scores = ClipScores()
    for kind, folder in result.truth.items():
        try:
            by_method = _scores_against(result, kind, folder)
        except (ValueError, FileNotFoundError) as error:
            warnings.warn(f"{result.clip.name} is not scored against {KINDS[kind]}: {error}", stacklevel=2)
            continue
        scores.iou[kind] = {method: by_method[method].pooled for method in METHODS if method in by_method}
        scores.frames[kind] = len(by_method[result.network].frames)
    return scores


def _scores_against(result: ClipResult, kind: str, folder: Path) -> dict[str, Score]:
    kept = frame_indices_in(result.pairs / "masks") & frame_indices_in(result.folder / "masks")
    refined = (result.pairs / "circles").is_dir()
    video = result.clip.video()
    there = truth_of(video, folder)
    truth = {index: path for index, path in there.items() if index in kept}
    if not truth:
        which = f"it has frames {min(there)} to {max(there)}" if there else "no number in its names is a frame's"
        raise ValueError(f"{folder} has no mask for any of the {len(kept)} frames with a label and a mask ({which}).")
    masks: dict[str, Iterator[tuple[int, Mask]]] = {
        "CM+CRM": read_masks(result.pairs / ("circles" if refined else "masks"), truth),
        "MOG2": mog2_masks(video, indices=truth),
        "MOG2 closed": mog2_masks(video, indices=truth, closed=True),
        result.network: read_masks(result.masks_for(kind), truth),
    }
    if refined:
        masks["refined labels"] = read_masks(result.pairs / "masks", truth)
    if result.persons and kind == "truth":  # of crowds or of persons, who knows
        masks[f"{result.network} persons"] = read_masks(result.persons, truth)
    name = f"{result.clip.name} ({kind})"
    scores = {method: score_masks(of_it, truth, name=name) for method, of_it in masks.items()}
    if len({score.frames for score in scores.values()}) > 1:
        raise ValueError(f"{video.source} ends before the last of these frames: the methods cannot be compared.")
    return scores


def read_masks(folder: Path, indices: Iterable[int]) -> Iterator[tuple[int, Mask]]:
    """The masks ``NNNNNN.png`` of a folder for these frames, in order, (H, W) bool."""
    for index in sorted(indices):
        yield index, read_mask(folder / f"{index:06d}.png") > 0


# ------------------------------------------------------------------------------------------------- tables


def score_tables(
    scores: Mapping[str, Mapping[str, Mapping[str, float]]], frames: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """One table for each kind of ground truth, a row a clip, from ``{clip: {kind: {method: IoU}}}``.

    With ``frames``, ``{clip: {kind: number}}``, the second column says how many frames were scored.
    """
    kinds = [kind for kind in KINDS if any(kind in of_clip for of_clip in scores.values())]
    tables = {}
    for kind in kinds:
        by_clip = {clip: by_kind[kind] for clip, by_kind in scores.items() if kind in by_kind}
        methods = [method for method in METHODS if any(method in score for score in by_clip.values())]
        table = scene_table({m: {clip: s[m] for clip, s in by_clip.items() if m in s} for m in methods})
        if frames is not None:
            counts = [frames.get(clip, {}).get(kind) for clip in by_clip]
            total = sum(count or 0 for count in counts)
            table = [
                {"scene": row["scene"], FRAMES: count, **row}
                for row, count in zip(table, [*counts, total], strict=True)
            ]
        tables[kind] = table
    return tables


def titled_tables(metrics: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables of a run, each with its heading: clips trained on, then scenes not seen in training."""
    for key, whose in (("iou", "the clips trained on"), ("iou_unseen", "scenes not seen in training")):
        for kind, table in score_tables(metrics[key], metrics.get("frames")).items():
            yield f"IoU on {whose}, against {KINDS[kind]}", table


def format_scores(metrics: Mapping[str, Any]) -> str:
    """The tables of :func:`titled_tables` as Markdown."""
    return "\n\n".join(f"{title}\n\n{markdown_table(table)}" for title, table in titled_tables(metrics))
