"""The losses: Dice (Eq. 6), augmentation-invariant regularisation (Eq. 7), and cross entropy to compare.

All are computed in float32 whatever comes in: the sums of a Dice loss run over a whole image, and float16
ends at 65,504, a 256x256 image of ones.
"""

from __future__ import annotations

import torch
from torch import Tensor


def dice_loss(prob: Tensor, target: Tensor, *, valid: Tensor | None = None, literal: bool = False) -> Tensor:
    r"""Dice loss, Eq. 6, of each image, averaged over the batch.

    .. math:: L_{SEG} = 1 - \frac{2 \sum_p y_p \hat y_p + 1}{\sum_p y_p + \sum_p \hat y_p + 1}

    with the label y, the probability y_hat, and p running over the pixels of one image. The 1s are Laplace
    smoothing: where the label is empty the loss is ``1 - 1 / (sum(prob) + 1)``, finite, and 0 for a net that
    says nothing. As it is printed, Eq. 6 divides by W'H' too, the number of pixels. Its gradient is then
    some 1e5 times smaller and the paper's learning rate does next to nothing with it; so the division is
    left out, unless ``literal`` asks for it.

    Parameters
    ----------
    prob : Tensor
        (B, 1, H, W) float in [0, 1].
    target : Tensor
        (B, 1, H, W) bool, or numbers in [0, 1]. On a GPU bool is faster: numbers are looked at, which it must wait for.
    valid : Tensor, optional
        (B, 1, H, W) bool: pixels that count. Others leave the sums (and W'H') as if they did not exist.
    literal : bool
        Divide by W'H' as printed.

    Returns
    -------
    Tensor
        () float32.

    Raises
    ------
    ValueError
        If shapes differ, the target has values outside [0, 1], or on a CPU the probability has.

    Examples
    --------
    >>> target = torch.tensor([[[[1, 1, 0, 0]]]])
    >>> dice_loss(torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]]), target)    # 1 - (2 + 1) / (2 + 1 + 1)
    tensor(0.2500)
    >>> dice_loss(torch.tensor([[[[1.0, 1.0, 0.0, 0.0]]]]), target)
    tensor(0.)
    >>> dice_loss(torch.ones(1, 1, 1, 4), torch.zeros(1, 1, 1, 4))     # 1 - 1 / (4 + 1)
    tensor(0.8000)
    """
    y_hat, y, counts = _checked(prob, target, valid)
    y_hat, y = y_hat * counts, y * counts
    overlap = (y * y_hat).sum(dim=1)
    loss = 1 - (2 * overlap + 1) / (y.sum(dim=1) + y_hat.sum(dim=1) + 1)
    if literal:
        loss = loss / counts.sum(dim=1).clamp(min=1)
    return loss.mean()


def air_loss(f: Tensor, f_hat: Tensor) -> Tensor:
    r"""Augmentation-invariant regularisation, Eq. 7: mean squared difference of the two views' features.

    .. math:: L_{AIR} = \frac{1}{n} \sum_i (F_i - \hat F_i)^2

    The gradient goes into both views. Features are compared position by position, so the second view may
    change colours, but must not move anything.

    Parameters
    ----------
    f, f_hat : Tensor
        (B, C, h, w) float: features of the frames and of their augmented copies.

    Returns
    -------
    Tensor
        () float32.

    Examples
    --------
    >>> air_loss(torch.zeros(1, 2, 1, 1), torch.tensor([[[[1.0]], [[3.0]]]]))    # (1 + 9) / 2
    tensor(5.)
    """
    if f.shape != f_hat.shape:
        raise ValueError(f"The two views' features differ in shape: {tuple(f.shape)}, {tuple(f_hat.shape)}.")
    return (f.float() - f_hat.float()).square().mean()


def cross_entropy_loss(prob: Tensor, target: Tensor, *, valid: Tensor | None = None) -> Tensor:
    r"""Binary cross entropy, mean over the pixels of each image, then over the batch.

    .. math:: L = -\frac{1}{n} \sum_p y_p \log \hat y_p + (1 - y_p) \log(1 - \hat y_p)

    Not the paper's loss, but what its Dice loss is compared with. Unlike Dice it counts every pixel alike,
    so few crowd pixels weigh little.

    Parameters
    ----------
    prob, target, valid : Tensor
        See :func:`dice_loss`.

    Returns
    -------
    Tensor
        () float32. At most 15.95, as probabilities are held 1.2e-7 away from 0 and 1.

    Examples
    --------
    >>> cross_entropy_loss(torch.full((1, 1, 2, 2), 0.5), torch.ones(1, 1, 2, 2))    # log 2
    tensor(0.6931)
    """
    y_hat, y, counts = _checked(prob, target, valid)
    tiny = torch.finfo(torch.float32).eps
    y_hat = y_hat.clamp(tiny, 1 - tiny)
    loss = -(y * y_hat.log() + (1 - y) * (1 - y_hat).log())
    return ((loss * counts).sum(dim=1) / counts.sum(dim=1).clamp(min=1)).mean()


def _checked(prob: Tensor, target: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Probability, label and weight (1 counts, 0 does not) as (B, H * W) float32."""
    if prob.ndim != 4 or prob.shape[1] != 1:
        raise ValueError(f"The probability is (B, 1, H, W); this is {tuple(prob.shape)}.")
    if prob.shape[0] == 0:
        raise ValueError("The batch is empty.")
    for name, other in (("target", target), ("valid", valid)):
        if other is not None and other.shape != prob.shape:
            raise ValueError(f"The {name} has shape {tuple(other.shape)}, the probability {tuple(prob.shape)}.")
    # On a GPU looking at values makes the processor wait: bool needs no look, and only a CPU's probabilities get one.
    if target.dtype != torch.bool and not bool(((target >= 0) & (target <= 1)).all()):
        raise ValueError("The target has values outside [0, 1] (a mask of 0 and 255?); compare it: target > 127.")
    if prob.device.type == "cpu" and bool(((prob < 0) | (prob > 1)).any()):  # NaN passes: the loss tells of it
        raise ValueError("The probability has values outside [0, 1] (logits?); give torch.sigmoid of them.")
    counts = torch.ones_like(prob) if valid is None else valid
    return prob.float().flatten(1), target.float().flatten(1), counts.float().flatten(1)
