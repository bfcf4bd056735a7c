"""Processes that this program starts: they find the package as it was found here, and end when it ends."""

from __future__ import annotations

import signal
import sys
import threading

from tqdm.auto import tqdm

from mpas_lite.runtime.stopping import end_with_parent


def python_command(code: str) -> list[str]:
    """A command that runs Python code in a new process, with the same ``sys.path`` as this one.

    Examples
    --------
    >>> python_command("import mpas_lite")[1]
    '-c'
    """
    return [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]


def be_a_child(parent: int) -> None:
    """What a child does first: leave Ctrl-C to its parent, the process of that id, and end when it has ended."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tqdm.set_lock(threading.RLock())  # its own lock is shared with other processes, and leaks when this one is killed
    end_with_parent(parent)
