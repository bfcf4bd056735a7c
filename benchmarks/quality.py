"""IoU over seconds: ``python -m benchmarks.quality OUT CLIP=TRUTH [CLIP=TRUTH ...]``.

The whole of ``mpas-lite run`` on a clip of which the truth is known, in several ways, one after another, from the start
of Python to the report: person IoU of the masks of persons (of the crowd, where the truth is of crowds), seconds on the
clock and of the processor. Appends to ``OUT/quality.jsonl``, prints the table and draws ``OUT/quality.png``. What is in
the file already is not measured again.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WAYS: dict[str, list[str]] = {
    "--fast": ["--fast"],
    "run": [],
    "twice the steps": ["--steps", "288"],
    "with the siamese branch": ["--siamese"],
    "from pictures": ["--encoder-weights", "offline"],
    "as before": ["--encoder-weights", "offline", "--siamese", "--empty", "--person-height", "none"],
}
_MARKS = "osD^vP"  # one a way
_MASKS = ("MPASNET* persons", "MPASNET persons", "MPASNET*", "MPASNET")


def measured(clip: Path, truth: Path, out: Path, options: Sequence[str]) -> dict[str, Any]:
    """IoU, seconds on the clock and of the processor of one run."""
    command = ["-m", "mpas_lite.cli", "run", str(clip), "--truth", str(truth), "--out", str(out), "--quiet", *options]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], check=True)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (scores,) = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["iou"].values()
    by_method = scores.get("person") or next(iter(scores.values()))
    iou = next(by_method[name] for name in _MASKS if name in by_method)
    return {"iou": round(iou, 3), "clock": round(clock, 1), "cpu": round(cpu, 1)}


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| clip | way | IoU | s on the clock | s of the processor |", "|:--|:--|--:|--:|--:|"]
    lines += [f"| {r['clip']} | {r['way']} | {r['iou']:.3f} | {r['clock']:.0f} | {r['cpu']:.0f} |" for r in rows]
    return "\n".join(lines)


def draw(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """A line a clip, a sign a way."""
    from matplotlib.figure import Figure

    from mpas_lite.plots.palette import PALETTE

    figure = Figure(figsize=(7, 4), layout="constrained")
    ax = figure.subplots()
    ways = list(dict.fromkeys(row["way"] for row in rows))
    for colour, clip in zip(PALETTE.values(), dict.fromkeys(row["clip"] for row in rows), strict=False):
        of_it = sorted((row for row in rows if row["clip"] == clip), key=lambda row: row["clock"])
        ax.plot([r["clock"] for r in of_it], [r["iou"] for r in of_it], color=colour, label=clip, linewidth=1, zorder=1)
        for row in of_it:
            ax.scatter(row["clock"], row["iou"], color=colour, marker=_MARKS[ways.index(row["way"])], zorder=2)
    for marker, way in zip(_MARKS, ways, strict=False):
        ax.scatter([], [], color="0.3", marker=marker, label=way)
    ax.set(xlabel="seconds on the clock, the whole command", ylabel="person IoU", xlim=(0, None))
    ax.legend(fontsize=8)
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("clips", nargs="+", metavar="CLIP=TRUTH")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    log = args.out / "quality.jsonl"
    for pair in args.clips:
        clip, truth = (Path(part) for part in pair.rsplit("=", 1))
        name = clip.parent.name if clip.name == "input" else clip.stem
        for way, options in WAYS.items():
            if any((row["clip"], row["way"]) == (name, way) for row in rows_of(log)):
                continue
            row = {"clip": name, "way": way, **measured(clip, truth, args.out / name / way.replace(" ", "-"), options)}
            with log.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
    print(table(rows_of(log)))
    draw(rows_of(log), args.out / "quality.png")


if __name__ == "__main__":
    main()
