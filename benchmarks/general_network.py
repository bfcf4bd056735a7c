"""The network that comes with the package, made again, and what it is good for.

::

    python -m benchmarks.general_network make OUT CLIP@EVERY ...   # one network from rendered scenes and any clips
    python -m benchmarks.general_network leave-one-out OUT CLIP@EVERY ...   # one network for each clip, of the others
    python -m benchmarks.general_network curve OUT             # a warm start against a cold one: IoU over time
    python -m benchmarks.general_network waiting OUT           # recall by how long people stand

``make`` renders scenes of the train seeds, labels them and the clips by motion, and trains
``training/configs/general.toml``. Nobody's mask is used, not even the scenes' own. ``--nobody CLIP@EVERY ...`` adds
clips in which there is nobody, and ``--things FOLDER`` copies of all frames with things strewn over them
(:mod:`benchmarks.things`).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.lessons import clip_pairs, copies_with_things, label, nobody_pairs, opened, parted, scene_pairs
from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_folders, truth_of
from mpas_lite.evaluation.scores import score_frames
from mpas_lite.evaluation.standing import STANDING, found_by_standing
from mpas_lite.experiments.networks import new_network
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.network.batchnorm import recalibrate_batch_norm
from mpas_lite.network.inference import segment
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import save
from mpas_lite.options import changed
from mpas_lite.scenes.benchmark import SPLITS, write_scene
from mpas_lite.scenes.renderer import SCENE_NAMES, render_scene
from mpas_lite.scenes.scene import Scene
from mpas_lite.training.config import read_config
from mpas_lite.training.fitting import fit
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.plan import Plan
from mpas_lite.training.validation import recalibration_batches
from mpas_lite.video.arrays import Mask
from mpas_lite.video.masks import read_mask
from mpas_lite.video.reader import read_video

THINGS_SHARE = 0.3  # the most that costs less than 0.01 of IoU on validation scenes


def make(out: Path, clips: Sequence[str], *, nobody: Sequence[str] = (), things: Path | None = None) -> Path:
    """Scenes and clips in (``vtest.avi@6``: one frame in six), a network out: its weights as float16, 7 MB.

    With clips of nobody or things it is the mean, weight by weight, of two networks from one start: one of scenes and
    clips, and one that saw those as well.
    """
    pairs = [*scene_pairs(out), *(clip_pairs(clip, out) for clip in clips)]
    more = [nobody_pairs(clip, out) for clip in nobody]
    more += copies_with_things([*pairs, *more], things, out)
    net = _trained_on(pairs, out / "training")
    if more:
        other = _trained_on([*pairs, *more], out / "training-things", epochs=4)  # of some three times as many pairs
        net = mean_of(net, other, THINGS_SHARE, PairDataset([*pairs, *more], long_side=net.long_side))
    save(net, out / "general.safetensors", half=True)
    return out / "general.safetensors"


def _trained_on(pairs: Sequence[Path], out: Path, **changes: Any) -> MPASNet:
    config = read_config("general", changes)
    net = new_network(config.net, config.train.seed)
    fit(net, pairs, out=out, config=config.train, runtime=config.runtime, progress=False)
    return net


def mean_of(net: MPASNet, other: MPASNet, share: float, pairs: PairDataset) -> MPASNet:
    """The first net with the mean of both nets' weights, and batch norm's statistics of its own on pairs."""
    theirs = other.state_dict()
    net.load_state_dict({name: torch.lerp(own.float(), theirs[name].float(), share).to(own.dtype)
                         for name, own in net.state_dict().items()})  # fmt: skip
    recalibrate_batch_norm(net, recalibration_batches(pairs, 4))
    net.provenance["mean_with"] = {"share": share, **other.provenance}
    return net


# ------------------------------------------------------------------------------------------------- leave one out


def leave_one_out(out: Path, clips: Sequence[str], *, things: Path | None = None, steps: int = 400) -> None:
    """For each clip a network of the rendered scenes and all other clips, scored on it.

    Against truth where it lies beside the clip, else against the clip's own motion labels, which miss who waits.
    """
    scenes = scene_pairs(out)
    lessons = {clip: clip_pairs(clip, out) for clip in clips}
    copies = {folder: copies_with_things([folder], things, out) for folder in [*scenes, *lessons.values()]}
    config = read_config("general")
    for left_out in clips:
        pairs = [*scenes, *(folder for clip, folder in lessons.items() if clip != left_out)]
        dataset = PairDataset([*pairs, *(copy for folder in pairs for copy in copies[folder])], long_side=256)
        epochs = max(1, round(steps / Plan(len(dataset), config.train).steps_per_epoch))
        net = new_network(config.net, config.train.seed)
        fit(net, dataset, config=replace(config.train, epochs=epochs), runtime=config.runtime, progress=False)
        save(net, out / f"without-{lessons[left_out].name}.safetensors", half=True)
        row = {"left out": left_out, "pairs": len(dataset), **_on_unseen(net, left_out, lessons[left_out], out)}
        _note(out / "leave-one-out.jsonl", row)


def _on_unseen(net: MPASNet, clip: str, pairs: Path, out: Path) -> dict[str, Any]:
    """IoU, precision and recall of masks, alone and with the background's word; of truth one frame in twenty."""
    path = opened(parted(clip)[0], out / "clips")
    video, truth = read_video(path), truth_folders(path)
    if truth:
        files = truth_of(video, truth.get("person", next(iter(truth.values()))))
        targets = {index: read_ground_truth(file) for index, file in files.items() if index % 20 == 0}
    else:
        labels = {int(mask.stem): read_mask(mask) > 127 for mask in (pairs / "masks").iterdir()}
        targets = {index: (mask, np.ones_like(mask)) for index, mask in labels.items()}
    found: dict[str, Any] = {"against": "truth" if truth else "its labels", "frames": len(targets)}
    for way, options in {"alone": {}, "fused": {"background": True, "masks": "person"}}.items():
        masks = segment(net, video, every=math.gcd(*targets) or 1, device="cpu", **options)
        found[way] = _agreement((mask, *targets[index]) for index, mask in masks if index in targets)
    return found


def _agreement(frames: Iterable[tuple[Mask, Mask, Mask]]) -> dict[str, float]:
    """IoU, precision and recall over all pixels of all frames that count: (found, target, counts) each."""
    both = found = there = 0
    for mask, target, counts in frames:
        both += int((mask & target & counts).sum())
        found += int((mask & counts).sum())
        there += int((target & counts).sum())
    ratios = {"iou": (both, found + there - both), "precision": (both, found), "recall": (both, there)}
    return {name: round(part / whole, 3) if whole else 1.0 for name, (part, whole) in ratios.items()}


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
    return label(clips, out / "pairs", every=every)


def masks_of(net: MPASNet, scene: Scene, *, fused: bool, every: int = 6) -> dict[int, np.ndarray]:
    """The network's masks of the crowd, alone or as ``run`` fuses them with the background."""
    how: dict[str, Any] = {"background": True, "person_height": RunSettings().person_height} if fused else {}
    return dict(segment(net, scene.frames, every=every, device="cpu", **how))


def score(net: MPASNet, scenes: Sequence[Scene], *, fused: bool = False) -> dict[str, Any]:
    """IoU, mean over scenes, against crowd and person masks; precision and recall of person pixels by standing."""
    found, crowd, person = {group: np.zeros(2, int) for group in STANDING}, [], []
    right = np.zeros(2, int)
    for scene in scenes:
        masks = masks_of(net, scene, fused=fused)
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
    """What ``run`` trains from pairs, and the seconds of processor time that it took."""
    began = time.process_time()
    net = new_network(settings.net, settings.train.seed)
    dataset = PairDataset(list(pairs), long_side=settings.train.long_side, skip_damaged=True)
    lessons = dataset if settings.train.empty else dataset.with_crowd()
    epochs = max(1, round(steps / Plan(len(lessons), settings.train).steps_per_epoch))
    if steps:
        fit(net, dataset, config=replace(settings.train, epochs=epochs), runtime=settings.runtime, progress=False)
    net.long_side = settings.train.long_side
    return net, time.process_time() - began


OURS = RunSettings()
PICTURES = OURS.with_encoder(OURS.net.encoder, "offline")
WAYS: dict[str, tuple[RunSettings, int]] = {
    "general, no training": (OURS, 0),
    "run --fast": (RunSettings.fast(), 72),
    "run": (OURS, 144),
    "run, half of the steps": (OURS, 72),
    "run, twice the steps": (OURS, 288),
    "run, nobody kept": (changed(OURS, keep=None), 144),
    "run, with the branch": (changed(OURS, siamese=True), 144),
    "run, batches of 4": (changed(OURS, batch_size=4), 72),
    "from pictures": (PICTURES, 150),
    "from pictures, with the branch": (changed(PICTURES, siamese=True), 150),
}


def curve(out: Path, only: Sequence[str]) -> None:
    """IoU of a network on the six validation scenes that it learned from, over the processor time it took."""
    scenes = scenes_of("validation")
    pairs = labelled(scenes, out)
    for name, (settings, steps) in WAYS.items():
        if not only or name in only:
            net, seconds = trained(settings, pairs, steps)
            row = {"start": name, "steps": steps, "seconds": round(seconds, 1), **score(net, scenes)}
            _note(out / "curve.jsonl", row)


def waiting(out: Path, split: str, share: float = 0.3) -> None:
    """Recall by how long people stand: six scenes in which three of ten never move, one network."""
    scenes = scenes_of(split, waiting=share)
    pairs = labelled(scenes, out / split)
    for name in ("general, no training", "run, nobody kept", "run", "run --fast", "from pictures"):
        net, seconds = trained(WAYS[name][0], pairs, WAYS[name][1])
        for fused in (False, True):
            row = {"start": name, "split": split, "fused": fused, "seconds": round(seconds, 1)}
            _note(out / "waiting.jsonl", {**row, **score(net, scenes, fused=fused)})


def _note(file: Path, row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "leave-one-out", "curve", "waiting"])
    parser.add_argument("out", type=Path)
    parser.add_argument("rest", nargs="*", help="make, leave-one-out: clips; curve: starts; waiting: the split")
    parser.add_argument("--nobody", nargs="+", default=[], metavar="CLIP@EVERY", help="make: clips in which is nobody")
    parser.add_argument("--things", type=Path, help="a folder of pictures of things, strewn over copies of the frames")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.what == "make":
        print(make(args.out, args.rest, nobody=args.nobody, things=args.things))
    elif args.what == "leave-one-out":
        leave_one_out(args.out, args.rest, things=args.things)
    elif args.what == "curve":
        curve(args.out, args.rest)
    else:
        waiting(args.out, *(args.rest or ["validation"]))


if __name__ == "__main__":
    main()
