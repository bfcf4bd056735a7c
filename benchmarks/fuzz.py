"""Damaged inputs by the thousand, each through its command: ``python -m benchmarks.fuzz --inputs 20000 --keep FOLDER``.

Whatever it is given, the program ends within 20 s with exit code 0, 1 or 2, without a traceback or a signal, in 2 GB;
it writes into its output folder alone and changes no input. Equal ``--seed``, equal inputs. Linux.

One process has loaded everything and forks a child for each input, which runs ``mpas-lite ARGUMENTS`` in a folder of
its own. Nothing is computed in the parent: threads do not outlive a fork.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # before NumPy and torch are loaded: whoever forks must have no threads
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

import argparse
import contextlib
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks import mutants
from benchmarks.inputs import digests
from benchmarks.kinds import KINDS, LARGE
from benchmarks.measure import ROOT

PATIENCE, MEMORY = 20.0, 2.0  # s, GB
UNFORESEEN = ("Traceback (most recent call last)", "Something went wrong that should not have")  # must not be said


@dataclass
class Trial:
    """One input: its folder, its command, and what came of it."""

    kind: str
    number: int
    folder: Path
    words: list[str]
    whole: bool  # nothing in it is damaged: it must succeed
    before: dict[str, str] = field(default_factory=dict)
    process: int = 0
    start: float = 0.0
    seconds: float = 0.0
    memory: float = 0.0  # GB
    code: int | None = None
    wrong: list[str] = field(default_factory=list)


WRONG = ("traceback", "hang", "death", f"over {MEMORY:g} GB", "other exit code", "outside or left over", "changed")


def prepare(kind: str, number: int, seed: int, seeds: Path, folder: Path) -> Trial:
    """Write the input of that number into an empty folder; the same every time."""
    rng = random.Random(f"{seed} {kind} {number}")
    way = KINDS[kind][number % len(KINDS[kind])]
    for copy in way.copies.split():
        source, _, name = copy.partition(">")
        target = folder / (name or source)
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (seeds / source).is_dir() else shutil.copy2)(seeds / source, target)
    words = way.command.split()
    whole = number < len(KINDS[kind])  # the first of each way
    if way.mutate is None and not whole:
        words = mutants.arguments(rng, words, LARGE)
    elif way.mutate and not whole:
        targets = sorted(path for path in folder.glob(way.target) if path.is_file())
        others = [path.read_bytes() for path in [*targets, seeds / "in/png/000000.png", seeds / "in/videos/clip.avi"]]
        target = rng.choice(targets)
        target.write_bytes(way.mutate(rng, target.read_bytes(), others))
        if rng.random() < 0.7:  # else it is noticed that somebody has changed what the program wrote
            _sign(target)
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True)
    return Trial(kind, number, folder, words, whole, digests(folder / "in"))


def _sign(path: Path) -> None:
    """Note a file in the list of what the program wrote, if it lies in an output folder."""
    from mpas_lite.files.ledger import checksum, ledger_folders, note

    for folder in ledger_folders(path):
        note(folder, path, checksum(path))
        break


def launch(trial: Trial) -> None:
    """Fork a child that runs the command."""
    trial.start = time.monotonic()
    trial.process = os.fork()
    if trial.process == 0:
        try:
            _be_the_command(trial)
        finally:
            os._exit(70)


def _be_the_command(trial: Trial) -> None:
    os.setsid()
    os.chdir(trial.folder)
    said = os.open("said", os.O_WRONLY | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, handle in enumerate((nothing, said, said)):
        os.dup2(handle, number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ |= {"HOME": f"{trial.folder}/home", "TMPDIR": f"{trial.folder}/tmp", "PYTHONPATH": str(ROOT)}
    tempfile.tempdir = None
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        for number, mode in enumerate(("r", "w", "w"))
    )
    sys.argv = ["mpas-lite", *trial.words]
    code: object = 0
    try:
        _call(trial.words)
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _call(words: list[str]) -> None:
    from mpas_lite import cli
    from mpas_lite.motion import tracklets

    if words[0] != "tracklets":
        cli.main()
    try:
        tracklets.particles_of_tracklets(tracklets.read_tracklets(words[1]), 2)
    except (ValueError, FileNotFoundError) as error:
        print(error)
        sys.exit(2)


def has_ended(trial: Trial) -> bool:
    """Whether the child is gone; one that takes too long or too much is killed."""
    ended, status, usage = os.wait4(trial.process, os.WNOHANG)
    trial.seconds = time.monotonic() - trial.start
    if not ended:
        trial.memory = max(trial.memory, _resident(trial.process))
        if trial.seconds > PATIENCE:
            trial.wrong.append("hang")
        elif trial.memory > MEMORY:
            trial.wrong.append(WRONG[3])
        if trial.wrong:
            os.killpg(trial.process, signal.SIGKILL)
            os.waitpid(trial.process, 0)
        return bool(trial.wrong)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(trial.process, signal.SIGKILL)  # what it has left behind
    trial.memory = max(trial.memory, usage.ru_maxrss / 2**20)
    if trial.memory > MEMORY:
        trial.wrong.append(WRONG[3])
    trial.code = os.waitstatus_to_exitcode(status)
    if trial.code < 0:
        trial.wrong.append("death")
    elif trial.code not in ((0,) if trial.whole else (0, 1, 2)):
        trial.wrong.append("other exit code")
    return True


def _resident(process: int) -> float:
    """GB."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize() / 2**30
    return 0.0


def judge(trial: Trial) -> None:
    """What it has said, written and changed."""
    said = (trial.folder / "said").read_text(encoding="utf-8", errors="replace")
    if any(word in said for word in UNFORESEEN):
        trial.wrong.insert(0, "traceback")
    now = digests(trial.folder / "in")
    if any(now.get(name) != digest for name, digest in trial.before.items()):
        trial.wrong.append("changed")
    allowed = [trial.folder / name for name in ("in", "said", *_outputs(trial.words))]
    for path in trial.folder.rglob("*"):
        below_in = trial.folder / "in" in path.parents
        known = any(path == one or one in path.parents for one in (allowed[2:] if below_in else allowed))
        listed = str(path.relative_to(trial.folder / "in")) in trial.before if below_in else False
        if path.is_file() and (not (known or listed) or path.name.startswith(".partial")):
            trial.wrong.append("outside or left over")
            break


def _outputs(words: list[str]) -> list[str]:
    """Where the command was told to write."""
    options = [word for option, word in pairwise(words) if option in ("--out", "--json")]
    options += [word.partition("=")[2] for word in words if word.startswith(("--out=", "--json="))]
    options += words[1:] if words[0] in ("scenes", "notebooks") else []
    return [os.path.normpath(word) for word in options if word and "\x00" not in word and len(word) < 1000]


def campaign(kinds: list[str], inputs: int, seed: int, seeds: Path, seconds: float, jobs: int) -> Iterator[Trial]:
    """Run the inputs, the kinds in turn; yields each when it is judged. Its folder is gone afterwards."""
    queue = ((kinds[n % len(kinds)], n // len(kinds)) for n in range(inputs))
    end, live = time.monotonic() + seconds, []
    with tempfile.TemporaryDirectory(prefix="mpas-fuzz-") as name:
        while True:
            while len(live) < jobs and time.monotonic() < end and (one := next(queue, None)):
                folder = Path(name) / f"{one[0].replace(' ', '-')}-{one[1]}"
                folder.mkdir()
                live.append(prepare(*one, seed, seeds, folder))
                launch(live[-1])
            if not live:
                return
            for trial in [trial for trial in live if has_ended(trial)]:
                live.remove(trial)
                judge(trial)
                yield trial
                shutil.rmtree(trial.folder, ignore_errors=True)
            time.sleep(0.005)


def keep(trial: Trial, seed: int, seeds: Path, folder: Path) -> Path:
    """Write a failing input once more, with its command and what was said."""
    place = folder / trial.folder.name
    shutil.rmtree(place, ignore_errors=True)
    prepare(trial.kind, trial.number, seed, seeds, place)
    shutil.copy(trial.folder / "said", place / "said.txt")
    command = shlex.join(["mpas-lite", *trial.words]).encode("utf-8", "surrogateescape")
    (place / "cmd.txt").write_bytes(command + f"\n# {', '.join(trial.wrong)}\n".encode())
    return place


def table(trials: list[Trial]) -> str:
    """One line a kind, and one for all."""
    lines = [
        f"| kind | inputs | taken | {' | '.join(WRONG)} | most GB | seconds |",
        "|---|" + "--:|" * (len(WRONG) + 4),
    ]
    kinds = list(dict.fromkeys(trial.kind for trial in trials))
    for name in [*kinds, "all"]:
        mine = [trial for trial in trials if name in (trial.kind, "all")]
        counts = " | ".join(str(sum(wrong in trial.wrong for trial in mine)) for wrong in WRONG)
        memory, seconds = max(trial.memory for trial in mine), sum(trial.seconds for trial in mine)
        taken = sum(trial.code == 0 for trial in mine)  # all others are refused
        lines.append(f"| {name} | {len(mine):,} | {taken:,} | {counts} | {memory:.2f} | {seconds:,.0f} |")
    return "\n".join(lines)


def _load_everything() -> None:
    import cv2
    import lightning_fabric  # noqa: F401
    import matplotlib.pyplot  # noqa: F401  # its font cache, too: that is no file of ours
    import timm  # noqa: F401
    import torch
    import torchvision  # noqa: F401

    import mpas_lite.cli.program
    import mpas_lite.course.notebooks
    import mpas_lite.evaluation.labelme
    import mpas_lite.experiments.main_job
    import mpas_lite.experiments.reproduction
    import mpas_lite.network.mask_files
    import mpas_lite.training.fitting  # noqa: F401

    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=[*KINDS], metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--seconds", type=float, default=1e9, help="Start no input after so many.")
    parser.add_argument("--jobs", type=int, default=1, help="Inputs at a time.")
    parser.add_argument("--keep", type=Path, help="Folder for inputs that fail.")
    parser.add_argument("--seeds", type=Path, help="Folder for the whole inputs, made if it is not there.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mpas-seeds-") as name:
        seeds = (args.seeds or Path(name) / "seeds").absolute()
        if not seeds.exists():
            command = [sys.executable, "-m", "benchmarks.inputs", str(seeds)]
            subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _load_everything()
        trials = []
        for trial in campaign(args.only or [*KINDS], args.inputs, args.seed, seeds, args.seconds, args.jobs):
            trials.append(trial)
            if trial.wrong:
                place = keep(trial, args.seed, seeds, args.keep.absolute()) if args.keep else ""
                print(f"{trial.kind} {trial.number}: {', '.join(trial.wrong)} {place}", file=sys.stderr, flush=True)
        print(table(trials))
    return int(any(trial.wrong for trial in trials))


if __name__ == "__main__":
    sys.exit(main())
