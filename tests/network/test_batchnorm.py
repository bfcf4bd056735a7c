"""Batch norm's statistics, measured anew after training."""

from __future__ import annotations

import pytest
import torch

from mpas_lite.network.batchnorm import recalibrate_batch_norm
from tests.helpers import new_net

pytestmark = pytest.mark.usefixtures("one_thread")


def test_recalibrated_statistics_are_averages_over_the_batches() -> None:
    net = new_net()
    norm = net.psi[1]
    inputs = []
    handle = norm.register_forward_pre_hook(lambda _, args: inputs.append(args[0].detach().clone()))
    recalibrate_batch_norm(net, [torch.rand(2, 3, 64, 64) for _ in range(3)])
    handle.remove()
    torch.testing.assert_close(norm.running_mean, torch.stack([x.mean((0, 2, 3)) for x in inputs]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([x.var((0, 2, 3)) for x in inputs]).mean(0))
    assert norm.momentum == 0.1
    assert net.training
    assert norm.training


def test_recalibration_without_images_or_without_batch_norm() -> None:
    with pytest.raises(ValueError, match="without images"):
        recalibrate_batch_norm(new_net(), [])
    recalibrate_batch_norm(torch.nn.Conv2d(3, 3, 1), [torch.rand(1, 3, 8, 8)])
