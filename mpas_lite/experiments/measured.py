"""What was measured at length, kept so that notebooks can draw it: numbers with the command that made them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def air_study() -> dict[str, Any]:
    """Where invariance pays: mIoU of networks tried on scenes like those they learned from, and on others.

    Made by ``python -m benchmarks.air_study``; benchmarks/RESULTS.md has the tables and what follows from them.

    Returns
    -------
    dict
        ``settings`` of all runs; ``miou[variant][clips][light]``, a list with one number a seed. ``clips`` is for
        example ``"test, crowd, same kinds"`` or ``"test, crowd, left out"``, the mean over six networks which each
        did not see one kind of scene; ``light`` is ``"lit"`` (as in training) or ``"other light"``.

    Examples
    --------
    >>> study = air_study()["miou"]
    >>> sorted(study["MPASNET*"]["test, crowd, same kinds"])
    ['lit', 'other light']
    """
    content: dict[str, Any] = json.loads(files(__package__).joinpath("air_study.json").read_text(encoding="utf-8"))
    return content
