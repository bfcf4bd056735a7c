"""What the experiments return: records with named fields, which read like the JSON files that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any


class _Record(Mapping[str, Any]):
    """A frozen dataclass that is a mapping too: ``result["iou"]`` is ``result.iou``, ``dict(result)`` is for JSON."""

    def __getitem__(self, key: str) -> Any:
        if key not in self._names():
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return [field.name for field in fields(self)]  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class RunResult(_Record):
    """What a run came to, as ``metrics.json`` holds it.

    It is a mapping as well: ``result["iou"]`` is ``result.iou``, and ``dict(result)`` can be written as JSON.

    Attributes
    ----------
    settings : dict
        Those of the run, the stride that was chosen among them.
    clips : dict
        Of each clip by its name the number of ``pairs``, how many of them are ``empty``, and the ``error`` or None.
    training : dict
        ``loss``, ``segmentation`` and ``air`` by epoch; ``steps``, ``epochs``, ``rounds`` that count, ``agreement``.
    iou, iou_unseen : dict
        ``{clip: {kind of ground truth: {method: IoU}}}``, of clips trained on and of those not seen in training.
    frames : dict
        ``{clip: {kind of ground truth: number of frames that were scored}}``.
    """

    settings: dict[str, Any]
    clips: dict[str, dict[str, Any]]
    training: dict[str, Any]
    iou: dict[str, dict[str, dict[str, float]]]
    iou_unseen: dict[str, dict[str, dict[str, float]]]
    frames: dict[str, dict[str, int]]


@dataclass(frozen=True, eq=False)
class TableResult(_Record):
    """All numbers of a table, as its ``results.json`` holds them.

    It is a mapping as well: ``result["rows"]`` is ``result.rows``, and ``dict(result)`` can be written as JSON.

    Attributes
    ----------
    table : str
        ``"table1"``, ``"table2"`` or ``"beyond"``.
    rows : list of dict
        Of each row its ``name``, ``run`` and ``paper``; ``seconds`` of each seed; ``iou``, and ``light`` (in another
        light), by kind of ground truth: the ``mean`` and ``std`` (of a sample: n - 1) over the seeds, each of the
        ``seeds``, and ``scenes``.
    seeds : list of int
    scenes : dict from str to list of str
        The clips that were scored, by scene.
    frames : int
        That were scored, of all clips.
    scored : dict from str to int
        The same by scene.
    left_out : dict from str to str
        Why a clip was not scored or not learned from, by its name.
    settings, machine, versions : dict
        What it was made with.
    """

    table: str
    rows: list[dict[str, Any]]
    seeds: list[int]
    scenes: dict[str, list[str]]
    frames: int
    scored: dict[str, int]
    left_out: dict[str, str]
    settings: dict[str, Any]
    machine: dict[str, Any]
    versions: dict[str, str]
