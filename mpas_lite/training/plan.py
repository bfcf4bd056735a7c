"""Which pairs each step of a run sees, and at what learning rate: all a function of the seed and the step's number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from mpas_lite.training.config import TrainConfig

Key = tuple[int, int]  # epoch and index of a pair, as TrainingViews takes them


@dataclass(frozen=True)
class Plan:
    """A run from its first step to its last.

    Attributes
    ----------
    pairs : int
        How many there are.
    config : TrainConfig
    processes : int
        That share each step's images.

    Examples
    --------
    >>> plan = Plan(5, TrainConfig(epochs=2, batch_size=2))
    >>> plan.steps_per_epoch, plan.steps
    (3, 6)
    >>> sorted(index for step in range(3) for index in plan.indices(step))
    [0, 1, 2, 3, 4]
    """

    pairs: int
    config: TrainConfig
    processes: int = 1

    @property
    def parts(self) -> int:
        """Batches that make one step, of all processes together."""
        return self.processes * self.config.accumulate

    @property
    def steps_per_epoch(self) -> int:
        """Updates of the weights in a pass over the pairs."""
        return math.ceil(self.pairs / (self.config.batch_size * self.parts))

    @property
    def steps(self) -> int:
        """Updates of the weights in the whole run."""
        return self.config.epochs * self.steps_per_epoch

    def deal(self, step: int) -> list[list[Key]]:
        """The keys of a step's pairs, dealt out to processes and batches; all together they are the same for any."""
        epoch, number = divmod(step, self.steps_per_epoch)
        length = max(self.pairs, self.steps_per_epoch * self.parts)
        share = np.array_split(_order(self.config.seed, epoch, self.pairs, length), self.steps_per_epoch)[number]
        return [[(epoch, int(index)) for index in part] for part in np.array_split(share, self.parts)]

    def indices(self, step: int) -> list[int]:
        """The pairs of a step."""
        return [index for part in self.deal(step) for _, index in part]

    def batches(self, first: int, rank: int = 0) -> Iterator[list[Key]]:
        """The keys of every batch from step ``first`` on, ``accumulate`` a step, for one process."""
        for step in range(first, self.steps):
            yield from self.deal(step)[rank * self.config.accumulate : (rank + 1) * self.config.accumulate]

    def learning_rate(self, step: int) -> float:
        """Of a step, counted from 0: constant, or half a cosine that would reach 0 with the step after the last.

        Examples
        --------
        >>> plan = Plan(4, TrainConfig(epochs=1, batch_size=1, lr=0.1, schedule="cosine"))
        >>> [round(plan.learning_rate(step), 4) for step in range(4)]
        [0.1, 0.0854, 0.05, 0.0146]
        """
        if self.config.schedule == "constant":
            return self.config.lr
        return self.config.lr * (1 + math.cos(math.pi * step / self.steps)) / 2


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, pairs: int, length: int) -> NDArray[np.int64]:
    order = np.random.default_rng([seed, epoch]).permutation(pairs)
    return np.resize(order, length)  # around again: no process goes without


def seed_dropout(seed: int, step: int, rank: int) -> None:
    """What dropout draws depends on the step alone, so that no generator's state need be kept."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0]))
