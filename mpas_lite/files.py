"""Files that are whole or not there at all, and an output folder that belongs to one run at a time."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary name, renamed to ``path`` on success.

    The temporary file lies in the same folder (made if need be) and has the same ending, so that writers
    that look at the ending are content. If the block raises, ``path`` is left as it was.

    Examples
    --------
    >>> import tempfile; folder = tempfile.mkdtemp()
    >>> with whole_file(f"{folder}/a/note.txt") as temporary:
    ...     _ = temporary.write_text("all of it")
    >>> Path(f"{folder}/a/note.txt").read_text()
    'all of it'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; ours are ordinary ones
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def own_names(names: Iterable[str]) -> list[str]:
    """Return the names, with ``-2``, ``-3``, ... behind each that an earlier one has taken.

    Examples
    --------
    >>> own_names(["plaza", "plaza", "hall", "plaza"])
    ['plaza', 'plaza-2', 'hall', 'plaza-3']
    """
    taken: dict[str, None] = {}
    for given in names:
        name, number = given, 2
        while name in taken:
            name, number = f"{given}-{number}", number + 1
        taken[name] = None
    return list(taken)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two sets of settings, a text each; long values are cut.

    Examples
    --------
    >>> changes({"every": 20, "radius": 5}, {"every": 5, "radius": 5, "k": 20})
    ['every 20 -> 5', 'k None -> 20']
    """
    return [
        f"{name} {_short(before.get(name))} -> {_short(now.get(name))}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented JSON, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    ValueError
        If the file is not valid JSON; the message names the file.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}). Delete it and run again.") from error


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image, whole or not at all, in the format its ending names (PNG, JPEG, ...).

    Parameters
    ----------
    path : path
    image : (H, W, 3) uint8 RGB, (H, W) uint8 grey, or (H, W) bool, which is written as 0 and 255
    """
    import cv2

    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded_well, encoded = cv2.imencode(Path(path).suffix, image)
    if not encoded_well:
        raise ValueError(f"{path}: an image of shape {image.shape} and type {image.dtype} cannot be written so.")
    with whole_file(path) as temporary:  # not cv2.imwrite: that hides a full disk
        temporary.write_bytes(encoded.tobytes())


def read_image(path: str | Path, *, grey: bool = False) -> np.ndarray:
    """Read an image as (H, W, 3) uint8 RGB, or with ``grey=True`` as (H, W) uint8.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not an image that OpenCV can read.
    """
    import cv2

    data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    image = None
    if data.size:
        image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is not an image that can be read. Is it damaged, or another kind of file?")
    return image if grey else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@contextmanager
def folder_in_use(folder: str | Path) -> Iterator[None]:
    """Hold an output folder for one run: a second run over the same folder is refused.

    A lock file that a killed run left behind does not count: the lock is the operating system's, on an
    open file, and ends with the process.

    Raises
    ------
    ValueError
        If another run that is still going holds the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as handle:
        try:
            _lock(handle.fileno())
        except OSError:
            raise ValueError(
                f"{folder} is in use by another run. Wait for it to end, or choose another folder with --out."
            ) from None
        yield


def _lock(file_number: int) -> None:
    """Take an exclusive lock or raise OSError at once."""
    if os.name == "nt":  # pragma: no cover
        import msvcrt

        msvcrt.locking(file_number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        import fcntl

        fcntl.flock(file_number, fcntl.LOCK_EX | fcntl.LOCK_NB)
