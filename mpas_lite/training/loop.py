"""The training loop: L = L_SEG + L_AIR, by stochastic gradient descent.

It runs in every process of a run. All that is random depends on the seed and the number of the step alone, so a
killed run goes on as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader

from mpas_lite.network.losses import air_loss, cross_entropy_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.runtime.stopping import defer_interrupt
from mpas_lite.training.config import Runtime, TrainConfig, Upkeep
from mpas_lite.training.plan import Key, Plan, seed_dropout
from mpas_lite.training.processes import quiet_worker, readers_explained
from mpas_lite.training.progress import Progress
from mpas_lite.training.state import Learner, TrainState
from mpas_lite.training.validation import Judge, judge_copy
from mpas_lite.training.views import TrainingViews


@dataclass(frozen=True)
class Job:
    """What a run is to do besides learning.

    Attributes
    ----------
    run : dict
        What its result depends on, for the checkpoint.
    checkpoint : Path or None
        Where it is kept; the log lies beside it.
    resume : bool
        Go on from there.
    deadline : float
        When to stop, by ``time.monotonic``.
    judge : callable or None
        Judges the net after an epoch.
    upkeep : Upkeep
        How often it is judged and kept.
    progress : bool
        Show a bar.
    """

    run: dict[str, Any]
    checkpoint: Path | None
    resume: bool
    deadline: float
    judge: Judge | None
    upkeep: Upkeep
    progress: bool

    @property
    def log(self) -> Path | None:
        """File of the log."""
        return self.checkpoint and self.checkpoint.with_name("log.csv")


def train(
    fabric: Fabric,
    net: MPASNet,
    *,
    views: TrainingViews,
    config: TrainConfig,
    runtime: Runtime,
    job: Job,
    told: Callable[[], bool] = lambda: False,
) -> tuple[str, TrainState]:
    """Train until the last step, or until ``told`` to stop. Gives how and where it ended."""
    learner = Learner(fabric, net, config, runtime)
    plan = Plan(len(views), config, fabric.world_size)
    state = TrainState.load(job.checkpoint, job.run, learner) if job.checkpoint and job.resume else TrainState()
    progress = Progress(fabric, plan, state.step, log=job.log, bar=job.progress)
    loader = _loader(fabric, views, plan.batches(state.step, fabric.global_rank), runtime)
    end = "finished"
    with progress, _own_generator(fabric.device), readers_explained(), defer_interrupt() as stop:
        loaded = iter(loader)  # one for all epochs: its processes live as long as the run
        for step in range(state.step, plan.steps):
            losses, stopping = train_step(
                fabric, learner, loaded, plan, step, lambda: bool(stop) or told() or time.monotonic() > job.deadline
            )
            if not math.isfinite(losses[0]):
                end = "diverged"
                break
            state.add(losses)
            epoch_ends = state.step % plan.steps_per_epoch == 0
            validation = end_epoch(fabric, learner, plan, state, job) if epoch_ends else None
            progress.add(step, learner.lr, losses, validation)
            if epoch_ends or stopping or state.step % job.upkeep.checkpoint_every == 0:
                _keep(learner, state, progress, job)
            if stopping:
                end = "interrupted" if stop or told() else "time"
                break
    learner.finish()
    return end, state


def train_step(
    fabric: Fabric,
    learner: Learner,
    loaded: Iterator[Sequence[Tensor]],
    plan: Plan,
    step: int,
    must_stop: Callable[[], bool],
) -> tuple[list[float], bool]:
    """Move the weights once, unless the loss is no number.

    Parameters
    ----------
    fabric : Fabric
    learner : Learner
    loaded : iterator
        Gives the batches of this process, ``accumulate`` a step.
    plan : Plan
    step : int
        Counted from 0.
    must_stop : callable
        Whether this process has to stop after the step.

    Returns
    -------
    losses : list of float
        (L, L_SEG, L_AIR), means over the images of all processes.
    stopping : bool
        Whether any process has to stop: equal in all.
    """
    config = plan.config
    seed_dropout(config.seed, step, fabric.global_rank)
    learner.lr = plan.learning_rate(step)
    images = len(plan.indices(step)) / fabric.world_size

    learner.optimizer.zero_grad()
    seen = torch.zeros(3, device=fabric.device)
    for _ in range(config.accumulate - 1):
        with fabric.no_backward_sync(learner.model):
            part = batch_losses(learner, fabric.to_device(next(loaded)), images, config)
            fabric.backward(part[0])
        seen += part.detach()
    part = batch_losses(learner, fabric.to_device(next(loaded)), images, config)
    seen += part.detach()

    # All processes must hear of a bad loss or a wish to stop, or some would wait for ever. They hear
    # of it before the gradient: then a GPU is not left without work between two steps.
    stopping = seen.new_tensor([float(must_stop())])
    *losses, stopping_share = fabric.all_reduce(torch.cat([seen, stopping])).tolist()
    if math.isfinite(losses[0]):
        fabric.backward(part[0])
        learner.step()
    return losses, bool(stopping_share)


def batch_losses(learner: Learner, batch: Sequence[Tensor], images: float, config: TrainConfig) -> Tensor:
    """(L, L_SEG, L_AIR) of a part of a step's images, each times the part's share in ``images``."""
    x, x_hat, target, valid = batch

    def ready(view: Tensor) -> Tensor:
        return view.to(memory_format=learner.memory) / 255

    if learner.net.siamese:
        prob, f, f_hat = learner.model(ready(x), ready(x_hat))
        l_air = air_loss(f, f_hat)
    else:
        prob = learner.model(ready(x_hat if config.view == "augmented" else x))
        l_air = prob.new_zeros(())
    if config.loss == "dice":
        l_seg = dice_loss(prob, target, valid=valid, literal=config.literal_dice)
    else:
        l_seg = cross_entropy_loss(prob, target, valid=valid)
    return torch.stack([l_seg + config.air_weight * l_air, l_seg, l_air]) * (len(x) / images)


def end_epoch(fabric: Fabric, learner: Learner, plan: Plan, state: TrainState, job: Job) -> float | None:
    """Note the epoch's mean losses, and have the net judged where it is time for that. Gives what was found."""
    state.close_epoch(plan.steps_per_epoch)
    validation = None
    if job.judge and len(state.history) % job.upkeep.validate_every == 0:
        validation = judge_copy(fabric, learner.net, learner.result(), job.judge)
    state.validation.append(validation)
    return validation


def _keep(learner: Learner, state: TrainState, progress: Progress, job: Job) -> None:
    """Write log and checkpoint, if this process is the one and no weight has gone bad."""
    if job.checkpoint and progress.log and learner.is_finite():
        progress.log.write()
        state.save(job.checkpoint, job.run, learner)


def _loader(fabric: Fabric, views: TrainingViews, batches: Iterator[list[Key]], runtime: Runtime) -> DataLoader[Any]:
    return DataLoader(
        views,
        batch_sampler=batches,
        num_workers=runtime.workers or 0,
        prefetch_factor=4 if runtime.workers else None,
        worker_init_fn=quiet_worker,
        pin_memory=fabric.device.type == "cuda",
    )


def _own_generator(device: torch.device) -> Any:
    """A context that gives torch's generators back as they were."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
