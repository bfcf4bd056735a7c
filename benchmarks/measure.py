"""How things are measured here: in pairs, one right after the other, so that a busy machine slows both."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

from mpas_lite.training.records import processor

ROOT = Path(__file__).parents[1]
# A process's highest memory. Linux hands `ru_maxrss` down from the process that started this one.
PEAK_MB = """
import resource, sys
from pathlib import Path
status = Path("/proc/self/status")
if status.exists():
    print(int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024))
"""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    what, against : str
        What was measured, and beside what.
    ours, other : str
        Both results, with units.
    value : float
        What is compared with the target; a ratio wherever two things were measured.
    target : float
    at_least : bool
        The value must be the target or above; else, or below.
    unit : str
        Of value and target.
    raw : dict
        Numbers for the JSON, and for whoever computes on with them.
    """

    what: str
    against: str
    ours: str
    other: str
    value: float
    target: float
    at_least: bool = False
    unit: str = "x"
    raw: dict[str, float] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    def __str__(self) -> str:
        target = f"{'≥' if self.at_least else '≤'} {self.target:g}{self.unit}"
        value = f"{self.value:.3g}{self.unit}" if self.value < 100 else f"{self.value:.0f}{self.unit}"
        mark = "" if self.reached else " **missed**"
        return f"| {self.what} | {self.against} | {self.ours} | {self.other} | {value}{mark} | {target} |"


HEADER = "| what | against | ours | the other | result | target |\n|---|---|---|---|---|---|"


def seconds(job: Callable[[], object]) -> float:
    """How long one run takes."""
    start = perf_counter()
    job()
    return perf_counter() - start


def paired(first: Callable[[], object], second: Callable[[], object], pairs: int) -> tuple[float, float, float]:
    """Median seconds of both, and the median of second / first, over interleaved pairs after a warm-up."""
    first()
    times = [(seconds(first), seconds(second)) for _ in range(pairs)]
    return median(a for a, _ in times), median(b for _, b in times), median(b / a for a, b in times)


def peak_memory(code: str, *arguments: str) -> float:
    """Highest memory, MB, of a fresh process that runs the code."""
    command = [sys.executable, "-c", code + PEAK_MB, *arguments]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.split()[-1])


def machine() -> dict[str, str | int]:
    """The machine, and the versions that matter here."""
    packages = ("numpy", "scipy", "opencv-python", "torch", "timm")
    return {
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{package} {version(package)}" for package in packages),
    }
