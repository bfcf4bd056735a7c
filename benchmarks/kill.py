"""Commands killed at random moments and given again until they end: ``python -m benchmarks.kill --moments 100``.

Each trial runs one command, sends it up to three signals (SIGKILL to the whole group; SIGKILL, SIGTERM or SIGINT to the
main process alone; SIGINT to the group, as Ctrl-C does), each time giving the same command again at once. Wrong is:
a file that differs from the undisturbed run's, a film that does not play, ``.partial`` files, a process that lives 5 s
after the signal, a restart that is refused, an interruption that does not say how to go on. Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from benchmarks.inputs import LABEL, NET, digests, moving_square, write_frames, write_pairs, write_video
from benchmarks.measure import ROOT

MARKER = "MPAS_LITE_TRIAL"
PATIENCE = 5.0  # s that a process may outlive its command's main process
# What depends on the clock: when, how fast, on which machine. All else is to be equal, byte for byte.
CLOCK = ("log.csv", "seconds.json", "scores.json", "results.json", "table.md", "overlay.mp4", "report.html")
_RUN = ("--encoder", "test_resnet", "--long-side", "64", "--device", "cpu", "--quiet")


@dataclass(frozen=True)
class Job:
    """A command, without ``--out OUT``, and the films that it leaves: path to number of frames."""

    words: tuple[str, ...]
    films: dict[str, int] = field(default_factory=dict)
    out: tuple[str, ...] = ("--out",)


def jobs() -> dict[str, Job]:
    """The commands that write more than one file. Paths are relative to the folder of the inputs."""
    train = ("train", "pairs", *NET, "--epochs", "12", "--set", "checkpoint_every=2", "--quiet")
    dense = (*LABEL, "--every", "1")
    return {
        "label": Job(("label", "a.avi", *dense)),
        "label --refine": Job(("label", "a.avi", "--refine", *dense)),
        "label, 3 clips": Job(("label", "a.avi", "b.avi", "png", *dense)),
        "label, 3 clips, --jobs 2": Job(("label", "a.avi", "b.avi", "png", "--jobs", "2", *dense)),
        "train": Job(train),
        "train --workers 2": Job((*train, "--workers", "2")),
        "train --devices 2": Job((*train, "--devices", "2")),
        "segment": Job(
            ("segment", "long.avi", "--weights", "net/model.safetensors", "--device", "cpu", "--quiet"),
            {"overlay.mp4": 1200},
        ),
        "run": Job(("run", "png", *_RUN, *("--every", "1", "--steps", "60", "--min-size", "2")), {"overlay.mp4": 60}),
        "run, 2 clips, --jobs 2": Job(
            ("run", "png", "b.avi", *_RUN, *("--every", "2", "--steps", "40", "--min-size", "2", "--jobs", "2")),
            {"png/overlay.mp4": 60, "b/overlay.mp4": 150},
        ),
        "reproduce": Job(("reproduce", "table1", "--scenes", "scene", "--seeds", "0", "--steps", "20", *_RUN)),
        "scenes": Job(("scenes",), out=()),
    }


def make_inputs(folder: Path) -> Path:
    """Clips, pairs, a scene with ground truth and a net; the net is trained, in a process of its own."""
    write_video(folder / "a.avi", moving_square(150, seed=1))
    write_video(folder / "b.avi", moving_square(150, seed=2))
    write_video(folder / "long.avi", moving_square(1200, seed=3))
    film = moving_square(60, seed=4)
    write_frames(folder / "png", film)
    write_pairs(folder / "pairs" / "clip", 12)
    write_frames(folder / "scene", film)
    for kind in ("crowd", "person"):
        write_frames(folder / "scene" / "truth" / kind, (frame[..., 0] // 200 * 255 for frame in film))
    run_to_the_end(Job(("train", "pairs", *NET, "--epochs", "1", "--quiet")), folder, folder / "net")
    return folder


class Run:
    """One start of a command, in a session of its own; its processes bear a mark in their environment."""

    def __init__(self, job: Job, inputs: Path, out: Path, mark: str) -> None:
        words = [
            *job.words,
            *job.out,
            str(out),
            *(("--split", "validation", "--clips", "1", "--frames", "12") if not job.out else ()),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MPAS_LITE")}
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", MARKER: mark}
        self.mark = mark
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.start = time.monotonic()
        self.process = subprocess.Popen([sys.executable, "-m", "mpas_lite.cli", *words], cwd=inputs, env=environment,
                                        stdout=self._said, stderr=self._said, start_new_session=True)  # fmt: skip

    def ended(self) -> bool:
        return self.process.poll() is not None

    def said(self) -> str:
        self._said.seek(0)
        return self._said.read()

    def living(self) -> list[int]:
        """Its processes that are still there, zombies not counted."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _bears(pid, self.mark)]


def _bears(pid: int, mark: str) -> bool:
    with contextlib.suppress(OSError):
        environment = Path(f"/proc/{pid}/environ").read_bytes()  # a zombie's is empty
        return f"{MARKER}={mark}".encode() in environment.split(b"\0")
    return False


def run_to_the_end(job: Job, inputs: Path, out: Path, mark: str = "whole") -> tuple[float, float]:
    """Run a command undisturbed: seconds until the first file appears, and until the end."""
    run, first = Run(job, inputs, out, mark), None
    while not run.ended():
        if first is None and out.is_dir() and _contents(out):
            first = time.monotonic() - run.start
        time.sleep(0.01)
    if run.process.returncode:
        raise RuntimeError(f"{' '.join(job.words)} ended with {run.process.returncode}: {run.said()}")
    seconds = time.monotonic() - run.start
    return first or seconds, seconds


SIGNALS = {
    "SIGKILL to all": (signal.SIGKILL, True),
    "SIGKILL": (signal.SIGKILL, False),
    "SIGTERM": (signal.SIGTERM, False),
    "SIGINT": (signal.SIGINT, False),
    "SIGINT to all": (signal.SIGINT, True),
}


def trial(
    job: Job, inputs: Path, out: Path, whole: Path, times: tuple[float, float], rng: random.Random
) -> Counter[str]:
    """One command, killed up to three times; what was wrong, how often, and how many signals were sent."""
    found: Counter[str] = Counter()
    begin, end = times
    blows = [(rng.choice([*SIGNALS]), rng.uniform(0.7 * begin, end)) for _ in range(rng.choice([1, 2, 3]))]
    killed: list[tuple[float, Run]] = []  # until when its processes may live
    mark = f"{out.name}-{os.getpid()}"
    for start in range(30):
        run = Run(job, inputs, out, f"{mark}-{start}")
        name, moment = blows[0] if blows else ("", 1e9)
        while not run.ended() and time.monotonic() < run.start + moment:
            found["left processes"] += _overdue(killed)
            time.sleep(0.02)
        if not run.ended():
            blows.pop(0)
            found["signals"] += 1
            killed.append((time.monotonic() + PATIENCE, run))
            found += _strike(run, name)
            done = moment < 1.1 * begin or not compare(whole, out, job.films).total()
            if found.pop("says nothing", 0) and not done:  # neither had it not yet begun, nor was all written
                print(f"{name}: exit code {run.process.returncode}, {run.said()[-500:]!r}", file=sys.stderr, flush=True)
                found["silent"] += 1
            continue
        if run.process.returncode == 0:
            break
        found["refused" if "in use" in run.said() else "failed"] += 1
        print(f"{' '.join(job.words)}: {run.said()[-2000:]}", file=sys.stderr, flush=True)
        if found["failed"]:
            break
        time.sleep(0.5)
    killed.append((time.monotonic() + PATIENCE, run))
    while killed:
        found["left processes"] += _overdue(killed)
        killed = [(until, each) for until, each in killed if each.living()]
        time.sleep(0.05)
    wrong = compare(whole, out, job.films)
    if wrong:
        print(f"{out.name}: {dict(wrong)} {_differing(whole, out)[:5]}", file=sys.stderr, flush=True)
    return found + wrong


def _strike(run: Run, name: str) -> Counter[str]:
    number, all_of_them = SIGNALS[name]
    (os.killpg if all_of_them else os.kill)(run.process.pid, number)
    before = time.monotonic()
    try:
        run.process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(run.process.pid, signal.SIGKILL)
        return Counter(["not heard"])
    found = Counter({"slowest": round(1000 * (time.monotonic() - before))} if number != signal.SIGKILL else {})
    if number != signal.SIGKILL and run.process.returncode and "same command again" not in run.said():
        found["says nothing"] += 1
    return found


def _overdue(killed: list[tuple[float, Run]]) -> int:
    """Count, and end, the processes that have outlived their time; those runs are struck off the list."""
    number = 0
    for until, run in [each for each in killed if each[0] < time.monotonic()]:
        living = run.living()
        number += len(living)
        for pid in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed.remove((until, run))
    return number


def compare(whole: Path, other: Path, films: dict[str, int]) -> Counter[str]:
    """What differs between the folders of an undisturbed and of a killed run."""
    unplayable = [name for name, frames in films.items() if _frames(other / name) != frames]
    partial = [path for path in other.rglob("*") if path.name.startswith(".partial")]
    differ = _differing(whole, other)
    return +Counter({"files differ": len(differ), "films": len(unplayable), ".partial": len(partial)})


def _differing(whole: Path, other: Path) -> list[str]:
    ours, theirs = _contents(whole), _contents(other)
    return [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]


def _contents(folder: Path) -> dict[str, str]:
    """Names and digests; of what depends on the clock the names alone, of hidden files nothing."""
    return {name: "" if Path(name).name in CLOCK else digest for name, digest in digests(folder, hidden=False).items()}


def _frames(path: Path) -> int:
    film, number = cv2.VideoCapture(str(path)), 0
    while film.grab():
        number += 1
    return number


FOUND = ("refused", "failed", "not heard", "silent", "left processes", "files differ", "films", ".partial")


def table(found: dict[str, Counter[str]]) -> str:
    lines = [
        f"| command | trials | signals | {' | '.join(FOUND)} | slowest to stop |",
        "|---|" + "--:|" * (len(FOUND) + 3),
    ]
    for name, counts in {**found, "all": sum(found.values(), Counter())}.items():
        slowest = max((each["slowest"] for each in found.values()), default=0) if name == "all" else counts["slowest"]
        numbers = " | ".join(str(counts[what]) for what in ("trials", "signals", *FOUND))
        lines.append(f"| {name} | {numbers} | {slowest / 1000:.1f} s |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=100, help="Signals to send, at least.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=[*jobs()], metavar="COMMAND", help=", ".join(jobs()))
    parser.add_argument("--keep", type=Path, help="Folder for outputs that are wrong.")
    args = parser.parse_args()
    chosen = {name: job for name, job in jobs().items() if name in (args.only or jobs())}
    found: dict[str, Counter[str]] = {name: Counter() for name in chosen}
    with tempfile.TemporaryDirectory(prefix="mpas-kill-") as folder:
        inputs, wholes, times = make_inputs(Path(folder) / "inputs"), {}, {}
        for number in range(10_000):
            if sum(each["signals"] for each in found.values()) >= args.moments:
                break
            name = list(chosen)[number % len(chosen)]
            if name not in wholes:
                wholes[name] = Path(folder) / f"whole-{number}"
                times[name] = run_to_the_end(chosen[name], inputs, wholes[name])
                print(f"{name}: {times[name][0]:.1f} s to the first file, {times[name][1]:.1f} s", file=sys.stderr)
            out = Path(folder) / f"killed-{number}"
            one = trial(chosen[name], inputs, out, wholes[name], times[name], random.Random(f"{args.seed} {number}"))
            found[name]["slowest"] = max(found[name]["slowest"], one.pop("slowest", 0))
            found[name] += one + Counter(["trials"])
            if args.keep and any(one[what] for what in FOUND):
                shutil.copytree(out, args.keep / out.name, dirs_exist_ok=True)
            shutil.rmtree(out, ignore_errors=True)
    print(table(found))
    return int(any(counts[what] for counts in found.values() for what in FOUND))


if __name__ == "__main__":
    sys.exit(main())
