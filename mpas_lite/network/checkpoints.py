"""A run's whole state in a file, to go on with it: written whole or not at all, checked when it is read."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mpas_lite.files.atomic import atomic_write, blame, check_schema
from mpas_lite.files.sentences import shortened
from mpas_lite.network.tensorfiles import COUNT, differing, is_archive_of, not_finite, read_torch

_NUMBER = {"type": "number", "minimum": -1e300, "maximum": 1e300}
_THREE = {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}
_CHECKPOINT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["weights", "optimizer", "scaling", "run", "step", "sums", "history", "validation"],
    "properties": {
        "weights": {"type": "object"},
        "averaged": {"type": "object"},
        "optimizer": {
            "type": "object",
            "required": ["state", "param_groups"],
            "properties": {
                "state": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 1}},
                "param_groups": {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 1},
            },
        },
        "scaling": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(
                ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"), _NUMBER
            ),
        },
        "run": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        "step": COUNT | {"minimum": 1},
        "sums": _THREE,
        "history": {"type": "array", "items": _THREE},
        "validation": {"type": "array", "items": {"type": ["number", "null"]}},
    },
}


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a run's state (tensors, numbers, texts), whole or not at all; only another checkpoint is replaced."""
    data = io.BytesIO()  # torch.save to a file on a full disk is no OSError
    torch.save(content, data)
    with atomic_write(path, ours=is_checkpoint) as temporary:
        temporary.write_bytes(data.getbuffer())


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a checkpoint that :func:`write_checkpoint` wrote, by its structure alone."""
    return is_archive_of(path, (b"weights", b"optimizer", b"scaling", b"history", b"the net's encoder"))


def read_checkpoint(
    path: Path, run: Mapping[str, Any], net: nn.Module, *, usual: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Read a run's state, checked as a whole; None where there is none yet.

    Parameters
    ----------
    path : Path
    run : dict
        What the run depends on: a checkpoint of other values is another run's.
    net : nn.Module
        Gives the names, shapes and types that weights and momentum must have.
    usual : dict, optional
        What a setting of ``run`` was where the checkpoint, from before there was such a setting, does not name it.

    Returns
    -------
    dict or None

    Raises
    ------
    ValueError
        If the checkpoint is another run's, or damaged.
    """
    if not path.exists():
        return None
    afresh = f"Start afresh with resume=False, or another folder, or delete {path}."
    damaged = f"{path} is not a checkpoint that can be read"
    try:
        with blame(path, ""):
            content = read_torch(path)
            check_schema(content, _CHECKPOINT, path, "")
            before = {name: value for name, value in (usual or {}).items() if name in run} | content["run"]
            if not all(isinstance(name, str) for name in before):  # a schema looks at values only
                raise ValueError("a setting in it has no name")
    except ValueError as error:
        why = str(error).removeprefix(str(path)).strip().removeprefix("cannot be read (").rstrip("). ")
        raise ValueError(f"{damaged} ({why}). {afresh}") from error
    differ = [
        f"{name} is {shortened(run.get(name))} and was {shortened(before.get(name))}"
        for name in sorted({*run, *before})
        if run.get(name) != before.get(name)
    ]
    if differ:
        raise ValueError(f"{path} is of another run: {'; '.join(differ)}. {afresh}")
    unfit = _unfit(content, net)
    if unfit:
        raise ValueError(f"{damaged}: {unfit}. {afresh}")
    return content


def _unfit(content: Mapping[str, Any], net: nn.Module) -> str | None:
    """What in a checkpoint is not as this net's training leaves it."""
    numbers = [*content["sums"], *(value for epoch in content["history"] for value in epoch)]
    if not all(math.isfinite(value) for value in numbers):
        return "a loss in it is no number"
    if len(content["history"]) != len(content["validation"]) or len(content["history"]) > content["step"]:
        return "its epochs do not fit its steps"
    if ("averaged" in content) != (content["run"].get("ema") is not None):
        return "the averaged weights are missing, or too much"
    wanted = net.state_dict()
    averaged = {"n_averaged": torch.tensor(0)} | {f"module.{name}": tensor for name, tensor in wanted.items()}
    for name, like in (("weights", wanted), ("averaged", averaged)):
        if name in content:
            why = differing(content[name], like)
            bad = not_finite(content[name]) if why is None else None
            if why or bad:
                return f"in its {name}, {why or f'{bad} holds values that are no numbers'}"
    return _unfit_momentum(content["optimizer"]["state"], list(net.parameters()))


def _unfit_momentum(state: Mapping[Any, Any], weights: Sequence[Tensor]) -> str | None:
    for number, kept in state.items():
        if type(number) is not int or not 0 <= number < len(weights):
            return "the optimizer knows other weights"
        for name, value in kept.items():
            like = {"momentum_buffer": weights[number]}
            why = differing(kept, like) if value is not None or name not in like else None
            if why or (value is not None and not_finite(kept)):
                return f"the optimizer's state of weight {number} is damaged"
    return None
