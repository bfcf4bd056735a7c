"""What a run came to: scores where there is ground truth, a page and pictures to look at."""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mpas_lite.evaluation.background_subtraction import mog2_masks
from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.score_tables import markdown_table, scene_table
from mpas_lite.evaluation.scores import Score, score_masks
from mpas_lite.files.atomic import atomic_write
from mpas_lite.files.outputs import own_names
from mpas_lite.labels.frames import label_window
from mpas_lite.labels.pseudolabel import frame_indices_in
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.masks import read_mask
from mpas_lite.video.video import Video

METHODS = ("CM+CRM", "refined labels", "MOG2", "MOG2 closed", "MPASNET")
_KINDS = {
    "crowd": "crowd masks: the region a person would outline",
    "person": "person masks: the exact pixels of the people",
    "truth": "the given ground truth",
}
_FRAMES = "frames"  # the column that says how many were scored
_PANELS = "frame, particles, pseudo-label, network"


@dataclass(frozen=True)
class ClipResult:
    """A clip of a run: its video, its folder with ``masks/``, its folder of pairs, and its ground truth.

    ``truth`` maps a kind ("crowd", "person", "truth") to a folder of masks; it is empty where there is none.
    """

    video: Video
    folder: Path
    pairs: Path
    truth: dict[str, Path]


@dataclass(frozen=True)
class ClipScores:
    """How a clip scored, by kind of ground truth: IoU of each method, and on how many frames."""

    iou: dict[str, dict[str, float]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)


def truth_folders(source: str | Path, given: Path | None = None) -> dict[str, Path]:
    """Ground truth of a clip, by kind: a given folder, or what lies beside the clip in a layout we know.

    Our scenes keep ``truth/crowd`` and ``truth/person`` beside the video. A folder of frames may have these too, or
    masks in ``truth`` itself. CDnet keeps ``groundtruth`` beside the folder ``input``.

    Raises
    ------
    ValueError
        If a folder is given and it does not exist, or holds no masks.
    """
    if given is not None and not Path(given).is_dir():
        raise ValueError(f"There is no folder {given} with ground truth. Check the path.")
    source = Path(source)
    beside = source if source.is_dir() else source.parent
    places = [Path(given)] if given is not None else [beside / "truth", beside.parent / "groundtruth"]
    for place in places:
        kinds = {kind: place / kind for kind in ("crowd", "person") if _has_images(place / kind)}
        if kinds:
            return kinds
        if given is not None and not _has_images(place):
            raise ValueError(f"{given} holds no masks, and no crowd/ or person/ with masks. Check the path.")
        own = place.parent == source and _has_images(place)
        if place.is_dir() and (given is not None or beside.name == "input" or own):
            return {"truth": place}
    return {}


def _has_images(folder: Path) -> bool:
    return folder.is_dir() and any(is_visible(path, IMAGE_ENDINGS) for path in folder.iterdir())


def clip_scores(clip: ClipResult) -> ClipScores:
    """IoU of a clip against each of its ground truths.

    All methods on the same frames: those that have a pseudo-label, a mask of the network and ground truth. CM+CRM
    is always the paper's label; refined ones (see ``labels.refine``) have a row of their own.

    Warns
    -----
    UserWarning
        For each ground truth that fits no frame or cannot be read: the clip is not scored against it.
    """
    scores = ClipScores()
    for kind, folder in clip.truth.items():
        try:
            by_method = _scores_against(clip, kind, folder)
        except (ValueError, FileNotFoundError) as error:
            warnings.warn(f"{clip.video.name} is not scored against {_KINDS[kind]}: {error}", stacklevel=2)
            continue
        scores.iou[kind] = {method: by_method[method].pooled for method in METHODS if method in by_method}
        scores.frames[kind] = len(by_method["MPASNET"].frames)
    return scores


def _scores_against(clip: ClipResult, kind: str, folder: Path) -> dict[str, Score]:
    kept = frame_indices_in(clip.pairs / "masks") & frame_indices_in(clip.folder / "masks")
    refined = (clip.pairs / "circles").is_dir()
    there = truth_of(clip.video, folder)
    truth = {index: path for index, path in there.items() if index in kept}
    if not truth:
        which = f"it has frames {min(there)} to {max(there)}" if there else "no number in its names is a frame's"
        raise ValueError(f"{folder} has no mask for any of the {len(kept)} frames with a label and a mask ({which}).")
    masks: dict[str, Iterator[tuple[int, np.ndarray]]] = {
        "CM+CRM": _masks(clip.pairs, truth, "circles" if refined else "masks"),
        "MOG2": mog2_masks(clip.video, indices=truth),
        "MOG2 closed": mog2_masks(clip.video, indices=truth, closed=True),
        "MPASNET": _masks(clip.folder, truth),
    }
    if refined:
        masks["refined labels"] = _masks(clip.pairs, truth)
    scores = {method: score_masks(of_it, truth, name=f"{clip.video.name} ({kind})") for method, of_it in masks.items()}
    if len({score.frames for score in scores.values()}) > 1:
        raise ValueError(f"{clip.video.source} ends before the last of these frames: the methods cannot be compared.")
    return scores


def score_tables(
    scores: Mapping[str, Mapping[str, Mapping[str, float]]], frames: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """One table for each kind of ground truth, a row a clip, from ``{clip: {kind: {method: IoU}}}``.

    With ``frames``, ``{clip: {kind: number}}``, the second column says how many frames were scored.
    """
    kinds = [kind for kind in _KINDS if any(kind in of_clip for of_clip in scores.values())]
    tables = {}
    for kind in kinds:
        by_clip = {clip: by_kind[kind] for clip, by_kind in scores.items() if kind in by_kind}
        methods = [method for method in METHODS if any(method in score for score in by_clip.values())]
        table = scene_table({m: {clip: s[m] for clip, s in by_clip.items() if m in s} for m in methods})
        if frames is not None:
            counts = [frames.get(clip, {}).get(kind) for clip in by_clip]
            total = sum(count or 0 for count in counts)
            table = [
                {"scene": row["scene"], _FRAMES: count, **row}
                for row, count in zip(table, [*counts, total], strict=True)
            ]
        tables[kind] = table
    return tables


def titled_tables(metrics: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables of a run, each with its heading: clips trained on, then scenes not seen in training."""
    for key, whose in (("iou", "the clips trained on"), ("iou_unseen", "scenes not seen in training")):
        for kind, table in score_tables(metrics[key], metrics.get("frames")).items():
            yield f"IoU on {whose}, against {_KINDS[kind]}", table


def format_scores(metrics: Mapping[str, Any]) -> str:
    """The tables of :func:`titled_tables` as Markdown."""
    return "\n\n".join(f"{title}\n\n{markdown_table(table)}" for title, table in titled_tables(metrics))


def write_report(out: Path, clips: Mapping[str, ClipResult], metrics: dict[str, Any], settings: LabelSettings) -> None:
    """Write ``report.html`` and its pictures: a row of four panels a clip, the scores, the training curves.

    A clip of which there is nothing to show has a sentence in its place.
    """
    from matplotlib.figure import Figure

    from mpas_lite.plots.charts import plot_scores, plot_training

    tables = list(titled_tables(metrics))
    bars = [f"iou-{number}" for number in range(1, len(tables) + 1)]
    rows = []
    for (name, clip), picture in zip(clips.items(), own_names(clips, taken=["training", *bars]), strict=True):
        scored = {**metrics["iou"], **metrics["iou_unseen"]}.get(name, {})
        try:
            figure = _picture_of(clip, scored, settings)
        except (ValueError, FileNotFoundError) as error:
            warnings.warn(f"The report has no picture of {name}: {error}", stacklevel=2)
            shown = f"<p>No picture: {html.escape(str(error))}</p>"
        else:
            shown = _img(_save(figure, out / "pictures" / f"{picture}.png"), _PANELS)
        rows.append(f"<h3>{html.escape(name)}</h3>\n{shown}")
    training = metrics["training"]
    epochs = [
        {"loss": a, "segmentation": b, "air": c}
        for a, b, c in zip(training["loss"], training["segmentation"], training["air"], strict=True)
    ]
    figure = Figure(figsize=(8, 5), layout="constrained")
    plot_training(epochs, figure.subplots())
    curves = _img(_save(figure, out / "pictures" / "training.png"), "losses by epoch", 50)
    sections = []
    for (title, table), picture in zip(tables, bars, strict=True):
        figure = Figure(figsize=(max(8, 2.2 * len(table)), 5), layout="constrained")
        plot_scores([{c: v for c, v in row.items() if c != _FRAMES} for row in table], figure.subplots())
        drawn = _img(_save(figure, out / "pictures" / f"{picture}.png"), title, 60)
        sections.append(f"<h2>{title}</h2>\n{_html_table(table)}\n{drawn}")
    label = "CM+CRM" if settings.refine is None else "refined: what differs from the still background, in wide circles"
    page = _PAGE.format(scores="\n".join(sections), pictures="\n".join(rows), curves=curves, label=label,
                        steps=training["steps"])  # fmt: skip
    with atomic_write(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")  # a path may hold what is no UTF-8


def _picture_of(clip: ClipResult, scored: Iterable[str], settings: LabelSettings) -> Any:
    """The four panels for the kept frame in the middle of the clip (with ground truth, if any frame has it)."""
    from matplotlib.figure import Figure

    from mpas_lite.plots.frame_figures import plot_pipeline

    folder = next((clip.truth[kind] for kind in clip.truth if kind in scored), None)
    truth = truth_of(clip.video, folder) if folder else {}
    candidates = sorted(frame_indices_in(clip.pairs / "masks") & frame_indices_in(clip.folder / "masks"))
    candidates = [index for index in candidates if index in truth] or candidates
    if not candidates:
        raise ValueError("none of its frames has both a pseudo-label and a mask of the network.")
    index = candidates[len(candidates) // 2]
    window = [frame for _, frame in clip.video.frames(range(index, index + settings.interval + 1))]
    labelled = label_window(index, window, settings)
    ((_, label),) = _masks(clip.pairs, [index])
    ((_, mask),) = _masks(clip.folder, [index])
    target, valid = read_ground_truth(truth[index]) if index in truth else (None, None)
    slope = min(4.0, clip.video.shape[0] / clip.video.shape[1])
    figure = Figure(figsize=(20, 20 / 4 * slope + 0.9), layout="compressed")
    axes = figure.subplots(1, 4)
    plot_pipeline(window[0], labelled.particles, labelled.labels, label, mask, target, axes, valid=valid)
    return figure


def _masks(folder: Path, indices: Any, kind: str = "masks") -> Iterator[tuple[int, np.ndarray]]:
    for index in sorted(indices):
        yield index, read_mask(folder / kind / f"{index:06d}.png") > 0


def _save(figure: Any, path: Path) -> str:
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=80)
    return path.name


def _img(picture: str, alt: str, width: int = 100) -> str:
    return f'<img src="pictures/{quote(picture)}" alt="{html.escape(alt)}" style="width:{width}%">'


def _html_table(table: list[dict[str, Any]]) -> str:
    def cell(value: Any) -> str:
        return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else html.escape(str(value))

    head = "".join(f"<th>{html.escape(column)}</th>" for column in table[0])
    body = "\n".join("<tr>" + "".join(f"<td>{cell(v)}</td>" for v in row.values()) + "</tr>" for row in table)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>mpas_lite: report</title>
<style>
body {{ font-family: system-ui, sans-serif; max-width: 1300px; margin: 2em auto; padding: 0 1em; color: #222; }}
img {{ max-width: 100%; height: auto; }}
table {{ border-collapse: collapse; }} th, td {{ padding: .3em .9em; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }} tr:last-child td {{ border-top: 1px solid; font-weight: 600; }}
</style>
<h1>Crowd masks, learned without a label</h1>
<p>Each row: a frame; the particles found in it (kept ones in colour); the pseudo-label that their motion gives
({label}); and the mask of the network that was trained on such labels alone. Where ground truth is known, hits,
misses and false alarms are marked; the network never saw it.</p>
{pictures}
{scores}
<h2>Training: {steps} steps</h2>
{curves}
</html>
"""
