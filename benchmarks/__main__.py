"""All benchmarks, as one Markdown table: ``python -m benchmarks``.

Everything runs on one thread unless its row says otherwise. Whatever else the machine does meanwhile shows in
the seconds, hardly in the ratios.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import HEADER, ROOT, Row, machine

PARTS = ("startup", "collectiveness", "cost", "labelling", "network", "widgets")


@click.command()
@click.option("--quick", is_flag=True, help="Fewer repetitions and smaller sizes: does it run at all?")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="One part, or several.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results.json and cost.png.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path(os.environ.get("MPAS_LITE_DATA", ROOT)),
    help="Folder with vtest.avi of OpenCV's samples; without it a bundled clip stands in.",
)
def main(quick: bool, only: tuple[str, ...], out: Path | None, data: Path) -> None:
    """Measure, and print one Markdown table."""
    import cv2

    cv2.setNumThreads(1)
    about = machine()
    print("; ".join(f"{name}: {value}" for name, value in about.items()), flush=True)
    print(f"\n{HEADER}", flush=True)
    rows: list[Row] = []
    curves: dict[str, Any] = {}
    for part in only or PARTS:
        for row in _rows_of(part, quick, data, curves):
            rows.append(row)
            print(row, flush=True)
    missed = [row.what for row in rows if not row.reached]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} targets reached" + "".join(f"\n- missed: {w}" for w in missed))
    if out:
        from mpas_lite.files.atomic import write_json

        results = [asdict(row) | {"reached": row.reached} for row in rows]
        write_json(out / "results.json", {"machine": about, "quick": quick, "rows": results, "cost": curves})
        if curves:
            from benchmarks.cost import plot

            plot(curves, out / "cost.png")


def _rows_of(part: str, quick: bool, data: Path, curves: dict[str, Any]) -> Iterator[Row]:
    """Rows of one part; the part ``cost`` leaves its curves behind."""
    if part == "cost":
        from benchmarks.collectiveness import cost, slope_row

        curves.update(cost(quick))
        yield slope_row(curves)
        return
    if part in ("network", "widgets"):
        import torch

        torch.set_num_threads(1)
    measure: Callable[..., Iterator[Row]] = import_module(f"benchmarks.{part}").rows
    yield from measure(quick, data) if part in ("labelling", "network") else measure(quick)


if __name__ == "__main__":
    main()
