"""What a run is made of and what of it is kept: weights, momentum and the number of the step are the whole state."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mpas_lite.files.atomic import blame
from mpas_lite.network.batchnorm import synchronised
from mpas_lite.network.checkpoints import read_checkpoint, write_checkpoint
from mpas_lite.network.encoders import early_parameters
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.options import to_record
from mpas_lite.training.config import Runtime, TrainConfig


class Learner:
    """A net in training, with what moves its weights.

    Parameters
    ----------
    fabric : Fabric
    net : MPASNet
        Gets the weights in the end, by :meth:`finish`.
    config : TrainConfig
    runtime : Runtime

    Attributes
    ----------
    trained : MPASNet
        What is trained: the net, or where several processes share a step a copy whose batch norms talk.
    model, optimizer
        What lightning-fabric made of it and of SGD.
    averaged : AveragedModel or None
        The moving average of its weights, if that is to be the result.
    scaling : Precision
        Of float16 gradients; it has a state of its own.
    memory : torch.memory_format
        Of maps and images.
    """

    def __init__(self, fabric: Fabric, net: MPASNet, config: TrainConfig, runtime: Runtime) -> None:
        self.net = net.train()
        self.frozen = [w for w in early_parameters(net.encoder, config.freeze) if w.requires_grad]
        for weight in self.frozen:
            weight.requires_grad_(False)
        self.trained = net if fabric.world_size == 1 else synchronised(net, fabric.device)
        self.memory = torch.channels_last if runtime.channels_last else torch.contiguous_format
        self.trained.to(memory_format=self.memory)
        self.averaged = None
        if config.ema is not None:
            average = get_ema_multi_avg_fn(config.ema)
            self.averaged = AveragedModel(self.trained, device=fabric.device, multi_avg_fn=average)
        self.model, self.optimizer = fabric.setup(
            torch.compile(self.trained) if runtime.compile else self.trained,
            torch.optim.SGD(
                self.trained.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
            ),
        )
        self.scaling = fabric.strategy.precision

    @property
    def lr(self) -> float:
        """The optimizer's learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def result(self) -> dict[str, Tensor]:
        """The weights that are the result so far."""
        weights: dict[str, Tensor] = (self.trained if self.averaged is None else self.averaged.module).state_dict()
        return weights

    def step(self) -> None:
        """Move the weights by the gradients, and their average after them."""
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.trained)

    def is_finite(self) -> bool:
        """Whether all weights are numbers."""
        return all(bool(tensor.isfinite().all()) for tensor in self.trained.state_dict().values())

    def content(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        averaged = {} if self.averaged is None else {"averaged": self.averaged.state_dict()}
        return {
            "weights": self.trained.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **averaged,
            "scaling": self.scaling.state_dict(),
        }

    def restore(self, saved: dict[str, Any], path: Path) -> None:
        """Be again as :meth:`content` said; ``path`` is where that was kept."""
        self.trained.load_state_dict(saved["weights"])
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": saved["optimizer"]["state"]})
        with blame(path, "Start afresh with resume=False."):
            self.scaling.load_state_dict(saved["scaling"])
        if self.averaged is not None:
            self.averaged.load_state_dict(saved["averaged"])

    def finish(self) -> None:
        """Put the result into the net."""
        self.net.to(memory_format=torch.contiguous_format)
        self.net.load_state_dict(self.result())
        for weight in self.frozen:
            weight.requires_grad_(True)


def read_run(path: Path, run: dict[str, Any], net: nn.Module) -> dict[str, Any] | None:
    """What a checkpoint keeps of a run; None where there is none yet.

    A setting that it does not name is one that there was not yet when it was written: it was as it is by default.
    """
    return read_checkpoint(path, run, net, usual=to_record(TrainConfig()))


@dataclass
class TrainState:
    """Where a run stands.

    Attributes
    ----------
    step : int
        Updates of the weights so far.
    sums : list of float
        (L, L_SEG, L_AIR) of this epoch's steps, added up.
    history : list of list of float
        Their mean of each epoch that is done.
    validation : list of float or None
        Of each epoch that is done.
    """

    step: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    history: list[list[float]] = field(default_factory=list)
    validation: list[float | None] = field(default_factory=list)

    def add(self, losses: list[float]) -> None:
        """Count a step with its losses."""
        self.step += 1
        self.sums = [old + new for old, new in zip(self.sums, losses, strict=True)]

    def close_epoch(self, steps: int) -> None:
        """Turn the sums into the mean over the epoch's steps."""
        self.history.append([total / steps for total in self.sums])
        self.sums = [0.0, 0.0, 0.0]

    def save(self, path: Path, run: dict[str, Any], learner: Learner) -> None:
        """Write a checkpoint, whole or not at all; ``run`` says whose."""
        write_checkpoint(path, {**learner.content(), "run": run, **asdict(self)})

    @classmethod
    def load(cls, path: Path, run: dict[str, Any], learner: Learner) -> TrainState:
        """The state in a checkpoint, and the learner as it was then; the first state where there is none yet."""
        saved = read_run(path, run, learner.trained)
        if saved is None:
            return cls()
        learner.restore(saved, path)
        return cls(**{name: saved[name] for name in asdict(cls())})
