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
    behind that a net which segments well in training mode segments nothing in eval mode.
    :func:`~mpas_lite.training.fitting.fit` calls this at its end.

    Parameters
    ----------
    net : MPASNet
        Changed in place; its mode stays.
    images : iterable of Tensor
        (B, 3, H, W) float in [0, 1]: at least one batch, of about the batch size in training.
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

    The step is that of one process with the joint batch. Each process may have another number of images.
    Processes talk once on the way forward and once on the way back: small messages are what this costs.

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
        y, mean, variance, count = _JointNorm.apply(x, self.weight, self.bias, self.eps)
        self._follow(mean, variance * count / (count - 1))
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


class _JointNorm(torch.autograd.Function):
    """Batch norm of x by the statistics of all processes; gives them too: mean, variance and count."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        own_mean = x.mean((0, 2, 3))
        own_variance = (x - _maps(own_mean)).square().mean((0, 2, 3))  # torch.var_mean is 10 times slower here
        count = x.new_tensor([x.numel() / x.shape[1]])
        every = _gather(torch.cat([own_mean, own_variance, count]))
        counts = every[:, -1:]
        means, variances = every[:, :-1].chunk(2, dim=1)

        count = counts.sum()
        mean = (counts * means).sum(0) / count
        variance = (counts * (variances + (means - mean).square())).sum(0) / count  # within and between processes
        ctx.eps = eps
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.mark_non_differentiable(mean, variance, count)
        return nn.functional.batch_norm(x, mean, variance, weight, bias, eps=eps), mean, variance, count

    @staticmethod
    def backward(ctx: Any, dy: Tensor, *_: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        x, weight, mean, variance, count = ctx.saved_tensors
        scale = torch.rsqrt(variance + ctx.eps) * (1 if weight is None else weight)
        normed = nn.functional.batch_norm(x, mean, variance, eps=ctx.eps)
        d_bias, d_weight = dy.sum((0, 2, 3)), (dy * normed).sum((0, 2, 3))
        # Every image moved the statistics of all, so the losses of all processes count.
        along, across = (_gather(torch.stack([d_bias, d_weight])).sum(0) / count).unbind()
        dx = (dy - _maps(along)).addcmul_(normed, _maps(across), value=-1).mul_(_maps(scale))
        return (dx, None, None, None) if weight is None else (dx, d_weight, d_bias, None)


def _maps(channels: Tensor) -> Tensor:
    """(C,) as (1, C, 1, 1)."""
    return channels.view(1, -1, 1, 1)


def _gather(own: Tensor) -> Tensor:
    """What every process gives, stacked: the same on all. (gloo's all_gather is faster than its all_reduce.)"""
    every = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(every, own)
    return torch.stack(every)
