"""The report of a run: a page with pictures to look at, the scores, and the training curves."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.experiments.clip_scores import FRAMES, ClipResult, read_masks, titled_tables
from mpas_lite.files.atomic import atomic_write, read_json
from mpas_lite.files.outputs import own_names
from mpas_lite.labels.frames import label_window
from mpas_lite.labels.pseudolabel import frame_indices_in
from mpas_lite.labels.settings import LabelSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CIRCLES = "CM+CRM"
_REFINED = "refined: what differs from the still background, in wide circles"


def write_report(
    out: Path, results: Mapping[str, ClipResult], metrics: Mapping[str, Any], settings: LabelSettings
) -> None:
    """Write ``report.html`` and its pictures: a row of four panels a clip, the scores, the training curves.

    A clip of which there is nothing to show has a sentence in its place.

    Parameters
    ----------
    out : Path
    results : mapping from str to ClipResult
        By the clip's name.
    metrics : mapping
        What ``metrics.json`` holds.
    settings : LabelSettings
        Those that the labels were made with.

    Warns
    -----
    UserWarning
        For each clip that has no picture.
    """
    tables = list(titled_tables(metrics))
    bars = [f"iou-{number}" for number in range(1, len(tables) + 1)]
    pictures = out / "pictures"
    clips = []
    for (name, result), picture in zip(results.items(), own_names(results, taken=["training", *bars]), strict=True):
        scored = {**metrics["iou"], **metrics["iou_unseen"]}.get(name, {})
        try:
            figure = _panels(result, scored, settings)
        except (ValueError, FileNotFoundError) as error:
            warnings.warn(f"The report has no picture of {name}: {error}", stacklevel=2)
            clips.append(_ShownClip(name, problem=str(error)))
        else:
            clips.append(_ShownClip(name, _save(figure, pictures / f"{picture}.png"), answer=_answer(result)))
    page = _page(
        label=_CIRCLES if settings.refine is None else _REFINED,
        masks=_about_masks(results),
        clips=clips,
        scores=[
            _ShownScores(title, table, _save(_bars(table), pictures / f"{picture}.png"))
            for (title, table), picture in zip(tables, bars, strict=True)
        ],
        steps=metrics["training"]["steps"],
        curves=_save(_curves(metrics["training"]), pictures / "training.png"),
    )
    with atomic_write(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")  # a path may hold what is no UTF-8


# ------------------------------------------------------------------------------------------------- the page


@dataclass(frozen=True)
class _ShownClip:
    """A clip as the page shows it: with its picture, or with the sentence that stands in its place."""

    name: str
    picture: str | None = None
    problem: str | None = None
    answer: str = "network"


@dataclass(frozen=True)
class _ShownScores:
    """A table of scores as the page shows it, and its picture."""

    title: str
    rows: list[dict[str, Any]]
    picture: str


def _page(**shown: Any) -> str:
    """The page's HTML; whatever is shown is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template("report.html.jinja").render(**shown)


def _cell(value: object) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


# ------------------------------------------------------------------------------------------------- the pictures


def _panels(result: ClipResult, scored: Iterable[str], settings: LabelSettings) -> Figure:
    """The four panels for the kept frame in the middle of the clip (with ground truth, if any frame has it)."""
    from matplotlib.figure import Figure

    from mpas_lite.plots.frame_figures import plot_pipeline

    video = result.clip.video()
    kind = next((kind for kind in result.truth if kind in scored), None)
    truth = truth_of(video, result.truth[kind]) if kind else {}
    candidates = sorted(frame_indices_in(result.pairs / "masks") & frame_indices_in(result.folder / "masks"))
    candidates = [index for index in candidates if index in truth] or candidates
    if not candidates:
        raise ValueError("none of its frames has both a pseudo-label and a mask of the network.")
    index = candidates[len(candidates) // 2]
    window = [frame for _, frame in video.frames(range(index, index + settings.interval + 1))]
    labelled = label_window(index, window, settings)
    ((_, label),) = read_masks(result.pairs / "masks", [index])
    ((_, mask),) = read_masks(result.masks_for(kind), [index])
    target, valid = read_ground_truth(truth[index]) if index in truth else (None, None)
    slope = min(4.0, video.shape[0] / video.shape[1])
    figure = Figure(figsize=(20, 20 / 4 * slope + 0.9), layout="compressed")
    axes = figure.subplots(1, 4)
    shown = (window[0], labelled.particles, labelled.labels, label, mask, target)
    plot_pipeline(*shown, axes, valid=valid, answer=_answer(result))
    return figure


def _bars(table: list[dict[str, Any]]) -> Figure:
    """The bars of a table of scores."""
    from matplotlib.figure import Figure

    from mpas_lite.plots.charts import plot_scores

    figure = Figure(figsize=(max(8, 2.2 * len(table)), 5), layout="constrained")
    plot_scores([{c: v for c, v in row.items() if c != FRAMES} for row in table], figure.subplots())
    return figure


def _curves(training: Mapping[str, Any]) -> Figure:
    """The losses, epoch by epoch."""
    from matplotlib.figure import Figure

    from mpas_lite.plots.charts import plot_training

    names = ("loss", "segmentation", "air")
    epochs = [dict(zip(names, losses, strict=True)) for losses in zip(*(training[n] for n in names), strict=True)]
    figure = Figure(figsize=(8, 5), layout="constrained")
    plot_training(epochs, figure.subplots())
    return figure


def _about_masks(results: Mapping[str, ClipResult]) -> str:
    """What the masks are made of, and which kinds there are; empty where they are the network's alone."""
    made_with = {name: _made_with(result) for name, result in results.items()}
    fused = [name for name, note in made_with.items() if note.get("background")]
    if not fused:
        return ""
    which = {
        "both": "Those in masks/ are of the crowd as a person would outline it, those in persons/ of persons alone.",
        "crowd": "They are of the crowd as a person would outline it.",
        "person": "They are of persons alone.",
    }[made_with[fused[0]]["masks"]]
    where = "" if len(fused) == len(results) else f" ({', '.join(fused)})"
    return (
        f"Where the camera stands still{where} the masks are the network's and the background's together. {which} "
        "The last panel is then titled masks, and network where it is the network's alone."
    )


def _answer(result: ClipResult) -> str:
    """What the last panel shows: the network's mask, or that in which the background has a say as well."""
    return "masks" if _made_with(result).get("background") else "network"


def _made_with(result: ClipResult) -> dict[str, Any]:
    """What the masks of a clip were made with; empty where nothing says it."""
    note = result.folder / "segment.json"
    return read_json(note) if note.exists() else {}


def _save(figure: Figure, path: Path) -> str:
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=80)
    return path.name
