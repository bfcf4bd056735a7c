"""What a folder of runs remembers: the settings of all, the result of each and the time it took, on which machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.files.atomic import read_json, write_json
from mpas_lite.files.sentences import changes
from mpas_lite.training.records import processor

# What the records look like; anything else was not written by us, or is damaged.
OBJECT: dict[str, Any] = {"type": "object"}
_SECONDS: dict[str, Any] = {
    "type": "object",
    "required": ["seconds"],
    "properties": {"seconds": {"type": "number", "minimum": 0}},
}
_IOU: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}
_SCORES: dict[str, Any] = {
    "type": "object",
    "required": ["clips", "left_out", "seconds"],
    "properties": {
        "clips": {"type": "object", "additionalProperties": _IOU},
        "light": {"type": "object", "additionalProperties": _IOU},
        "left_out": {"type": "object", "additionalProperties": {"type": "string"}},
        **_SECONDS["properties"],
    },
}


def settings_record(settings: ReproduceSettings) -> dict[str, Any]:
    """All settings that the runs depend on, by name: those of the labels as ``label.every``, ..."""
    record = settings.deciding()
    return {**{f"label.{name}": value for name, value in record.pop("label").items()}, **record}


def refuse_other_settings(path: Path, made_with: dict[str, Any]) -> None:
    """Runs of other settings must not stand in one table; those from before a setting was one had its default."""
    if path.exists():
        differ = changes(settings_record(ReproduceSettings()) | read_json(path, OBJECT), made_with)
        if differ:
            raise ValueError(
                f"{path.parent} holds runs made with other settings ({'; '.join(differ)}). "
                "Choose another folder, or delete that one first."
            )
    write_json(path, made_with)


def result_of(folder: Path, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """The result of a run with the ``seconds`` it took: as it lies in its folder, or made now."""
    if not (folder / "scores.json").exists():
        with _clock(folder / "seconds.json"):
            made = make()
        write_json(folder / "scores.json", {**made, **read_json(folder / "seconds.json", _SECONDS)})
    result: dict[str, Any] = read_json(folder / "scores.json", _SCORES)
    return result


@contextmanager
def _clock(path: Path) -> Iterator[None]:
    """Add the time that a block takes to what earlier, interrupted attempts took."""
    before = read_json(path, _SECONDS)["seconds"] if path.exists() else 0.0
    started = time.monotonic()
    try:
        yield
    finally:
        write_json(path, {"seconds": before + time.monotonic() - started})


def machine() -> dict[str, Any]:
    """What the runs are made on."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "device": gpu or processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(),
    }


def versions() -> dict[str, str]:
    """What the runs are made by."""
    from mpas_lite import __version__

    found = {"mpas_lite": __version__, "python": platform.python_version()}
    for package in ("torch", "timm", "numpy", "opencv-python", "opencv-python-headless"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # one of the two OpenCV packages is always missing
    return found
