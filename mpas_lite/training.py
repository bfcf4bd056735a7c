"""Training: L = L_SEG + L_AIR, by stochastic gradient descent, on pairs that nobody labelled.

The loop is :func:`_train`. What surrounds it makes a killed run go on as if nothing had happened: all that
is random depends on the seed and the number of the step alone, so weights, momentum and that number are
the whole state.
"""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from mpas_lite.augmentation import Augmentation
from mpas_lite.checkpoints import load as load
from mpas_lite.checkpoints import read_checkpoint, write_checkpoint
from mpas_lite.checkpoints import save as save
from mpas_lite.datasets import PairDataset, TrainingViews
from mpas_lite.losses import air_loss, cross_entropy_loss, dice_loss
from mpas_lite.network import MPASNet
from mpas_lite.stopping import stopping_gently

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")  # the weights stay float32
RECALIBRATION_IMAGES = 500
_STARTS_PROCESSES = ("ddp_spawn", "ddp_fork", "ddp_notebook")


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
    """

    loss: list[float]
    segmentation: list[float]
    air: list[float]
    steps: int
    finished: bool
    seconds: float


def fit(
    net: MPASNet,
    pairs: str | Path | Sequence[str | Path] | PairDataset,
    *,
    out: str | Path | None = None,
    epochs: int = 20,
    batch_size: int = 4,
    lr: float = 0.02,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
    schedule: Literal["constant", "cosine"] = "constant",
    loss: Literal["dice", "cross_entropy"] = "dice",
    literal_dice: bool = False,
    air_weight: float = 1.0,
    augmentation: Augmentation = "real",
    long_side: int = 320,
    seed: int = 0,
    accelerator: str = "auto",
    devices: int = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
    precision: str = "32-true",
    workers: int = 0,
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
        See :class:`~mpas_lite.datasets.PairDataset`.
    out : path, optional
        Folder for ``checkpoint.pt``, on a file system that all nodes see. Without it a killed run is lost.
    epochs, batch_size : int
        Passes over the pairs; pairs a step and device. A batch has ``batch_size`` pairs or a few less, so
        that all batches of an epoch are about equally large.
    lr, momentum, weight_decay : float
        Of stochastic gradient descent; the defaults are the paper's.
    schedule : "constant" or "cosine"
        The paper's constant rate, or one that falls to 0 with the last step.
    loss : "dice" or "cross_entropy"
        L_SEG: Eq. 6, or what it is compared with. ``literal_dice`` divides by W'H' as printed.
    air_weight : float
        Weight of Eq. 7; the paper's is 1. 0 switches it off and leaves the fusion.
    augmentation : "real", "literal" or "none"
        See :class:`~mpas_lite.datasets.TrainingViews`. A net without the siamese branch sees x only.
    long_side : int
        Longer side of the frames in px; noted in the net, so that ``segment`` scales alike. A
        ``PairDataset`` brings its own.
    seed : int
        Of the order of the pairs, the augmentation and dropout, not of the net's first weights: call
        ``torch.manual_seed`` before making the net.
    accelerator, devices, num_nodes, strategy, precision
        Handed to lightning-fabric: ``"cpu"``, ``"cuda"``, ...; how many; ``"bf16-mixed"`` and so on. Several
        devices need the script's ``if __name__ == "__main__":`` guard, or torchrun or SLURM around it.
    workers : int
        Processes that read and augment pairs.
    checkpoint_every : int
        Steps between checkpoints; there is also one after each epoch.
    resume : bool
        Go on from ``out/checkpoint.pt`` if it is there. On a CPU the end is bit for bit that of an
        uninterrupted run.
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
        If nothing moves in the pairs (all masks are empty), the checkpoint is of another run, a setting is
        wrong, or the loss is no longer a number.
    KeyboardInterrupt
        After Ctrl-C (or SIGTERM); the step is finished and the checkpoint written first.
    """
    started = time.monotonic()
    dataset = pairs if isinstance(pairs, PairDataset) else PairDataset(pairs, long_side=long_side)
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
    )
    views = TrainingViews(dataset, augmentation, seed=seed)
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r}: choose {', '.join(PRECISIONS)}.")
    for name, value in (
        ("checkpoint_every", checkpoint_every),
        ("devices", devices),
        ("num_nodes", num_nodes),
    ):
        _at_least_one(name, value)
    if dataset.is_empty():
        raise ValueError(
            "Nothing moves in these pairs: all masks are empty. Label a clip in which people walk, or label "
            "again with a lower minimum speed."
        )
    net.long_side = dataset.long_side
    if strategy == "auto" and devices * num_nodes > 1:
        # Spawned processes run _train alone; torchrun and SLURM have started processes of their own.
        outside = "TORCHELASTIC_RUN_ID" in os.environ or "SLURM_NTASKS" in os.environ
        strategy = "ddp" if outside else "ddp_spawn"
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        num_nodes=num_nodes,
        strategy=strategy,
        precision=precision,
    )
    run = {
        **{f"the net's {name}": value for name, value in net.config.items()},
        "encoder_weights": net.provenance.get("encoder_weights"),
        "pairs": dataset.fingerprint(),
        "devices": devices * num_nodes,
        "precision": str(precision),
        **dataclasses.asdict(settings),
    }
    if schedule == "constant":
        del run["epochs"]  # more epochs are then more of the same run
    checkpoint = None if out is None else Path(out) / "checkpoint.pt"
    saved = read_checkpoint(checkpoint, run) if checkpoint and resume else None
    if saved and len(saved["history"]) > epochs:
        done = len(saved["history"])
        raise ValueError(f"{checkpoint} has done {done} epochs already, more than epochs={epochs}.")
    surroundings = _Surroundings(
        run=run,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        deadline=math.inf if max_seconds is None else started + max_seconds,
        workers=workers,
        progress=progress,
    )

    home = net.mean.device
    with stopping_gently() as stop:
        train = partial(_train, views=views, s=settings, around=surroundings)
        if strategy in _STARTS_PROCESSES:
            end, state = _train_elsewhere(fabric, train, net)
        else:
            end, state = fabric.launch(train, net)
    net.to(home)
    net.eval()
    if end == "diverged":
        kept = f" {checkpoint} holds the last good state." if checkpoint and checkpoint.exists() else ""
        raise ValueError(
            f"The loss is no longer a number after step {state['step']}: training has diverged. Start again "
            f"with a lower lr than {lr} (a tenth) and resume=False.{kept}"
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
        settings=dataclasses.asdict(settings),
    )
    return History(
        loss=[epoch[0] for epoch in state["history"]],
        segmentation=[epoch[1] for epoch in state["history"]],
        air=[epoch[2] for epoch in state["history"]],
        steps=state["step"],
        finished=len(state["history"]) == epochs,
        seconds=time.monotonic() - started,
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

    def __post_init__(self) -> None:
        _at_least_one("epochs", self.epochs)
        _at_least_one("batch_size", self.batch_size)
        for name in ("seed", "lr", "momentum", "weight_decay", "air_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: it must be 0 or more.")
        for name, choices in (("schedule", ("constant", "cosine")), ("loss", ("dice", "cross_entropy"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose {' or '.join(choices)}.")


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name}={value}: it must be 1 or more.")


@dataclasses.dataclass(frozen=True)
class _Surroundings:
    """What a run needs, but its result does not depend on."""

    run: dict[str, Any]
    checkpoint: Path | None
    checkpoint_every: int
    resume: bool
    deadline: float
    workers: int
    progress: bool


def _train(
    fabric: Fabric,
    net: MPASNet,
    views: TrainingViews,
    s: Settings,
    around: _Surroundings,
) -> tuple[str, dict[str, Any]]:
    """The training loop; runs in every process. Gives how and where it ended."""
    net.train()
    model, optimizer = fabric.setup(
        net, torch.optim.SGD(net.parameters(), lr=s.lr, momentum=s.momentum, weight_decay=s.weight_decay)
    )
    scaling = fabric.strategy.precision  # of float16 gradients; it has a state of its own
    state: dict[str, Any] = {"step": 0, "sums": [0.0, 0.0, 0.0], "history": []}
    saved = read_checkpoint(around.checkpoint, around.run) if around.checkpoint and around.resume else None
    if saved is not None:
        net.load_state_dict(saved["weights"])
        optimizer.load_state_dict(saved["optimizer"])
        scaling.load_state_dict(saved["scaling"])
        state = {key: saved[key] for key in state}

    def keep() -> None:
        if around.checkpoint and fabric.is_global_zero and _all_finite(net):
            content = {"weights": net.state_dict(), "optimizer": optimizer.state_dict()}
            content |= {"scaling": scaling.state_dict(), "run": around.run, **state}
            write_checkpoint(around.checkpoint, content)

    batches = math.ceil(len(views) / (s.batch_size * fabric.world_size))  # of one epoch
    steps = s.epochs * batches
    loader = DataLoader(
        views,
        batch_sampler=_plan(len(views), s, state["step"], batches, fabric.global_rank, fabric.world_size),
        num_workers=around.workers,
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
    with bar, _own_generator(fabric.device), stopping_gently() as stop:
        for batch in loader:
            x, x_hat, target, valid = fabric.to_device(batch)
            _seed_dropout(s.seed, state["step"], fabric.global_rank)
            for group in optimizer.param_groups:
                group["lr"] = _learning_rate(s, state["step"], steps)

            if net.siamese:
                prob, f, f_hat = model(x / 255, x_hat / 255)
                l_air = air_loss(f, f_hat)
            else:
                prob = model(x / 255)
                l_air = prob.new_zeros(())
            if s.loss == "dice":
                l_seg = dice_loss(prob, target, valid=valid, literal=s.literal_dice)
            else:
                l_seg = cross_entropy_loss(prob, target, valid=valid)
            loss = l_seg + s.air_weight * l_air

            # All processes must hear of a bad loss or a wish to stop, or some would wait for ever.
            stopping = loss.new_tensor(float(bool(stop) or time.monotonic() > around.deadline))
            mean_over_processes = fabric.all_reduce(torch.stack([loss, l_seg, l_air, stopping]).detach())
            *losses, stopping_share = mean_over_processes.tolist()
            if not math.isfinite(losses[0]):
                end = "diverged"
                break

            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()

            state["step"] += 1
            state["sums"] = [old + new for old, new in zip(state["sums"], losses, strict=True)]
            epoch_ends = state["step"] % batches == 0
            if epoch_ends:
                state["history"] = [*state["history"], [total / batches for total in state["sums"]]]
                state["sums"] = [0.0, 0.0, 0.0]
            bar.set_postfix(seg=f"{losses[1]:.3f}", air=f"{losses[2]:.4f}", refresh=False)
            bar.update()
            if epoch_ends or stopping_share or state["step"] % around.checkpoint_every == 0:
                keep()
            if stopping_share:
                end = "interrupted" if stop else "time"
                break
    return end, state


def _train_elsewhere(fabric: Fabric, train: Callable[..., Any], net: MPASNet) -> tuple[str, dict[str, Any]]:
    """Train in processes of their own, and bring the weights back through a file.

    The net goes there as a copy; what a process returns through lightning-fabric must be small.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.pt"
        fabric.launch(partial(_train_into, train=train, file=file), net)
        result = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(result["weights"])
    return result["end"], result["state"]


def _train_into(fabric: Fabric, net: MPASNet, train: Callable[..., Any], file: Path) -> None:
    end, state = train(fabric, net)
    if fabric.is_global_zero:
        torch.save({"end": end, "state": state, "weights": net.state_dict()}, file)


def _plan(
    pairs: int, s: Settings, first: int, batches: int, rank: int, processes: int
) -> Iterator[list[tuple[int, int]]]:
    """The (epoch, index) keys of every batch from step ``first`` on, for one process."""
    for step in range(first, s.epochs * batches):
        epoch, batch = divmod(step, batches)
        order = np.random.default_rng([s.seed, epoch]).permutation(pairs)
        order = np.resize(order, max(pairs, batches * processes))  # around again: no process goes without
        share = np.array_split(np.array_split(order, batches)[batch], processes)[rank]
        yield [(epoch, int(index)) for index in share]


def _learning_rate(s: Settings, step: int, steps: int) -> float:
    return s.lr if s.schedule == "constant" else s.lr * (1 + math.cos(math.pi * step / steps)) / 2


def recalibrate_batch_norm(net: nn.Module, images: Iterable[Tensor]) -> None:
    """Estimate batch norm's running statistics anew, as plain averages over batches of images.

    In training they are moving averages over weights that no longer exist. After few steps they lag so far
    behind that a net which segments well in training mode segments nothing in eval mode (IoU 0.02 instead of
    0.385, measured). :func:`fit` calls this at its end.

    Parameters
    ----------
    net : MPASNet
        Changed in place; its mode stays.
    images : iterable of (B, 3, H, W) float in [0, 1]
        At least one batch, of about the batch size in training.
    """
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    modes = {module: module.training for module in net.modules()}
    momenta = {norm: norm.momentum for norm in norms}
    net.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for the average over all batches, each counted alike
        norm.train()
    device = next(net.parameters()).device
    with torch.inference_mode():
        seen = [net(batch.to(device)).shape[0] for batch in images] if norms else [1]
    for norm, momentum in momenta.items():
        norm.momentum = momentum
    for module, mode in modes.items():
        module.training = mode
    if not seen:
        raise ValueError("Batch norm cannot be recalibrated without images.")


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
    cv2.setNumThreads(0)  # processes enough
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
