"""The network that comes with the package, made again, and what it is good for.

::

    python -m benchmarks.general_network make OUT CLIP@EVERY ...   # one network from rendered scenes and any clips
    python -m benchmarks.general_network curve OUT             # a warm start against a cold one: IoU over time
    python -m benchmarks.general_network waiting OUT           # recall by how long people stand

``make`` renders scenes of the train seeds, labels them and the clips by motion, and trains
``training/configs/general.toml``. Nobody's mask is used, not even the scenes' own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mpas_lite.evaluation.scores import score_frames
from mpas_lite.evaluation.standing import STANDING, found_by_standing
from mpas_lite.experiments.networks import new_network
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.labels.batch import pseudo_label_many
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.inference import segment
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import save
from mpas_lite.options import changed
from mpas_lite.scenes.benchmark import SPLITS, render_benchmark, write_scene
from mpas_lite.scenes.renderer import SCENE_NAMES, render_scene
from mpas_lite.scenes.scene import Scene
from mpas_lite.training.config import read_config
from mpas_lite.training.fitting import fit
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.plan import Plan


def make(out: Path, clips: Sequence[str]) -> Path:
    """Scenes and clips in (``vtest.avi@6``: one frame in six), a network out: its weights as float16, 7 MB."""
    scenes = render_benchmark(out / "scenes", split="train", clips_per_kind=3)
    _label(scenes, out / "pairs", every=8)
    for clip in clips:
        path, _, every = clip.rpartition("@")
        _label([_opened(Path(path), out / "clips")], out / "pairs", every=int(every))
    config = read_config("general")
    net = new_network(config.net, config.train.seed)
    fit(net, out / "pairs", out=out / "training", config=config.train, runtime=config.runtime, progress=False)
    save(net, out / "general.safetensors", half=True)
    return out / "general.safetensors"


def _opened(clip: Path, folder: Path) -> Path:
    """A clip; of an animated GIF a folder of its frames."""
    if clip.suffix != ".gif":
        return clip
    from PIL import Image, ImageSequence

    frames = folder / clip.stem
    frames.mkdir(parents=True, exist_ok=True)
    with Image.open(clip) as pictures:
        for number, picture in enumerate(ImageSequence.Iterator(pictures)):
            picture.convert("RGB").save(frames / f"{number:06d}.png")
    return frames


def _label(clips: Sequence[Path], out: Path, *, every: int) -> list[Path]:
    settings = LabelSettings.ours(every=every, refine=Refinement())
    return [one.folder for one in pseudo_label_many(clips, out, settings=settings, progress=False) if not one.error]


# --------------------------------------------------------------------------------------------- scenes and scores


def scenes_of(split: str, *, waiting: float = 0.0, frames: int = 60, clips: int = 1) -> list[Scene]:
    """A scene of each kind."""
    return [
        render_scene(name, seed=SPLITS[split] + i, frames=frames, waiting=waiting)
        for i in range(clips)
        for name in SCENE_NAMES
    ]


def labelled(scenes: Sequence[Scene], out: Path, *, every: int = 4) -> list[Path]:
    """The scenes' clips on disk, and folders of their pairs."""
    clips = [write_scene(scene, out / "clips" / f"{scene.name}-{scene.seed}", truth_every=30) for scene in scenes]
    return _label(clips, out / "pairs", every=every)


def masks_of(net: MPASNet, scene: Scene, *, every: int = 6) -> dict[int, np.ndarray]:
    return dict(segment(net, scene.frames, every=every, device="cpu"))


def score(net: MPASNet, scenes: Sequence[Scene]) -> dict[str, Any]:
    """IoU, mean over scenes, against crowd and person masks; precision and recall of person pixels by standing."""
    found, crowd, person = {group: np.zeros(2, int) for group in STANDING}, [], []
    right = np.zeros(2, int)
    for scene in scenes:
        masks = masks_of(net, scene)
        crowd.append(score_frames((t, mask, scene.crowd[t], None) for t, mask in masks.items()).pooled)
        person.append(score_frames((t, mask, scene.person[t], None) for t, mask in masks.items()).pooled)
        right += [sum(int((mask & scene.crowd[t]).sum()) for t, mask in masks.items()),
                  sum(int(mask.sum()) for mask in masks.values())]  # fmt: skip
        for group, pixels in found_by_standing(masks, scene.instance, scene.ids, scene.paused).items():
            found[group] += pixels
    recall = {group: round(int(f) / int(n), 3) if n else None for group, (f, n) in found.items()}
    return {
        "crowd": round(float(np.mean(crowd)), 3),
        "person": round(float(np.mean(person)), 3),
        "precision": round(int(right[0]) / max(1, int(right[1])), 3),
        "recall": recall,
    }


def trained(settings: RunSettings, pairs: Sequence[Path], steps: int) -> tuple[MPASNet, float]:
    """What ``run --fast`` trains from pairs, and the seconds of processor time that it took."""
    began = time.process_time()
    net = new_network(settings.net, settings.train.seed)
    dataset = PairDataset(list(pairs), long_side=settings.train.long_side, skip_damaged=True)
    epochs = max(1, round(steps / Plan(len(dataset), settings.train).steps_per_epoch))
    if steps:
        fit(net, dataset, config=replace(settings.train, epochs=epochs), runtime=settings.runtime, progress=False)
    net.long_side = settings.train.long_side
    return net, time.process_time() - began


COLD = {name: getattr(RunSettings(), name) for name in ("encoder_weights", "siamese", "long_side", "freeze", "keep")}
VARIANTS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "fast": ({}, (0, 18, 36, 72, 144)),
    "fast, nobody kept": ({"keep": None}, (36, 72)),
    "fast, nothing frozen": ({"freeze": 0}, (36,)),
    "fast, 320 px": ({"long_side": 320}, (0, 36)),
    "fast, with the branch": ({"siamese": True}, (36,)),
    "from pictures, without the branch": ({**COLD, "siamese": False}, (36, 72, 144)),
    "from pictures (run)": (COLD, (144,)),
}


def curve(out: Path, only: Sequence[str]) -> None:
    """IoU of a network on the six validation scenes that it learned from, over the processor time it took."""
    scenes = scenes_of("validation")
    pairs = labelled(scenes, out)
    for name, (changes, counts) in VARIANTS.items():
        for steps in counts if not only or name in only else ():
            settings = changed(RunSettings.fast(), **changes)
            net, seconds = trained(settings, pairs, steps)
            _note(
                out / "curve.jsonl", {"start": name, "steps": steps, "seconds": round(seconds, 1), **score(net, scenes)}
            )


def waiting(out: Path, split: str, share: float = 0.3) -> None:
    """Recall by how long people stand: six scenes in which three of ten never move, one network."""
    scenes = scenes_of(split, waiting=share)
    pairs = labelled(scenes, out / split)
    ways: dict[str, tuple[dict[str, Any], int]] = {
        "general alone": ({}, 0),
        "fast, nobody kept": ({"keep": None}, 36),
        "fast": ({}, 36),
        "from pictures, without the branch": ({**COLD, "siamese": False}, 72),
    }
    for name, (changes, steps) in ways.items():
        net, seconds = trained(changed(RunSettings.fast(), **changes), pairs, steps)
        _note(
            out / "waiting.jsonl", {"start": name, "split": split, "seconds": round(seconds, 1), **score(net, scenes)}
        )


def _note(file: Path, row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "curve", "waiting"])
    parser.add_argument("out", type=Path)
    parser.add_argument("rest", nargs="*", help="make: clips; curve: starts; waiting: the split")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.what == "make":
        print(make(args.out, args.rest))
    elif args.what == "curve":
        curve(args.out, args.rest)
    else:
        waiting(args.out, *(args.rest or ["validation"]))


if __name__ == "__main__":
    main()
