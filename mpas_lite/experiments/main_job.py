"""The main job: from videos to crowd masks, learned from the videos' own motion.

Label, train, segment, report: the four steps of the command line, one after the other, into one folder.
The labels come from the clips themselves, so the network adapts to their cameras without anybody having
drawn a mask. Ground truth, where there is any, is looked at by the report alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpas_lite.evaluation.ground_truth import truth_folders
from mpas_lite.experiments.clip_scores import NETWORKS, ClipResult, clip_scores
from mpas_lite.experiments.networks import device_of, epochs_of, new_network
from mpas_lite.experiments.report import write_report
from mpas_lite.experiments.results import RunResult
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.files.atomic import write_json
from mpas_lite.files.ledger import lock_folder, refuse_foreign
from mpas_lite.files.outputs import check_apart
from mpas_lite.labels.batch import pseudo_label_many
from mpas_lite.labels.pseudolabel import ClipLabels
from mpas_lite.options import to_record
from mpas_lite.video.clip import Clip, clips_of, opened_apart

if TYPE_CHECKING:
    from mpas_lite.network.mask_files import SegmentationResult
    from mpas_lite.network.mpasnet import MPASNet
    from mpas_lite.training.self_training import SelfTrainingResult

# What a run leaves in its folder; no clip of several gets such a name.
_WRITTEN = (
    *("pairs", "training", "model.safetensors", "metrics.json", "report.html", "pictures", "unseen"),
    *("masks", "persons", "overlay.mp4", "frames.json", "segment.json"),
)
_MOST = 20  # frames from one pair to the next, where the stride is free: the paper's


def run(
    sources: Sequence[str | Path | Clip],
    out: str | Path,
    *,
    settings: RunSettings | None = None,
    truths: Sequence[Path | None] | None = None,
    unseen: Sequence[str | Path | Clip] = (),
    accelerator: str = "auto",
    jobs: int = 1,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> RunResult:
    """Label, train, segment and report; run again, it goes on where it stopped.

    Parameters
    ----------
    sources : sequence of str, Path or Clip
        Videos or folders of frames.
    out : str or Path
        Gets ``pairs/``, ``model.safetensors``, ``masks/``, ``persons/`` and ``overlay.mp4`` (with several sources
        in one folder a clip), ``metrics.json`` and ``report.html`` with its pictures.
    settings : RunSettings, optional
    truths : sequence of Path or None, optional
        Ground truth of each source: masks, or a folder with ``crowd/`` and ``person/``. By default ``truth/`` in a
        source's folder, where there is one.
    unseen : sequence of str, Path or Clip
        Clips with ground truth that are not trained on, only segmented and scored.
    accelerator : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ...
    jobs : int
        Processes that label clips.
    progress : bool
        Show progress bars.
    say : callable
        Gets a line for each step.

    Returns
    -------
    RunResult
        What ``metrics.json`` holds.

    Raises
    ------
    ValueError
        If no source can be used, nothing moves in any of them, or ``out`` is in use by another run.
    """
    settings = settings or RunSettings()
    clips = clips_of(sources, _WRITTEN)
    given = truths or [None] * len(clips)
    truth = {
        clip.name: truth_folders(clip.source, of_it or clip.truth) for clip, of_it in zip(clips, given, strict=True)
    }
    out = Path(out)
    written = [out / name for name in _WRITTEN] + [out / clip.name for clip in clips if len(clips) > 1]
    read = [path for clip in clips for path in (*clip.paths(), *truth[clip.name].values())]
    weights = [Path(settings.net.encoder_weights)] if settings.net.encoder_weights else []
    check_apart(written, [*read, *weights])
    with lock_folder(out):
        refuse_foreign(out / name for name in ("model.safetensors", "metrics.json", "report.html"))
        return _Job(out, settings, accelerator, jobs, progress, say).run(clips, truth, clips_of(unseen, truth))


@dataclass(frozen=True)
class _Job:
    """One call of :func:`run`: where to, how, and whom to tell. Its steps are the methods, in their order."""

    out: Path
    settings: RunSettings
    accelerator: str
    jobs: int
    progress: bool
    say: Callable[[str], None]

    def run(self, clips: Sequence[Clip], truth: Mapping[str, dict[str, Path]], unseen: Sequence[Clip]) -> RunResult:
        from mpas_lite.network.encoders import check_weights  # torch only where it is needed: labels come without

        net = self.settings.net
        check_weights(net.encoder, net.encoder_weights)  # before the labels, which may take hours
        job, clips = self.with_stride(clips)
        labels = job.label(clips)
        trained, taught, epochs = job.train(labels)
        results, errors = job.segment(trained, clips, labels, truth)
        not_trained_on = job.segment_unseen(trained, unseen)
        return job.report(labels, errors, taught, epochs, results, not_trained_on)

    def with_stride(self, clips: Sequence[Clip]) -> tuple[_Job, list[Clip]]:
        """The job with its stride: as set, or such that all clips together give about ``settings.pairs`` pairs."""
        every, opened = self.settings.label.every, list(clips)
        if not every:
            opened = opened_apart(clips)
            frames = sum(clip.video().count_frames() for clip in opened if clip.is_open)  # labelling says what is wrong
            every = min(_MOST, max(1, round(frames / self.settings.pairs)))
        label = replace(self.settings.label, every=every)
        return replace(self, settings=replace(self.settings, label=label)), opened

    def label(self, clips: Sequence[Clip]) -> list[ClipLabels]:
        """Pseudo-labels of all clips; those that have none say why, and not all may have none."""
        every = self.settings.label.every
        self.say(f"1/4 label: {len(clips)} clip{'s' * (len(clips) > 1)}, one frame in {every}")
        labels = pseudo_label_many(
            clips, self.out / "pairs", settings=self.settings.label, jobs=self.jobs, progress=self.progress
        )
        failed = [one.error for one in labels if one.error]
        for error in failed:
            self.say(f"    left out: {error}")
        if len(failed) == len(labels):
            raise ValueError(failed[0] if len(failed) == 1 else "None of the clips could be labelled (see above).")
        self.say(f"    {_pairs(labels)} pairs, {_empty(labels)} of them without a crowd")
        return labels

    def train(self, labels: Sequence[ClipLabels]) -> tuple[MPASNet, SelfTrainingResult, int]:
        """The network, trained on all that was labelled, how that went, and its epochs."""
        from mpas_lite.network.weights import load, save
        from mpas_lite.training.self_training import Rounds, fit_in_rounds

        settings = self.settings
        rounds = Rounds(most=settings.rounds)
        lessons = _pairs(labels) if settings.train.empty else _pairs(labels) - _empty(labels)
        epochs = epochs_of(settings.steps, max(1, lessons), settings.train, rounds)
        branch = "with" if settings.net.siamese else "without"
        self.say(f"2/4 train: {settings.net.encoder} {branch} siamese branch, {epochs} epochs")
        net = new_network(settings.net, settings.train.seed)
        taught = fit_in_rounds(
            net,
            [one.folder for one in labels if not one.error],
            self.out / "training",
            rounds=rounds,
            config=replace(settings.train, epochs=epochs),
            runtime=replace(settings.runtime, accelerator=self.accelerator),
            progress=self.progress,
            say=self.say,
        )
        save(net, self.out / "model.safetensors")
        return load(self.out / "model.safetensors"), taught, epochs

    def segment(
        self,
        net: MPASNet,
        clips: Sequence[Clip],
        labels: Sequence[ClipLabels],
        truth: Mapping[str, dict[str, Path]],
    ) -> tuple[dict[str, ClipResult], dict[str, str | None]]:
        """Masks of every clip that was labelled, and what went wrong with which clip."""
        self.say("3/4 segment")
        results: dict[str, ClipResult] = {}
        errors = {one.name: one.error for one in labels}
        for clip, labelled in zip(clips, labels, strict=True):
            if labelled.error:
                continue
            folder = self.out if len(clips) == 1 else self.out / clip.name
            try:
                done = self.masks_of(net, clip, folder, every=self.settings.segment_every)
            except (ValueError, FileNotFoundError) as error:  # a frame that labelling did not look at, say
                if len(clips) == 1:
                    raise
                errors[clip.name] = str(error)
                self.say(f"    left out: {error}")
                continue
            results[clip.name] = self.result_of(clip, folder, labelled.folder, truth[clip.name])
            self.say(
                f"    {clip.name}: {done['frames']} masks in {folder / 'masks'}, crowd in {done['crowd']:.1%} of the "
                "pixels"
            )
        if not results:
            raise ValueError("None of the clips could be segmented (see above).")
        return results, errors

    def masks_of(self, net: MPASNet, clip: Clip, folder: Path, *, every: int = 1) -> SegmentationResult:
        """Masks of a clip; where its camera stands still, out of the network and the clip's own background."""
        from mpas_lite.network.mask_files import segment_to

        fuses = self.settings.fuses
        return segment_to(net, clip.video(), folder, every=every, background=fuses,
                          masks=self.settings.masks if fuses else "crowd",
                          person_height=self.settings.person_height if fuses else None,
                          device=device_of(self.accelerator), progress=self.progress)  # fmt: skip

    def result_of(self, clip: Clip, folder: Path, pairs: Path, truth: dict[str, Path]) -> ClipResult:
        """What was made of a clip, under the name of the network that made it."""
        return ClipResult(clip, folder, pairs, truth, NETWORKS[self.settings.net.siamese])

    def segment_unseen(self, net: MPASNet, clips: Sequence[Clip]) -> dict[str, ClipResult]:
        """Masks, and labels to compare them with, of clips that are not trained on."""
        results = {}
        for clip in clips:
            folder = self.out / "unseen" / clip.name
            self.masks_of(net, clip, folder)
            (labelled,) = pseudo_label_many(
                [clip], self.out / "unseen" / "pairs", settings=self.settings.label, progress=False
            )
            truth = truth_folders(clip.source, clip.truth)
            results[clip.name] = self.result_of(clip, folder, labelled.folder, truth)
        return results

    def report(
        self,
        labels: Sequence[ClipLabels],
        errors: Mapping[str, str | None],
        taught: SelfTrainingResult,
        epochs: int,
        results: Mapping[str, ClipResult],
        unseen: Mapping[str, ClipResult],
    ) -> RunResult:
        """Scores, ``metrics.json`` and the page."""
        self.say("4/4 report")
        both = {**results, **unseen}
        scores = {name: clip_scores(result) for name, result in both.items() if result.truth}
        history = taught.history
        result = RunResult(
            settings=to_record(self.settings),
            clips={one.name: {"pairs": one.pairs, "empty": one.empty, "error": errors[one.name]} for one in labels},
            training={"loss": history.loss, "segmentation": history.segmentation, "air": history.air,
                      "steps": history.steps, "epochs": epochs,
                      "rounds": taught.kept, "agreement": taught.agreement},
            iou={name: score.iou for name, score in scores.items() if name in results},
            iou_unseen={name: score.iou for name, score in scores.items() if name in unseen},
            frames={name: score.frames for name, score in scores.items()},
        )  # fmt: skip
        write_json(self.out / "metrics.json", dict(result))
        write_report(self.out, both, result, self.settings.label)
        return result


def _pairs(labels: Sequence[ClipLabels]) -> int:
    """Pairs of all clips that were labelled."""
    return sum(one.pairs for one in labels if not one.error)


def _empty(labels: Sequence[ClipLabels]) -> int:
    """Those of them without a crowd."""
    return sum(one.empty for one in labels if not one.error)
