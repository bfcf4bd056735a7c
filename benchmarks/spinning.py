"""How long a thread that waits should spin: ``python -m benchmarks.spinning``.

``mpas-lite run --fast`` under three rules for OpenMP's threads that have nothing to do, in turn: they sleep at once;
they spin for some 10 us (what the command line asks for); they spin for milliseconds (GNU's default). Then the same
beside a program that keeps one core busy. Wall time of the whole command, so let nothing else run. Linux, where torch
brings GNU's OpenMP.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import click

import mpas_lite as mp

RULES = {
    "sleeps at once": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spins for 10 us (ours)": {},
    "spins for milliseconds": {"GOMP_SPINCOUNT": "300000"},
}


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many programs beside, each of which keeps a core busy."""
    beside = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in beside:
            program.kill()
            program.wait()


def seconds(video: Path, rule: dict[str, str]) -> float:
    """Wall time of one run."""
    plain = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "mpas_lite.cli", "run", str(video), "--fast", "--device", "cpu", "--quiet"]
        start = perf_counter()
        subprocess.run([*command, "--out", out], check=True, env={**plain, **rule}, stdout=subprocess.DEVNULL)
        return perf_counter() - start


@click.command()
@click.argument("video", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--rounds", default=3, show_default=True)
def main(video: Path | None, rounds: int) -> None:
    """Print a Markdown table: seconds, and as a share of those of the first rule."""
    video = video or mp.sample_path("crossing")
    print("| a thread that waits | quiet | beside a busy program |\n|:--|--:|--:|")
    cells: dict[str, list[str]] = {name: [] for name in RULES}
    for programs in (0, 1):
        with busy(programs):
            times = [{name: seconds(video, rule) for name, rule in RULES.items()} for _ in range(rounds)]
        for name in RULES:
            share = median(time[name] / time["sleeps at once"] for time in times)
            cells[name].append(f"{median(time[name] for time in times):.1f} s ({share:.2f})")
    for name, row in cells.items():
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
