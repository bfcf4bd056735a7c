"""Training: L = L_SEG + L_AIR, by stochastic gradient descent, on pairs that nobody labelled.

The loop is :func:`_train`. What surrounds it makes a killed run go on as if nothing had happened: all that
is random depends on the seed and the number of the step alone, so weights, momentum and that number are
the whole state.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from mpas_lite.evaluation.scores import score_frames
from mpas_lite.files.atomic import atomic_write, blame
from mpas_lite.files.ledger import refuse_foreign
from mpas_lite.network.batchnorm import recalibrate_batch_norm as recalibrate_batch_norm
from mpas_lite.network.batchnorm import synchronised
from mpas_lite.network.bounds import check_bounds
from mpas_lite.network.checkpoints import is_checkpoint, read_checkpoint, write_checkpoint
from mpas_lite.network.checkpoints import load as load
from mpas_lite.network.checkpoints import save as save
from mpas_lite.network.losses import air_loss, cross_entropy_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.runtime.devices import check_devices
from mpas_lite.runtime.stopping import defer_interrupt, end_with_parent
from mpas_lite.training.augmentation import Augmentation
from mpas_lite.training.pairs import PairDataset, TrainingViews
from mpas_lite.training.records import TrainingLog, is_log

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")  # the weights stay float32
RECALIBRATION_IMAGES = 500
_STARTS_PROCESSES = ("ddp_spawn", "ddp_fork", "ddp_notebook")
_GPU_WORKERS = 8  # at most, for each process

Validation = str | Path | Sequence[str | Path] | PairDataset | Callable[[MPASNet], float]


@dataclasses.dataclass(frozen=True)
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
    validation: list[float | None] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)


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
    settings = Settings(
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        schedule=schedule,
        loss=loss,
        literal_dice=literal_dice,
        air_weight=air_weight,
        augmentation=augmentation,
        seed=seed,
        accumulate=accumulate,
        ema=ema,
    )
    views = TrainingViews(dataset, augmentation, seed=seed)
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r}: choose {', '.join(PRECISIONS)}.")
    outside = TorchElasticEnvironment.detect() or SLURMEnvironment.detect()
    if outside:  # torchrun and SLURM know best how many processes they have started
        devices, num_nodes = _started(devices, num_nodes)
    for name, value in (
        ("checkpoint_every", checkpoint_every),
        ("validate_every", validate_every),
        ("devices", devices),
        ("num_nodes", num_nodes),
        ("workers", workers),
    ):
        check_bounds(name, value)
    check_devices(accelerator, devices)
    if dataset.is_empty():
        raise ValueError(
            "Nothing moves in these pairs: all masks are empty. Label a clip in which people walk, or label "
            "again with a lower minimum speed."
        )
    net.long_side = dataset.long_side
    if strategy == "auto" and devices * num_nodes > 1:
        strategy = "ddp" if outside else "ddp_spawn"  # spawned processes run _train alone
    fabric = _fabric(accelerator, devices, num_nodes, strategy, precision)
    run = {
        **{f"the net's {name}": value for name, value in net.config.items()},
        "encoder_weights": net.provenance.get("encoder_weights"),
        "pairs": dataset.fingerprint(),
        "precision": str(precision),
        **dataclasses.asdict(settings),
        "batch_size": batch_size * devices * num_nodes,  # of all devices together
    }
    if schedule == "constant":
        del run["epochs"]  # more epochs are then more of the same run
    checkpoint = None if out is None else Path(out) / "checkpoint.pt"
    saved = read_checkpoint(checkpoint, run, net) if checkpoint and resume else None
    if checkpoint:
        refuse_foreign([checkpoint], is_checkpoint)
        refuse_foreign([checkpoint.with_name("log.csv")], is_log)
    batches = math.ceil(len(views) / (batch_size * accumulate * devices * num_nodes))  # of one epoch
    if saved and len(saved["history"]) != saved["step"] // batches:
        raise ValueError(f"{checkpoint} is damaged: its epochs do not fit its steps. Start afresh with resume=False.")
    if saved and len(saved["history"]) > epochs:
        done = len(saved["history"])
        raise ValueError(f"{checkpoint} has done {done} epochs already, more than epochs={epochs}.")
    workers = _default_workers(fabric.device, devices) if workers is None else workers
    surroundings = _Surroundings(
        run=run,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        deadline=math.inf if max_seconds is None else started + max_seconds,
        compile=compile,
        channels_last=fabric.device.type in ("cuda", "cpu") if channels_last is None else channels_last,
        workers=workers,
        judge=_judge(validate, dataset, batch_size),
        validate_every=validate_every,
        progress=progress,
    )

    _check_guard(strategy in _STARTS_PROCESSES or workers > 0)
    home = net.mean.device
    with defer_interrupt() as stop:
        train = partial(_train, views=views, s=settings, around=surroundings)
        if strategy in _STARTS_PROCESSES:
            end, state = _train_elsewhere(fabric, train, net, stop)
        else:
            end, state = fabric.launch(train, net)
    net.to(home)
    net.eval()
    if end == "diverged":
        kept = f" {checkpoint} holds the last good state." if checkpoint and checkpoint.exists() else ""
        raise ValueError(
            f"The loss is no longer a number after step {state['step']}: training has diverged, on the pairs "
            f"{_named(state['batch'])}. Start again with a lower lr than {lr} (a tenth) and resume=False.{kept}"
        )
    if stop or end == "interrupted":
        raise KeyboardInterrupt(f"training was stopped after step {state['step']}")

    net.to(fabric.device)
    recalibrate_batch_norm(net, _recalibration_batches(dataset, batch_size))
    net.to(home)
    net.provenance.update(
        pairs=len(dataset),
        epochs=len(state["history"]),
        steps=state["step"],
        settings={**dataclasses.asdict(settings), "devices": devices * num_nodes, "precision": precision},
        skipped=dataset.skipped,
        validation_iou=next((value for value in reversed(state["validation"]) if value is not None), None),
    )
    if dataset.skipped:
        everything = len(dataset) + len(dataset.skipped)
        warnings.warn(
            f"{len(dataset.skipped)} of {everything} pairs were left out as damaged: {_named(dataset.skipped)}",
            stacklevel=2,
        )
    return History(
        loss=[epoch[0] for epoch in state["history"]],
        segmentation=[epoch[1] for epoch in state["history"]],
        air=[epoch[2] for epoch in state["history"]],
        steps=state["step"],
        finished=len(state["history"]) == epochs,
        seconds=time.monotonic() - started,
        validation=state["validation"],
        skipped=dataset.skipped,
    )


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run's result depends on, beside the net and the pairs; see :func:`fit`."""

    epochs: int
    batch_size: int
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    loss: str
    literal_dice: bool
    air_weight: float
    augmentation: str
    seed: int
    accumulate: int = 1
    ema: float | None = None

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            check_bounds(name, value)
        for name, choices in (("schedule", ("constant", "cosine")), ("loss", ("dice", "cross_entropy"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose {' or '.join(choices)}.")


def _started(devices: int, num_nodes: int) -> tuple[int, int]:
    """Processes on each machine, and machines, that torchrun or SLURM has started; what was asked for must fit."""
    if TorchElasticEnvironment.detect():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        return here, int(os.environ["WORLD_SIZE"]) // here
    machines, processes = int(os.environ.get("SLURM_NNODES", "1")), int(os.environ["SLURM_NTASKS"])
    here = processes // machines
    if processes > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise ValueError(f"SLURM has started {processes} processes: give sbatch or srun --ntasks-per-node={here}, too.")
    if devices * num_nodes > 1 and (devices, num_nodes) != (here, machines):
        raise ValueError(
            f"SLURM has started {here} processes on each of {machines} machines, but devices={devices} and "
            f"num_nodes={num_nodes}. Leave both out, or ask SLURM for as many: --nodes, --ntasks-per-node and srun."
        )
    return here, machines


def _named(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _default_workers(device: torch.device, processes: int) -> int:
    return 0 if device.type == "cpu" else min(_GPU_WORKERS, (os.cpu_count() or 1) // processes)


def _fabric(accelerator: str, devices: int, num_nodes: int, strategy: str, precision: str) -> Fabric:
    """lightning-fabric, whose many kinds of refusal become one."""
    try:
        return Fabric(
            accelerator=accelerator, devices=devices, num_nodes=num_nodes, strategy=strategy, precision=precision
        )
    except (RuntimeError, TypeError, AttributeError, ImportError, MisconfigurationException) as error:
        raise ValueError(
            f"accelerator={accelerator!r}, devices={devices}, strategy={strategy!r}, precision={precision!r} do not "
            f"go here: {' '.join(str(error).split())}"
        ) from error


_GUARD = 'Put what the script does under `if __name__ == "__main__":`, or give workers=0 and devices=1.'


def _check_guard(needed: bool) -> None:
    """End a child that is still reading the script which it was started from, and has come to the training in it.

    It would start children of its own. The parent hears that it ended, and says why.
    """
    if needed and getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(f"fit() was reached while a child process reads the script again. {_GUARD}")


@dataclasses.dataclass(frozen=True)
class _Surroundings:
    """What a run needs, but its result does not depend on."""

    run: dict[str, Any]
    checkpoint: Path | None
    checkpoint_every: int
    resume: bool
    deadline: float
    compile: bool
    channels_last: bool
    workers: int
    judge: Callable[[nn.Module], float] | None
    validate_every: int
    progress: bool


def _train(
    fabric: Fabric,
    net: MPASNet,
    views: TrainingViews,
    s: Settings,
    around: _Surroundings,
    told: Callable[[], bool] = lambda: False,
) -> tuple[str, dict[str, Any]]:
    """The training loop; runs in every process, until ``told`` to stop. Gives how and where it ended."""
    net.train()
    trained = net if fabric.world_size == 1 else synchronised(net, fabric.device)
    memory = torch.channels_last if around.channels_last else torch.contiguous_format
    trained.to(memory_format=memory)
    averaged = None
    if s.ema is not None:
        averaged = AveragedModel(trained, device=fabric.device, multi_avg_fn=get_ema_multi_avg_fn(s.ema))
    model, optimizer = fabric.setup(
        torch.compile(trained) if around.compile else trained,
        torch.optim.SGD(trained.parameters(), lr=s.lr, momentum=s.momentum, weight_decay=s.weight_decay),
    )
    scaling = fabric.strategy.precision  # of float16 gradients; it has a state of its own
    state: dict[str, Any] = {"step": 0, "sums": [0.0, 0.0, 0.0], "history": [], "validation": []}
    saved = read_checkpoint(around.checkpoint, around.run, trained) if around.checkpoint and around.resume else None
    if saved is not None:
        trained.load_state_dict(saved["weights"])
        optimizer.load_state_dict({**optimizer.state_dict(), "state": saved["optimizer"]["state"]})
        with blame(around.checkpoint or "", "Start afresh with resume=False."):
            scaling.load_state_dict(saved["scaling"])
        if averaged is not None:
            averaged.load_state_dict(saved["averaged"])
        state = {key: saved[key] for key in state}
    log = None
    if around.checkpoint and fabric.is_global_zero:
        log = TrainingLog(around.checkpoint.with_name("log.csv"), step=state["step"])

    def result() -> dict[str, Tensor]:
        weights: dict[str, Tensor] = (trained if averaged is None else averaged.module).state_dict()
        return weights

    def keep() -> None:
        if around.checkpoint and log and _all_finite(trained):
            log.write()
            content = {"weights": trained.state_dict(), "optimizer": optimizer.state_dict()}
            content |= {"averaged": averaged.state_dict()} if averaged is not None else {}
            content |= {"scaling": scaling.state_dict(), "run": around.run, **state}
            write_checkpoint(around.checkpoint, content)

    parts = fabric.world_size * s.accumulate  # of each step's images
    batches = math.ceil(len(views) / (s.batch_size * parts))  # of one epoch
    steps = s.epochs * batches
    loader = DataLoader(
        views,
        batch_sampler=_plan(len(views), s, state["step"], batches, fabric.global_rank, fabric.world_size),
        num_workers=around.workers,
        prefetch_factor=4 if around.workers else None,
        worker_init_fn=_quiet_worker,
        pin_memory=fabric.device.type == "cuda",
    )
    bar = tqdm(
        total=steps,
        initial=state["step"],
        unit="step",
        disable=not (around.progress and fabric.is_global_zero),
    )
    end = "finished"
    clock = time.perf_counter()
    with bar, _own_generator(fabric.device), _readers_explained(), defer_interrupt() as stop:
        loaded = iter(loader)  # one for all epochs: its processes live as long as the run
        for step in range(state["step"], steps):
            _seed_dropout(s.seed, step, fabric.global_rank)
            for group in optimizer.param_groups:
                group["lr"] = _learning_rate(s, step, steps)
            images = sum(len(part) for part in _parts(len(views), s, step, batches, parts))

            optimizer.zero_grad()
            seen = torch.zeros(3, device=fabric.device)
            for _ in range(s.accumulate - 1):
                with fabric.no_backward_sync(model):
                    part = _losses(model, fabric.to_device(next(loaded)), images / fabric.world_size, s, memory)
                    fabric.backward(part[0])
                seen += part.detach()
            part = _losses(model, fabric.to_device(next(loaded)), images / fabric.world_size, s, memory)
            seen += part.detach()

            # All processes must hear of a bad loss or a wish to stop, or some would wait for ever. They hear
            # of it before the gradient: then a GPU is not left without work between two steps.
            stopping = seen.new_tensor([float(bool(stop) or told() or time.monotonic() > around.deadline)])
            *losses, stopping_share = fabric.all_reduce(torch.cat([seen, stopping])).tolist()
            if not math.isfinite(losses[0]):
                end = "diverged"
                keys = [key for part_keys in _parts(len(views), s, step, batches, parts) for key in part_keys]
                state["batch"] = [views.pairs.name(index) for _, index in keys]
                break

            fabric.backward(part[0])
            optimizer.step()
            if averaged is not None:
                averaged.update_parameters(trained)

            state["step"] += 1
            state["sums"] = [old + new for old, new in zip(state["sums"], losses, strict=True)]
            epoch_ends = state["step"] % batches == 0
            validation = None
            if epoch_ends:
                state["history"] = [*state["history"], [total / batches for total in state["sums"]]]
                state["sums"] = [0.0, 0.0, 0.0]
                if around.judge and len(state["history"]) % around.validate_every == 0:
                    validation = _validation(fabric, net, result(), around.judge)
                state["validation"] = [*state["validation"], validation]
            if log:
                clock, before = time.perf_counter(), clock
                log.add(step=state["step"], epoch=step // batches + 1, lr=optimizer.param_groups[0]["lr"],
                        loss=losses[0], segmentation=losses[1], air=losses[2],
                        images_per_s=round(images / (clock - before), 2), validation_iou=validation)  # fmt: skip
            bar.set_postfix(seg=f"{losses[1]:.3f}", air=f"{losses[2]:.4f}", refresh=False)
            bar.update()
            if epoch_ends or stopping_share or state["step"] % around.checkpoint_every == 0:
                keep()
            if stopping_share:
                end = "interrupted" if stop or told() else "time"
                break
    net.to(memory_format=torch.contiguous_format)
    net.load_state_dict(result())
    return end, state


def _losses(
    model: nn.Module, batch: Sequence[Tensor], images: float, s: Settings, memory: torch.memory_format
) -> Tensor:
    """(L, L_SEG, L_AIR) of a part of a step's images, each times the part's share in ``images``."""
    x, x_hat, target, valid = batch
    x, x_hat = (view.to(memory_format=memory) / 255 for view in (x, x_hat))
    if model.siamese:
        prob, f, f_hat = model(x, x_hat)
        l_air = air_loss(f, f_hat)
    else:
        prob = model(x)
        l_air = prob.new_zeros(())
    if s.loss == "dice":
        l_seg = dice_loss(prob, target, valid=valid, literal=s.literal_dice)
    else:
        l_seg = cross_entropy_loss(prob, target, valid=valid)
    return torch.stack([l_seg + s.air_weight * l_air, l_seg, l_air]) * (len(x) / images)


def _judge(validate: Validation | None, pairs: PairDataset, batch_size: int) -> Callable[[nn.Module], float] | None:
    """What judges a net: it recalibrates batch norm on the training frames, then measures."""
    if validate is None:
        return None
    if not callable(validate):
        if not isinstance(validate, PairDataset):
            validate = PairDataset(validate, long_side=pairs.long_side)
        validate = partial(pair_iou, pairs=validate)
    return partial(_recalibrate_and_measure, measure=validate, pairs=pairs, batch_size=batch_size)


def _recalibrate_and_measure(
    net: MPASNet, measure: Callable[[MPASNet], float], pairs: PairDataset, batch_size: int
) -> float:
    recalibrate_batch_norm(net, _recalibration_batches(pairs, batch_size))
    return float(measure(net.eval()))


def pair_iou(net: MPASNet, pairs: PairDataset) -> float:
    """IoU of a net's masks with those of all pairs, all pixels pooled; 1 where there is no crowd in either."""

    def compared() -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        for index in range(len(pairs)):
            image, mask, valid = pairs[index]
            with torch.inference_mode():
                found = net(image[None].to(net.mean.device) / 255)[0, 0] > 0.5
            yield index, found.cpu().numpy(), mask[0].numpy(), valid[0].numpy()

    return score_frames(compared()).pooled


def _validation(fabric: Fabric, net: MPASNet, weights: dict[str, Tensor], judge: Callable[[nn.Module], float]) -> float:
    """Let the first process judge a copy of the net while the others wait; all hear the same."""
    value = 0.0
    if fabric.is_global_zero:
        judged = copy.deepcopy(net).to(fabric.device).to(memory_format=torch.contiguous_format)  # as in the end
        judged.load_state_dict(weights)
        value = judge(judged)
    return float(fabric.broadcast(value))


def _train_elsewhere(
    fabric: Fabric, train: Callable[..., Any], net: MPASNet, stop: Sequence[int]
) -> tuple[str, dict[str, Any]]:
    """Train in processes of their own, and bring the weights back through a file.

    The net goes there as a copy; what a process returns through lightning-fabric must be small. A signal that only
    this process got is passed on through a file, too, and so is what went wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.pt"
        try:
            with _passed_on(stop, file.with_suffix(".stop")):
                fabric.launch(partial(_train_into, train=train, file=file), net)
        except (ProcessRaisedException, ProcessExitedException) as error:
            if file.with_suffix(".error").exists():
                raise pickle.loads(file.with_suffix(".error").read_bytes()) from None
            why = str(error).strip().splitlines()[-1]
            if stop:  # Ctrl-C reaches the whole group: they may have ended while they were still starting
                raise KeyboardInterrupt("training was stopped before its first step") from None
            raise ChildProcessError(f"One of the training processes has ended ({why}). {_GUARD}") from error
        result = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(result["weights"])
    return result["end"], result["state"]


def _train_into(fabric: Fabric, net: MPASNet, train: Callable[..., Any], file: Path) -> None:
    end_with_parent()
    try:
        end, state = train(fabric, net, told=file.with_suffix(".stop").exists)
    except (ValueError, OSError) as error:
        with atomic_write(file.with_suffix(".error")) as temporary:
            temporary.write_bytes(pickle.dumps(error))
        raise
    if fabric.is_global_zero:
        torch.save({"end": end, "state": state, "weights": net.state_dict()}, file)


@contextmanager
def _passed_on(stop: Sequence[int], file: Path) -> Iterator[None]:
    """Make the file as soon as a signal has come."""
    over = threading.Event()

    def watch() -> None:
        while not stop and not over.wait(0.2):
            pass
        if stop:
            file.touch()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def _readers_explained() -> Iterator[None]:
    """Say in one sentence what goes wrong in the processes that read pairs; torch may raise it at any moment."""
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        lines = str(error).strip().splitlines()
        if lines and lines[0].startswith("DataLoader worker"):
            why = lines[0].partition(". ")[0].rstrip(".")
            raise ChildProcessError(
                f"A process that reads pairs has ended: {why}. {_GUARD} If memory is short, fewer workers help."
            ) from None
        if lines and lines[0].startswith("Caught "):  # with the traceback of the process behind it
            raise ValueError(lines[-1].partition(": ")[2] or lines[-1]) from error
        raise


def _plan(
    pairs: int, s: Settings, first: int, batches: int, rank: int, processes: int
) -> Iterator[list[tuple[int, int]]]:
    """The (epoch, index) keys of every batch from step ``first`` on, ``s.accumulate`` a step, for one process."""
    for step in range(first, s.epochs * batches):
        parts = _parts(pairs, s, step, batches, processes * s.accumulate)
        yield from parts[rank * s.accumulate : (rank + 1) * s.accumulate]


def _parts(pairs: int, s: Settings, step: int, batches: int, parts: int) -> list[list[tuple[int, int]]]:
    """The keys of a step's images, dealt out to processes and batches; the joint batch is the same for any."""
    epoch, batch = divmod(step, batches)
    order = _order(s.seed, epoch, pairs, max(pairs, batches * parts))
    share = np.array_split(order, batches)[batch]
    return [[(epoch, int(index)) for index in part] for part in np.array_split(share, parts)]


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, pairs: int, length: int) -> np.ndarray:
    order = np.random.default_rng([seed, epoch]).permutation(pairs)
    return np.resize(order, length)  # around again: no process goes without


def _learning_rate(s: Settings, step: int, steps: int) -> float:
    return s.lr if s.schedule == "constant" else s.lr * (1 + math.cos(math.pi * step / steps)) / 2


def _recalibration_batches(pairs: PairDataset, batch_size: int) -> Iterator[Tensor]:
    """Some of the frames, evenly spaced, as batches of nearly one size."""
    count = min(len(pairs), RECALIBRATION_IMAGES)
    some = np.linspace(0, len(pairs) - 1, count).astype(int)
    for indices in np.array_split(some, math.ceil(count / batch_size)):
        yield torch.stack([pairs[int(index)][0] for index in indices]) / 255


def _all_finite(net: nn.Module) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in net.state_dict().values())


def _seed_dropout(seed: int, step: int, rank: int) -> None:
    """What dropout draws depends on the step alone, so that no generator's state need be kept."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0]))


def _own_generator(device: torch.device) -> Any:
    """A context that gives torch's generators back as they were."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _quiet_worker(_: int) -> None:
    end_with_parent()
    cv2.setNumThreads(0)  # processes enough
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
