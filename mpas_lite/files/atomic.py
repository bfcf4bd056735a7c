"""Files that are whole or not there at all, and readers that say which file is at fault."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mpas_lite.files.ledger import HOME, PARTIAL, checksum, ledger_folders, note, refuse_foreign
from mpas_lite.files.sentences import one_line

_MOST_JSON = 1 << 28  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_write(path: str | Path, *, ours: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary name, renamed to ``path`` on success.

    The temporary file has the same ending, so that writers that look at the ending are content, and lies in the
    output folder's ``.mpas_lite`` (see ``ledger``), or beside ``path`` where there is no such folder above. If the
    block raises, ``path`` is left as it was. What stands at ``path`` is replaced only if this program wrote it, as
    the list in ``.mpas_lite`` says; a file with the very same content is left as it is.

    Parameters
    ----------
    path : str or Path
    ours : callable, optional
        Recognises a file of ours by what is in it, where no list knows it.

    Raises
    ------
    NotOurs
        If another file stands there; nothing is lost.

    Examples
    --------
    >>> import tempfile; folder = tempfile.mkdtemp()
    >>> with atomic_write(f"{folder}/a/note.txt") as temporary:
    ...     _ = temporary.write_text("all of it")
    >>> Path(f"{folder}/a/note.txt").read_text()
    'all of it'
    >>> with atomic_write(f"{folder}/a/note.txt") as temporary:
    ...     _ = temporary.write_text("something else")
    Traceback (most recent call last):
    mpas_lite.files.ledger.NotOurs: ...note.txt is there already, and mpas_lite did not write it...
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = next(ledger_folders(path), None)
    handle, name = tempfile.mkstemp(
        prefix=PARTIAL if folder else f".{PARTIAL}", suffix=path.suffix, dir=folder / HOME if folder else path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _to_disk(temporary)
        sum_of_it = checksum(temporary)
        if path.is_file() and not path.is_symlink() and checksum(path) == sum_of_it:
            return
        refuse_foreign([path], ours)
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files; ours are ordinary ones
        if folder:
            note(folder, path, sum_of_it)
        _rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Have the content on the disk before the name: a power failure leaves no empty file behind."""
    with open(path, "rb+") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):  # what a file system says that cannot
                raise


def _rename(temporary: Path, path: Path) -> None:
    try:
        os.replace(temporary, path)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a folder below may be a link to another disk
            raise
        beside = path.with_name(f".{temporary.name}")
        try:
            shutil.copyfile(temporary, beside)
            _to_disk(beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def blame(path: str | Path, remedy: str = "Is it damaged, or another kind of file?") -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into one sentence that names the file.

    ``ValueError`` (which our readers raise) and ``OSError`` (which names the file) pass as they are.

    Examples
    --------
    >>> with blame("record.json"):
    ...     {}["settings"]
    Traceback (most recent call last):
    ValueError: record.json cannot be used (KeyError: 'settings'). Is it damaged, or another kind of file?
    """
    try:
        yield
    except (OSError, ImportError):
        raise
    except MemoryError:
        raise ValueError(f"{path} asks for more memory than there is. {remedy}") from None
    except (UnicodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} cannot be used ({error}). {remedy}") from error
    except ValueError:
        raise
    except Exception as error:
        text = one_line(error)
        raise ValueError(f"{path} cannot be used ({type(error).__name__}: {text}). {remedy}") from error


def is_full(error: OSError) -> bool:
    """Whether an error says that nothing more can be written, on the disk or under a quota."""
    return error.errno in _FULL


def write_json(path: str | Path, content: Any, *, ours: Callable[[Path], bool] | None = None) -> None:
    """Write ``content`` as indented JSON, whole or not at all; ``ours`` as in :func:`atomic_write`."""
    with atomic_write(path, ours=ours) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_names(path: str | Path, names: Iterable[tuple[int, str]]) -> None:
    """Write ``frames.json``: the name that each frame has in the source, by its index; a line each, as they come."""
    with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        lines = (f'  "{index:06d}": {json.dumps(name)}' for index, name in names)
        file.write("{\n" + next(lines, ""))
        file.writelines(f",\n{line}" for line in lines)
        file.write("\n}\n")


def read_json(path: str | Path, schema: dict[str, Any] | None = None) -> Any:
    """Read a JSON file, and check it before anybody uses it.

    Parameters
    ----------
    path : str or Path
    schema : dict, optional
        JSON schema that the content must meet.

    Raises
    ------
    ValueError
        If the file is not valid JSON, too large or nested too deep, or not what the schema says; the message names
        the file.
    """
    path = Path(path)
    remedy = "Move it away and run again."
    if path.stat().st_size > _MOST_JSON:
        raise ValueError(f"{path} is larger than any record that mpas_lite writes. {remedy}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"{path} is not valid JSON that can be used: it is nested too deep. {remedy}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON ({error}). {remedy}") from error
    if schema is not None:
        check_schema(content, schema, path, remedy)
    return content


def check_schema(content: Any, schema: dict[str, Any], path: str | Path, remedy: str) -> None:
    """Refuse content that a JSON schema does not allow, in a sentence that names the file and the place."""
    import fastjsonschema

    try:
        fastjsonschema.validate(schema, content)
    except fastjsonschema.JsonSchemaException as error:
        text = one_line(error)
        raise ValueError(f"{path} is not a record as mpas_lite writes it ({text}). {remedy}") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deep. {remedy}") from None
