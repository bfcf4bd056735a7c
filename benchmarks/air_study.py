"""Where invariance pays: the siamese branch on scenes like those it learned from, and on others.

The paper tests "cross-scene generalization"; Table 1 here trains and tests on the same six kinds of scenes. So leave
one kind out (train on five, test on the sixth) and one real clip out, and try variants of the branch, which are ours
and never stand under the paper's name. Every network has the same labels, encoder and number of steps:

    python -m benchmarks.air_study prepare --out OUT                # scenes, labels; minutes
    python -m benchmarks.air_study train --out OUT --processes 12   # goes on where it stopped
    python -m benchmarks.air_study table --out OUT

``prepare --data FOLDER`` adds real clips: ``FOLDER/<clip>/input``, and ``groundtruth`` beside those to be left out.
Variants are chosen on the validation clips; the test clips are scored by the same run and looked at once.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import click
import numpy as np
import torch
from joblib import Parallel, delayed
from torch import Tensor, nn
from tqdm.auto import tqdm

from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.scores import iou
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.experiments.table_statistics import mean_and_std
from mpas_lite.labels.pseudolabel import pseudo_label
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.inference import segment
from mpas_lite.network.losses import air_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.scenes.benchmark import SPLITS
from mpas_lite.scenes.renderer import SCENE_NAMES, render_scene
from mpas_lite.training import loop
from mpas_lite.training.augmentation import change_colours
from mpas_lite.training.fitting import fit
from mpas_lite.training.pairs import PairDataset
from mpas_lite.video.images import write_image
from mpas_lite.video.reader import read_video

SETTINGS = ReproduceSettings(encoder="tf_efficientnet_lite0", encoder_weights="offline", steps=300)
REAL = "real "  # what the names of real clips begin with
Losses = Callable[[nn.Module, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


# ------------------------------------------------------------------------------------------------ the variants


def _paper(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    prob, f, f_hat = model(x, x_hat)
    return dice_loss(prob, target, valid=valid), air_loss(f, f_hat)


def _fixed_target(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """The clean view is the target, and only the other view's features are pulled to it."""
    prob, f, f_hat = model(x, x_hat)
    return dice_loss(prob, target, valid=valid), air_loss(f.detach(), f_hat)


def _standardised(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Each map is divided by its own deviation first: making F small no longer makes AIR small."""
    prob, f, f_hat = model(x, x_hat)
    both = torch.cat([f, f_hat]).float()
    deviation = both.std(dim=(0, 2, 3), keepdim=True) + 1e-3
    return dice_loss(prob, target, valid=valid), air_loss(f / deviation, f_hat / deviation)


def _on_psi(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """What the head sees must not change; what psi drops may."""
    prob, f, f_hat = model(x, x_hat)
    return dice_loss(prob, target, valid=valid), air_loss(model.psi(f), model.psi(f_hat))


def _each_view(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Both views are segmented, each by itself, and both answer to the label; nothing asks F to agree."""
    loss = (dice_loss(model(x), target, valid=valid) + dice_loss(model(x_hat), target, valid=valid)) / 2
    return loss, loss.new_zeros(())


def _each_view_air(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    prob, f, f_hat = model(x, x_hat)  # made with fusion=False: prob is of x alone
    other = model(x_hat)
    return (dice_loss(prob, target, valid=valid) + dice_loss(other, target, valid=valid)) / 2, air_loss(f, f_hat)


def _clean(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    loss = dice_loss(model(x), target, valid=valid)
    return loss, loss.new_zeros(())


def _augmented(model: nn.Module, x: Tensor, x_hat: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Plain augmentation of colour, as everybody does it: one view, half the time of a step."""
    loss = dice_loss(model(x_hat), target, valid=valid)
    return loss, loss.new_zeros(())


@dataclass(frozen=True)
class Variant:
    """A way to train: the losses of a step, how much AIR weighs, and what it costs."""

    losses: Losses
    siamese: bool = True
    fusion: bool = True
    air_weight: float = SETTINGS.air_weight
    steps: int = SETTINGS.steps
    encoder: str = SETTINGS.encoder
    weights: str | None = SETTINGS.encoder_weights


VARIANTS = {
    "MPASNET*": Variant(_clean, siamese=False),
    "MPASNET, AIR 0.1": Variant(_paper),
    "colour augmentation": Variant(_augmented, siamese=False),
    "both views segmented": Variant(_each_view, siamese=False),
    "AIR 0.1, clean view fixed": Variant(_fixed_target),
    "AIR 0.1 on psi": Variant(_on_psi),
    "AIR 0.1, standardised": Variant(_standardised),
    "both views and AIR 0.1": Variant(_each_view_air, fusion=False),
    "MPASNET, AIR 1": Variant(_paper, air_weight=1.0),
    "MPASNET*, 600 steps": Variant(_clean, siamese=False, steps=600),
    "colour augmentation, 600 steps": Variant(_augmented, siamese=False, steps=600),
    "MPASNET, AIR 0.1, 600 steps": Variant(_paper, steps=600),
    "MPASNET* (HRNet)": Variant(_clean, siamese=False, encoder="hrnet_w18_small", weights=None, steps=936),
    "MPASNET (HRNet)": Variant(_paper, encoder="hrnet_w18_small", weights=None, steps=936),
}


# ------------------------------------------------------------------------------------------------ the clips


def prepare_synthetic(split: str, name: str, number: int, out: Path) -> None:
    """A rendered clip: pairs to learn from, or frames to score."""
    clip = f"{name}-{SPLITS[split] + number}"
    if _there(out, clip):
        return
    scene = render_scene(name, seed=SPLITS[split] + number, frames=SETTINGS.frames)
    frames = scene.frames
    if split == "train":
        _write_pairs(frames, out / "pairs" / clip, SETTINGS.label)
        return
    last = len(frames) - 1 - SETTINGS.label.interval
    count = SETTINGS.score_frames
    chosen = [(2 * part + 1) * (last + 1) // (2 * count) for part in range(count)]
    truth = {"crowd": scene.crowd[chosen], "person": scene.person[chosen]}
    _write_frames(out / "score" / split / clip, frames[chosen], truth)


def prepare_real(source: Path, out: Path) -> None:
    """A real clip: pairs to learn from, and where it has ground truth frames to score."""
    clip = REAL + (source.parent.name if source.name == "input" else source.stem)
    if _there(out, clip):
        return
    _write_pairs(source, out / "pairs" / clip, replace(SETTINGS.label, every=20))
    masks = source.parent / "groundtruth"
    if source.name != "input" or not masks.is_dir():
        return
    video = read_video(source)
    truth = truth_of(video, masks)
    there = sorted(truth)
    chosen = [there[(2 * part + 1) * len(there) // 80] for part in range(40)]
    frames, person, valid = [], [], []
    for index, frame in video.frames(chosen):
        mask, counts = read_ground_truth(truth[index])
        frames.append(frame)
        person.append(mask)
        valid.append(counts)
    _write_frames(out / "score" / "real" / clip, np.array(frames), {"person": np.array(person)}, np.array(valid))


def _there(out: Path, clip: str) -> bool:
    return any((folder / clip / "done").exists() for folder in (out / "pairs", *(out / "score").glob("*")))


def _write_pairs(source: Any, folder: Path, label: LabelSettings) -> None:
    """Pseudo-labelled pairs as the networks will see them: scaled once, here."""
    with tempfile.TemporaryDirectory() as temporary:
        pseudo_label(source, temporary, settings=label, progress=False)
        pairs = PairDataset(temporary, long_side=SETTINGS.long_side)
        for index in range(len(pairs)):
            image, mask, _ = pairs[index]
            write_image(folder / f"frames/{index:06d}.png", image.permute(1, 2, 0).numpy())
            write_image(folder / f"masks/{index:06d}.png", mask[0].numpy() > 0)
    (folder / "done").touch()


def _write_frames(
    folder: Path, frames: np.ndarray, truth: dict[str, np.ndarray], valid: np.ndarray | None = None
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"frames": frames, **truth, "valid": np.ones(frames.shape[:3], bool) if valid is None else valid}
    np.savez_compressed(folder / "frames.npz", **kept)
    (folder / "done").touch()


# ------------------------------------------------------------------------------------------------ the runs


@dataclass(frozen=True)
class Run:
    """One network: which clips are left out of what it learns from, how, and with which seed."""

    fold: str
    variant: str
    seed: int

    def file(self, out: Path) -> Path:
        """Where its scores are."""
        name = f"{self.fold}, {self.variant}, seed {self.seed}".replace("*", " star")
        return out / "runs" / f"{name}.json"


def folds(out: Path) -> list[str]:
    """What is left out: nothing, each kind of scene, each real clip with ground truth."""
    real = sorted(folder.name for folder in (out / "score" / "real").glob("*"))
    return ["nothing", *SCENE_NAMES, *real]


def clips_of(fold: str, out: Path) -> tuple[list[Path], list[Path]]:
    """Folders of pairs to learn from, and of frames to score."""
    pairs = sorted((out / "pairs").glob("*"))
    score = sorted(folder for split in ("validation", "test") for folder in (out / "score" / split).glob("*"))
    if fold.startswith(REAL):
        return (
            [folder for folder in pairs if folder.name.startswith(REAL) and folder.name != fold],
            [out / "score" / "real" / fold],
        )
    pairs = [folder for folder in pairs if not folder.name.startswith((REAL, fold + "-"))]
    return pairs, [folder for folder in score if fold == "nothing" or folder.name.startswith(fold + "-")]


def train_and_score(run: Run, out: Path, device: str) -> None:
    """Train one network and write its IoU of every clip, lit as it was and in another light."""
    file = run.file(out)
    if file.exists():
        return
    started = time.perf_counter()
    v = VARIANTS[run.variant]
    learn, judge = clips_of(run.fold, out)
    torch.manual_seed(run.seed)
    net = MPASNet(v.encoder, encoder_weights=v.weights, siamese=v.siamese, fusion=v.fusion)
    pairs = PairDataset(learn, long_side=SETTINGS.long_side)
    epochs = max(1, round(v.steps / math.ceil(len(pairs) / SETTINGS.batch_size)))

    def losses(learner: Any, batch: Sequence[Tensor], images: float, config: Any) -> Tensor:
        x, x_hat, target, valid = batch
        x, x_hat = (view.to(memory_format=learner.memory) / 255 for view in (x, x_hat))
        l_seg, l_air = v.losses(learner.model, x, x_hat, target, valid)
        return torch.stack([l_seg + v.air_weight * l_air, l_seg, l_air]) * (len(x) / images)

    # TrainingViews gives both views to every net here: what is compared is the loss.
    with mock.patch.object(loop, "batch_losses", losses):
        history = fit(
            net, pairs, epochs=epochs, batch_size=SETTINGS.batch_size, lr=SETTINGS.lr, schedule="cosine", seed=run.seed,
            accelerator=device, workers=0, progress=False,
        )  # fmt: skip
    found = {}
    for folder in judge:
        with np.load(folder / "frames.npz") as clip:
            lights = {"lit": clip["frames"]}
            lights["other light"] = np.array(
                [change_colours(frame, np.random.default_rng(n)) for n, frame in enumerate(lights["lit"])]
            )
            truths = {name: clip[name] for name in ("crowd", "person") if name in clip}
            valid = clip["valid"]
        for light, frames in lights.items():
            masks = np.array([mask for _, mask in segment(net, frames, device=device)])
            for kind, truth in truths.items():
                score = iou(masks, truth, valid)  # of all pixels of all frames
                found.setdefault(f"{folder.parent.name}/{folder.name}", {})[f"{kind}, {light}"] = score
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"run": vars(run), "steps": history.steps, "seconds": time.perf_counter() - started, "iou": found,
               "segmentation": history.segmentation[-1], "air": history.air[-1]}  # fmt: skip
    file.with_suffix(".part").write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(file.with_suffix(".part"), file)


def _in_time(run: Run, out: Path, device: str, deadline: float) -> None:
    """The run, unless the time is over."""
    if time.time() < deadline:
        train_and_score(run, out, device)


# ------------------------------------------------------------------------------------------------ the table

SETS = (("validation", "crowd"), ("test", "crowd"), ("test", "person"), ("real", "person"))
LIGHTS = ("lit", "other light")
Found = dict[str, dict[str, dict[int, float]]]  # variant -> what was left out -> seed -> mIoU


def found(out: Path, split: str, kind: str, light: str) -> Found:
    """The mean IoU of every run's clips of one split, against one kind of truth, in one light."""
    of: Found = {}
    for file in sorted((out / "runs").glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        run, key = content["run"], f"{kind}, {light}"
        values = [iou[key] for clip, iou in content["iou"].items() if clip.startswith(split + "/") and key in iou]
        if values:
            of.setdefault(run["variant"], {}).setdefault(run["fold"], {})[run["seed"]] = statistics.fmean(values)
    return of


def left_out(row: dict[str, dict[int, float]], names: Sequence[str]) -> dict[int, float]:
    """By seed, the mean over everything that was left out, for the seeds that have all of it."""
    seeds = set.intersection(*(set(row.get(name, {})) for name in names)) if names else set()
    return {seed: statistics.fmean(row[name][seed] for name in names) for seed in sorted(seeds)}


def table(out: Path) -> Iterator[str]:
    """For each set of clips: mean and deviation over the seeds, a row a variant, a column a left-out kind."""
    for split, kind in SETS:
        for light in LIGHTS:
            of = found(out, split, kind, light)
            names = [fold for fold in folds(out) if any(fold in row for row in of.values())]
            if of:
                yield f"\n{split} clips, {kind} masks, {light}: mIoU, mean ± deviation over the seeds; left out:\n"
                yield "| | " + " | ".join([*names, "**mean of the left out**"]) + " |"
                yield "|:--|" + "--:|" * (len(names) + 1)
            for variant in (variant for variant in VARIANTS if variant in of):
                row = of[variant]
                cells = [_cell(row.get(name, {})) for name in names]
                means = left_out(row, [name for name in names if name != "nothing"])
                yield f"| {variant} | " + " | ".join([*cells, _cell(means)]) + " |"


def _cell(of_seed: dict[int, float]) -> str:
    if not of_seed:
        return ""
    mean, std = mean_and_std(list(of_seed.values()))
    return f"{mean:.3f}" + ("" if std is None else f" ± {std:.3f}")


def record(out: Path) -> dict[str, Any]:
    """What notebook 06 draws: variant -> clips -> light -> mIoU of every seed."""
    content: dict[str, Any] = {}
    for split, kind in SETS:
        for light in LIGHTS:
            for variant, row in found(out, split, kind, light).items():
                real = split == "real"
                names = [fold for fold in folds(out) if fold.startswith(REAL) == real and fold != "nothing"]
                sets = {f"{split}, {kind}, left out": left_out(row, names)}
                if not real:
                    sets[f"{split}, {kind}, same kinds"] = row.get("nothing", {})
                for name, of_seed in sets.items():
                    if of_seed:
                        content.setdefault(variant, {}).setdefault(name, {})[light] = [
                            round(of_seed[seed], 4) for seed in sorted(of_seed)
                        ]
    return {"settings": {"steps": SETTINGS.steps, "encoder": SETTINGS.encoder}, "miou": content}


@click.group()
def main() -> None:
    """Where invariance pays."""


@main.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder of real clips.")
@click.option("--jobs", default=1)
@click.option("--synthetic/--no-synthetic", default=True)
def prepare(out: Path, data: Path | None, jobs: int, synthetic: bool) -> None:
    """Render, label and scale down."""
    work = []
    if synthetic:
        many = {"train": SETTINGS.train_clips, "validation": SETTINGS.clips, "test": SETTINGS.clips}
        work += [
            delayed(prepare_synthetic)(split, name, number, out)
            for split, count in many.items()
            for number in range(count)
            for name in SCENE_NAMES
        ]
    if data:
        sources = [*sorted(data.glob("*/input")), *sorted(data.glob("*.avi")), *sorted(data.glob("*.mp4"))]
        work += [delayed(prepare_real)(source, out) for source in sources]
    list(tqdm(Parallel(jobs, return_as="generator_unordered")(work), total=len(work), unit="clip"))


@main.command()
@click.option("--out", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--device", default="auto")
@click.option("--processes", default=1)
@click.option("--seeds", default=3)
@click.option("--variant", "variants", multiple=True, type=click.Choice(list(VARIANTS)))
@click.option("--fold", "wanted", multiple=True)
@click.option("--seconds", default=math.inf, help="Begin no run after so many.")
def train(
    out: Path,
    device: str,
    processes: int,
    seeds: int,
    variants: tuple[str, ...],
    wanted: tuple[str, ...],
    seconds: float,
) -> None:
    """Train and score whatever is not there yet, one seed after the other."""
    deadline = time.time() + seconds
    todo = [
        Run(fold, variant, seed)
        for seed in range(seeds)
        for variant in variants or VARIANTS
        for fold in wanted or folds(out)
    ]
    todo = [run for run in todo if not run.file(out).exists()]
    print(f"{len(todo)} runs", flush=True)
    work = Parallel(processes, batch_size=1, return_as="generator_unordered")(
        delayed(_in_time)(run, out, device, deadline) for run in todo
    )
    list(tqdm(work, total=len(todo), unit="run", mininterval=10))


@main.command("table")
@click.option("--out", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--record", "file", type=click.Path(path_type=Path), help="Write what notebook 06 draws to this file.")
def show(out: Path, file: Path | None) -> None:
    """Print the tables."""
    for line in table(out):
        print(line)
    if file:
        file.write_text(json.dumps(record(out), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
