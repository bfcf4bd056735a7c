"""``mpas-lite evaluate``: masks against ground truth."""

from __future__ import annotations

from pathlib import Path

import click

from mpas_lite.cli.group import cli
from mpas_lite.cli.options import PATH


@cli.command()
@click.argument("pred", type=PATH)
@click.argument("gt", type=PATH)
@click.option("--json", "json_path", type=PATH, help="Write the IoU of every frame to this file.")
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
