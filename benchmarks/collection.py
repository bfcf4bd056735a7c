"""A collection of 200 clips, 20 of them damaged in ten ways: ``python -m benchmarks.collection``.

Labelled by two workers, then by a Dask cluster of two, one of which is killed midway. The 180 good clips must be right
(as labelled one by one by the library), the 20 named, the exit code 1; the same command again touches nothing of the
180; and once the 20 are mended, labels those alone.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from benchmarks.inputs import FOURCC, LABEL, digests, moving_square, write_frames, write_video
from benchmarks.measure import ROOT
from benchmarks.mutants import with_orientation

FRAMES = 14


# ------------------------------------------------------------------------------------------------- ten ways


def _turned(clip: Path, out: Path) -> Path:
    """Frames of unlike EXIF orientation."""
    for number, path in enumerate(sorted(_as_frames(clip, ".jpg").iterdir())):
        if number % 2:
            path.write_bytes(with_orientation(path.read_bytes(), 6))
    return clip


def _bomb(clip: Path, out: Path) -> Path:
    """A frame of 3,000 megapixels, as its header says."""
    path = sorted(_as_frames(clip).iterdir())[5]
    data = path.read_bytes()
    header = data[12:16] + (60_000).to_bytes(4, "big") + (50_000).to_bytes(4, "big") + data[24:29]
    path.write_bytes(data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:])
    return clip


def _wrong_record(clip: Path, out: Path) -> Path:
    """A record in the output folder that is no record."""
    _as_frames(clip)
    (out / clip.name).mkdir(parents=True)
    (out / clip.name / "manifest.json").write_text("[]")
    return clip


def _long_path(clip: Path, out: Path) -> Path:
    """A path of 300 characters, which no file system has."""
    return clip.parent / (clip.name + "x" * (300 - len(clip.name)))


def _cut_off(clip: Path, out: Path) -> Path:
    """A video of which the first half is there."""
    path = write_video(clip.with_suffix(".mp4"), moving_square(FRAMES))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _empty(clip: Path, out: Path) -> Path:
    """An empty file."""
    path = clip.with_suffix(".avi")
    path.touch()
    return path


def _text(clip: Path, out: Path) -> Path:
    """Text that calls itself a video."""
    path = clip.with_suffix(".mp4")
    path.write_text("words\n" * 100)
    return path


def _unlike(clip: Path, out: Path) -> Path:
    """Frames of unlike sizes."""
    _as_frames(clip)
    write_frames(clip, moving_square(1, (40, 64)), name="000007")
    return clip


def _damaged(clip: Path, out: Path) -> Path:
    """A damaged PNG among the frames."""
    path = sorted(_as_frames(clip).iterdir())[6]
    path.write_bytes(path.read_bytes()[:-200])
    return clip


def _single(clip: Path, out: Path) -> Path:
    """One frame only."""
    return write_frames(clip, moving_square(1))


WAYS: list[Callable[[Path, Path], Path]] = [
    _turned, _bomb, _wrong_record, _long_path, _cut_off, _empty, _text, _unlike, _damaged, _single,
]  # fmt: skip


def _as_frames(clip: Path, ending: str = ".png") -> Path:
    return write_frames(clip, moving_square(FRAMES), ending)


# ------------------------------------------------------------------------------------------------- the collection


def make(folder: Path, out: Path, number: int) -> tuple[list[Path], dict[int, str]]:
    """So many clips, a tenth of them damaged, spread evenly; and in which way, by the clip's place."""
    sources, damaged = [], {}
    for n in range(number):
        name = f"c{n:03d}"
        if n % 10 == 7:
            way = WAYS[n // 10 % len(WAYS)]
            damaged[n] = (way.__doc__ or "").rstrip(".")
            sources.append(way(folder / name, out))
        elif n % 2:
            sources.append(write_frames(folder / name, moving_square(FRAMES, seed=n)))
        else:
            ending = [*FOURCC][n // 2 % len(FOURCC)]
            sources.append(write_video(folder / f"{name}{ending}", moving_square(FRAMES, seed=n)))
    return sources, damaged


def mend(sources: list[Path], damaged: dict[int, str], out: Path) -> list[Path]:
    """Good clips where the damaged ones were."""
    sources = list(sources)
    for n in damaged:
        sources[n] = sources[n].parent / f"c{n:03d}"
        shutil.rmtree(sources[n], ignore_errors=True)
        _as_frames(sources[n])
        shutil.rmtree(out / sources[n].name, ignore_errors=True)
    return sources


def label(sources: list[Path], out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpas_lite.cli", "label", *map(str, sources), "--out", str(out), *LABEL, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, errors="replace")


def expected(sources: list[Path], damaged: dict[int, str], folder: Path) -> dict[str, dict[str, str]]:
    """What the library makes of each good clip alone."""
    import mpas_lite as mp

    settings = mp.LabelSettings(every=3, radius=6.0, min_size=2)
    for n, source in enumerate(sources):
        if n not in damaged:
            mp.pseudo_label(source, folder, settings=settings, progress=False)
    return {clip.name: digests(clip, hidden=False) for clip in folder.iterdir() if not clip.name.startswith(".")}


def judge(done: subprocess.CompletedProcess[str], sources: list[Path], damaged: dict[int, str], out: Path,
          right: dict[str, dict[str, str]]) -> dict[str, int]:  # fmt: skip
    """Exit code, clips that are right, damaged ones that are named, and tracebacks."""
    good = {f"c{n:03d}" for n in range(len(sources)) if n not in damaged}
    wrong = [name for name in sorted(good) if digests(out / name, hidden=False) != right[name]]
    unnamed = [n for n in damaged if not re.search(rf"^c{n:03d}\S*: (?!\d+ pairs)\S", done.stdout, re.MULTILINE)]
    for name in wrong[:5]:
        print(f"{name} is not as it should be: {_line(done.stdout, name)}", file=sys.stderr)
    for n in unnamed:
        print(f"c{n:03d} ({damaged[n]}) is not named: {_line(done.stdout, f'c{n:03d}')}", file=sys.stderr)
    tracebacks = (done.stdout + done.stderr).count("Traceback")
    if tracebacks or done.returncode not in (0, 1):
        print(done.stderr[-1000:], file=sys.stderr)
    return {"exit code": done.returncode, "right": len(good) - len(wrong), "named": len(damaged) - len(unnamed),
            "tracebacks": tracebacks}  # fmt: skip


def _line(text: str, start: str) -> str:
    return next((line for line in text.splitlines() if line.startswith(start)), "no line")


def _times(out: Path, damaged: dict[int, str]) -> dict[str, int]:
    """When each file of a good clip was written last; not of hidden ones, such as the lock."""
    bad = tuple(f"c{n:03d}" for n in damaged)
    names = [name for name in digests(out, hidden=False) if not name.startswith(bad)]
    return {name: (out / name).stat().st_mtime_ns for name in names}


def _touched(before: dict[str, int], after: dict[str, int]) -> int:
    return len({name for name, _ in before.items() ^ after.items()})


def on_two_workers(folder: Path, number: int) -> list[list[object]]:
    """Label, label again, mend and label again."""
    out = folder / "out"
    sources, damaged = make(folder / "clips", out, number)
    right = expected(sources, damaged, folder / "right")
    rows = []
    for what in ("first", "again"):
        before = _times(out, damaged)
        done = label(sources, out, "--jobs", "2")
        touched = "" if what == "first" else _touched(before, _times(out, damaged))
        rows.append([f"`label --jobs 2`, {what}", *judge(done, sources, damaged, out, right).values(), touched])
    sources, before = mend(sources, damaged, out), _times(out, damaged)
    done = label(sources, out, "--jobs", "2")
    touched = _touched(before, _times(out, damaged))
    labelled = len(re.findall(r"^c\d+: \d+ pairs", done.stdout, re.MULTILINE))
    rows.append(["the damaged ones mended", done.returncode, labelled, "", done.stderr.count("Traceback"), touched])
    return rows


def on_a_cluster(folder: Path, number: int) -> list[list[object]]:
    """Label with a Dask cluster of two processes, of which one is killed when half of the clips are there."""
    from distributed import LocalCluster

    out = folder / "out"
    sources, damaged = make(folder / "clips", out, number)
    right = expected(sources, damaged, folder / "right")
    killed = []
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:

        def kill_one() -> None:
            while len(list(out.glob("*/frames.json"))) < number // 2:
                time.sleep(0.1)
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

        threading.Thread(target=kill_one, daemon=True).start()
        done = label(sources, out, "--scheduler", cluster.scheduler_address)
    verdict = judge(done, sources, damaged, out, right)
    return [[f"Dask, two workers, {len(killed)} killed midway", *verdict.values(), ""]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    args = parser.parse_args()
    bad = len([n for n in range(args.clips) if n % 10 == 7])
    good, rows = args.clips - bad, []
    for part in (on_two_workers, on_a_cluster):
        with tempfile.TemporaryDirectory(prefix="mpas-collection-") as folder:
            start = time.monotonic()
            for row in part(Path(folder), args.clips):
                rows.append([*row, round(time.monotonic() - start)])
    print(f"| {args.clips} clips, {bad} damaged | exit code | right | named | tracebacks | good files touched | s |")
    print("|---|" + "--:|" * 6)
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    wanted = [[1, good, bad, 0, ""], [1, good, bad, 0, 0], [0, args.clips, "", 0, 0], [1, good, bad, 0, ""]]
    return int([row[1:-1] for row in rows] != wanted)


if __name__ == "__main__":
    sys.exit(main())
