"""What 10,000 hours of video cost, from what was measured: ``python -m benchmarks.ten_thousand_hours RESULTS``.

RESULTS is the results.json of ``python -m benchmarks --out FOLDER``. Arithmetic only; nothing is measured here.
"""

from __future__ import annotations

from pathlib import Path

import click

from mpas_lite.files.atomic import read_json

WHAT = {
    "label": "`label` on",
    "segment": "masks and overlay on disk",
    "step": "training step",
}


def measured(results: dict) -> dict[str, dict[str, float]]:
    """The raw numbers of the three rows that count here.

    Raises
    ------
    ValueError
        If one of the rows is missing.
    """
    found = {}
    for name, words in WHAT.items():
        rows = [
            row
            for row in results["rows"]
            if words in row["what"] and {"label_fps", "segment_fps", "step_s"} & set(row["raw"])
        ]
        if not rows:
            raise ValueError(f"The results hold no row '{words}'. Measure with: python -m benchmarks --out FOLDER")
        found[name] = rows[0]["raw"]
    return found


def costs(
    results: dict,
    *,
    hours: float = 10_000,
    fps: float = 25,
    passes: float = 1,
    gpu_segment_fps: float | None = None,
    gpu_step_s: float | None = None,
    gpu_batch: int = 4,
) -> dict[str, float]:
    """Core-hours, GPU-hours and terabytes; GPU-hours only where the speed of a GPU is given.

    Parameters
    ----------
    results : dict
        The content of results.json.
    hours, fps : float
        Of video; frames/s of video time.
    passes : float
        Over all pairs in training (epochs).
    gpu_segment_fps, gpu_step_s, gpu_batch
        Frames/s that one GPU segments; its seconds for a training step of so many pairs.
    """
    numbers = measured(results)
    frames = hours * 3600 * fps
    pairs = frames / numbers["label"]["every"]
    cost = {
        "frames": frames,
        "pairs": pairs,
        "label, core-hours": frames / numbers["label"]["label_fps"] / 3600,
        "of that decoding, core-hours": frames / numbers["label"]["grab_fps"] / 3600,
        "train, core-hours": passes * pairs / numbers["step"]["batch"] * numbers["step"]["step_s"] / 3600,
        "segment every frame, core-hours": frames / numbers["segment"]["segment_fps"] / 3600,
        "segment one frame in 20, core-hours": frames / 20 / numbers["segment"]["segment_fps"] / 3600,
        "pairs, TB": frames * numbers["label"]["bytes_per_frame"] / 1e12,
    }
    if gpu_step_s is not None:
        cost["train, GPU-hours"] = passes * pairs / gpu_batch * gpu_step_s / 3600
    if gpu_segment_fps is not None:
        cost["segment every frame, GPU-hours"] = frames / gpu_segment_fps / 3600
    return cost


@click.command()
@click.argument("results", type=click.Path(path_type=Path, exists=True))
@click.option("--hours", default=10_000.0, show_default=True, help="Of video.")
@click.option("--fps", default=25.0, show_default=True, help="Frames per second of video.")
@click.option("--passes", default=1.0, show_default=True, help="Over all pairs in training.")
@click.option("--gpu-segment-fps", type=float, help="Frames/s that one of your GPUs segments.")
@click.option("--gpu-step-s", type=float, help="Seconds of a training step on one of your GPUs.")
@click.option("--gpu-batch", default=4, show_default=True, help="Pairs in that step.")
def main(results: Path, **options: float) -> None:
    """Print a table of what it costs."""
    content = read_json(results)
    about = content["machine"]
    print(f"Measured on: {about['cpu']}, {about['cores']} cores, {about['versions']}; load {about['load']}\n")
    print("| what | amount |\n|---|---|")
    for name, amount in costs(content, **options).items():  # type: ignore[arg-type]
        print(f"| {name} | {float(f'{amount:.2g}'):,.10g} |")


if __name__ == "__main__":
    main()
