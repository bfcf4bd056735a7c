"""What a run came to: scores where there is ground truth, a page and pictures to look at."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mpas_lite.evaluation import (
    markdown_table,
    mog2_masks,
    read_ground_truth,
    scene_table,
    score_masks,
    truth_of,
)
from mpas_lite.files import read_image, whole_file
from mpas_lite.pseudolabel import LabelSettings, label_window
from mpas_lite.video import Video

METHODS = ("CM+CRM", "refined labels", "MOG2", "MOG2 closed", "MPASNET")
_KINDS = {
    "crowd": "crowd masks: the region a person would outline",
    "person": "person masks: the exact pixels of the people",
    "truth": "the given ground truth",
}


@dataclass(frozen=True)
class ClipResult:
    """A clip of a run: its video, its folder with ``masks/``, its folder of pairs, and its ground truth.

    ``truth`` maps a kind ("crowd", "person", "truth") to a folder of masks; it is empty where there is none.
    """

    video: Video
    folder: Path
    pairs: Path
    truth: dict[str, Path]


def truth_folders(source: str | Path, given: Path | None = None) -> dict[str, Path]:
    """Ground truth of a clip, by kind: a given folder, or what lies beside the clip in a layout we know.

    Our scenes keep ``truth/crowd`` and ``truth/person`` beside the video. A folder of frames may have these too, or
    masks in ``truth`` itself. CDnet keeps ``groundtruth`` beside the folder ``input``.

    Raises
    ------
    ValueError
        If a folder is given and it does not exist.
    """
    if given is not None and not Path(given).is_dir():
        raise ValueError(f"There is no folder {given} with ground truth. Check the path.")
    source = Path(source)
    beside = source if source.is_dir() else source.parent
    places = [Path(given)] if given is not None else [beside / "truth", beside.parent / "groundtruth"]
    for place in places:
        kinds = {kind: place / kind for kind in ("crowd", "person") if (place / kind).is_dir()}
        if kinds:
            return kinds
        own = place.parent == source and any(place.glob("*.png"))
        if place.is_dir() and (given is not None or beside.name == "input" or own):
            return {"truth": place}
    return {}


def score_clip(clip: ClipResult) -> dict[str, dict[str, float]]:
    """IoU of a clip against each of its ground truths: ``{kind: {method: IoU}}``.

    All methods on the same frames: those that have a pseudo-label, a mask of the network and ground truth. CM+CRM
    is always the paper's label; refined ones (see ``refine``) have a row of their own.
    """
    kept = _indices(clip.pairs) & _indices(clip.folder)
    refined = (clip.pairs / "circles").is_dir()
    scores = {}
    for kind, folder in clip.truth.items():
        truth = {index: path for index, path in truth_of(clip.video, folder).items() if index in kept}
        if not truth:
            continue
        masks: dict[str, Iterator[tuple[int, np.ndarray]]] = {
            "CM+CRM": _masks(clip.pairs, truth, "circles" if refined else "masks"),
            "MOG2": mog2_masks(clip.video, indices=truth),
            "MOG2 closed": mog2_masks(clip.video, indices=truth, closed=True),
            "MPASNET": _masks(clip.folder, truth),
        }
        if refined:
            masks["refined labels"] = _masks(clip.pairs, truth)
        scores[kind] = {m: score_masks(masks[m], truth).pooled for m in METHODS if m in masks}
    return scores


def score_tables(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, list[dict[str, Any]]]:
    """One table for each kind of ground truth, a row a clip, from ``{clip: {kind: {method: IoU}}}``."""
    kinds = [kind for kind in _KINDS if any(kind in of_clip for of_clip in scores.values())]
    tables = {}
    for kind in kinds:
        by_clip = {clip: by_kind[kind] for clip, by_kind in scores.items() if kind in by_kind}
        methods = [method for method in METHODS if any(method in score for score in by_clip.values())]
        tables[kind] = scene_table({m: {clip: s[m] for clip, s in by_clip.items() if m in s} for m in methods})
    return tables


def titled_tables(metrics: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables of a run, each with its heading: clips trained on, then scenes not seen in training."""
    for key, whose in (("iou", "the clips trained on"), ("iou_unseen", "scenes not seen in training")):
        for kind, table in score_tables(metrics[key]).items():
            yield f"IoU on {whose}, against {_KINDS[kind]}", table


def format_scores(metrics: Mapping[str, Any]) -> str:
    """The tables of :func:`titled_tables` as Markdown."""
    return "\n\n".join(f"{title}\n\n{markdown_table(table)}" for title, table in titled_tables(metrics))


def write_report(out: Path, clips: Mapping[str, ClipResult], metrics: dict[str, Any], settings: LabelSettings) -> None:
    """Write ``report.html`` and its pictures: a row of four panels a clip, the scores, the training curves."""
    from matplotlib.figure import Figure

    from mpas_lite.plots import plot_pipeline, plot_scores, plot_training

    rows = []
    for name, clip in clips.items():
        figure = Figure(figsize=(20, 20 / 4 * clip.video.shape[0] / clip.video.shape[1] + 0.9), layout="compressed")
        _plot_clip(clip, settings, figure.subplots(1, 4), plot_pipeline)
        rows.append((name, _save(figure, out / "pictures" / f"{_file_name(name)}.png")))
    training = metrics["training"]
    epochs = [
        {"loss": a, "segmentation": b, "air": c}
        for a, b, c in zip(training["loss"], training["segmentation"], training["air"], strict=True)
    ]
    figure = Figure(figsize=(8, 5), layout="constrained")
    plot_training(epochs, figure.subplots())
    curves = _save(figure, out / "pictures" / "training.png")
    sections = []
    for number, (title, table) in enumerate(titled_tables(metrics), 1):
        figure = Figure(figsize=(max(8, 2.2 * len(table)), 5), layout="constrained")
        plot_scores(table, figure.subplots())
        bars = _save(figure, out / "pictures" / f"iou-{number}.png")
        sections.append(f"<h2>{title}</h2>\n{_html_table(table)}\n<img src='pictures/{bars}' style='width:60%'>")
    pictures = "\n".join(
        f"<h3>{html.escape(name)}</h3>\n<img src='pictures/{picture}' alt='frame, particles, pseudo-label, network'>"
        for name, picture in rows
    )
    page = _PAGE.format(scores="\n".join(sections), pictures=pictures, curves=curves, steps=training["steps"])
    with whole_file(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def _plot_clip(clip: ClipResult, settings: LabelSettings, axes: np.ndarray, plot_pipeline: Any) -> None:
    """The four panels for the kept frame in the middle of the clip (with ground truth, if any frame has it)."""
    folder = next(iter(clip.truth.values()), None)
    truth = truth_of(clip.video, folder) if folder else {}
    candidates = sorted(_indices(clip.pairs) & _indices(clip.folder))
    candidates = [index for index in candidates if index in truth] or candidates
    index = candidates[len(candidates) // 2]
    window = [frame for _, frame in clip.video.frames(range(index, index + settings.interval + 1))]
    labelled = label_window(index, window, settings)
    ((_, label),) = _masks(clip.pairs, [index])
    ((_, mask),) = _masks(clip.folder, [index])
    target, valid = read_ground_truth(truth[index]) if index in truth else (None, None)
    plot_pipeline(window[0], labelled.particles, labelled.labels, label, mask, target, axes, valid=valid)


def _indices(folder: Path) -> set[int]:
    return {int(path.stem) for path in (folder / "masks").glob("*.png") if path.stem.isdigit()}


def _masks(folder: Path, indices: Any, kind: str = "masks") -> Iterator[tuple[int, np.ndarray]]:
    for index in sorted(indices):
        yield index, read_image(folder / kind / f"{index:06d}.png", grey=True) > 127


def _save(figure: Any, path: Path) -> str:
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=80)
    return path.name


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)


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
(CM+CRM); and the mask of the network that was trained on such labels alone. Where ground truth is known, hits,
misses and false alarms are marked; the network never saw it.</p>
{pictures}
{scores}
<h2>Training: {steps} steps</h2>
<img src="pictures/{curves}" style="width:50%" alt="losses by epoch">
</html>
"""
