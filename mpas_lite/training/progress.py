"""What a run shows and notes of each step: a progress bar, and a row in the log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from tqdm.auto import tqdm

from mpas_lite.training.plan import Plan
from mpas_lite.training.records import TrainingLog


class Progress:
    """The bar and the log of a run, both of its first process only; a context that closes the bar.

    Parameters
    ----------
    fabric : Fabric
    plan : Plan
    step : int
        Where the run begins, or goes on.
    log : Path or None
        File of the log, if there is to be one.
    bar : bool
        Show a bar.
    """

    def __init__(self, fabric: Fabric, plan: Plan, step: int, *, log: Path | None, bar: bool) -> None:
        self.plan = plan
        self.log = TrainingLog(log, step=step) if log and fabric.is_global_zero else None
        self.bar = tqdm(total=plan.steps, initial=step, unit="step", disable=not (bar and fabric.is_global_zero))
        self.clock = time.perf_counter()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        self.bar.close()

    def add(self, step: int, lr: float, losses: list[float], validation: float | None) -> None:
        """Note a step, counted from 0, that is done: rate, (L, L_SEG, L_AIR), and what a validation after it gave."""
        total, segmentation, air = losses
        if self.log:
            self.clock, before = time.perf_counter(), self.clock
            self.log.add(
                step=step + 1,
                epoch=step // self.plan.steps_per_epoch + 1,
                lr=lr,
                loss=total,
                segmentation=segmentation,
                air=air,
                images_per_s=round(len(self.plan.indices(step)) / (self.clock - before), 2),
                validation_iou=validation,
            )
        self.bar.set_postfix(seg=f"{segmentation:.3f}", air=f"{air:.4f}", refresh=False)
        self.bar.update()
