"""``mpas-lite reproduce``: the paper's tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import MACHINE, NETWORK, PATH, TRAINING, device, jobs, quiet
from mpas_lite.cli.settings import given, settings_options
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.network.settings import NetConfig
from mpas_lite.training.config import Runtime, TrainConfig

_USUAL = ReproduceSettings()


@cli.command()
@click.argument("table", type=click.Choice(["table1", "table2", "beyond"]))
@click.option("--out", type=PATH, required=True, help="Folder for runs and tables; both tables may share one.")
@click.option("--scenes", type=PATH, multiple=True, help="A clip with ground truth beside it; again for more.")
@click.option(
    "--paper-scenes",
    type=PATH,
    multiple=True,
    help="CUHK Crowd or the Collective Motion Database: the paper's clips in it, with your truth/.",
)
@click.option("--train-on", type=PATH, multiple=True, help="Clips to learn from (default: those of the scenes).")
@click.option("--seeds", default="0,1,2", show_default=True, help="Comma-separated.")
@settings_options(ReproduceSettings, "Options")
@quiet
@settings_options(NetConfig, NETWORK, usual=_USUAL.net, without=("siamese", "fusion"))
@settings_options(TrainConfig, TRAINING, usual=_USUAL.train, without=("epochs", "loss", "seed"))
@device
@jobs
@settings_options(Runtime, MACHINE, usual=_USUAL.runtime, without=("devices", "num_nodes", "strategy"))
def reproduce(table: str, out: Path, scenes: tuple[Path, ...], paper_scenes: tuple[Path, ...],
              train_on: tuple[Path, ...], seeds: str, jobs: int, device: str, quiet: bool,
              **_: Any) -> None:  # fmt: skip
    """The paper's Table 1 or 2, or `beyond`: every row with every seed, ours beside the paper's.

    beyond: the labels that use the still camera, each step alone and left out, and networks that learned from them.

    By default on the synthetic benchmark, on a CPU, in about an hour and a half for both; give the same command
    again to go on after an interruption.

    The paper's own scenes: --paper-scenes FOLDER. Their authors published no annotations: put yours into truth/ of
    a clip's folder, named as its frames. All clips are learned from, those with truth are scored.
    """
    from mpas_lite.experiments.reproduction import reproduce as reproduce_table
    from mpas_lite.experiments.table_text import format_table
    from mpas_lite.options import changed

    try:
        numbers = tuple(int(seed) for seed in seeds.split(","))
    except ValueError:
        raise click.UsageError(f"--seeds {seeds}: give whole numbers with commas, such as 0,1,2.") from None
    settings = changed(ReproduceSettings(), **given(ReproduceSettings, NetConfig, TrainConfig, Runtime))
    if scenes and paper_scenes:
        raise click.UsageError("--scenes and --paper-scenes: give one of them.")
    scored = _clips_of_paper(paper_scenes) if paper_scenes else scenes or None
    results = reproduce_table(table, out, scenes=scored, train=train_on or None, seeds=numbers,
                              settings=settings, accelerator=device, jobs=jobs, workers=settings.runtime.workers or 0,
                              progress=not quiet, say=click.echo)  # fmt: skip
    click.echo("\n" + format_table(results) + f"\n{out / table / 'table.md'}")


def _clips_of_paper(folders: tuple[Path, ...]) -> dict[str, list[str | Path]]:
    """The clips of the paper's scenes that are at hand, by scene."""
    from mpas_lite.datasets.crowd_databases import paper_scenes

    found = {scene: [clip.source for clip in clips] for scene, clips in paper_scenes(*folders).items() if clips}
    if not found:
        raise ValueError(f"No clip of the paper's scenes lies in {', '.join(map(str, folders))}.")
    return found
