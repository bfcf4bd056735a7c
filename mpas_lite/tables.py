"""What the paper's tables are made of: their rows, the kinds of labels in them, and how a table is written.

A row names a run; :mod:`mpas_lite.reproduce` makes it. Adding a row here adds it to the table.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mpas_lite.evaluation import markdown_table
from mpas_lite.refine import Refinement


@dataclass(frozen=True)
class Row:
    """One row of a table: what the paper calls it, its figure, and how we get ours.

    Attributes
    ----------
    name : str
    run : str
        Name of the run, which rows of both tables may share; empty where there is none of ours.
    paper : float, optional
        mIoU in the paper; None where we do not have the figure.
    loss : str
        ``"dice"`` or ``"cross_entropy"``, if the row is a network; else empty.
    siamese, air : bool
        With siamese feature aggregation (SFA); with the AIR loss.
    labels : str
        Which labels are scored or learned from: "circles" are those of the settings, others see ``LABELS``.
    rounds : int
        Rounds of self-training at most, see :mod:`mpas_lite.rounds`.
    """

    name: str
    run: str
    paper: float | None = None
    loss: str = ""
    siamese: bool = False
    air: bool = False
    labels: str = "circles"
    rounds: int = 0


_PLAIN = Row("MPASNET*", "dice", 0.6009, "dice")
_FULL = Row("MPASNET", "dice-sfa-air", 0.6447, "dice", siamese=True, air=True)

_STEPS = ("shadows", "perspective", "standing", "not_crowd", "camera")
_BARE = Refinement(**dict.fromkeys(_STEPS, False))

# What other kinds of labels change in the settings of the labels.
LABELS: dict[str, dict[str, Any]] = {
    "circles": {},
    "paper": {"radius": 20.0},
    "refined": {"refine": Refinement()},
    "background": {"refine": _BARE},
    **{f"only-{step}": {"refine": replace(_BARE, **{step: True})} for step in _STEPS},
    **{f"no-{step}": {"refine": replace(Refinement(), **{step: False})} for step in _STEPS},
}

TABLES: dict[str, tuple[Row, ...]] = {
    "table1": (
        Row("CM+CRM", "labels", 0.4949),
        Row("CrowdRL", ""),
        Row("MOG2", "mog2"),
        Row("MOG2 closed", "mog2-closed"),
        _PLAIN,
        _FULL,
    ),
    "table2": (
        Row("CE", "ce", None, "cross_entropy"),
        Row("Dice", _PLAIN.run, _PLAIN.paper, "dice"),
        Row("Dice + SFA", "dice-sfa", None, "dice", siamese=True),
        Row("CE + SFA + AIR", "ce-sfa-air", None, "cross_entropy", siamese=True, air=True),
        Row("Dice + SFA + AIR", _FULL.run, _FULL.paper, "dice", siamese=True, air=True),
    ),
    "beyond": (
        Row("MOG2", "mog2"),
        Row("MOG2 closed", "mog2-closed"),
        Row("labels: circles of 20 px (paper)", "labels-paper", labels="paper"),
        Row("labels: circles", "labels"),
        Row("labels: background alone", "labels-background", labels="background"),
        *(Row(f"labels: background and {step}", f"labels-only-{step}", labels=f"only-{step}") for step in _STEPS),
        Row("labels: refined", "labels-refined", labels="refined"),
        *(Row(f"labels: refined without {step}", f"labels-no-{step}", labels=f"no-{step}") for step in _STEPS),
        replace(_FULL, name="network from circles of 20 px (paper)", run="paper", paper=None, labels="paper"),
        replace(_FULL, name="network from circles", paper=None),
        replace(_FULL, name="network from refined labels", run="refined", paper=None, labels="refined"),
        replace(
            _FULL, name="network, one round of self-training", run="rounds", paper=None, labels="refined", rounds=1
        ),
    ),
}

_TITLES = {
    "table1": "Table 1: motion alone, and networks that learned from it",
    "table2": "Table 2: which of the ideas does it",
    "beyond": "Beyond the paper: labels that use the still camera",
}
_NOTES = {
    "table1": (
        "MPASNET* is the network without the siamese branch. CrowdRL's row is quoted in the paper and has no run of "
        "ours: the paper does not specify it beyond two sentences, and its figure is not at hand. MOG2 (OpenCV's "
        "background subtraction, raw and closed) is not in the paper's table."
    ),
    "table2": (
        "CE: cross entropy in place of Dice. SFA: siamese feature aggregation. AIR: the augmentation-invariant loss. "
        "AIR without SFA is left out, as the network has no such mode. The paper's figures of Dice and of Dice + SFA + "
        "AIR are those of MPASNET* and MPASNET in its Table 1; a dash where its figure is not at hand."
    ),
    "beyond": (
        "Circles have the radius of the settings where no other is named. Every step of the refinement stands on its "
        "background, once alone and once left out; perspective, standing, ... are the fields of mp.Refinement. The "
        "round of self-training is part of the same number of steps."
    ),
}
KINDS = {"crowd": "crowd masks, the paper's kind", "person": "person masks", "truth": "the given ground truth"}


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation of a sample (n - 1); of a single value there is no deviation.

    Examples
    --------
    >>> mean_and_std([0.25, 0.5, 0.75]), mean_and_std([0.5])
    ((0.5, 0.25), (0.5, None))
    """
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def format_table(results: Mapping[str, Any]) -> str:
    """A table as Markdown, from what ``results.json`` holds: a row a method, mean ± deviation over the seeds.

    A dash stands where there is no figure, or not yet.
    """
    table = results["table"]
    clips = sum(len(names) for names in results["scenes"].values())
    seeds = ", ".join(map(str, results["seeds"]))
    lines = [
        f"# {_TITLES[table]}",
        f"mIoU: the mean over {len(results['scenes'])} scenes ({clips} clips, {results['frames']} frames), all pixels "
        f"of a clip pooled. Networks: mean ± standard deviation over the seeds {seeds}. The paper's figures are on "
        "other scenes: compare the order and the distances, not the height.",
    ]
    kinds = [kind for kind in KINDS if any(kind in row["iou"] for row in results["rows"])]
    quoted = any(row["paper"] is not None for row in results["rows"])
    for kind in kinds:
        columns = [scene for scene in results["scenes"] if any(_has(row, kind, scene) for row in results["rows"])]
        rows = []
        for row in results["rows"]:
            iou = row["iou"].get(kind)
            paper = {"paper": row["paper"]} if kind == kinds[0] and quoted else {}
            by_scene = {scene: _cell(iou["scenes"].get(scene)) if iou else None for scene in columns}
            light = _cell(row["light"].get(kind))
            rows.append({"method": row["name"], **paper, "ours": _cell(iou), "in another light": light, **by_scene})
        if "scored" in results:
            rows.append({"method": "frames scored", "ours": results["frames"], **results["scored"]})
        header = ["method", *(["paper"] if kind == kinds[0] and quoted else []), "ours", "in another light", *columns]
        lines += [f"## Against {KINDS[kind]}", markdown_table(rows, header, digits=4)]
    lines.append(
        "In another light: the same frames with their colours changed at random, as x_hat's are in training "
        "(mpas_lite.augmentation.change_colours). Only networks with the siamese branch have seen such frames."
    )
    lines.append(_NOTES[table])
    if results["left_out"]:
        lines.append("Left out: " + "; ".join(f"{name} ({why})" for name, why in results["left_out"].items()))
    s, machine = results["settings"], results["machine"]
    seconds = sum(sum(row["seconds"]) for row in results["rows"])
    lines.append(
        f"{s['encoder']} ({s['encoder_weights'] or 'from scratch'}), {s['steps']} steps of {s['batch_size']} pairs at "
        f"{s['long_side']} px, learning rate {s['lr']:g} ({s['schedule']}), AIR weight {s['air_weight']:g}, "
        f"augmentation {s['augmentation']}; {seconds / 60:.0f} min on {machine['device']}, "
        f"{machine['threads']} of {machine['cores']} cores; "
        + ", ".join(f"{name} {number}" for name, number in results["versions"].items())
        + "."
    )
    return "\n\n".join(lines) + "\n"


def _has(row: Mapping[str, Any], kind: str, scene: str) -> bool:
    return kind in row["iou"] and scene in row["iou"][kind]["scenes"]


def _cell(value: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    return f"{value['mean']:.4f}" + ("" if value["std"] is None else f" ± {value['std']:.4f}")
