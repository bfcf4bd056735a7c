"""A table as Markdown: its figures, the paper's beside them or beneath, and what must be said of both."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from mpas_lite.evaluation.score_tables import markdown_table
from mpas_lite.experiments.tables import KINDS, MPASNET_STAR, PAPER_SCENES, TABLES, Row, are_the_papers


def _means(rows: Sequence[Row]) -> str:
    """In which of the quoted rows the printed mIoU is the mean of the printed figures, and what it is in others."""
    means = {row.name: (statistics.fmean(row.paper.scenes), row.paper.miou) for row in rows if row.paper}
    right = [name for name, (mean, printed) in means.items() if f"{mean:.4f}" == f"{printed:.4f}"]
    others = [f"{name}'s is {mean:.4f}, not {printed:.4f}" for name, (mean, printed) in means.items()
              if name not in right]  # fmt: skip
    return f"It is the mean of the row's figures in {', '.join(right)} only; {'; '.join(others)}."


_TITLES = {
    "table1": "Table 1: motion alone, and networks that learned from it",
    "table2": "Table 2: which of the ideas does it",
    "beyond": "Beyond the paper: labels that use the still camera",
}
_ADDED = "† An addition of ours: the paper's table has no such row."
_NOTES = {
    "table1": (
        "MPASNET* is the network without the siamese branch. CrowdRL is quoted from the paper and has no run of ours: "
        "the paper says too little of it to build it. MOG2 is OpenCV's background subtraction, raw and closed.\n\n"
        "The paper's mIoU stands as it is printed. " + _means(TABLES["table1"])
    ),
    "table2": (
        "CE: cross entropy in place of Dice. SFA: siamese feature aggregation. AIR: the augmentation-invariant loss. "
        "In the paper's text as we have it two rows have one tick, and the tick's column is lost. That "
        '"AIR contributes the most" settles them: the row that loses most lacks AIR, 0.5891. (In its Table 1 the paper '
        "has figures of plain Dice too, MPASNET*: their mean over Scenes 1 to 3 is "
        f"{statistics.fmean(MPASNET_STAR.scenes[:3]):.4f}.)"
    ),
    "beyond": (
        "Circles have the radius of the settings where no other is named. Every step of the refinement stands on its "
        "background, once alone and once left out; perspective, standing, ... are the fields of mp.Refinement. The "
        "round of self-training is part of the same number of steps."
    ),
}


def format_table(results: Mapping[str, Any]) -> str:
    """A table as Markdown, from what ``results.json`` holds: a row a method, mean ± deviation over the seeds.

    On the paper's own scenes each row has the paper's beneath it, scene by scene; else these stand in a table of their
    own. A dash stands where there is no figure, or not yet.
    """
    table = results["table"]
    clips = sum(len(names) for names in results["scenes"].values())
    seeds = ", ".join(map(str, results["seeds"]))
    quoted_rows = [row for row in results["rows"] if row["paper"]]
    theirs = bool(quoted_rows) and are_the_papers(results["scenes"])
    compare = "The paper's figures are on other scenes: compare the order and the distances, not the height."
    if theirs:
        compare = "Beneath each row is the paper's, on the same scenes, against other ground truth: none was published."
    lines = [
        f"# {_TITLES[table]}",
        f"mIoU: the mean over {len(results['scenes'])} scenes ({clips} clips, {results['frames']} frames), all pixels "
        f"of a clip pooled. Networks: mean ± standard deviation over the seeds {seeds}."
        + (f" {compare}" if quoted_rows else ""),
    ]
    kinds = [kind for kind in KINDS if any(kind in row["iou"] for row in results["rows"])]
    for kind in kinds:
        quoted = bool(quoted_rows) and (kind != "person" if theirs else kind == kinds[0])
        lines += [f"## Against {KINDS[kind]}", _against(results, kind, theirs, quoted)]
    if theirs:
        lines.append(_over_the_same(quoted_rows, list(results["scenes"])))
    elif quoted_rows:
        lines += ["## The paper's figures, as printed", _as_printed(quoted_rows)]
    lines.append(
        "In another light: the same frames with their colours changed at random, as x_hat's are in training "
        "(mpas_lite.training.augmentation.change_colours). Only networks with the siamese branch have seen such frames."
    )
    lines += [_ADDED] if quoted_rows else []
    lines.append(_NOTES[table])
    if results["left_out"]:
        lines.append("Left out: " + "; ".join(f"{name} ({why})" for name, why in results["left_out"].items()))
    lines.append(_made_with(results))
    return "\n\n".join(lines) + "\n"


def _made_with(results: Mapping[str, Any]) -> str:
    """The settings, the time and the machine in a sentence."""
    s, machine = results["settings"], results["machine"]
    seconds = sum(sum(row["seconds"]) for row in results["rows"])
    return (
        f"{s['encoder']} ({s['encoder_weights'] or 'from scratch'}), {s['steps']} steps of {s['batch_size']} pairs at "
        f"{s['long_side']} px, learning rate {s['lr']:g} ({s['schedule']}), AIR weight {s['air_weight']:g}, "
        f"augmentation {s['augmentation']}; {seconds / 60:.0f} min on {machine['device']}, "
        f"{machine['threads']} of {machine['cores']} cores; "
        + ", ".join(f"{name} {number}" for name, number in results["versions"].items())
        + "."
    )


def _against(results: Mapping[str, Any], kind: str, theirs: bool, quoted: bool) -> str:
    """All rows against one kind of truth; with the paper's mIoU beside them, or on its scenes its rows beneath."""
    columns = {scene: _heading(scene, theirs) for scene in results["scenes"]
               if any(_has(row, kind, scene) for row in results["rows"])}  # fmt: skip
    marked = any(row["paper"] for row in results["rows"])
    rows: list[dict[str, Any]] = []
    for row in results["rows"]:
        iou, paper = row["iou"].get(kind), row["paper"]
        of_scene = {heading: _cell(iou["scenes"].get(scene)) if iou else None for scene, heading in columns.items()}
        name = f"{row['name']} †" if marked and not paper else row["name"]
        beside = {"paper": paper["miou"]} if paper and quoted and not theirs else {}
        if not theirs or row["run"]:
            light = _cell(row["light"].get(kind))
            rows.append({"method": name, **beside, "ours": _cell(iou), "in another light": light, **of_scene})
        if paper and quoted and theirs:
            printed = {heading: paper["scenes"].get(scene) for scene, heading in columns.items()}
            rows.append({"method": f"{name}, the paper's", "ours": f"{paper['miou']:.4f}", **printed})
    if "scored" in results:
        frames = {heading: results["scored"].get(scene) for scene, heading in columns.items()}
        rows.append({"method": "frames scored", "ours": results["frames"], **frames})
    if theirs:
        rows = [{"mIoU" if key == "ours" else key: value for key, value in row.items()} for row in rows]
    header = ["method", *(["paper"] if quoted and not theirs else []), "mIoU" if theirs else "ours"]
    return markdown_table(rows, [*header, "in another light", *columns.values()], digits=4)


def _heading(scene: str, theirs: bool) -> str:
    return f"Scene{PAPER_SCENES.index(scene) + 1} ({scene})" if theirs else scene


def _as_printed(rows: Sequence[Mapping[str, Any]]) -> str:
    """The paper's table, scene by scene."""
    lines = [
        {"method": row["name"], **{_heading(scene, True): value for scene, value in row["paper"]["scenes"].items()},
         "mIoU": row["paper"]["miou"]}
        for row in rows
    ]  # fmt: skip
    return markdown_table(lines, list(lines[0]), digits=4)


def _over_the_same(rows: Sequence[Mapping[str, Any]], scenes: Sequence[str]) -> str:
    """The means of the paper's figures over the scenes that are scored."""
    means = [f"{row['name']} {statistics.fmean(row['paper']['scenes'][s] for s in scenes):.4f}" for row in rows]
    return f"The means of the paper's figures over {', '.join(scenes)}: {', '.join(means)}."


def _has(row: Mapping[str, Any], kind: str, scene: str) -> bool:
    return kind in row["iou"] and scene in row["iou"][kind]["scenes"]


def _cell(value: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    return f"{value['mean']:.4f}" + ("" if value["std"] is None else f" ± {value['std']:.4f}")
