"""Training a net on pairs that nobody labelled: what users call, and what becomes of a run in the end."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from mpas_lite.files.ledger import refuse_foreign
from mpas_lite.network.batchnorm import recalibrate_batch_norm
from mpas_lite.network.checkpoints import is_checkpoint
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.options import takes_options, to_record
from mpas_lite.training.config import Runtime, TrainConfig, Upkeep
from mpas_lite.training.keeping import keep_people, knows_people
from mpas_lite.training.loop import Job, train
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.plan import Plan
from mpas_lite.training.processes import launch, set_up
from mpas_lite.training.records import is_log
from mpas_lite.training.state import TrainState, read_run
from mpas_lite.training.validation import Validation, make_judge, recalibration_batches
from mpas_lite.training.views import TrainingViews


@dataclass(frozen=True)
class History:
    """What training did; one number an epoch, each the mean over the epoch's batches.

    Attributes
    ----------
    loss, segmentation, air : list of float
        L = L_SEG + air_weight * L_AIR, and its two parts.
    steps : int
        Updates of the weights, all runs together.
    finished : bool
        False if ``max_seconds`` ended it before its last epoch.
    seconds : float
        Time that this run took.
    validation : list of float or None
        IoU (or what ``validate`` gave) after each epoch, None where it was not asked for.
    skipped : list of str
        Pairs that were left out, and why: their files are damaged.
    """

    loss: list[float]
    segmentation: list[float]
    air: list[float]
    steps: int
    finished: bool
    seconds: float
    validation: list[float | None] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@takes_options(config=TrainConfig, runtime=Runtime, upkeep=Upkeep)
def fit(
    net: MPASNet,
    pairs: str | Path | Sequence[str | Path] | PairDataset,
    *,
    out: str | Path | None = None,
    config: TrainConfig,
    runtime: Runtime,
    validate: Validation | None = None,
    upkeep: Upkeep,
    resume: bool = True,
    max_seconds: float | None = None,
    progress: bool = True,
) -> History:
    """Train a net, in place, on the pairs of frame and mask that ``pseudo_label`` wrote.

    Parameters
    ----------
    net : MPASNet
        Comes back trained, with batch norm recalibrated, in eval mode, on the device it came on.
    pairs : str, Path, sequence of these, or PairDataset
        See :class:`~mpas_lite.training.pairs.PairDataset`. All files are read through first: a pair that is
        damaged is left out, and named in a warning at the end. It is the same at every resume.
    out : str or Path, optional
        Folder for ``checkpoint.pt`` and ``log.csv``, on a file system that all nodes see. Without it a killed
        run is lost. The log has a row a step: :data:`~mpas_lite.training.records.COLUMNS`.
    config : TrainConfig, optional
        What the result depends on: ``epochs``, ``lr``, ``loss``, ... (listed below). Given by their own names, as in
        ``fit(net, pairs, epochs=5)``, settings win over those in it.
    runtime : Runtime, optional
        Devices, precision and processes, likewise. Several devices need the script's
        ``if __name__ == "__main__":`` guard, or torchrun or SLURM's srun around it. So do ``workers`` where Python
        starts processes anew (Windows, macOS, and everywhere from 3.14 on). A device or precision that this machine
        does not have is refused.
    validate : str, Path, sequence of these, PairDataset or callable, optional
        Judges the net every ``validate_every`` epochs, with batch norm recalibrated; the first process does
        it. Pairs whose masks are the truth give the IoU over all their pixels. A callable gets a net in eval
        mode, a copy, and returns a number. Nothing is chosen by it.
    upkeep : Upkeep, optional
        How often the net is judged and the run kept, likewise.
    resume : bool
        Go on from ``out/checkpoint.pt`` if it is there, on whatever device. On a CPU the end is bit for bit
        that of an uninterrupted run. The number of devices may change if ``batch_size`` changes with it.
    max_seconds : float, optional
        Stop after this time, with a checkpoint; call again to go on.
    progress : bool
        Show a progress bar.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If nothing moves in the pairs (all masks are empty), the checkpoint is of another run or damaged, files of
        that name in ``out`` are not ours, a setting is wrong, or the loss is no longer a number.
    KeyboardInterrupt
        After Ctrl-C (or SIGTERM); the step is finished and the checkpoint written first.

    Notes
    -----
    All batches of an epoch are about equally large: ``batch_size`` pairs or a few less. With ``accumulate`` only batch
    norm still sees the small batches. ``air_weight=0`` leaves the fusion (SFA without AIR); AIR without SFA is a net
    made with ``fusion=False``. A net without the siamese branch sees x, or with ``view="augmented"`` x_hat in its
    place: plain colour augmentation, at half the cost of a step of two views. Ours; the paper's MPASNET* sees x.
    ``long_side`` is noted in the net, so that ``segment`` scales alike; a ``PairDataset`` brings its own. ``seed`` is
    not that of the net's first weights: call ``torch.manual_seed`` before making the net.

    Equal pairs, settings and seed give equal weights, bit for bit, whatever ``workers``, ``checkpoint_every``,
    ``validate_every`` and the interruptions are. What moves the last bits of a sum, and grows from step to step as
    any rounding does, is another number of threads (``OMP_NUM_THREADS``, ``torch.set_num_threads``: one and two
    give other bits), another number of devices, ``channels_last``, ``compile``, another processor or GPU, and
    another version of torch.
    """
    started = time.monotonic()
    if config.view == "augmented" and net.siamese:
        raise ValueError(
            "view='augmented' is for a net without the siamese branch: this one sees both views. Leave it out, or make "
            "the net with siamese=False."
        )
    dataset = pairs
    if not isinstance(dataset, PairDataset):
        dataset = PairDataset(dataset, long_side=config.long_side, skip_damaged=True)
    config = replace(config, long_side=dataset.long_side)
    if dataset.is_empty():
        raise ValueError(
            "Nothing moves in these pairs: all masks are empty. Label a clip in which people walk, or label "
            "again with a lower minimum speed."
        )
    net.long_side = dataset.long_side
    lessons = dataset if config.empty else dataset.with_crowd()
    fabric, runtime = set_up(runtime)
    plan = Plan(len(lessons), config, runtime.processes)
    job = Job(
        run=_described(net, dataset, config, runtime),
        checkpoint=None if out is None else Path(out) / "checkpoint.pt",
        resume=resume,
        deadline=math.inf if max_seconds is None else started + max_seconds,
        judge=make_judge(validate, dataset, config.batch_size),
        upkeep=upkeep,
        progress=progress,
    )
    _check_folder(job, net, plan)
    home = net.mean.device
    if config.keep is not None and knows_people(net):
        lessons = keep_people(net, lessons, config.keep, fabric.device)
    views = TrainingViews(lessons, config.augmentation, seed=config.seed, sizes=config.sizes, paste=config.paste)
    train_it = partial(train, views=views, config=config, runtime=runtime, job=job)
    end, state = launch(fabric, train_it, net, runtime)
    net.to(home).eval()
    _refuse_unfinished(end, state, plan, lessons, job.checkpoint)
    recalibrate_batch_norm(net.to(fabric.device), recalibration_batches(dataset, config.batch_size))
    net.to(home)
    net.provenance.update(_provenance(lessons, config, runtime, state))
    _warn_of_damage(dataset)
    return _history(dataset, config, state, time.monotonic() - started)


def _history(pairs: PairDataset, config: TrainConfig, state: TrainState, seconds: float) -> History:
    """What the run did, for people."""
    return History(
        loss=[epoch[0] for epoch in state.history],
        segmentation=[epoch[1] for epoch in state.history],
        air=[epoch[2] for epoch in state.history],
        steps=state.step,
        finished=len(state.history) == config.epochs,
        seconds=seconds,
        validation=state.validation,
        skipped=pairs.skipped,
    )


def _described(net: MPASNet, pairs: PairDataset, config: TrainConfig, runtime: Runtime) -> dict[str, Any]:
    """All that a run's result depends on, by which a checkpoint is known."""
    described = {
        **{f"the net's {name}": value for name, value in net.config.items()},
        "encoder_weights": net.provenance.get("encoder_weights"),
        "pairs": pairs.fingerprint(),
        "precision": runtime.precision,
        **to_record(config),
        "batch_size": config.batch_size * runtime.processes,  # of all devices together
    }
    del described["long_side"]  # it is the net's
    if config.schedule == "constant":
        del described["epochs"]  # more epochs are then more of the same run
    return described


def _check_folder(job: Job, net: MPASNet, plan: Plan) -> None:
    """Refuse what is not ours, and a checkpoint that this run cannot go on from, before anything is done."""
    if job.checkpoint is None or job.log is None:
        return
    saved = read_run(job.checkpoint, job.run, net) if job.resume else None
    refuse_foreign([job.checkpoint], is_checkpoint)
    refuse_foreign([job.log], is_log)
    done = len(saved["history"]) if saved else 0
    if saved and done != saved["step"] // plan.steps_per_epoch:
        raise ValueError(
            f"{job.checkpoint} is damaged: its epochs do not fit its steps. Start afresh with resume=False."
        )
    if done > plan.config.epochs:
        raise ValueError(f"{job.checkpoint} has done {done} epochs already, more than epochs={plan.config.epochs}.")


def _refuse_unfinished(end: str, state: TrainState, plan: Plan, pairs: PairDataset, checkpoint: Path | None) -> None:
    """Say what ended a run too early, if anything did; a lack of time is no error."""
    if end == "diverged":
        kept = f" {checkpoint} holds the last good state." if checkpoint and checkpoint.exists() else ""
        raise ValueError(
            f"The loss is no longer a number after step {state.step}: training has diverged, on the pairs "
            f"{_named([pairs.name(index) for index in plan.indices(state.step)])}. Start again with a lower lr than "
            f"{plan.config.lr} (a tenth) and resume=False.{kept}"
        )
    if end == "interrupted":
        raise KeyboardInterrupt(f"training was stopped after step {state.step}")


def _provenance(pairs: PairDataset, config: TrainConfig, runtime: Runtime, state: TrainState) -> dict[str, Any]:
    """What a net is to say of its training."""
    return {
        "pairs": len(pairs),
        "epochs": len(state.history),
        "steps": state.step,
        "settings": {**to_record(config), "devices": runtime.processes, "precision": runtime.precision},
        "skipped": pairs.skipped,
        "validation_iou": next((value for value in reversed(state.validation) if value is not None), None),
    }


def _warn_of_damage(pairs: PairDataset) -> None:
    if pairs.skipped:
        everything = len(pairs) + len(pairs.skipped)
        warnings.warn(
            f"{len(pairs.skipped)} of {everything} pairs were left out as damaged: {_named(pairs.skipped)}",
            stacklevel=4,  # who called fit
        )


def _named(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
