"""``mpas-lite run``: the main job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import MACHINE, NETWORK, PATH, TRAINING, changed_labels, device, jobs, label_options, quiet
from mpas_lite.cli.settings import given, settings_options
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.settings import NetConfig
from mpas_lite.options import changed
from mpas_lite.training.config import Runtime, TrainConfig

_USUAL = RunSettings()


@cli.command()
@click.argument("inputs", nargs=-1, type=PATH, metavar="[INPUT]...")
@click.option("--out", type=PATH, required=True, help="Folder for everything that comes out.")
@click.option("--truth", type=PATH, help="Ground truth of the one INPUT: a folder of masks.")
@click.option(
    "--paper", is_flag=True, help="The paper's settings: hrnet_w48 from ImageNet, one frame in 20, circles of 20 px."
)
@click.option("--fast", is_flag=True, help="Half of the labels and steps, frames of 192 px: quicker, less exact.")
@settings_options(RunSettings, "Options")
@quiet
@label_options(_USUAL.label)
@settings_options(NetConfig, NETWORK, usual=_USUAL.net)
@settings_options(TrainConfig, TRAINING, usual=_USUAL.train, without=("epochs",))
@device
@jobs
@settings_options(Runtime, MACHINE, usual=_USUAL.runtime, without=("devices", "num_nodes", "strategy"))
def run(inputs: tuple[Path, ...], out: Path, truth: Path | None, paper: bool, fast: bool, jobs: int, device: str,
        quiet: bool, refine: bool | None, **_: Any) -> None:  # fmt: skip
    """The main job: label, train, segment, report.

    INPUT is a video or a folder of frames, or several. With none, the bundled sample scenes are used, and six
    scenes that the network has not seen are scored as well.
    """
    from mpas_lite.experiments.clip_scores import format_scores
    from mpas_lite.experiments.main_job import run as run_job

    if truth is not None and len(inputs) != 1:
        raise click.UsageError("--truth goes with exactly one INPUT.")
    if paper and fast:
        raise click.UsageError("--paper and --fast are two ways to run: give one of them.")
    settings = _settings(RunSettings.paper() if paper else RunSettings.fast() if fast else RunSettings(), refine)
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


def _settings(settings: RunSettings, refine: bool | None) -> RunSettings:
    """These settings, with what was given on the command line in its place."""
    changes = given(RunSettings, NetConfig, TrainConfig, Runtime)
    encoder, weights = changes.pop("encoder", None), changes.pop("encoder_weights", "")
    if encoder or weights != "":
        settings = settings.with_encoder(encoder or settings.net.encoder, "none" if weights is None else weights)
    settings = replace(settings, label=changed_labels(settings.label, given(LabelSettings), refine))
    return changed(settings, **changes)


def _unseen_scenes(folder: Path) -> list[Path]:
    """One short scene of each kind, from the test seeds: no network is ever trained on those."""
    from mpas_lite.scenes.benchmark import render_benchmark

    click.echo("0/4 render six scenes that the network will not see in training")
    return render_benchmark(folder, split="test", clips_per_kind=1, frames=60)
