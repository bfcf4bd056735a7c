"""The rule about files: what a command writes is known before it starts, and none of it touches what it reads."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff]+')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST = 80  # characters of a name: with "-2" behind it and four bytes each it still is one file name anywhere


def check_apart(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse to write where something is read: links and ``..`` are resolved, case is the file system's matter.

    Parameters
    ----------
    outputs : paths
        Files and folders that will be written, cleared or renamed, whether they exist or not.
    inputs : paths
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
    read = [(path, _chain(path)) for path in inputs]
    for output in outputs:
        writes = _chain(output)
        for path, reads in read:
            if reads[0] is None:
                continue  # nothing is there to be lost
            if writes[0] == reads[0]:
                problem = f"{output} would be written to, but it is read."
            elif reads[0] in writes:
                problem = f"{output} would be written among the files of {path}, which are read."
            elif writes[0] is not None and writes[0] in reads:
                problem = f"{output} would be written to, but it holds {path}, which is read."
            else:
                continue
            raise ValueError(f"{problem} Choose another folder with --out.")


def _chain(path: str | Path) -> list[tuple[int, int] | None]:
    """What the file system knows a path by, then each folder above it; None for what is not there."""
    real = Path(os.path.realpath(path))
    known: list[tuple[int, int] | None] = []
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
            own, number = f"{name}-{number}", number + 1
        used.add(own.casefold())
        given.append(own)
    return given
