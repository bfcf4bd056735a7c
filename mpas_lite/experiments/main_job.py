"""The main job: from videos to crowd masks, learned from the videos' own motion.

Label, train, segment, report: the four steps of the command line, one after the other, into one folder.
The labels come from the clips themselves, so the network adapts to their cameras without anybody having
drawn a mask. Ground truth, where there is any, is looked at by the report alone.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpas_lite.experiments.report import ClipResult, clip_scores, truth_folders, write_report
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.files.atomic import write_json
from mpas_lite.files.ledger import lock_folder, refuse_foreign
from mpas_lite.files.outputs import check_apart
from mpas_lite.labels.batch import name_clips, paths_read, pseudo_label_many
from mpas_lite.options import to_record
from mpas_lite.runtime.children import python_command
from mpas_lite.video.reader import read_video

if TYPE_CHECKING:
    from mpas_lite.network.mpasnet import MPASNet


# What a run leaves in its folder; no clip of several gets such a name.
_WRITTEN = (
    *("pairs", "training", "model.safetensors", "metrics.json", "report.html", "pictures", "unseen"),
    *("masks", "overlay.mp4", "frames.json", "segment.json"),
)


def run(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    settings: RunSettings | None = None,
    truths: Sequence[Path | None] | None = None,
    unseen: Sequence[Path] = (),
    accelerator: str = "auto",
    jobs: int = 1,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> dict:
    """Label, train, segment and report; run again, it goes on where it stopped.

    Parameters
    ----------
    sources : paths
        Videos or folders of frames.
    out : path
        Gets ``pairs/``, ``model.safetensors``, ``masks/`` and ``overlay.mp4`` (with several sources in one
        folder a clip), ``metrics.json`` and ``report.html`` with its pictures.
    settings : RunSettings, optional
    truths : folder or None for each source, optional
        Ground truth: masks, or a folder with ``crowd/`` and ``person/``. By default ``truth/`` in a source's
        folder, where there is one.
    unseen : folders
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
    dict
        What ``metrics.json`` holds.

    Raises
    ------
    ValueError
        If no source can be used, nothing moves in any of them, or ``out`` is in use by another run.
    """
    settings = settings or RunSettings()
    out = Path(out)
    truths = list(truths or [None] * len(sources))
    folders = [folder for source, of_it in zip(sources, truths, strict=True)
               for folder in truth_folders(source, of_it).values()]  # fmt: skip
    weights = [Path(settings.net.encoder_weights)] if settings.net.encoder_weights else []
    written = [out / name for name in _WRITTEN]
    if len(sources) > 1:
        written += [out / name for name, _ in name_clips(sources, _WRITTEN)]
    check_apart(written, [*paths_read(sources), *folders, *weights])
    with lock_folder(out):
        refuse_foreign(out / name for name in ("model.safetensors", "metrics.json", "report.html"))
        return _run(sources, out, settings, truths, unseen, accelerator, jobs, progress, say)


def _run(
    sources: Sequence[str | Path],
    out: Path,
    settings: RunSettings,
    truths: Sequence[Path | None],
    unseen: Sequence[Path],
    accelerator: str,
    jobs: int,
    progress: bool,
    say: Callable[[str], None],
) -> dict:
    from mpas_lite.network.encoders import check_weights
    from mpas_lite.network.mask_files import segment_to
    from mpas_lite.network.weights import load, save  # torch only where it is needed: labels come without
    from mpas_lite.training.plan import Plan
    from mpas_lite.training.self_training import Rounds, fit_in_rounds

    check_weights(settings.net.encoder, settings.net.encoder_weights)  # before the labels, which may take hours
    named = name_clips(sources, _WRITTEN)
    truth = {name: truth_folders(source, of_it) for (name, source), of_it in zip(named, truths, strict=True)}

    settings = replace(settings, label=replace(settings.label, every=_stride(named, settings)))
    say(f"1/4 label: {len(named)} clip{'s' * (len(named) > 1)}, one frame in {settings.label.every}")
    labelled = pseudo_label_many(
        sources, out / "pairs", settings=settings.label, jobs=jobs, taken=_WRITTEN, progress=progress
    )
    failed = [clip for clip in labelled if clip.error]
    for clip in failed:
        say(f"    left out: {clip.error}")
    good = [clip for clip in labelled if not clip.error]
    if not good:
        raise ValueError(failed[0].error if len(failed) == 1 else "None of the clips could be labelled (see above).")
    pairs = sum(clip.pairs for clip in good)
    say(f"    {pairs} pairs, {sum(clip.empty for clip in good)} of them without a crowd")

    model = out / "model.safetensors"
    rounds = Rounds(most=settings.rounds)
    plan = Plan(pairs, settings.train)
    first = rounds.first(settings.steps or plan.steps)
    epochs = max(1, round(first / plan.steps_per_epoch))
    branch = "with" if settings.net.siamese else "without"
    say(f"2/4 train: {settings.net.encoder} {branch} siamese branch, {epochs} epochs")
    net = _new_net(settings)
    taught = fit_in_rounds(
        net,
        [clip.folder for clip in good],
        out / "training",
        rounds=rounds,
        config=replace(settings.train, epochs=epochs),
        runtime=replace(settings.runtime, accelerator=accelerator),
        progress=progress,
        say=say,
    )
    history = taught.history
    save(net, model)
    net = load(model)

    say("3/4 segment")
    device = accelerator if accelerator in ("cpu", "cuda", "mps") else "auto"
    source_of = dict(named)
    clips: dict[str, ClipResult] = {}
    errors = {clip.name: clip.error for clip in labelled}
    for clip in good:
        folder = out if len(named) == 1 else out / clip.name
        try:
            done = segment_to(net, source_of[clip.name], folder, every=settings.segment_every, device=device,
                              progress=progress)  # fmt: skip
            video = read_video(source_of[clip.name], name=clip.name)
        except (ValueError, FileNotFoundError) as error:  # a frame that labelling did not look at, say
            if len(named) == 1:
                raise
            errors[clip.name] = str(error)
            say(f"    left out: {error}")
            continue
        clips[clip.name] = ClipResult(video, folder, clip.folder, truth[clip.name])
        say(
            f"    {clip.name}: {done['frames']} masks in {folder / 'masks'}, crowd in {done['crowd']:.1%} of the pixels"
        )
    if not clips:
        raise ValueError("None of the clips could be segmented (see above).")
    not_trained_on: list[str] = []
    for source in unseen:
        video = read_video(source)
        folder = out / "unseen" / video.name
        segment_to(net, source, folder, device=device, progress=progress)
        pairs_of = pseudo_label_many([source], out / "unseen" / "pairs", settings=settings.label, progress=False)[0]
        clips[video.name] = ClipResult(video, folder, pairs_of.folder, truth_folders(source, None))
        not_trained_on.append(video.name)

    say("4/4 report")
    scores = {name: clip_scores(clip) for name, clip in clips.items() if clip.truth}
    metrics = {
        "settings": to_record(settings),
        "clips": {c.name: {"pairs": c.pairs, "empty": c.empty, "error": errors[c.name]} for c in labelled},
        "training": {"loss": history.loss, "segmentation": history.segmentation, "air": history.air,
                     "steps": history.steps, "epochs": epochs,
                     "rounds": taught.kept, "agreement": taught.agreement},
        "iou": {name: score.iou for name, score in scores.items() if name not in not_trained_on},
        "iou_unseen": {name: score.iou for name, score in scores.items() if name in not_trained_on},
        "frames": {name: score.frames for name, score in scores.items()},
    }  # fmt: skip
    write_json(out / "metrics.json", metrics)
    write_report(out, clips, metrics, settings.label)
    return metrics


def _stride(named: Sequence[tuple[str, str | Path]], settings: RunSettings) -> int:
    """One frame in so many: as set, or such that all clips together give about ``settings.pairs`` pairs."""
    if settings.label.every:
        return settings.label.every
    return min(20, max(1, round(_count_frames([source for _, source in named]) / settings.pairs)))


def _count_frames(sources: Sequence[str | Path]) -> int:
    """Frames of all sources together; a source that cannot be read has none, and labelling will say why.

    They are opened in another process: a damaged file may kill it. Another one then goes on after that file.
    """
    left, frames = [os.fspath(source) for source in sources], 0
    while left:
        child = subprocess.run(python_command(_COUNT), input="\0".join(left), stdout=subprocess.PIPE,
                               encoding="utf-8", errors="surrogateescape")  # fmt: skip
        counted = [int(line) for line in child.stdout.split()]
        frames += sum(counted)
        left = left[len(counted) + 1 :]
    return frames


_COUNT = """
import os
from mpas_lite.options import to_record
from mpas_lite.runtime.children import be_a_child
from mpas_lite.video.reader import read_video

be_a_child(os.getppid())
for source in sys.stdin.buffer.read().split(b"\\0"):
    try:
        print(read_video(os.fsdecode(source)).count_frames(), flush=True)
    except Exception:  # labelling it will say what is wrong
        print(0, flush=True)
"""


def _new_net(settings: RunSettings) -> MPASNet:
    import torch

    from mpas_lite.network.mpasnet import MPASNet

    torch.manual_seed(settings.train.seed)
    return MPASNet(**to_record(settings.net))
