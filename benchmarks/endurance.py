"""Long runs: ``python -m benchmarks.endurance``. 100,000 frames through `label` and `segment`, 10,000 pairs refined.

Memory and open files are looked at twice a second, and must not grow; the last tenth must be as fast as the first
within 5%. On a busy machine believe the processor's seconds rather than the wall's. Linux.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.inputs import NET, write_pairs
from benchmarks.labelling import LONG_VIDEO
from benchmarks.measure import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """A process at one moment: the clock, its processor's seconds, MB in memory, open files, threads."""

    at: float
    processor: float
    memory: float
    files: int
    threads: int


def look(pid: int) -> Sample | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Sample(time.time(), (int(fields[11]) + int(fields[12])) / TICKS, memory, files, int(fields[17]))


def watch(*words: str) -> tuple[list[Sample], float]:
    """Run a command to its end: what was seen of it twice a second, and its highest memory, MB."""
    process = subprocess.Popen([sys.executable, "-m", "mpas_lite.cli", *words], env=ENVIRONMENT)
    samples = []
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if (sample := look(process.pid)) and sample.memory:
            samples.append(sample)
        time.sleep(0.5)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with exit code {process.returncode}.")
    return samples, usage.ru_maxrss / 1024


def written(folder: Path) -> list[float]:
    """When each of the files was written, in the order of their names."""
    with os.scandir(folder) as entries:
        return [entry.stat().st_mtime for entry in sorted(entries, key=lambda entry: entry.name)]


def tenths(samples: list[Sample], times: list[float]) -> list[tuple[list[Sample], float, float]]:
    """What was seen in each tenth of the work, its wall seconds and its processor's."""
    edges = [times[round(share * (len(times) - 1) / 10)] for share in range(11)]
    parts = []
    for start, end in pairwise(edges):
        seen = [sample for sample in samples if start <= sample.at <= end]
        parts.append((seen, end - start, _processor(samples, end) - _processor(samples, start)))
    return parts


def _processor(samples: list[Sample], at: float) -> float:
    """The processor's seconds at a moment between two samples."""
    number = min(max(bisect([sample.at for sample in samples], at), 1), len(samples) - 1)
    before, after = samples[number - 1], samples[number]
    return before.processor + (after.processor - before.processor) * (at - before.at) / (after.at - before.at)


def row(what: str, amount: str, samples: list[Sample], peak: float, times: list[float]) -> tuple[str, bool]:
    """A line of the table, and whether nothing grows and nothing slows down."""
    parts = tenths(samples, times)
    (_, wall, processor), (_, last_wall, last_processor) = parts[0], parts[-1]
    # The second tenth is the measure of memory: in the first caches fill.
    start, end = (max((s.memory for s in parts[n][0]), default=0) for n in (1, -1))
    files = [max((s.files for s in parts[n][0]), default=0) for n in (1, -1)]
    ratio, wall_ratio = last_processor / processor, last_wall / wall
    flat = end <= 1.05 * start and files[1] <= files[0]
    text = (
        f"| {what} | {amount} | {times[-1] - times[0]:,.0f} s | {start:.0f} → {end:.0f} MB | {peak:.0f} MB "
        f"| {files[0]} → {files[1]} | {wall_ratio:.3f} | {ratio:.3f} |"
    )
    return text, flat and min(ratio, wall_ratio) <= 1.05


HEADER = """\
| command | amount | took | memory, second tenth → last | highest | open files | last tenth / first, wall | processor |
|---|--:|--:|--:|--:|--:|--:|--:|"""


def long_video(folder: Path, frames: int) -> Path:
    path = folder / f"{frames}.mp4"
    subprocess.run([sys.executable, "-c", LONG_VIDEO, str(path), str(frames)], check=True)
    return path


def label(folder: Path, frames: int) -> tuple[str, bool]:
    out = folder / "labelled"
    video = long_video(folder, frames)
    samples, peak = watch("label", str(video), "--out", str(out), "--every", "5", "--quiet")
    times = written(out / video.stem / "masks")
    return row("`label --every 5`", f"{frames:,} frames, {len(times):,} pairs", samples, peak, times)


def segment(folder: Path, frames: int) -> tuple[str, bool]:
    out, pairs = folder / "segmented", write_pairs(folder / "pairs" / "clip").parent
    net = folder / "net"
    watch("train", str(pairs), *NET, "--epochs", "1", "--out", str(net), "--quiet")
    words = ("--weights", str(net / "model.safetensors"), "--out", str(out), "--device", "cpu", "--quiet")
    samples, peak = watch("segment", str(long_video(folder, frames)), *words)
    times = written(out / "masks")
    return row("`segment`", f"{len(times):,} frames", samples, peak, times)


def refine(folder: Path, frames: int) -> tuple[str, bool]:
    """Ten thousand pairs beside one thousand: the highest memory is to be the same."""
    peaks, took = [], 0.0
    for pairs in (frames // 100, frames // 10):
        video, out = long_video(folder, 2 * pairs), folder / f"refined-{pairs}"
        start = time.monotonic()
        _, peak = watch("label", str(video), "--refine", "--out", str(out), "--every", "2", "--quiet")
        took = time.monotonic() - start
        peaks.append(peak)
    amounts = f"{frames // 100:,} pairs → {frames // 10:,}"
    text = f"| `label --refine --every 2` | {amounts} | {took:,.0f} s | | {peaks[0]:.0f} → {peaks[1]:.0f} MB | | | |"
    return text, peaks[1] <= 1.05 * peaks[0]


PARTS: dict[str, Callable[[Path, int], tuple[str, bool]]] = {"label": label, "segment": segment, "refine": refine}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--only", action="append", choices=[*PARTS])
    args = parser.parse_args()
    lines, right = [HEADER], True
    for name, part in PARTS.items():
        if name in (args.only or PARTS):
            with tempfile.TemporaryDirectory(prefix="mpas-endurance-") as folder:
                text, well = part(Path(folder), args.frames)
            lines.append(text if well else f"{text} **missed**")
            right = right and well
            print(text, file=sys.stderr, flush=True)
    print("\n".join(lines))
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
