"""Runs compared over many scenes: ``python -m benchmarks.unseen_scenes OUT RUN [RUN ...]``.

``RUN`` is a folder of ``mpas-lite run``, or ``general``, the network that comes along. Renders ``--clips`` scenes of
each kind of the validation seeds into ``OUT``, on which nothing was trained, and prints for each kind the mean IoU of
every run's masks, of the crowd and of persons, with the background's word. One scene of a kind is a throw of the dice;
eight tell whether a kind got better. Masks that are in ``OUT`` already are kept.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

import mpas_lite as mp
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.files.atomic import read_json
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.scenes import render_benchmark

EVERY = 6  # frames


def network(run: str) -> tuple[MPASNet, float | None]:
    """A run's network, and how high people shall be, px."""
    if run == "general":
        return mp.load("general"), RunSettings().person_height
    return mp.load(Path(run, "model.safetensors")), read_json(Path(run, "metrics.json"))["settings"]["person_height"]


def score(net: MPASNet, height: float | None, clip: Path, out: Path) -> tuple[float, float]:
    """IoU of its masks of the crowd and of persons on a clip, all pixels pooled."""
    mp.segment_to(
        net,
        clip / "video.mp4",
        out,
        every=EVERY,
        background=True,
        masks="both",
        person_height=height,
        progress=False,
    )
    persons = out / "persons" if (out / "persons").exists() else out / "masks"
    crowd = mp.evaluate(out / "masks", clip / "truth" / "crowd")
    return crowd.pooled, mp.evaluate(persons, clip / "truth" / "person").pooled


def table(scores: dict[tuple[str, str], list[tuple[float, float]]], runs: Sequence[str]) -> str:
    """Of each kind of scene the mean over its scenes, crowd / person, a column a run; the last row is all of them."""
    names = list(dict.fromkeys(name for name, _ in scores))
    means = {key: np.mean(values, axis=0) for key, values in scores.items()}
    means |= {("all", run): np.mean([means[name, run] for name in names], axis=0) for run in runs}
    lines = ["| | scenes | " + " | ".join(Path(run).name for run in runs) + " |", "|:--|--:" + "|--:" * len(runs) + "|"]
    for name in (*names, "all"):
        count = sum(len(values) for (of, run), values in scores.items() if run == runs[0] and name in (of, "all"))
        cells = (f"{means[name, run][0]:.3f} / {means[name, run][1]:.3f}" for run in runs)
        lines.append(f"| {name} | {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--clips", type=int, default=8, help="scenes of each kind")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # that a size of people could not be measured, of each scene
    options = {"split": "validation", "clips_per_kind": args.clips, "frames": 84, "truth_every": EVERY}
    clips = render_benchmark(args.out, progress=lambda jobs: tqdm(jobs, "render", unit="scene"), **options)
    scores: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number, run in enumerate(args.runs):
        net, height = network(run)
        for clip in tqdm(clips, Path(run).name, unit="scene"):
            kind = clip.name.rpartition("-")[0]
            found = score(net, height, clip, args.out / "masks" / f"{number}" / clip.name)
            scores.setdefault((kind, run), []).append(found)
    print(table(scores, args.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
