"""Processes that this program starts: they find the package as it was found here, and end when it ends."""

from __future__ import annotations

import signal
import sys
import threading

from mpas_lite.stopping import end_with_parent


def python_command(code: str) -> list[str]:
    """A command that runs Python code in a new process, with the same ``sys.path`` as this one.

    Examples
    --------
    >>> python_command("import mpas_lite")[1]
    '-c'
    """
    return [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]


def be_a_child() -> None:
    """What a child does first: leave Ctrl-C to its parent, and end when the parent has ended. Once is enough."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not any(thread.name == "end-with-parent" for thread in threading.enumerate()):
        end_with_parent()
