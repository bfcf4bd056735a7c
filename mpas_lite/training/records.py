"""What a training run leaves for people to read: a log of every step, and a card that describes the model."""

from __future__ import annotations

import csv
import io
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mpas_lite.files.atomic import atomic_write

COLUMNS = ("step", "epoch", "loss", "segmentation", "air", "lr", "images_per_s", "validation_iou")


class TrainingLog:
    """A CSV file with one row a step, which a killed and resumed run fills without gap or double row.

    Rows are kept until :meth:`write`, which is called just before each checkpoint: what a killed run had
    not written, it will do again.

    Parameters
    ----------
    path : str or Path
    step : int
        Rows after this step are dropped: the run goes on from there.

    Raises
    ------
    ValueError
        If another file of that name is there: only a log is written over.

    Examples
    --------
    >>> import tempfile; path = Path(tempfile.mkdtemp()) / "log.csv"
    >>> log = TrainingLog(path, step=0)
    >>> log.add(step=1, epoch=1, loss=0.5); log.add(step=2, epoch=1, loss=0.4); log.write()
    >>> again = TrainingLog(path, step=1)
    >>> again.add(step=2, epoch=1, loss=0.4); again.write()
    >>> [row["step"] for row in read_log(path)]
    ['1', '2']
    """

    def __init__(self, path: str | Path, *, step: int) -> None:
        self.path = Path(path)
        self._rows: list[dict[str, Any]] = []
        kept = [row for row in read_log(self.path) if int(row["step"]) <= step]
        with atomic_write(self.path, ours=is_log) as temporary:
            temporary.write_text(",".join(COLUMNS) + "\n" + _lines(kept), encoding="utf-8")

    def add(self, **values: Any) -> None:
        """Remember a row; a column without a value stays empty."""
        self._rows.append(values)

    def write(self) -> None:
        """Append what was added since the last time, and have it on the disk."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_lines(self._rows))
            file.flush()
            os.fsync(file.fileno())
        self._rows.clear()


def _lines(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n").writerows(rows)
    return text.getvalue()


def read_log(path: str | Path) -> list[dict[str, str]]:
    """The rows of a log, as text by column; empty where there is none yet. A half-written row is left out.

    Raises
    ------
    ValueError
        If the file is no log, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        rows = csv.DictReader(io.StringIO(whole))
        if not set(rows.fieldnames or ()) <= set(COLUMNS):
            raise csv.Error("its columns are others")
        return [row for row in rows if _is_number(row.get("step") or "") and None not in row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a log that can be read ({error}). Move it away and run again.") from error


def is_log(path: str | Path) -> bool:
    """Whether a file is a log of training, by its first line; an empty one may become one."""
    header = ",".join(COLUMNS).encode()
    with open(path, "rb") as file:
        return file.read(len(header)) in (header, b"")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def processor() -> str:
    """The name of this machine's processor, as far as it says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def model_card(provenance: Mapping[str, Any], config: Mapping[str, Any], version: str) -> str:
    """Markdown that says what a model is, what made it, what it cannot do, and how to load it.

    Parameters
    ----------
    provenance, config : mappings
        ``net.provenance`` and ``net.config``: nothing else is needed, so the card of equal nets is equal.
    version : str
        Of mpas_lite.
    """
    settings = {**config, **provenance.get("settings", {})}
    skipped = provenance.get("skipped", [])
    validation = provenance.get("validation_iou")
    weights = provenance.get("encoder_weights")
    facts = [
        f"- Pairs of frame and pseudo-label: {provenance.get('pairs', 'not noted')}"
        + (f"; {len(skipped)} left out as damaged" if skipped else ""),
        f"- Epochs: {provenance.get('epochs', 'not noted')}; steps: {provenance.get('steps', 'not noted')}",
        f"- Encoder started from: {weights or 'random weights'}",
        f"- IoU on the validation pairs: {'not measured' if validation is None else f'{validation:.4f}'}",
    ]
    table = [f"| {name} | {value} |" for name, value in settings.items()]
    return "\n".join(
        [
            f"# Model card: crowd segmentation with {config['encoder']}",
            "",
            "An MPASNET (Yang & Yang, ICIP 2021): a frame of video in, the probability of crowd at every pixel out.",
            "Nobody drew a mask for it: it learned from masks that `mpas-lite label` makes of motion alone.",
            "",
            "## Data and training",
            "",
            *facts,
            "",
            "| Setting | Value |",
            "| --- | --- |",
            *table,
            "",
            "## Limits",
            "",
            "- It knows the cameras and crowds of its own pairs best; on others look at the masks before you use them.",
            "- Its labels come from motion: what never moved in any clip it cannot know, and what moves but is no",
            "  crowd (cars, water) it may take for one.",
            "- It finds regions, not persons: it neither counts nor recognises anybody.",
            "",
            "## Licence",
            "",
            "mpas_lite is MIT-licensed. What may be done with these weights also depends on the videos they were",
            "trained on and on the weights that the encoder started from; that is for whoever trained them to say.",
            "",
            "## Use",
            "",
            "```python",
            "import mpas_lite as mp",
            "",
            'net = mp.load("model.safetensors")',
            'for number, mask in mp.segment(net, "video.mp4"):',
            "    ...",
            "```",
            "",
            f"Written by mpas_lite {version}.",
            "",
        ]
    )
