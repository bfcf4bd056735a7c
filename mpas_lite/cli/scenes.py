"""``mpas-lite scenes``: the synthetic benchmark."""

from __future__ import annotations

from pathlib import Path

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import PATH


@cli.command()
@click.argument("folder", type=PATH)
@click.option("--split", type=click.Choice(["train", "validation", "test", "all"]), default="all", show_default=True)
@click.option("--clips", default=2, show_default=True, type=click.IntRange(1), help="Clips of each kind and split.")
@click.option("--frames", default=120, show_default=True, type=click.IntRange(1), help="Frames a clip.")
def scenes(folder: Path, split: str, clips: int, frames: int) -> None:
    """The synthetic benchmark: six kinds of crowd with exact ground truth, split by seed."""
    from mpas_lite.files.ledger import lock_folder
    from mpas_lite.scenes.benchmark import render_benchmark

    with lock_folder(folder):
        for one in ("train", "validation", "test") if split == "all" else (split,):
            paths = render_benchmark(folder, split=one, clips_per_kind=clips, frames=frames, alone=False)
            click.echo(f"{one}: {len(paths)} clips in {folder / one}")
