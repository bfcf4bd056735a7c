"""What this program has written, and who may write now: a hidden folder ``.mpas_lite`` in every output folder.

It holds a list of what was written, with a checksum each, so that nothing else is ever written over or deleted: not a
file that somebody put there, and not one of ours that somebody has changed. It also holds the lock that keeps two
runs out of one folder, and files that are not yet whole. Delete it, and what lies beside it counts as yours.
"""

from __future__ import annotations

import errno
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOME = ".mpas_lite"
_LOCK, _WRITTEN, PARTIAL = "lock", "written", "partial-"
_HELD: set[tuple[int, int]] = set()  # what this process holds: the system's locks are a process's, not a caller's
_PATIENCE = 3.0  # s; the processes of a killed run need a moment to notice and end


class NotOurs(ValueError):
    """A file stands where one is to be written, and this program did not write it."""


# ------------------------------------------------------------------------------------------- what was written


def claim(folder: str | Path) -> Path:
    """Make a folder an output folder: what is written into it from now on is noted there.

    Raises
    ------
    ValueError
        If there is a file of that name, or ``.mpas_lite`` in it is a link.
    """
    folder = Path(folder)
    home = folder / HOME
    if os.path.lexists(folder) and not folder.is_dir():
        raise ValueError(f"{folder} is not a folder. Choose another one for what comes out.")
    with suppress(FileExistsError):
        home.mkdir(parents=True, exist_ok=True)
    if home.is_symlink() or not home.is_dir():
        raise ValueError(f"{home} should be a folder that mpas_lite made. Choose another folder for what comes out.")
    return folder


def ledger_folders(path: Path) -> Iterator[Path]:
    """The output folders that a file lies in, the nearest first."""
    for folder in Path(os.path.abspath(path)).parents:
        if os.path.isdir(folder / HOME) and not os.path.islink(folder / HOME):
            yield folder


def checksum(path: Path) -> str:
    """CRC-32 and size of a file, as the list of what was written has them."""
    crc, size = 0, 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
    return f"{crc:08x} {size}"


def note(folder: Path, path: Path, sum_of_it: str) -> None:
    """Add a file to the list of its output folder."""
    line = f"{sum_of_it} {Path(os.path.abspath(path)).relative_to(os.path.abspath(folder)).as_posix()}\n"
    number = os.open(folder / HOME / _WRITTEN, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK, 0o666)
    try:
        os.write(number, os.fsencode(line))  # one call: lines of several processes do not mix
    finally:
        os.close(number)


def written(folder: Path) -> dict[str, str]:
    """What was written into an output folder: path in it -> checksum; of several the last."""
    try:
        text = os.fsdecode((folder / HOME / _WRITTEN).read_bytes())
    except FileNotFoundError:
        return {}
    parts = (line.split(" ", 2) for line in text.split("\n"))
    return {part[2]: f"{part[0]} {part[1]}" for part in parts if len(part) == 3}


def foreign(paths: Iterable[Path], ours: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Those of the paths that are there and that this program did not write, or somebody has changed since.

    Parameters
    ----------
    paths : iterable of Path
    ours : callable, optional
        Recognises a file of ours by what is in it, in place of the list.
    """
    known: dict[Path, dict[str, str]] = {}
    for path in paths:
        if not os.path.lexists(path):
            continue
        if os.path.islink(path) or not os.path.isfile(path):
            yield path
            continue
        if ours is not None and ours(path):
            continue
        found = None
        for folder in ledger_folders(path):
            if folder not in known:
                known[folder] = written(folder)
            found = known[folder].get(Path(os.path.abspath(path)).relative_to(folder).as_posix())
            if found and found == checksum(path):
                break
        else:
            yield path


def refuse_foreign(paths: Iterable[Path], ours: Callable[[Path], bool] | None = None) -> None:
    """Refuse, before anything is done, to write over files that are not ours.

    Raises
    ------
    NotOurs
        Naming the first of them.
    """
    for path in foreign(paths, ours):
        raise NotOurs(
            f"{path} is there already, and mpas_lite did not write it, or somebody has changed it since. It stays as "
            "it is: choose another folder with --out, or move it away."
        )


def remove(paths: Iterable[Path]) -> None:
    """Delete files that this program wrote; if one of them is not such a file, none is deleted.

    Raises
    ------
    NotOurs
        If somebody else wrote or changed one of them.
    """
    paths = list(paths)
    refuse_foreign(paths)
    for path in paths:
        path.unlink(missing_ok=True)


def remove_folder(folder: Path, ours: Callable[[Path], bool] | None = None) -> None:
    """Delete what this program wrote below a folder, and the folders that are empty then; the rest stays.

    ``ours`` is as in :func:`foreign`.
    """
    if folder.is_symlink():
        return
    below = [path for path in folder.rglob("*") if HOME not in path.parts]
    files = [path for path in below if path.is_file()]
    strange = set(foreign(files, ours))
    for path in files:
        if path not in strange:
            path.unlink()
    for place in sorted((path for path in (folder, *below) if path.is_dir() and not path.is_symlink()), reverse=True):
        if os.listdir(place) == [HOME]:  # then there is nothing left to keep a list of
            for path in (place / HOME).iterdir():
                path.unlink()
            (place / HOME).rmdir()
        with suppress(OSError):
            place.rmdir()


# ------------------------------------------------------------------------------------------- who may write now


@contextmanager
def lock_folder(folder: str | Path, *, alone: bool = True) -> Iterator[Path]:
    """Hold an output folder for one run: a second run into it, above it or right below it is refused.

    The lock is the operating system's, on an open file, and ends with the process: what a killed run left behind
    does not count, and is cleared away.

    Parameters
    ----------
    folder : str or Path
        Made if need be.
    alone : bool
        False for a part of a run that holds a folder above: only the folder itself is looked at.

    Raises
    ------
    ValueError
        If another run that is still going holds one of these folders.
    """
    claim(folder)
    folder = Path(folder)
    with _locked(folder) as is_ours:
        busy = None if is_ours else folder
        if is_ours and alone:
            above = list(ledger_folders(folder.resolve()))
            below = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            busy = next((other for other in (*above, *below) if _is_locked(other)), None)
        if busy is not None:
            raise ValueError(
                f"{busy} is in use by another run. Wait for it to end, or choose another folder with --out."
            )
        for left in (folder / HOME).glob(f"{PARTIAL}*"):
            left.unlink(missing_ok=True)
        yield folder


@contextmanager
def _locked(folder: Path, patience: float = _PATIENCE) -> Iterator[bool]:
    """Take the lock of a folder, or say after a while that it cannot be had."""
    place = _place(folder)
    if place in _HELD:
        yield False
        return
    if os.path.islink(folder / HOME / _LOCK):
        raise ValueError(f"{folder / HOME / _LOCK} is a link, which no lock of ours is. Remove the link first.")
    number = os.open(folder / HOME / _LOCK, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o666)
    try:
        until = time.monotonic() + patience
        while not (taken := _lock(number)) and time.monotonic() < until:
            time.sleep(0.05)
        if taken:
            _HELD.add(place)
        yield taken
    finally:
        _HELD.discard(place)
        os.close(number)


def _is_locked(folder: Path) -> bool:
    """Whether another process holds a folder."""
    if not os.path.lexists(folder / HOME / _LOCK) or _place(folder) in _HELD:
        return False
    with _locked(folder, patience=0) as taken:
        return not taken


def _place(folder: Path) -> tuple[int, int]:
    found = os.stat(folder / HOME)
    return found.st_dev, found.st_ino


def _lock(number: int) -> bool:
    """Take an exclusive lock on an open file, unless another process has it; children do not inherit it."""
    try:
        if os.name == "nt":  # pragma: no cover
            import msvcrt

            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # a file system without locks (some that are mounted from a cloud) holds nobody up
        return error.errno not in _TAKEN
    return True


_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
