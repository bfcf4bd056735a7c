"""What the paper's tables are made of: their rows, the kinds of labels in them, and how a table is written.

A row names a run; :mod:`mpas_lite.experiments.reproduction` makes it. Adding a row here adds it to the table.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mpas_lite.evaluation.score_tables import markdown_table
from mpas_lite.labels.refine.settings import Refinement

# The paper's scenes in its order, Scene1 to Scene6, by the names in datasets/paper_scenes.toml.
PAPER_SCENES = ("2_36", "1_8_groupSplit", "2_000455712", "marathonround", "2_35", "3_1_12")


@dataclass(frozen=True)
class Quoted:
    """A row of the paper's tables as it is printed there.

    Attributes
    ----------
    scenes : tuple of float
        IoU on Scene1, Scene2, ...: six in Table 1, three in Table 2.
    miou : float
        As printed, which is not always their mean.
    """

    scenes: tuple[float, ...]
    miou: float

    def by_scene(self) -> dict[str, float]:
        """IoU by the name of the scene."""
        return dict(zip(PAPER_SCENES[: len(self.scenes)], self.scenes, strict=True))


@dataclass(frozen=True)
class Row:
    """One row of a table: what the paper calls it, its figures, and how we get ours.

    Attributes
    ----------
    name : str
    run : str
        Name of the run, which rows of both tables may share; empty where there is none of ours.
    paper : Quoted, optional
        The row in the paper; None where its table has no such row, and it is an addition of ours.
    loss : str
        ``"dice"`` or ``"cross_entropy"``, if the row is a network; else empty.
    sfa, air : bool
        With siamese feature aggregation; with the AIR loss. With neither there is no siamese branch.
    labels : str
        Which labels are scored or learned from: "circles" are those of the settings, others see ``LABELS``.
    rounds : int
        Rounds of self-training at most, see :mod:`mpas_lite.training.self_training`.
    """

    name: str
    run: str
    paper: Quoted | None = None
    loss: str = ""
    sfa: bool = False
    air: bool = False
    labels: str = "circles"
    rounds: int = 0

    @property
    def siamese(self) -> bool:
        """Whether the network is trained with the siamese branch."""
        return self.sfa or self.air


_CM_CRM = Quoted((0.2561, 0.6410, 0.5154, 0.6921, 0.5251, 0.3608), 0.4949)
_CROWD_RL = Quoted((0.6279, 0.4832, 0.5746, 0.4673, 0.3298, 0.6614), 0.5213)
_MPASNET_STAR = Quoted((0.4707, 0.6547, 0.6151, 0.5749, 0.6614, 0.6685), 0.6009)
_MPASNET = Quoted((0.4887, 0.7078, 0.6617, 0.6553, 0.6655, 0.6892), 0.6447)
_BOTH = Quoted((0.4887, 0.7078, 0.6617), 0.6194)
_AIR = Quoted((0.4709, 0.6856, 0.6462), 0.6009)
_SFA = Quoted((0.4638, 0.6788, 0.6248), 0.5891)
_BOTH_CE = Quoted((0.4735, 0.6750, 0.6489), 0.5991)

_FULL = Row("MPASNET", "dice-sfa-air", _MPASNET, "dice", sfa=True, air=True)

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
        Row("CM+CRM", "labels", _CM_CRM),
        Row("CrowdRL", "", _CROWD_RL),
        Row("MOG2", "mog2"),
        Row("MOG2 closed", "mog2-closed"),
        Row("MPASNET*", "dice", _MPASNET_STAR, "dice"),
        _FULL,
    ),
    "table2": (
        replace(_FULL, name="AIR + SFA, Dice", paper=_BOTH),
        Row("AIR, Dice", "dice-air", _AIR, "dice", air=True),
        Row("SFA, Dice", "dice-sfa", _SFA, "dice", sfa=True),
        Row("AIR + SFA, CE", "ce-sfa-air", _BOTH_CE, "cross_entropy", sfa=True, air=True),
        Row("Dice", "dice", None, "dice"),
        Row("CE", "ce", None, "cross_entropy"),
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
        f"{statistics.fmean(_MPASNET_STAR.scenes[:3]):.4f}.)"
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


def scenes_of(table: str, scenes: Iterable[str]) -> list[str]:
    """The scenes that count in a table: all, or of the paper's own those that its table has.

    Examples
    --------
    >>> scenes_of("table2", ["2_36", "marathonround"]), scenes_of("table2", ["hall", "marathonround"])
    (['2_36'], ['hall', 'marathonround'])
    """
    names = list(scenes)
    if not _are_the_papers(names):
        return names
    most = max((len(row.paper.scenes) for row in TABLES[table] if row.paper), default=len(PAPER_SCENES))
    return [name for name in names if name in PAPER_SCENES[:most]]


def _are_the_papers(scenes: Iterable[str]) -> bool:
    return set(scenes) <= set(PAPER_SCENES)


def format_table(results: Mapping[str, Any]) -> str:
    """A table as Markdown, from what ``results.json`` holds: a row a method, mean ± deviation over the seeds.

    On the paper's own scenes each row has the paper's beneath it, scene by scene; else these stand in a table of their
    own. A dash stands where there is no figure, or not yet.
    """
    table = results["table"]
    clips = sum(len(names) for names in results["scenes"].values())
    seeds = ", ".join(map(str, results["seeds"]))
    quoted_rows = [row for row in results["rows"] if row["paper"]]
    theirs = bool(quoted_rows) and _are_the_papers(results["scenes"])
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
