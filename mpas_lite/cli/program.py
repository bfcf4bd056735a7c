"""The command line: ``mpas-lite run`` and its steps, each alone.

Every command is a few lines around a function of the library. Bad input ends with one sentence and exit
code 2; an interrupted command goes on where it stopped when it is given again. What goes wrong without anybody
having foreseen it is a sentence as well, with exit code 70: ``MPAS_LITE_TRACEBACK=1`` shows where.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import warnings
from typing import Any

import click

from mpas_lite.cli import evaluate, label, material, reproduce, run, scenes, segment, train  # noqa: F401  # each adds its command to the group
from mpas_lite.cli.group import cli as cli
from mpas_lite.runtime.stopping import end_with_parent

if multiprocessing.current_process().name != "MainProcess":
    # A spawned trainer reads this file first, long before it has imported torch. Ctrl-C is its parent's to hear.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def main() -> None:
    """Entry point of ``mpas-lite``: run the command, turn what goes wrong into one sentence."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    _let_threads_sleep()
    _hear_signals()
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _complain("Interrupted. Give the same command again to go on where it stopped.")
        sys.exit(130)
    except Exception as error:
        if os.environ.get("MPAS_LITE_TRACEBACK"):
            raise
        sentence, code = _explained(error)
        _complain(sentence)
        sys.exit(code)


def _let_threads_sleep() -> None:
    """Threads of OpenMP that have nothing to do sleep soon, as nobody else may compute while they spin.

    Not at once: a step of training is thousands of operations, and whoever sleeps must be woken for each. GNU's OpenMP,
    which torch brings on Linux, by default spins 300 times as long; see ``benchmarks/spinning.py``. It is asked before
    torch is loaded, and not where OMP_WAIT_POLICY says what is wanted.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # some 10 us
        os.environ.setdefault("KMP_BLOCKTIME", "0")  # LLVM's OpenMP, on macOS and Windows: ms


def _hear_signals() -> None:
    """SIGTERM, and SIGHUP of a terminal that goes away, end a command as Ctrl-C does."""

    def interrupt(number: int, _: Any) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup's choice is left alone
            signal.signal(number, interrupt)


def _complain(sentence: str) -> None:
    click.echo(f"mpas-lite: {sentence}", err=True)


def _explained(error: Exception) -> tuple[str, int]:
    """The sentence for what went wrong, and the exit code: 2 for bad input, 70 for what nobody foresaw."""
    from mpas_lite.files.atomic import is_full
    from mpas_lite.files.sentences import one_line

    if isinstance(error, ImportError) and "libGL" in str(error):
        return _NO_DISPLAY, 2
    if isinstance(error, OSError) and is_full(error):
        return "No space is left to write to. Free some and give the same command again: it goes on.", 2
    if isinstance(error, ValueError | OSError | ImportError):
        return str(error) or type(error).__name__, 2
    text = one_line(error, 300)
    if isinstance(error, MemoryError) or any(words in text for words in ("out of memory", "t allocate memory")):
        return "There is not enough memory for this. Take smaller frames or batches, or another machine.", 2
    return (
        f"Something went wrong that should not have ({type(error).__name__}: {text}). What was written so far is "
        "whole. MPAS_LITE_TRACEBACK=1 in front of the command shows where; please report it.",
        70,
    )


# The package that is installed over the other takes cv2's files with it when it goes: both go, then one comes back.
_NO_DISPLAY = (
    "OpenCV needs a display library that is missing here (libGL). On a server: "
    "pip uninstall -y opencv-python opencv-python-headless && pip install opencv-python-headless"
)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    """Our own warnings as a line each; those of libraries are not the user's business."""
    if category is UserWarning:
        click.echo(f"note: {message}", err=True)


if __name__ == "__main__":
    main()
