"""How good a net is by the way: its IoU on pairs, or whatever number a function gives."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mpas_lite.evaluation.scores import score_frames
from mpas_lite.network.batchnorm import recalibrate_batch_norm
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.pairs import PairDataset
from mpas_lite.video.arrays import Mask

RECALIBRATION_IMAGES = 500

Validation = str | Path | Sequence[str | Path] | PairDataset | Callable[[MPASNet], float]
Judge = Callable[[nn.Module], float]


def pair_iou(net: MPASNet, pairs: PairDataset) -> float:
    """IoU of a net's masks with those of all pairs, all pixels pooled; 1 where there is no crowd in either."""

    def compared() -> Iterator[tuple[int, Mask, Mask, Mask]]:
        for index in range(len(pairs)):
            image, mask, valid = pairs[index]
            with torch.inference_mode():
                found = net(image[None].to(net.mean.device) / 255)[0, 0] > 0.5
            yield index, found.cpu().numpy(), mask[0].numpy(), valid[0].numpy()

    return score_frames(compared()).pooled


def make_judge(validate: Validation | None, pairs: PairDataset, batch_size: int) -> Judge | None:
    """What judges a net: it recalibrates batch norm on the training frames, then measures."""
    if validate is None:
        return None
    if not callable(validate):
        if not isinstance(validate, PairDataset):
            validate = PairDataset(validate, long_side=pairs.long_side)
        validate = partial(pair_iou, pairs=validate)
    return partial(_recalibrate_and_measure, measure=validate, pairs=pairs, batch_size=batch_size)


def judge_copy(fabric: Fabric, net: MPASNet, weights: dict[str, Tensor], judge: Judge) -> float:
    """Let the first process judge a copy of the net while the others wait; all hear the same."""
    value = 0.0
    if fabric.is_global_zero:
        judged = copy.deepcopy(net).to(fabric.device).to(memory_format=torch.contiguous_format)  # as in the end
        judged.load_state_dict(weights)
        value = judge(judged)
    return float(fabric.broadcast(value))


def recalibration_batches(pairs: PairDataset, batch_size: int) -> Iterator[Tensor]:
    """Some of the frames, evenly spaced, as batches of nearly one size."""
    count = min(len(pairs), RECALIBRATION_IMAGES)
    some = np.linspace(0, len(pairs) - 1, count).astype(int)
    for indices in np.array_split(some, math.ceil(count / batch_size)):
        yield torch.stack([pairs[int(index)][0] for index in indices]) / 255


def _recalibrate_and_measure(
    net: MPASNet, measure: Callable[[MPASNet], float], pairs: PairDataset, batch_size: int
) -> float:
    recalibrate_batch_norm(net, recalibration_batches(pairs, batch_size))
    return float(measure(net.eval()))
