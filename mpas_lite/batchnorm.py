"""Batch norm: statistics over all processes while training, and measured anew after it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, cast

import torch
from timm.layers import convert_sync_batchnorm
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


def recalibrate_batch_norm(net: nn.Module, images: Iterable[Tensor]) -> None:
    """Estimate batch norm's running statistics anew, as plain averages over batches of images.

    In training they are moving averages over weights that no longer exist. After few steps they lag so far
    behind that a net which segments well in training mode segments nothing in eval mode (IoU 0.02 instead of
    0.385, measured). :func:`~mpas_lite.training.fit` calls this at its end.

    Parameters
    ----------
    net : MPASNet
        Changed in place; its mode stays.
    images : iterable of (B, 3, H, W) float in [0, 1]
        At least one batch, of about the batch size in training.
    """
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]
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


def synchronised(net: nn.Module, device: torch.device) -> nn.Module:
    """A copy of the net whose batch norm, in training, takes its statistics over all processes' images.

    Parameters and buffers keep their names, so that the state dicts of net and copy are each other's.

    Parameters
    ----------
    net : nn.Module
        Left as it is.
    device : torch.device
        On CUDA torch's own ``SyncBatchNorm`` is used. That has no CPU form, so elsewhere it is
        :class:`JointBatchNorm`.
    """
    net = copy.deepcopy(net)
    if device.type == "cuda":
        return cast(nn.Module, convert_sync_batchnorm(net))
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(parent, name, JointBatchNorm(child))
    return net


class JointBatchNorm(_BatchNorm):
    """Batch norm over the images of all processes, by whatever means they talk (gloo on CPUs).

    Mean and variance are summed over the processes by an all-reduce whose gradient is one too, so the step
    is that of one process with the joint batch. Each process may have another number of images.

    Parameters
    ----------
    norm : torch or timm batch norm
        Gives its parameters, buffers and, if it is timm's, the activation that it holds.
    """

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self.weight, self.bias = norm.weight, norm.bias
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.drop = getattr(norm, "drop", nn.Identity())  # timm's BatchNormAct2d ends so
        self.act = getattr(norm, "act", nn.Identity())
        self.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, H, W) float; in eval mode as ever, by the running statistics."""
        if not self.training or distributed.get_world_size() == 1:
            return cast(Tensor, self.act(self.drop(super().forward(x))))
        given = x.dtype
        x = x.to(torch.promote_types(given, torch.float32))  # sums of bfloat16 would be coarse
        sums = _sum(torch.cat([x.sum((0, 2, 3)), x.new_tensor([x.numel() / x.shape[1]])]))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        centred = x - mean.view(1, -1, 1, 1)
        variance = _sum(centred.square().sum((0, 2, 3))) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        y = centred * torch.rsqrt(variance + self.eps).view(1, -1, 1, 1)
        if self.affine:
            y = y * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return cast(Tensor, self.act(self.drop(y.to(given))))

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)

    def _check_input_dim(self, x: Tensor) -> None:
        if x.ndim != 4:
            raise ValueError(f"Batch norm here takes (B, C, H, W); this is {tuple(x.shape)}.")


class _SumOverProcesses(torch.autograd.Function):
    """All-reduce whose gradient is one too: what one process puts in, all others' losses depend on."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        x = x.clone()
        distributed.all_reduce(x)
        return x

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return _SumOverProcesses.forward(None, gradients[0])


def _sum(x: Tensor) -> Tensor:
    return cast(Tensor, _SumOverProcesses.apply(x))
