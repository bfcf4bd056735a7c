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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mpas_lite.experiments.methods import background_subtraction, network_masks, pseudo_labels
from mpas_lite.experiments.networks import device_of, network_of
from mpas_lite.experiments.records import OBJECT, refuse_other_settings, result_of, settings_record
from mpas_lite.experiments.results import TableResult
from mpas_lite.experiments.scored_clips import Masks, ScoredClip, clips_by_scene, score_clip, scored_clip, truths_of
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.experiments.table_statistics import headline, table_result
from mpas_lite.experiments.table_text import format_table
from mpas_lite.experiments.tables import LABELS, PAPER_SCENES, TABLES, Row, run_name, scenes_of
from mpas_lite.files.atomic import atomic_write, read_json, write_json
from mpas_lite.files.ledger import lock_folder, refuse_foreign
from mpas_lite.files.outputs import check_apart
from mpas_lite.labels.batch import pseudo_label_many
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.scenes.benchmark import render_benchmark
from mpas_lite.video.clip import Clip, clips_of


def reproduce(
    table: str,
    out: str | Path,
    *,
    scenes: Mapping[str, Sequence[str | Path | Clip]] | Sequence[str | Path | Clip] | None = None,
    train: Sequence[str | Path | Clip] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    settings: ReproduceSettings | None = None,
    accelerator: str = "auto",
    jobs: int = 1,
    workers: int = 0,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> TableResult:
    """Run every row of a table with every seed; run again, it goes on where it stopped.

    Parameters
    ----------
    table : {"table1", "table2", "beyond"}
    out : str or Path
        All tables may go into one folder, and then share scenes, labels and the runs they have in common.
    scenes : mapping from str to sequence of str, Path or Clip, or such a sequence, optional
        Videos or folders of frames, with their truth where :func:`.ground_truth.truth_folders` finds it; each
        is a scene, or several make up one: ``{"Scene2": [clip, clip]}``. By default the synthetic benchmark. Scenes
        with the names of the paper's stand beside its figures; Table 2 then is of the three that the paper's is of.
    train : sequence of str, Path or Clip, optional
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
    TableResult
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
    out, settings, by_scene = Path(out), settings or ReproduceSettings(), clips_by_scene(scenes)
    scored = [clip for clips in by_scene.values() for clip in clips]
    learned = scored if train is None else clips_of(train)
    truths = truths_of([*scored, *learned])
    read = [path for clip, folders in truths.items() for path in (*clip.paths(), *folders.values())]
    written = [out / name for name in ("settings.json", "scenes", "runs", table, *map(_pairs_folder, LABELS))]
    check_apart(written, read)
    made_with = settings_record(settings) | {
        "scenes": {scene: [str(clip.source) for clip in clips] for scene, clips in by_scene.items()} or "synthetic",
        "train": None if train is None else [str(clip.source) for clip in learned],
    }
    with lock_folder(out):
        refuse_foreign([out / "settings.json", out / table / "results.json", out / table / "table.md"])
        refuse_other_settings(out / "settings.json", made_with)
        job = _Job(table, seeds, out, settings, accelerator, jobs, workers, progress, say)
        job.check_weights()
        if not by_scene:
            by_scene, learned = job.render()
            truths = truths_of(clip for clips in by_scene.values() for clip in clips)
        return job.run(by_scene, learned, truths)


@dataclass(frozen=True)
class _Job:
    """One call of :func:`reproduce`: of what, where to, how, and whom to tell. :meth:`run` takes the steps."""

    table: str
    seeds: Sequence[int]
    out: Path
    settings: ReproduceSettings
    accelerator: str
    jobs: int
    workers: int
    progress: bool
    say: Callable[[str], None]

    @property
    def rows(self) -> list[Row]:
        """Those of the table that have a run of ours."""
        return [row for row in TABLES[self.table] if row.run]

    def run(
        self, by_scene: Mapping[str, Sequence[Clip]], train: Sequence[Clip], truths: Mapping[Clip, dict[str, Path]]
    ) -> TableResult:
        """Every row with every seed."""
        clips, left_out = self.clips_to_score(by_scene, truths)
        counted = scenes_of(self.table, dict.fromkeys(clip.scene for clip in clips))
        clips_of_table = [clip for clip in clips if clip.scene in counted]
        if not clips_of_table:
            raise ValueError(
                f"None of the scenes can be scored: the paper's {self.table} is of {', '.join(PAPER_SCENES[:3])}."
            )
        pairs: dict[str, list[Path]] = {}
        for labels in dict.fromkeys(row.labels for row in self.rows if row.loss):
            pairs[labels], not_labelled = self.pairs(train, labels)
            left_out |= not_labelled
        todo: list[tuple[Row, int | None]] = [(row, None) for row in self.rows if not row.loss]
        todo += [
            (row, seed) for seed in self.seeds for row in self.rows if row.loss
        ]  # a whole table, then the next seed
        done: dict[str, dict[str, Any]] = {}
        for number, (row, seed) in enumerate(todo, 1):
            name = run_name(row, seed)
            done[name] = result_of(self._folder(name), partial(self.row, row, seed, clips, pairs.get(row.labels, [])))
            result = table_result(self.table, done, self.seeds, self.settings, clips_of_table, left_out)
            self.write(result)
            scored = headline(done[name], clips_of_table)
            self.say(f"{self.table} {number}/{len(todo)}: {name} {scored:.4f} ({done[name]['seconds']:.0f} s)")
        return result

    def write(self, result: TableResult) -> None:
        """All that is known of the table, for programs and for people."""
        write_json(self.out / self.table / "results.json", dict(result))
        with atomic_write(self.out / self.table / "table.md") as temporary:
            temporary.write_text(format_table(result), encoding="utf-8")

    def _folder(self, run: str) -> Path:
        return self.out / "runs" / run

    # ------------------------------------------------------------------------------------------- the material

    def check_weights(self) -> None:
        """Where a network is still to be trained, its first weights must be there before anything else is done."""
        from mpas_lite.network.encoders import check_weights

        wanted = [self._folder(run_name(row, seed)) for row in self.rows if row.loss for seed in self.seeds]
        if not all((folder / "model.safetensors").exists() for folder in wanted):
            check_weights(self.settings.net.encoder, self.settings.net.encoder_weights)

    def render(self) -> tuple[dict[str, list[Clip]], list[Clip]]:
        """The synthetic benchmark: clips to score by kind, clips to train on."""
        s = self.settings
        render = partial(
            render_benchmark, self.out / "scenes", frames=s.frames, truth_every=5, progress=self._bar, alone=False
        )
        self.say(f"scenes: {s.train_clips} clips of each kind to train on, {s.clips} ({s.split}) to score")
        train = render(split="train", clips_per_kind=s.train_clips)
        by_kind: dict[str, list[Clip]] = {}
        for clip in clips_of(render(split=s.split, clips_per_kind=s.clips)):
            by_kind.setdefault(clip.name.rpartition("-")[0], []).append(clip)
        return by_kind, clips_of(train)

    def _bar(self, items: Any) -> Any:
        from tqdm.auto import tqdm

        return tqdm(items, "render", unit="clip", disable=not self.progress)

    def clips_to_score(
        self, by_scene: Mapping[str, Sequence[Clip]], truths: Mapping[Clip, dict[str, Path]]
    ) -> tuple[list[ScoredClip], dict[str, str]]:
        """The clips that can be scored, and why the others cannot. Those without labels cannot, in any row."""
        clips, left_out = [], {}
        for scene, of_scene in by_scene.items():
            for clip in of_scene:
                try:
                    clips.append(scored_clip(clip, scene, truths[clip], self.settings))
                except (ValueError, FileNotFoundError) as error:
                    left_out[clip.name] = str(error)
                    self.say(f"    left out: {error}")
        labels = result_of(
            self._folder("labels"), lambda: self.score(clips, partial(pseudo_labels, settings=self.settings.label))
        )
        good = [clip for clip in clips if clip.name in labels["clips"]]
        if not good:
            raise ValueError("None of the scenes can be scored (see above).")
        return good, left_out | labels["left_out"]

    def pairs(self, train: Sequence[Clip], labels: str) -> tuple[list[Path], dict[str, str]]:
        """Folders of pseudo-labelled pairs, and why some clips have none."""
        settings = self.label_settings(labels)
        self.say(f"labels ({labels}): {len(train)} clips to train on, one frame in {settings.every}")
        labelled = pseudo_label_many(
            train, self.out / _pairs_folder(labels), settings=settings, jobs=self.jobs, progress=self.progress
        )
        failed = {clip.name: clip.error for clip in labelled if clip.error}
        for error in failed.values():
            self.say(f"    left out: {error}")
        good = [clip.folder for clip in labelled if not clip.error]
        if not good:
            raise ValueError("None of the clips to train on could be labelled (see above).")
        return good, failed

    def label_settings(self, labels: str) -> LabelSettings:
        """Those of a kind of labels."""
        return replace(self.settings.label, **LABELS[labels])

    # ------------------------------------------------------------------------------------------- the runs

    def row(self, row: Row, seed: int | None, clips: Sequence[ScoredClip], pairs: Sequence[Path]) -> dict[str, Any]:
        """The result of a run: a row with a seed."""
        if row.run.startswith("labels"):
            return self.score(clips, partial(pseudo_labels, settings=self.label_settings(row.labels)))
        if not row.loss or seed is None:
            return self.score(clips, partial(background_subtraction, closed=row.run == "mog2-closed"))
        folder = self._folder(run_name(row, seed))
        net = network_of(row, seed, folder, pairs, self.settings, accelerator=self.accelerator, workers=self.workers,
                         progress=self.progress, say=self.say)  # fmt: skip
        masks = partial(network_masks, net=net, device=device_of(self.accelerator))
        scores, light = self.score(clips, masks), self.score(clips, partial(masks, other_light=True))
        return {**scores, "light": light["clips"], "training": read_json(folder / "training.json", OBJECT)}

    def score(self, clips: Sequence[ScoredClip], method: Callable[[ScoredClip], Masks]) -> dict[str, Any]:
        """IoU of every clip against each kind of truth; a clip that cannot be read is named and left out."""
        scores, left_out = {}, {}
        for clip in clips:
            try:
                scores[clip.name] = score_clip(clip, method)
            except (ValueError, FileNotFoundError) as error:
                left_out[clip.name] = str(error)
                self.say(f"    left out: {error}")
        return {"clips": scores, "left_out": left_out}


def _pairs_folder(labels: str) -> str:
    return "pairs" if labels == "circles" else f"pairs-{labels}"
