"""The paper's Tables 1 and 2, and what lies beyond them: every row on the same scenes, several seeds.

Each network is trained on pseudo-labels alone and scored on scenes with ground truth: by default the synthetic
benchmark, trained on its train split and scored on its test split. A run is one row with one seed::

    out/settings.json              what all runs below it were made with
    out/scenes, out/pairs          the synthetic clips, and the pseudo-labels that the networks learn from
    out/pairs-<labels>             the same of other kinds of labels, where the table has such
    out/runs/<run>/scores.json     IoU of every clip; beside it the network
    out/table1/results.json        all numbers of a table; table.md is the table to read

All tables share what they have in common: the network without and with the siamese branch are trained once.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.evaluation.background_subtraction import mog2_masks
from mpas_lite.evaluation.ground_truth import truth_of
from mpas_lite.evaluation.scores import score_masks
from mpas_lite.experiments.report import truth_folders
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.experiments.tables import KINDS, LABELS, PAPER_SCENES, TABLES, Row, format_table, mean_and_std, scenes_of
from mpas_lite.files.atomic import atomic_write, read_json, write_json
from mpas_lite.files.ledger import lock_folder, refuse_foreign, remove_folder
from mpas_lite.files.outputs import check_apart
from mpas_lite.files.sentences import changes
from mpas_lite.labels.batch import name_clips, paths_read, pseudo_label_many
from mpas_lite.labels.frames import label_window
from mpas_lite.labels.refine.pipeline import refine_clip
from mpas_lite.labels.refine.survey import FrameSampler, working_scale
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import windows
from mpas_lite.options import changed, to_record
from mpas_lite.scenes.benchmark import render_benchmark
from mpas_lite.training.records import is_log, processor
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

if TYPE_CHECKING:
    from mpas_lite.network.mpasnet import MPASNet

Masks = Iterator[tuple[int, np.ndarray]]

# What the records of a run look like; anything else was not written by us, or is damaged.
_SECONDS: dict[str, Any] = {
    "type": "object",
    "required": ["seconds"],
    "properties": {"seconds": {"type": "number", "minimum": 0}},
}
_IOU: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}
_SCORES: dict[str, Any] = {
    "type": "object",
    "required": ["clips", "left_out", "seconds"],
    "properties": {
        "clips": {"type": "object", "additionalProperties": _IOU},
        "light": {"type": "object", "additionalProperties": _IOU},
        "left_out": {"type": "object", "additionalProperties": {"type": "string"}},
        **_SECONDS["properties"],
    },
}
_OBJECT: dict[str, Any] = {"type": "object"}


@dataclass(frozen=True)
class _Clip:
    """A clip with ground truth: the frames that count, and the folder of masks of each kind."""

    name: str
    scene: str
    video: Video
    truth: dict[str, Path]
    frames: tuple[int, ...]


def reproduce(
    table: str,
    out: str | Path,
    *,
    scenes: Mapping[str, Sequence[str | Path]] | Sequence[str | Path] | None = None,
    train: Sequence[str | Path] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    settings: ReproduceSettings | None = None,
    accelerator: str = "auto",
    jobs: int = 1,
    workers: int = 0,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Run every row of a table with every seed; run again, it goes on where it stopped.

    Parameters
    ----------
    table : "table1", "table2" or "beyond"
    out : path
        All tables may go into one folder, and then share scenes, labels and the runs they have in common.
    scenes : clips with ground truth, optional
        Videos or folders of frames, with their truth where :func:`.report.truth_folders` finds it; each
        is a scene, or several make up one: ``{"Scene2": [clip, clip]}``. By default the synthetic benchmark. Scenes
        with the names of the paper's stand beside its figures; Table 2 then is of the three that the paper's is of.
    train : clips, optional
        What the networks learn from. By default the synthetic train split, or with ``scenes`` these themselves, as
        in the paper: their labels come from motion, the ground truth is used by the scores alone.
    seeds : sequence of int
        Of the first weights, the order of the pairs and the augmentation.
    settings : ReproduceSettings, optional
    accelerator : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ...
    jobs, workers : int
        Processes that label clips, and that read pairs in training.
    progress : bool
        Show progress bars.
    say : callable
        Gets a line for each step.

    Returns
    -------
    dict
        What ``out/<table>/results.json`` holds: for each row the mIoU of every seed, mean and standard deviation
        (of a sample: n - 1), overall and by scene, against each kind of ground truth. Both files are written anew
        after each run.

    Raises
    ------
    ValueError
        If the table is unknown, no clip can be used, ``out`` holds runs made with other settings, another run is
        writing to it, or the encoder's weights cannot be had.
    """
    if table not in TABLES:
        raise ValueError(f"There is no table {table!r}. Choose one of {', '.join(TABLES)}.")
    seeds = tuple(seeds)
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds={list(seeds)}: give one or more different numbers, 0 or more.")
    if scenes is None and train is not None:
        raise ValueError("train goes with scenes: the synthetic benchmark has its own train split.")
    settings = settings or ReproduceSettings()
    out = Path(out)
    clips = [*(clip for of_scene in _by_scene(scenes).values() for clip in of_scene), *(train or ())]
    truths = [folder for clip in clips for folder in truth_folders(clip).values()]
    written = [out / name for name in ("settings.json", "scenes", "runs", table, *map(_pairs_folder, LABELS))]
    check_apart(written, [*paths_read(clips), *truths])
    with lock_folder(out):
        refuse_foreign([out / "settings.json", out / table / "results.json", out / table / "table.md"])
        job = _Job(out, settings, accelerator, workers, progress, say)
        return job.table(table, seeds, scenes, train, jobs)


@dataclass(frozen=True)
class _Job:
    """One call of :func:`reproduce`: where to, how, and whom to tell."""

    out: Path
    settings: ReproduceSettings
    accelerator: str
    workers: int
    progress: bool
    say: Callable[[str], None]

    def table(
        self,
        table: str,
        seeds: Sequence[int],
        scenes: Mapping[str, Sequence[str | Path]] | Sequence[str | Path] | None,
        train: Sequence[str | Path] | None,
        jobs: int,
    ) -> dict[str, Any]:
        by_scene = _by_scene(scenes)
        made_with = {
            **_flattened(self.settings),
            "scenes": {scene: [str(clip) for clip in clips] for scene, clips in by_scene.items()} or "synthetic",
            "train": None if train is None else [str(clip) for clip in train],
        }
        _refuse_other_settings(self.out / "settings.json", made_with)
        self._check_weights(table, seeds)
        if not by_scene:
            by_scene, train = self._synthetic()
        elif train is None:
            train = [clip for clips in by_scene.values() for clip in clips]

        clips, left_out = self._clips(by_scene)
        labels = self._run("labels", lambda: self._score(clips, partial(_labels, settings=self.settings.label)))
        clips = [clip for clip in clips if clip.name in labels["clips"]]
        if not clips:
            raise ValueError("None of the scenes can be scored (see above).")
        left_out |= labels["left_out"]
        count = scenes_of(table, dict.fromkeys(clip.scene for clip in clips))
        clips_of_table = [clip for clip in clips if clip.scene in count]
        if not clips_of_table:
            raise ValueError(
                f"None of the scenes can be scored: the paper's {table} is of {', '.join(PAPER_SCENES[:3])}."
            )
        rows = [row for row in TABLES[table] if row.run]
        pairs: dict[str, list[Path]] = {}
        for labels_of in dict.fromkeys(row.labels for row in rows if row.loss):
            pairs[labels_of], not_labelled = self._pairs(train, labels_of, jobs)
            left_out |= not_labelled
        todo: list[tuple[Row, int | None]] = [(row, None) for row in rows if not row.loss]
        todo += [(row, seed) for seed in seeds for row in rows if row.loss]  # a whole table early, then the next seed
        done: dict[str, dict[str, Any]] = {}
        for number, (row, seed) in enumerate(todo, 1):
            name = _run_name(row, seed)
            done[name] = self._run(name, partial(self._row, row, seed, clips, pairs.get(row.labels, [])))
            results = _results(table, done, seeds, self.settings, clips_of_table, left_out)
            write_json(self.out / table / "results.json", results)
            with atomic_write(self.out / table / "table.md") as temporary:
                temporary.write_text(format_table(results), encoding="utf-8")
            scored = _mean_over_scenes(done[name], clips_of_table, _headline(clips_of_table))
            self.say(f"{table} {number}/{len(todo)}: {name} {scored:.4f} ({done[name]['seconds']:.0f} s)")
        return results

    def _check_weights(self, table: str, seeds: Sequence[int]) -> None:
        """Where a network is still to be trained, its first weights must be there before anything else is done."""
        from mpas_lite.network.encoders import check_weights

        wanted = [self.out / "runs" / _run_name(row, seed) for row in TABLES[table] if row.loss for seed in seeds]
        if not all((folder / "model.safetensors").exists() for folder in wanted):
            check_weights(self.settings.net.encoder, self.settings.net.encoder_weights)

    def _synthetic(self) -> tuple[dict[str, list[str | Path]], list[str | Path]]:
        """The synthetic benchmark: clips to score by kind, clips to train on."""
        s = self.settings
        render = partial(
            render_benchmark, self.out / "scenes", frames=s.frames, truth_every=5, progress=self._bar, alone=False
        )
        self.say(f"scenes: {s.train_clips} clips of each kind to train on, {s.clips} ({s.split}) to score")
        train = render(split="train", clips_per_kind=s.train_clips)
        by_kind: dict[str, list[str | Path]] = {}
        for clip in render(split=s.split, clips_per_kind=s.clips):
            by_kind.setdefault(clip.name.rpartition("-")[0], []).append(clip)
        return by_kind, list(train)

    def _bar(self, items: Any) -> Any:
        from tqdm.auto import tqdm

        return tqdm(items, "render", unit="clip", disable=not self.progress)

    def _clips(self, by_scene: Mapping[str, Sequence[str | Path]]) -> tuple[list[_Clip], dict[str, str]]:
        """The clips that can be scored, and why the others cannot."""
        scene_of = [scene for scene, sources in by_scene.items() for _ in sources]
        named = name_clips(source for sources in by_scene.values() for source in sources)
        clips, left_out = [], {}
        for scene, (name, source) in zip(scene_of, named, strict=True):
            try:
                clips.append(_read_clip(name, scene, source, self.settings))
            except (ValueError, FileNotFoundError) as error:
                left_out[name] = str(error)
                self.say(f"    left out: {error}")
        return clips, left_out

    def _label(self, labels: str) -> LabelSettings:
        return replace(self.settings.label, **LABELS[labels])

    def _pairs(self, train: Sequence[str | Path], labels: str, jobs: int) -> tuple[list[Path], dict[str, str]]:
        """Folders of pseudo-labelled pairs, and why some clips have none."""
        label = self._label(labels)
        folder = self.out / _pairs_folder(labels)
        self.say(f"labels ({labels}): {len(train)} clips to train on, one frame in {label.every}")
        labelled = pseudo_label_many(train, folder, settings=label, jobs=jobs, progress=self.progress)
        failed = {clip.name: clip.error for clip in labelled if clip.error}
        for error in failed.values():
            self.say(f"    left out: {error}")
        good = [clip.folder for clip in labelled if not clip.error]
        if not good:
            raise ValueError("None of the clips to train on could be labelled (see above).")
        return good, failed

    def _run(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of a run: as it lies in its folder, or made now."""
        folder = self.out / "runs" / name
        if not (folder / "scores.json").exists():
            with _clock(folder / "seconds.json"):
                made = make()
            write_json(folder / "scores.json", {**made, **read_json(folder / "seconds.json", _SECONDS)})
        result: dict[str, Any] = read_json(folder / "scores.json", _SCORES)
        return result

    def _row(self, row: Row, seed: int | None, clips: Sequence[_Clip], pairs: Sequence[Path]) -> dict[str, Any]:
        if row.run.startswith("labels"):
            return self._score(clips, partial(_labels, settings=self._label(row.labels)))
        if not row.loss or seed is None:
            return self._score(clips, partial(_mog2, closed=row.run == "mog2-closed"))
        folder = self.out / "runs" / _run_name(row, seed)
        net = self._network(row, seed, folder, pairs)
        device = self.accelerator if self.accelerator in ("cpu", "cuda", "mps") else "auto"
        scores = self._score(clips, partial(_segmented, net=net, device=device))
        light = self._score(clips, partial(_segmented, net=net, device=device, other_light=True))
        return {**scores, "light": light["clips"], "training": read_json(folder / "training.json", _OBJECT)}

    def _network(self, row: Row, seed: int, folder: Path, pairs: Sequence[Path]) -> MPASNet:
        """The row's network, trained now or before."""
        import torch  # only here: the rows without a network come without

        from mpas_lite.network.mpasnet import MPASNet
        from mpas_lite.network.weights import load, save
        from mpas_lite.training.pairs import find_pairs
        from mpas_lite.training.plan import Plan
        from mpas_lite.training.self_training import Rounds, fit_in_rounds

        model, s = folder / "model.safetensors", self.settings
        if not model.exists():
            torch.manual_seed(seed)
            net = MPASNet(**to_record(replace(s.net, siamese=row.siamese, fusion=row.sfa)))
            count = sum(len(find_pairs(each)) for each in pairs)
            rounds = Rounds(most=row.rounds)
            first = rounds.first(s.steps)  # all rows have the same number of steps
            taught = fit_in_rounds(
                net,
                list(pairs),
                folder / "training",
                rounds=rounds,
                config=changed(
                    s.train,
                    epochs=max(1, round(first / Plan(count, s.train).steps_per_epoch)),
                    loss=row.loss,
                    air_weight=s.train.air_weight if row.air else 0.0,
                    seed=seed,
                ),
                runtime=replace(s.runtime, accelerator=self.accelerator, workers=self.workers),
                progress=self.progress,
                say=self.say,
            )
            history = taught.history
            losses = {"loss": history.loss, "segmentation": history.segmentation, "air": history.air}
            write_json(folder / "training.json", {"pairs": count, "steps": history.steps, **losses,
                                                 "agreement": taught.agreement, "rounds": taught.kept})  # fmt: skip
            save(net, model)
            remove_folder(folder / "training", is_log)  # the checkpoint, larger than the net
        return load(model)

    def _score(self, clips: Sequence[_Clip], method: Callable[[_Clip], Masks]) -> dict[str, Any]:
        """IoU of every clip against each kind of truth; a clip that cannot be read is named and left out."""
        scores, left_out = {}, {}
        for clip in clips:
            try:
                scores[clip.name] = _score_clip(clip, method)
            except (ValueError, FileNotFoundError) as error:
                left_out[clip.name] = str(error)
                self.say(f"    left out: {error}")
        return {"clips": scores, "left_out": left_out}


# ------------------------------------------------------------------------------------------------ the methods


def _labels(clip: _Clip, settings: LabelSettings) -> Masks:
    """The pseudo-labels themselves: CM+CRM, or what the refinement makes of it."""
    unwanted = set(clip.video.frame_indices()) - set(clip.frames)
    kept, spread = [], FrameSampler()
    for index, frames in windows(clip.video, every=1, interval=settings.interval, skip=unwanted):
        labelled = label_window(index, frames, settings)
        if settings.refine is None:
            yield index, labelled.mask
            continue
        kept.append(labelled)
        spread.add(frames[0])
        spread.add(frames[-1])
    if settings.refine is not None:
        _, refined = refine_clip(
            ((one.index, one.frame) for one in kept),
            [(one.particles, one.labels) for one in kept],
            spread.frames,
            radius=settings.radius,
            scale=working_scale(clip.video.shape),
            settings=settings.refine,
        )
        yield from ((one.index, one.mask) for one in refined)


def _mog2(clip: _Clip, closed: bool) -> Masks:
    return mog2_masks(clip.video, indices=clip.frames, closed=closed)


def _segmented(clip: _Clip, net: MPASNet, device: str, other_light: bool = False) -> Masks:
    """The network's masks; in another light, its colours are changed as x_hat's are in training."""
    from mpas_lite.network.inference import segment
    from mpas_lite.training.augmentation import change_colours

    frames = [frame for _, frame in clip.video.frames(clip.frames)]
    if other_light:
        frames = [change_colours(f, np.random.default_rng(n)) for n, f in zip(clip.frames, frames, strict=True)]
    for number, mask in segment(net, frames, device=device):
        yield clip.frames[number], mask


def _score_clip(clip: _Clip, method: Callable[[_Clip], Masks]) -> dict[str, float]:
    masks = list(method(clip))
    if len(masks) < len(clip.frames):
        raise ValueError(f"{clip.video.source} ends before its frame {clip.frames[len(masks)]}: it is cut off.")
    return {
        kind: score_masks(masks, truth_of(clip.video, of), name=f"{clip.name} ({kind})").pooled
        for kind, of in clip.truth.items()
    }


def _read_clip(name: str, scene: str, source: str | Path, settings: ReproduceSettings) -> _Clip:
    """Find a clip's ground truth and choose frames from the middles of equal parts of it.

    The middles, as in a clip's first frame background subtraction has not seen a background yet.
    """
    video = read_video(source, name=name)
    truth = truth_folders(source)
    if not truth:
        raise ValueError(
            f"{source} has no ground truth beside it: masks in truth, truth/crowd, truth/person or (CDnet) groundtruth."
        )
    last = video.frame_indices()[-1] - settings.label.interval  # motion is seen over the frames that follow
    both = set.intersection(*(set(truth_of(video, folder)) for folder in truth.values()))
    frames = sorted(index for index in both if index <= last)
    if not frames:
        raise ValueError(f"{source} has no frame with ground truth that {settings.label.interval} frames follow.")
    count = min(settings.score_frames, len(frames))
    chosen = tuple(frames[(2 * part + 1) * len(frames) // (2 * count)] for part in range(count))
    return _Clip(name, scene, video, truth, chosen)


# ------------------------------------------------------------------------------------------------ bookkeeping


def _by_scene(
    scenes: Mapping[str, Sequence[str | Path]] | Sequence[str | Path] | None,
) -> dict[str, list[str | Path]]:
    if isinstance(scenes, Mapping):
        return {name: list(clips) for name, clips in scenes.items()}
    return {name: [source] for name, source in name_clips(scenes or ())}


def _pairs_folder(labels: str) -> str:
    return "pairs" if labels == "circles" else f"pairs-{labels}"


def _run_name(row: Row, seed: int | None) -> str:
    return row.run if seed is None or not row.loss else f"{row.run}-seed{seed}"


def _flattened(settings: ReproduceSettings) -> dict[str, Any]:
    """All that the runs depend on, by name: settings of the labels as ``label.every``, ..."""
    record = settings.deciding()
    return {**{f"label.{name}": value for name, value in record.pop("label").items()}, **record}


def _refuse_other_settings(path: Path, made_with: dict[str, Any]) -> None:
    """Runs of other settings must not stand in one table; those from before a setting was one had its default."""
    if path.exists():
        differ = changes(_flattened(ReproduceSettings()) | read_json(path, _OBJECT), made_with)
        if differ:
            raise ValueError(
                f"{path.parent} holds runs made with other settings ({'; '.join(differ)}). "
                "Choose another folder, or delete that one first."
            )
    write_json(path, made_with)


@contextmanager
def _clock(path: Path) -> Iterator[None]:
    """Add the time that a block takes to what earlier, interrupted attempts took."""
    before = read_json(path, _SECONDS)["seconds"] if path.exists() else 0.0
    started = time.monotonic()
    try:
        yield
    finally:
        write_json(path, {"seconds": before + time.monotonic() - started})


# ------------------------------------------------------------------------------------------------ the numbers


def _headline(clips: Sequence[_Clip]) -> str:
    """The kind of truth whose mIoU is the table's: crowd masks where there are any."""
    return next(kind for kind in KINDS if any(kind in clip.truth for clip in clips))


def _over_scenes(run: Mapping[str, Any], clips: Sequence[_Clip], kind: str) -> dict[str, float]:
    """IoU of each scene: the mean of its clips'."""
    of_scene: dict[str, list[float]] = {}
    for clip in clips:
        if kind in clip.truth and clip.name in run["clips"]:
            of_scene.setdefault(clip.scene, []).append(run["clips"][clip.name][kind])
    return {scene: statistics.fmean(values) for scene, values in of_scene.items()}


def _mean_over_scenes(run: Mapping[str, Any], clips: Sequence[_Clip], kind: str) -> float:
    return statistics.fmean(_over_scenes(run, clips, kind).values())


def _results(
    table: str,
    done: Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    settings: ReproduceSettings,
    clips: Sequence[_Clip],
    left_out: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that is known of a table so far, JSON-able."""
    kinds = [kind for kind in KINDS if any(kind in clip.truth for clip in clips)]
    rows = []
    for row in TABLES[table]:
        runs = {seed: done.get(_run_name(row, seed)) for seed in (seeds if row.loss else [None])}
        there = {seed: run for seed, run in runs.items() if run is not None}
        against = {kind: _statistics(there, clips, kind) for kind in kinds} if there else {}
        seconds = [run["seconds"] for run in there.values()]
        lit = {seed: {"clips": run["light"]} for seed, run in there.items() if "light" in run}
        light = {kind: _statistics(lit, clips, kind) for kind in kinds} if lit else {}
        paper = row.paper and {"miou": row.paper.miou, "scenes": row.paper.by_scene()}
        rows.append({"name": row.name, "run": row.run, "paper": paper, "seconds": seconds, "iou": against,
                     "light": light})  # fmt: skip
    scenes: dict[str, list[str]] = {}
    for clip in clips:
        scenes.setdefault(clip.scene, []).append(clip.name)
    return {
        "table": table,
        "rows": rows,
        "seeds": list(seeds),
        "scenes": scenes,
        "frames": sum(len(clip.frames) for clip in clips),
        "scored": {scene: sum(len(c.frames) for c in clips if c.scene == scene) for scene in scenes},
        "left_out": dict(left_out),
        "settings": settings.deciding(),
        "machine": _machine(),
        "versions": _versions(),
    }


def _statistics(runs: Mapping[int | None, Mapping[str, Any]], clips: Sequence[_Clip], kind: str) -> dict[str, Any]:
    """One row against one kind of truth: over all scenes and by scene, mean and deviation over the seeds."""
    by_seed = {seed: _over_scenes(run, clips, kind) for seed, run in runs.items()}
    overall = [statistics.fmean(scenes.values()) for scenes in by_seed.values()]
    names = next(iter(by_seed.values()))
    mean, std = mean_and_std(overall)
    seeds = {str(seed): value for seed, value in zip(by_seed, overall, strict=True) if seed is not None}
    scenes = {}
    for name in names:
        of_scene, deviation = mean_and_std([scenes[name] for scenes in by_seed.values()])
        scenes[name] = {"mean": of_scene, "std": deviation}
    return {"mean": mean, "std": std, "seeds": seeds, "scenes": scenes}


def _machine() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "device": gpu or processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(),
    }


def _versions() -> dict[str, str]:
    from mpas_lite import __version__

    versions = {"mpas_lite": __version__, "python": platform.python_version()}
    for package in ("torch", "timm", "numpy", "opencv-python", "opencv-python-headless"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # one of the two OpenCV packages is always missing
    return versions
