"""The rule about files: what a command writes is known before it starts, and none of it touches what it reads."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff]+')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_Place = tuple[int, int] | None  # device and number of a file or folder; None: there is none
_LONGEST = 80  # characters of a name, "-2" behind it counted


def check_apart(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse to write where something is read: links and ``..`` are resolved, case is the file system's matter.

    Parameters
    ----------
    outputs : iterable of str or Path
        Files and folders that will be written, cleared or renamed, whether they exist or not.
    inputs : iterable of str or Path
        Files, and folders whose files are read.

    Raises
    ------
    ValueError
        If an output is an input, holds one, or lies in a folder that is read.

    Examples
    --------
    >>> import tempfile; folder = Path(tempfile.mkdtemp()); (folder / "frames").mkdir()
    >>> check_apart([folder / "masks"], [folder / "frames"])
    >>> check_apart([folder / "frames" / ".." / "frames"], [folder / "frames"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ...frames would be written to, but it is read. Choose another folder with --out.
    """
    read: dict[_Place, str | Path] = {}
    above: dict[_Place, str | Path] = {}  # the folders that hold what is read
    for path in inputs:
        place, *folders = _chain(path)
        if place is not None:  # nothing is lost where nothing is
            read.setdefault(place, path)
            above |= {folder: path for folder in folders if folder is not None}
    for output in outputs:
        place, *folders = _chain(output)
        among = next((read[folder] for folder in folders if folder in read), None)
        if place in read:
            problem = f"{output} would be written to, but it is read."
        elif among is not None:
            problem = f"{output} would be written among the files of {among}, which are read."
        elif place in above:
            problem = f"{output} would be written to, but it holds {above[place]}, which is read."
        else:
            continue
        raise ValueError(f"{problem} Choose another folder with --out.")


def _chain(path: str | Path) -> list[_Place]:
    """What the file system knows a path by, then each folder above it; None for what is not there."""
    real = Path(os.path.realpath(path))
    known: list[_Place] = []
    for place in (real, *real.parents):
        try:
            found = os.stat(place)
        except OSError:
            known.append(None)
        else:
            known.append((found.st_dev, found.st_ino))
    return [known[0], *(each for each in known[1:] if each is not None)]


def safe_name(name: str) -> str:
    """A clip's name as one file name that any system takes: no folder, no control character, not too long.

    Examples
    --------
    >>> safe_name("plaza 2"), safe_name("../etc/passwd"), safe_name(".."), safe_name("NUL"), safe_name("12:30")
    ('plaza 2', 'etc_passwd', 'clip', 'NUL_', '12_30')
    """
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip()
    name = name.lstrip("._ ").rstrip(". ")[:_LONGEST].rstrip(". ") or "clip"
    return f"{name}_" if name.split(".")[0].casefold() in _DEVICES else name


def own_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names as safe file names, with ``-2``, ``-3``, ... behind each that an earlier one has taken.

    Names that differ in case only are one name: on some systems they would be one folder.

    Parameters
    ----------
    names : iterable of str
    taken : iterable of str
        Names that are not to be given.

    Examples
    --------
    >>> own_names(["plaza", "Plaza", "hall", "plaza", "pairs"], taken=["pairs"])
    ['plaza', 'Plaza-2', 'hall', 'plaza-3', 'pairs-2']
    """
    used, given = {name.casefold() for name in taken}, []
    for name in map(safe_name, names):
        own, number = name, 2
        while own.casefold() in used:
            own, number = f"{name[: _LONGEST - len(f'-{number}')]}-{number}", number + 1
        used.add(own.casefold())
        given.append(own)
    return given
