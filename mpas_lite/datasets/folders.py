"""What the data sets have in common: folders of clips, gone through; a bad clip is left out with a warning.

Each adapter takes the folder of a data set, or of one clip of it, and returns a list of
:class:`mpas_lite.video.clip.Clip`. Nothing is decoded until a clip's frames are asked for. A clip that is not as it
should be is left out with a warning that names it; only a folder without a single good clip is an error.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mpas_lite.files.outputs import own_names
from mpas_lite.video.clip import Clip
from mpas_lite.video.finding import existing_path
from mpas_lite.video.limits import check_regular

_LARGEST_TEXT = 16_000_000  # bytes of any text but tracklets


def existing_folder(folder: str | Path) -> Path:
    """The folder as a path, or a FileNotFoundError."""
    try:
        path = existing_path(folder)
    except FileNotFoundError:
        path = None
    if path is None or not path.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Check the path.")
    return path


def walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folders below, visible ones in order, through links too but into each only once; clear() stops the descent."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_say_if_closed):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(place), folders, sorted(files)


def _say_if_closed(error: OSError) -> None:
    warnings.warn(f"{error.filename} cannot be read ({error.strerror}) and is passed over.", stacklevel=2)


def good_clips(clips: list[Clip], problems: list[str], folder: Path, layout: str) -> list[Clip]:
    """The clips, with a warning for each that is left out; an error if none is left."""
    if not clips:
        reason = f" {problems[0]}" if problems else ""
        raise ValueError(f"{folder} holds no clip that can be used.{reason} {layout}")
    for problem in problems:
        warnings.warn(f"{problem} It is left out.", stacklevel=4)
    return clips


def with_own_names(clips: list[Clip]) -> list[Clip]:
    """Put -2, -3, ... behind a name that an earlier clip has."""
    names = own_names(clip.name for clip in clips)
    return [replace(clip, name=name) for clip, name in zip(clips, names, strict=True)]


def text_of(path: Path) -> str:
    """A small text file, whatever its bytes are."""
    check_regular(path)
    if path.stat().st_size > _LARGEST_TEXT:
        raise ValueError(f"{path} is {path.stat().st_size / 1e6:.0f} MB long. Is it another kind of file?")
    return path.read_text(encoding="utf-8", errors="replace")
