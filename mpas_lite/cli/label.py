"""``mpas-lite label``: pseudo-labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import MACHINE, PATH, changed_labels, jobs, label_options, quiet
from mpas_lite.cli.settings import Section, given
from mpas_lite.labels.settings import LabelSettings


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=PATH, metavar="INPUT...")
@click.option("--out", type=PATH, required=True, help="Folder for the pairs.")
@quiet
@label_options(LabelSettings())
@jobs
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers label the clips.", cls=Section,
              section=MACHINE)  # fmt: skip
def label(inputs: tuple[Path, ...], out: Path, jobs: int, scheduler: str | None, quiet: bool, refine: bool | None,
          **_: Any) -> None:  # fmt: skip
    """Pseudo-labels: pairs of frame and mask, from motion alone.

    Without options the paper's settings. Of several clips a bad one is named and left out; the exit code is
    then 1.
    """
    from mpas_lite.files.ledger import lock_folder
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.labels.batch import pseudo_label_many
    from mpas_lite.video.clip import clips_of

    settings = changed_labels(LabelSettings(), given(LabelSettings), refine)
    clips = clips_of(inputs)
    check_apart((out / clip.name for clip in clips), (path for clip in clips for path in clip.paths()))
    with lock_folder(out):
        results = pseudo_label_many(clips, out, settings=settings, jobs=jobs, scheduler=scheduler, progress=not quiet)
    failed = [clip for clip in results if clip.error]
    if len(failed) == len(results) == 1:
        raise ValueError(failed[0].error)
    for clip in results:
        click.echo(f"{clip.name}: {clip.error or f'{clip.pairs} pairs, {clip.empty} without a crowd'}")
    if len(failed) == len(results):
        raise ValueError("None of the clips could be labelled.")
    if failed:
        sys.exit(1)
