"""What the paper's tables are made of: their rows, and the kinds of labels in them.

A row names a run; :mod:`mpas_lite.experiments.reproduction` makes it. Adding a row here adds it to the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

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
MPASNET_STAR = Quoted((0.4707, 0.6547, 0.6151, 0.5749, 0.6614, 0.6685), 0.6009)
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
        Row("MPASNET*", "dice", MPASNET_STAR, "dice"),
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

KINDS = {"crowd": "crowd masks, the paper's kind", "person": "person masks", "truth": "the given ground truth"}


def run_name(row: Row, seed: int | None) -> str:
    """The name of a row's run with a seed; a row without a network has none."""
    return row.run if seed is None or not row.loss else f"{row.run}-seed{seed}"


def scenes_of(table: str, scenes: Iterable[str]) -> list[str]:
    """The scenes that count in a table: all, or of the paper's own those that its table has.

    Examples
    --------
    >>> scenes_of("table2", ["2_36", "marathonround"]), scenes_of("table2", ["hall", "marathonround"])
    (['2_36'], ['hall', 'marathonround'])
    """
    names = list(scenes)
    if not are_the_papers(names):
        return names
    most = max((len(row.paper.scenes) for row in TABLES[table] if row.paper), default=len(PAPER_SCENES))
    return [name for name in names if name in PAPER_SCENES[:most]]


def are_the_papers(scenes: Iterable[str]) -> bool:
    """Whether all scenes are the paper's own."""
    return set(scenes) <= set(PAPER_SCENES)
