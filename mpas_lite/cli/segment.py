"""``mpas-lite segment``: masks of a video, with a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import PATH, device, quiet

if TYPE_CHECKING:
    from mpas_lite.network.mask_files import Masks


@cli.command()
@click.argument("input", type=PATH)
@click.option(
    "--weights",
    type=PATH,
    default="general",
    show_default=True,
    help="model.safetensors from `train` or `run`; general: comes along.",
)
@click.option("--out", type=PATH, required=True, help="Folder for masks/ and overlay.mp4.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="One frame in so many.")
@click.option("--threshold", default=0.5, show_default=True, help="Crowd is where the probability is above.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(1), help="Frames at a time.")
@click.option("--background", is_flag=True, help="Let the background of a still camera tell where people end.")
@click.option(
    "--masks",
    type=click.Choice(["crowd", "person", "both"]),
    default="crowd",
    show_default=True,
    help="With --background: the region that a person would outline, or persons alone; both: those in persons/.",
)
@click.option(
    "--person-height",
    type=float,
    help="With --background: where people are small, frames are scaled down less, until people are so high, px; 48 is "
    "what `run` takes. Slower.",
)
@quiet
@device
def segment(input: Path, weights: Path, out: Path, every: int, threshold: float, batch_size: int, background: bool,
            masks: Masks, person_height: float | None, device: str, quiet: bool) -> None:  # fmt: skip
    """Crowd masks of a video, with a trained network."""
    from mpas_lite.files.ledger import lock_folder
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.network.mask_files import segment_outputs, segment_to
    from mpas_lite.network.weights import load
    from mpas_lite.video.clip import Clip

    if masks != "crowd" and not background:
        raise click.UsageError(
            "Only the background tells persons from the crowd: --masks person goes with --background."
        )
    if person_height is not None and not background:
        raise click.UsageError("Only the background tells how high people are: --person-height goes with --background.")
    clip = Clip.at(input)
    check_apart(segment_outputs(out), [*clip.paths(), weights])
    net = load(weights)
    with lock_folder(out):
        done = segment_to(net, clip.video(), out, every=every, threshold=threshold, batch_size=batch_size,
                          background=background, masks=masks, person_height=person_height, device=device,
                          progress=not quiet)  # fmt: skip
    click.echo(f"{done['frames']} masks in {out / 'masks'}, crowd in {done['crowd']:.1%} of the pixels")
