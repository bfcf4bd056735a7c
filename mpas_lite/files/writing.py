"""Writing while the next frame is computed: a thread of its own, in order, with a queue that stays short."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def in_background(most: int = 8, done: Callable[[], object] = lambda: None) -> Iterator[Callable[..., None]]:
    """Yield ``write(function, *arguments)``, which calls the functions one after the other in another thread.

    Parameters
    ----------
    most : int
        Calls that may wait; a slow disk is waited for, it does not fill the memory.
    done : callable
        Called in this thread for each call that is done, for a progress bar.

    Raises
    ------
    Exception
        What a function raises comes out of a later ``write``, or of the end of the block.

    Examples
    --------
    >>> written = []
    >>> with in_background() as write:
    ...     for number in range(3):
    ...         write(written.append, number)
    >>> written
    [0, 1, 2]
    """
    waiting: deque[Future[Any]] = deque()

    def finish_one() -> None:
        waiting.popleft().result()
        done()

    with ThreadPoolExecutor(1) as thread:

        def write(function: Callable[..., Any], *arguments: Any) -> None:
            waiting.append(thread.submit(function, *arguments))
            while len(waiting) > most:
                finish_one()

        try:
            yield write
            while waiting:
                finish_one()
        finally:
            for each in waiting:  # after an error nothing more is begun
                each.cancel()


@contextmanager
def plain_output(path: Path) -> Iterator[Path]:
    """Yield a path that OpenCV can write to, and have the file at ``path`` in the end.

    OpenCV dies of names that are no text (Latin-1 ones, say): such a file is made elsewhere and copied.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / f"file{path.suffix}"
            yield place
            shutil.copyfile(place, path)
    else:
        yield Path(os.path.abspath(path))  # a colon in a relative name would make it an address
