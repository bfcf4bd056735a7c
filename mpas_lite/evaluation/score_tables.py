"""Scores of several methods as one table, scene by scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def scene_table(scores: Mapping[str, Mapping[str, float]], *, mean: str = "mIoU") -> list[dict[str, Any]]:
    """A table of scores: a row per scene, a column per method, and last the mean over the scenes.

    Parameters
    ----------
    scores : mapping from str to mapping from str to float
        Method -> scene -> score. Scenes come in the order in which they are first met. A missing score is None, and
        so is the mean of a method that lacks one: means over different scenes cannot be compared.
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
    rows : sequence of mapping
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
