"""Lists that would grow with the length of a video, kept on the disk: memory stays flat."""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Spill(Sequence[T], Generic[T]):
    """A list to append to and to read from, whose items lie in a temporary file without a name.

    Examples
    --------
    >>> spill = Spill()
    >>> for word in ("one", "two", "three"):
    ...     spill.append(word)
    >>> len(spill), spill[-1], list(spill), spill[::2]
    (3, 'three', ['one', 'two', 'three'], ['one', 'three'])
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (it ends with the list)
        self._starts = array("q")

    def append(self, item: T) -> None:
        """Add an item at the end."""
        self._starts.append(self._file.seek(0, 2))
        pickle.dump(item, self._file, protocol=5)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        self._file.seek(self._starts[index])
        return pickle.load(self._file)  # what this very process wrote
