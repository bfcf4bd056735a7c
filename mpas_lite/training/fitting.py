"""Training a net on pairs that nobody labelled: what users call, and what becomes of a run in the end."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mpas_lite.files.ledger import refuse_foreign
from mpas_lite.network.batchnorm import recalibrate_batch_norm
from mpas_lite.network.checkpoints import is_checkpoint, read_checkpoint
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.augmentation import Augmentation
from mpas_lite.training.config import Runtime, TrainConfig
from mpas_lite.training.loop import Job, train
from mpas_lite.training.pairs import PairDataset, TrainingViews
from mpas_lite.training.plan import Plan
from mpas_lite.training.processes import launch, set_up
from mpas_lite.training.records import is_log
from mpas_lite.training.state import TrainState
from mpas_lite.training.validation import Validation, make_judge, recalibration_batches


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


def fit(
    net: MPASNet,
    pairs: str | Path | Sequence[str | Path] | PairDataset,
    *,
    out: str | Path | None = None,
    epochs: int = 20,
    batch_size: int = 4,
    accumulate: int = 1,
    lr: float = 0.02,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
    schedule: Literal["constant", "cosine"] = "constant",
    loss: Literal["dice", "cross_entropy"] = "dice",
    literal_dice: bool = False,
    air_weight: float = 1.0,
    augmentation: Augmentation = "real",
    long_side: int = 320,
    ema: float | None = None,
    seed: int = 0,
    accelerator: str = "auto",
    devices: int = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
    precision: str = "32-true",
    compile: bool = False,
    channels_last: bool | None = None,
    workers: int | None = None,
    validate: Validation | None = None,
    validate_every: int = 1,
    checkpoint_every: int = 100,
    resume: bool = True,
    max_seconds: float | None = None,
    progress: bool = True,
) -> History:
    """Train a net, in place, on the pairs of frame and mask that ``pseudo_label`` wrote.

    Parameters
    ----------
    net : MPASNet
        Comes back trained, with batch norm recalibrated, in eval mode, on the device it came on.
    pairs : path, sequence of paths, or PairDataset
        See :class:`~mpas_lite.training.pairs.PairDataset`. All files are read through first: a pair that is
        damaged is left out, and named in a warning at the end. It is the same at every resume.
    out : path, optional
        Folder for ``checkpoint.pt`` and ``log.csv``, on a file system that all nodes see. Without it a killed
        run is lost. The log has a row a step: :data:`~mpas_lite.training.records.COLUMNS`.
    epochs, batch_size : int
        Passes over the pairs; pairs a step and device. A batch has ``batch_size`` pairs or a few less, so
        that all batches of an epoch are about equally large.
    accumulate : int
        Batches whose gradients make one step: the step of a batch so many times as large, in the memory of
        one. Only batch norm still sees the small batches.
    lr, momentum, weight_decay : float
        Of stochastic gradient descent; the defaults are the paper's.
    schedule : "constant" or "cosine"
        The paper's constant rate, or one that falls to 0 with the last step.
    loss : "dice" or "cross_entropy"
        L_SEG: Eq. 6, or what it is compared with. ``literal_dice`` divides by W'H' as printed.
    air_weight : float
        Weight of Eq. 7; the paper's is 1. 0 switches it off and leaves the fusion (SFA without AIR); AIR without
        SFA is a net made with ``fusion=False``.
    augmentation : "real", "literal" or "none"
        See :class:`~mpas_lite.training.pairs.TrainingViews`. A net without the siamese branch sees x only.
    long_side : int
        Longer side of the frames in px; noted in the net, so that ``segment`` scales alike. A
        ``PairDataset`` brings its own.
    ema : float, optional
        Decay (0.999, say) of an exponential moving average over the steps' weights, which is then the result.
    seed : int
        Of the order of the pairs, the augmentation and dropout, not of the net's first weights: call
        ``torch.manual_seed`` before making the net.
    accelerator, devices, num_nodes, strategy, precision
        Handed to lightning-fabric: ``"cpu"``, ``"cuda"``, ...; how many; ``"bf16-mixed"`` and so on. One that this
        machine does not have is refused. Several
        devices need the script's ``if __name__ == "__main__":`` guard, or torchrun or SLURM's srun around it, under
        which ``devices`` and ``num_nodes`` are what these have started. Several processes share each step's images,
        and batch norm's statistics are over all of them.
    compile : bool
        Hand the net to ``torch.compile`` first. Pays in long runs on a GPU.
    channels_last : bool, optional
        Keep maps as (B, H, W, C) in memory. By default on CUDA and on a CPU, where convolutions want it.
    workers : int, optional
        Processes that read and augment pairs. By default none on a CPU, and beside each GPU as many as there
        are cores for, 8 at most. Where Python starts processes anew (Windows, macOS, and everywhere from 3.14 on),
        they need the script's ``if __name__ == "__main__":`` guard, too.
    validate : path, sequence of paths, PairDataset or callable, optional
        Judges the net every ``validate_every`` epochs, with batch norm recalibrated; the first process does
        it. Pairs whose masks are the truth give the IoU over all their pixels. A callable gets a net in eval
        mode, a copy, and returns a number. Nothing is chosen by it.
    validate_every : int
        Epochs from one validation to the next.
    checkpoint_every : int
        Steps between checkpoints; there is also one after each epoch.
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
    Equal pairs, settings and seed give equal weights, bit for bit, whatever ``workers``, ``checkpoint_every``,
    ``validate_every`` and the interruptions are. What moves the last bits of a sum, and grows from step to step as
    any rounding does, is another number of threads (``OMP_NUM_THREADS``, ``torch.set_num_threads``: one and two
    give other bits), another number of devices, ``channels_last``, ``compile``, another processor or GPU, and
    another version of torch.
    """
    started = time.monotonic()
    dataset = pairs
    if not isinstance(dataset, PairDataset):
        dataset = PairDataset(dataset, long_side=long_side, skip_damaged=True)
    config = TrainConfig(epochs, batch_size, lr, momentum, weight_decay, schedule, loss, literal_dice, air_weight,
                         augmentation, seed, accumulate, ema)  # fmt: skip
    runtime = Runtime(accelerator, devices, num_nodes, strategy, precision, compile, channels_last, workers,
                      validate_every, checkpoint_every, progress)  # fmt: skip
    views = TrainingViews(dataset, augmentation, seed=seed)
    if dataset.is_empty():
        raise ValueError(
            "Nothing moves in these pairs: all masks are empty. Label a clip in which people walk, or label "
            "again with a lower minimum speed."
        )
    net.long_side = dataset.long_side
    fabric, runtime = set_up(runtime)
    plan = Plan(len(dataset), config, runtime.processes)
    job = Job(
        run=_described(net, dataset, config, runtime),
        checkpoint=None if out is None else Path(out) / "checkpoint.pt",
        resume=resume,
        deadline=math.inf if max_seconds is None else started + max_seconds,
        judge=make_judge(validate, dataset, batch_size),
    )
    _check_folder(job, net, plan)
    home = net.mean.device
    train_it = partial(train, views=views, config=config, runtime=runtime, job=job)
    end, state = launch(fabric, train_it, net, runtime)
    net.to(home).eval()
    _refuse_unfinished(end, state, plan, dataset, job.checkpoint)
    recalibrate_batch_norm(net.to(fabric.device), recalibration_batches(dataset, batch_size))
    net.to(home)
    net.provenance.update(_provenance(dataset, config, runtime, state))
    _warn_of_damage(dataset)
    return History(
        loss=[epoch[0] for epoch in state.history],
        segmentation=[epoch[1] for epoch in state.history],
        air=[epoch[2] for epoch in state.history],
        steps=state.step,
        finished=len(state.history) == epochs,
        seconds=time.monotonic() - started,
        validation=state.validation,
        skipped=dataset.skipped,
    )


def _described(net: MPASNet, pairs: PairDataset, config: TrainConfig, runtime: Runtime) -> dict[str, Any]:
    """All that a run's result depends on, by which a checkpoint is known."""
    described = {
        **{f"the net's {name}": value for name, value in net.config.items()},
        "encoder_weights": net.provenance.get("encoder_weights"),
        "pairs": pairs.fingerprint(),
        "precision": runtime.precision,
        **asdict(config),
        "batch_size": config.batch_size * runtime.processes,  # of all devices together
    }
    if config.schedule == "constant":
        del described["epochs"]  # more epochs are then more of the same run
    return described


def _check_folder(job: Job, net: MPASNet, plan: Plan) -> None:
    """Refuse what is not ours, and a checkpoint that this run cannot go on from, before anything is done."""
    if job.checkpoint is None or job.log is None:
        return
    saved = read_checkpoint(job.checkpoint, job.run, net) if job.resume else None
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
        "settings": {**asdict(config), "devices": runtime.processes, "precision": runtime.precision},
        "skipped": pairs.skipped,
        "validation_iou": next((value for value in reversed(state.validation) if value is not None), None),
    }


def _warn_of_damage(pairs: PairDataset) -> None:
    if pairs.skipped:
        everything = len(pairs) + len(pairs.skipped)
        warnings.warn(
            f"{len(pairs.skipped)} of {everything} pairs were left out as damaged: {_named(pairs.skipped)}",
            stacklevel=3,
        )


def _named(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
