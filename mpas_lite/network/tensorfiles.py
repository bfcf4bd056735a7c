"""Files of tensors that others may have written or damaged: looked through before torch reads them.

torch believes what a file says of itself: it does not look at the checksums of its own zip archives, and takes the
number of values in a tensor from the file without asking whether so many are there.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mpas_lite.files.sentences import one_line

# Bytes of a value, by torch's names for its types.
_WIDTHS = {
    f"{kind}Storage": width
    for width, kinds in {
        1: ("Byte", "Char", "Bool", "Untyped"),
        2: ("Half", "BFloat16", "Short"),
        4: ("Float", "Int"),
        8: ("Double", "Long", "ComplexFloat"),
        16: ("ComplexDouble",),
    }.items()
    for kind in kinds
}
COUNT = {"type": "integer", "minimum": 0, "maximum": 2.0**53}  # in a JSON schema
_MOST_STRUCTURE = 1 << 26  # bytes of names, shapes and numbers beside the tensors; a checkpoint has some 100 kB


def read_torch(path: Path, *, archive: bool = True) -> Any:
    """What ``torch.save`` wrote: tensors, numbers, texts. Nothing in the file is ever executed.

    Parameters
    ----------
    path : Path
    archive : bool
        Refuse what is no zip archive, which ``torch.save`` has written since 2020; only these have checksums.

    Raises
    ------
    ValueError
        If the file is damaged, or says other sizes than it has. The sentence begins with the path.
    """
    open(path, "rb").close()  # what the system says if that fails is better than what follows
    try:
        if archive or zipfile.is_zipfile(path):
            _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise ValueError(f"{path} cannot be read: it asks for more memory than there is.") from None
    except Exception as error:  # unpickling, and what is found in damaged archives, raise many kinds
        why = one_line(error) or type(error).__name__
        raise ValueError(f"{path} cannot be read ({why}).") from error


def is_archive_of(path: Path, words: tuple[bytes, ...]) -> bool:
    """Whether a file is a zip archive that ``torch.save`` wrote, in whose structure all the words stand."""
    try:
        with zipfile.ZipFile(path) as archive:
            structure = _structure(archive)[1]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return False
    return all(word in structure for word in words)


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The first name of a tensor with a value that is no number or infinite."""
    return next((name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())), None)


def differing(tensors: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> str | None:
    """What the first tensor is that is missing, too much, or of another shape or type than it should be.

    Examples
    --------
    >>> differing({"a": torch.zeros(2)}, {"a": torch.zeros(3)})
    'a is torch.float32 (2,), not torch.float32 (3,)'
    """
    for name, like in wanted.items():
        if name not in tensors:
            return f"{name} is missing"
        found = tensors[name]
        if not isinstance(found, Tensor):
            return f"{name} is no tensor"
        if found.layout != torch.strided or found.is_quantized or found.device.type != "cpu":
            return f"{name} is not a plain tensor"
        if (found.dtype, found.shape) != (like.dtype, like.shape):
            return f"{name} is {found.dtype} {tuple(found.shape)}, not {like.dtype} {tuple(like.shape)}"
    return next((f"{str(name)[:60]} has no place there" for name in tensors if name not in wanted), None)


def _check_archive(path: Path) -> None:
    """Read a zip archive through, with its checksums, and see that its tensors are as long as they claim."""
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
        if any(record.compress_type != zipfile.ZIP_STORED for record in records) or (
            sum(record.file_size for record in records) > path.stat().st_size
        ):
            raise ValueError("it is packed in a way that torch does not use")
        if len({record.filename for record in records}) < len(records):
            raise ValueError("two of its parts have one name")
        bad = archive.testzip()
        if bad is not None:
            raise ValueError(f"the checksum of {bad} is wrong")
        prefix, structure = _structure(archive)
        sizes = {record.filename: record.file_size for record in records}
    _Claims(structure, {name.removeprefix(f"{prefix}/data/"): size for name, size in sizes.items()}).load()


def _structure(archive: zipfile.ZipFile) -> tuple[str, bytes]:
    """The folder in which torch keeps everything, and the pickled structure in it."""
    names = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(names) != 1:
        raise ValueError("it holds no tensors as torch.save writes them")
    if archive.getinfo(names[0]).file_size > _MOST_STRUCTURE:
        raise ValueError("its structure is larger than any that is written")
    return names[0].partition("/")[0], archive.read(names[0])


class _Claims(pickle._Unpickler):
    """Goes through a pickled structure in which everything is a dummy, and compares storages with their records."""

    def __init__(self, structure: bytes, sizes: Mapping[str, int]) -> None:
        super().__init__(BytesIO(structure))
        self.sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        return type(name, (_Dummy,), {"width": _WIDTHS.get(name) if module.startswith("torch") else None})

    def persistent_load(self, pid: Any) -> Any:
        kind, storage, key, _, count = pid
        width = getattr(storage, "width", None)
        if kind != "storage" or not isinstance(key, str) or type(count) is not int or not width:
            raise ValueError("it holds tensors of an unknown kind")
        if key not in self.sizes or not 0 <= count * width <= self.sizes[key]:
            raise ValueError(f"a tensor of it claims {count} values, which are not there")
        return _Dummy()


class _Dummy:
    """Takes whatever a pickled object is given."""

    def __new__(cls, *_: Any, **__: Any) -> _Dummy:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None: ...
