"""``mpas-lite segment``: masks of a video, with a trained network."""

from __future__ import annotations

from pathlib import Path

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import PATH, device, quiet


@cli.command()
@click.argument("input", type=PATH)
@click.option("--weights", type=PATH, required=True, help="model.safetensors from `train` or `run`.")
@click.option("--out", type=PATH, required=True, help="Folder for masks/ and overlay.mp4.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="One frame in so many.")
@click.option("--threshold", default=0.5, show_default=True, help="Crowd is where the probability is above.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(1), help="Frames at a time.")
@quiet
@device
def segment(input: Path, weights: Path, out: Path, every: int, threshold: float, batch_size: int, device: str,
            quiet: bool) -> None:  # fmt: skip
    """Crowd masks of a video, with a trained network."""
    from mpas_lite.files.ledger import lock_folder
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.network.mask_files import segment_outputs, segment_to
    from mpas_lite.network.weights import load
    from mpas_lite.video.clip import Clip

    clip = Clip.at(input)
    check_apart(segment_outputs(out), [*clip.paths(), weights])
    net = load(weights)
    with lock_folder(out):
        done = segment_to(net, clip.video(), out, every=every, threshold=threshold, batch_size=batch_size,
                          device=device, progress=not quiet)  # fmt: skip
    click.echo(f"{done['frames']} masks in {out / 'masks'}, crowd in {done['crowd']:.1%} of the pixels")
