"""The commands around the paper: ``scenes`` and ``reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import _EXISTING, _given, _quiet, _training_options


@cli.command()
@click.argument("folder", type=_EXISTING)
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


@cli.command()
@click.argument("table", type=click.Choice(["table1", "table2", "beyond"]))
@click.option("--out", type=_EXISTING, required=True, help="Folder for runs and tables; both tables may share one.")
@click.option("--scenes", type=_EXISTING, multiple=True, help="A clip with ground truth beside it; again for more.")
@click.option(
    "--paper-scenes",
    type=_EXISTING,
    multiple=True,
    help="CUHK Crowd or the Collective Motion Database: the paper's clips in it, with your truth/.",
)
@click.option("--train-on", type=_EXISTING, multiple=True, help="Clips to learn from (default: those of the scenes).")
@click.option("--seeds", default="0,1,2", show_default=True, help="Comma-separated.")
@click.option("--split", type=click.Choice(["test", "validation"]), help="Of the synthetic scenes that are scored.")
@click.option("--steps", type=click.IntRange(1), help="Training steps of each run.")
@click.option("--precision", help="32-true, bf16-mixed, 16-mixed.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Processes that read pairs.")
@click.option("--jobs", default=1, show_default=True, help="Clips labelled side by side.")
@_training_options
@_quiet
def reproduce(table: str, out: Path, scenes: tuple[Path, ...], paper_scenes: tuple[Path, ...],
              train_on: tuple[Path, ...], seeds: str, workers: int, jobs: int, device: str, quiet: bool,
              **options: Any) -> None:  # fmt: skip
    """The paper's Table 1 or 2, or `beyond`: every row with every seed, ours beside the paper's.

    beyond: the labels that use the still camera, each step alone and left out, and networks that learned from them.

    By default on the synthetic benchmark, on a CPU, in about an hour and a half for both; give the same command
    again to go on after an interruption.

    The paper's own scenes: --paper-scenes FOLDER. Their authors published no annotations: put yours into truth/ of
    a clip's folder, named as its frames. All clips are learned from, those with truth are scored.
    """
    from mpas_lite.experiments.reproduction import reproduce as reproduce_table
    from mpas_lite.experiments.settings import ReproduceSettings
    from mpas_lite.experiments.tables import format_table
    from mpas_lite.options import changed

    try:
        numbers = tuple(int(seed) for seed in seeds.split(","))
    except ValueError:
        raise click.UsageError(f"--seeds {seeds}: give whole numbers with commas, such as 0,1,2.") from None
    settings = changed(ReproduceSettings(), **_given(options))
    if scenes and paper_scenes:
        raise click.UsageError("--scenes and --paper-scenes: give one of them.")
    scored = _clips_of_paper(paper_scenes) if paper_scenes else scenes or None
    results = reproduce_table(table, out, scenes=scored, train=train_on or None, seeds=numbers,
                              settings=settings, accelerator=device, jobs=jobs, workers=workers,
                              progress=not quiet, say=click.echo)  # fmt: skip
    click.echo("\n" + format_table(results) + f"\n{out / table / 'table.md'}")


def _clips_of_paper(folders: tuple[Path, ...]) -> dict[str, list[Path]]:
    """The clips of the paper's scenes that are at hand, by scene."""
    from mpas_lite.datasets.public import paper_scenes

    found = {scene: [Path(clip.source) for clip in clips] for scene, clips in paper_scenes(*folders).items() if clips}
    if not found:
        raise ValueError(f"No clip of the paper's scenes lies in {', '.join(map(str, folders))}.")
    return found
