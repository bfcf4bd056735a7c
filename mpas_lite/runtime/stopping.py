"""Stopping a long computation between two steps, not in the middle of one."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LOOK_EVERY = 0.2  # s


@contextmanager
def defer_interrupt() -> Iterator[list[int]]:
    """Turn the first Ctrl-C or SIGTERM into an entry in a list, which the loop looks at between steps.

    A second one acts at once. Outside the main thread Python takes no signals; then nothing changes.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _: Any) -> None:
        received.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent(parent: int | None = None) -> None:
    """End this process, whatever it is doing, within half a second after the one that started it has ended.

    A process that is killed cannot end those that it started. They must see for themselves that nobody waits for
    them any more, or they go on writing into a folder that belongs to the next run. Call it first thing in a child.

    Parameters
    ----------
    parent : int, optional
        Id of the process to watch. By default the one that is this one's parent now; give it where that one may
        have ended already. Not needed in what ``multiprocessing`` started.
    """
    # With a fork server this is not the operating system's parent.
    started_by = multiprocessing.parent_process() if parent is None else None
    watched = os.getppid() if parent is None else parent

    _die_with_parent()

    def watch() -> None:
        while os.getppid() == watched and (started_by is None or started_by.is_alive()):
            time.sleep(_LOOK_EVERY)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def _die_with_parent() -> None:
    """On Linux the kernel sees to it as well, also while a large library is loaded and no thread of Python can run."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
