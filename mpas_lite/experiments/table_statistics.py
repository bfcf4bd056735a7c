"""From the scores of clips to the numbers of a table: means over clips, scenes and seeds, and their deviation."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from mpas_lite.experiments.records import machine, versions
from mpas_lite.experiments.results import TableResult
from mpas_lite.experiments.scored_clips import ScoredClip
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.experiments.tables import KINDS, TABLES, Row, run_name


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation of a sample (n - 1); of a single value there is no deviation.

    Examples
    --------
    >>> mean_and_std([0.25, 0.5, 0.75]), mean_and_std([0.5])
    ((0.5, 0.25), (0.5, None))
    """
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def headline(run: Mapping[str, Any], clips: Sequence[ScoredClip]) -> float:
    """The mIoU of a run: the mean over the scenes, against crowd masks where there are any."""
    return statistics.fmean(_by_scene(run, clips, _kinds(clips)[0]).values())


def table_result(
    table: str,
    done: Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    settings: ReproduceSettings,
    clips: Sequence[ScoredClip],
    left_out: Mapping[str, str],
) -> TableResult:
    """Everything that is known of a table so far.

    Parameters
    ----------
    table : str
    done : mapping from str to mapping
        The result of each run that was made, by its name.
    seeds : sequence of int
    settings : ReproduceSettings
    clips : sequence of ScoredClip
        Those that count in the table.
    left_out : mapping from str to str
        Why other clips do not, by their names.
    """
    scenes: dict[str, list[str]] = {}
    for clip in clips:
        scenes.setdefault(clip.scene, []).append(clip.name)
    return TableResult(
        table=table,
        rows=[_row_result(row, done, seeds, clips) for row in TABLES[table]],
        seeds=list(seeds),
        scenes=scenes,
        frames=sum(len(clip.frames) for clip in clips),
        scored={scene: sum(len(clip.frames) for clip in clips if clip.scene == scene) for scene in scenes},
        left_out=dict(left_out),
        settings=settings.deciding(),
        machine=machine(),
        versions=versions(),
    )


def _row_result(
    row: Row, done: Mapping[str, Mapping[str, Any]], seeds: Sequence[int], clips: Sequence[ScoredClip]
) -> dict[str, Any]:
    names = {seed: run_name(row, seed) for seed in (seeds if row.loss else [None])}
    runs = {seed: done[name] for seed, name in names.items() if name in done}
    lit = {seed: {"clips": run["light"]} for seed, run in runs.items() if "light" in run}
    paper = row.paper and {"miou": row.paper.miou, "scenes": row.paper.by_scene()}
    return {
        "name": row.name,
        "run": row.run,
        "paper": paper,
        "seconds": [run["seconds"] for run in runs.values()],
        "iou": {kind: _over_seeds(runs, clips, kind) for kind in _kinds(clips)} if runs else {},
        "light": {kind: _over_seeds(lit, clips, kind) for kind in _kinds(clips)} if lit else {},
    }


def _over_seeds(runs: Mapping[int | None, Mapping[str, Any]], clips: Sequence[ScoredClip], kind: str) -> dict[str, Any]:
    """One row against one kind of truth: over all scenes and by scene, mean and deviation over the seeds."""
    by_seed = {seed: _by_scene(run, clips, kind) for seed, run in runs.items()}
    overall = [statistics.fmean(scenes.values()) for scenes in by_seed.values()]
    names = next(iter(by_seed.values()))
    mean, std = mean_and_std(overall)
    seeds = {str(seed): value for seed, value in zip(by_seed, overall, strict=True) if seed is not None}
    scenes = {}
    for name in names:
        of_scene, deviation = mean_and_std([scenes[name] for scenes in by_seed.values()])
        scenes[name] = {"mean": of_scene, "std": deviation}
    return {"mean": mean, "std": std, "seeds": seeds, "scenes": scenes}


def _by_scene(run: Mapping[str, Any], clips: Sequence[ScoredClip], kind: str) -> dict[str, float]:
    """IoU of each scene: the mean of its clips'."""
    of_scene: dict[str, list[float]] = {}
    for clip in clips:
        if kind in clip.truth and clip.name in run["clips"]:
            of_scene.setdefault(clip.scene, []).append(run["clips"][clip.name][kind])
    return {scene: statistics.fmean(values) for scene, values in of_scene.items()}


def _kinds(clips: Sequence[ScoredClip]) -> list[str]:
    """The kinds of truth that any clip has, crowd masks first."""
    return [kind for kind in KINDS if any(kind in clip.truth for clip in clips)]
