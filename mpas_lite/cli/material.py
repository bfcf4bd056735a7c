"""Commands for data and lessons: ``labelme``, ``download``, ``clips`` and ``notebooks``."""

from __future__ import annotations

from pathlib import Path

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import PATH


@cli.group()
def labelme() -> None:
    """Ground truth by hand: to LabelMe's polygons for correction, and back to masks."""


@labelme.command("write")
@click.argument("masks", type=PATH)
@click.argument("frames", type=PATH)
@click.option("--out", required=True, type=PATH, help="Folder to open in LabelMe; what is there is kept.")
@click.option("--label", default="crowd", show_default=True, help="What to call the regions.")
@click.option("--tolerance", default=1.0, show_default=True, help="How far an outline may depart from the mask, px.")
@click.option("--min-area", default=25, show_default=True, help="Smaller regions are left out, px.")
def labelme_write(masks: Path, frames: Path, out: Path, label: str, tolerance: float, min_area: int) -> None:
    """Turn MASKS into polygons for LabelMe, each beside its frame.

    FRAMES: the video or folder that the masks were made from, or the frames/ beside masks/ of a clip's pairs.
    """
    from mpas_lite.evaluation.prelabels import write_prelabels

    written = write_prelabels(masks, frames, out, label=label, tolerance=tolerance, min_area=min_area)
    click.echo(f"{len(written)} frames written to {out}. Correct them with: labelme {out}")


@labelme.command("read")
@click.argument("folder", type=PATH)
@click.option("--out", required=True, type=PATH, help="Folder of masks, for `mpas-lite evaluate`.")
@click.option("--label", "labels", multiple=True, help="Label that counts as crowd; may be given again (default: all).")
def labelme_read(folder: Path, out: Path, labels: tuple[str, ...]) -> None:
    """Turn the LabelMe files of FOLDER into masks; shapes labelled `hole` take away."""
    from mpas_lite.evaluation.labelme import labelme_masks

    click.echo(f"{len(labelme_masks(folder, out, labels=labels or None))} masks in {out}")


@cli.command()
@click.argument("name", default="vtest.avi")
@click.option("--out", type=PATH, help="Folder to keep it in (default: $MPAS_LITE_DATA, else the system's cache).")
def download(name: str, out: Path | None) -> None:
    """Download a video that is free to have, and print where it is."""
    from mpas_lite.datasets.downloads import download as download_file

    click.echo(download_file(name, folder=out))


@cli.command()
@click.argument("dataset", type=click.Choice(["cmd", "cuhk", "cdnet", "videos", "paper"]))
@click.argument("folders", type=PATH, nargs=-1, required=True)
def clips(dataset: str, folders: tuple[Path, ...]) -> None:
    """List the clips of a data set as it comes: what to give to `label`, one a line.

    paper: those of the paper's six evaluation scenes.
    """
    from mpas_lite import datasets as sources

    adapters = {
        "cmd": sources.collective_motion,
        "cuhk": sources.cuhk_crowd,
        "cdnet": sources.cdnet,
        "videos": sources.video_folder,
    }
    if dataset == "paper":
        found = [clip for scene in sources.paper_scenes(*folders).values() for clip in scene]
    else:
        found = [clip for folder in folders for clip in adapters[dataset](folder)]
    for clip in found:
        click.echo(clip.source)


@cli.command()
@click.argument("folder", type=PATH)
@click.option("--student", is_flag=True, help="Without outputs and solutions.")
@click.option("--instructor", is_flag=True, help="As nbgrader's source: solutions in place, hidden tests, points.")
@click.option("--check", is_flag=True, help="Run and grade the submissions in FOLDER; their points as CSV.")
def notebooks(folder: Path, student: bool, instructor: bool, check: bool) -> None:
    """The course, copied out: open it with jupyter lab FOLDER.

    With --check FOLDER holds what students handed in, a folder for each: all of it is run here.
    """
    if check and (student or instructor):
        raise click.UsageError("--check grades a folder that is there; --student and --instructor make one.")
    if check:
        _check(folder)
        return
    from mpas_lite.course.notebooks import copy_notebooks

    for path in copy_notebooks(folder, student=student, instructor=instructor):
        click.echo(path)


def _check(folder: Path) -> None:
    """Write the points of a folder of submissions to the standard output, each notebook's when it is done."""
    from mpas_lite.course.submissions import as_csv, check_submissions

    click.echo(as_csv([]), nl=False)
    for row in check_submissions(folder):
        click.echo(as_csv([row]).partition("\n")[2], nl=False)
