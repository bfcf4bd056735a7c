"""Exercises of notebook 06: psi's convolution, the forward pass, and the loss of a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, Mistake, NotYet, compare, number, numbers
from mpas_lite.network.losses import air_loss, cross_entropy_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet


def _convolved(f: Tensor, matrix: Tensor) -> Tensor:
    return functional.conv2d(f, matrix[:, :, None, None])


def check_1(answer: Answer) -> None:
    """``my_conv(f, matrix)``: a 1x1 convolution as a matrix product."""
    generator = torch.Generator().manual_seed(1)
    shapes = (((2, 5, 3, 4), 7), ((1, 4, 4, 4), 4), ((3, 2, 5, 2), 1))
    cases = [(torch.randn(*s, generator=generator), torch.randn(n, s[1], generator=generator)) for s, n in shapes]
    square = [(torch.randn(2, 4, 3, 5, generator=generator), torch.randn(4, 4, generator=generator))]
    mistakes: list[Mistake] = [
        (
            "the new maps stand last; frames first, then maps, rows and columns.",
            lambda f, m: _convolved(f, m).permute(0, 2, 3, 1),
        ),
        (
            "the new maps stand first; frames first, then maps, rows and columns.",
            lambda f, m: _convolved(f, m).transpose(0, 1),
        ),
        ("rows and columns are exchanged.", lambda f, m: _convolved(f, m).transpose(2, 3)),
        ("the convolution alone is asked for, without ReLU.", lambda f, m: _convolved(f, m).relu()),
        ("the sum over the old maps, not their mean.", lambda f, m: _convolved(f, m) / f.shape[1]),
        (
            "frames stay apart; these are added up.",
            lambda f, m: _convolved(f, m).sum(0, keepdim=True).expand(len(f), -1, -1, -1),
        ),
        ("this is the first frame alone.", lambda f, m: _convolved(f[:1], m)),
    ]
    turned: Mistake = (
        "the matrix is turned: its columns belong to the old maps.",
        lambda f, matrix: _convolved(f, matrix.T),
    )
    judge = partial(compare, answer, right=_convolved, form=numbers, say=_say_convolved)
    judge(square, mistakes=[turned, *mistakes])  # a turned matrix fits here, and so can be told
    judge(cases, mistakes=mistakes)


def _say_convolved(got: np.ndarray, wanted: np.ndarray, f: Tensor, matrix: Tensor) -> str:
    if got.shape != wanted.shape:
        return f"the shape must be {wanted.shape}, not {got.shape}."
    return "the shape is right, the values are not: which maps do you sum?"


@lru_cache(maxsize=1)
def _net() -> MPASNet:
    """A small network whose every part leaves its mark on the result."""
    with torch.random.fork_rng():
        torch.manual_seed(6)
        net = MPASNet("test_efficientnet").eval()
        with torch.no_grad():
            net.head.weight.mul_(6)
            bias = net.head.bias
            assert bias is not None
            bias.fill_(-0.4)
    return net


def _parts(
    net: MPASNet,
    x: Tensor,
    x_hat: Tensor,
    *,
    fuse: Callable[[Tensor, Tensor], Tensor] = lambda a, b: (a + b) / 2,
    probability: Callable[[Tensor], Tensor] = torch.sigmoid,
    mode: str = "bilinear",
) -> Tensor:
    """The forward pass, with one part exchanged."""
    logit = net.head(fuse(net.psi(net.encode(x)), net.psi(net.encode(x_hat))))
    corners = {"align_corners": False} if mode == "bilinear" else {}
    logit = functional.interpolate(logit, scale_factor=4, mode=mode, **corners)
    return probability(logit[..., : x.shape[-2], : x.shape[-1]])


def check_2(answer: Answer) -> None:
    """``my_forward(net, x, x_hat)``: the probability in training."""
    generator = torch.Generator().manual_seed(3)
    net = _net()
    cases = [(net, *torch.rand(2, n, 3, h, w, generator=generator)) for n, h, w in ((1, 64, 96), (2, 70, 66))]
    with torch.inference_mode():
        compare(
            answer,
            cases,
            lambda net, x, x_hat: net(x, x_hat)[0],
            form=numbers,
            mistakes=[
                (
                    "the sigmoid is missing: probabilities lie between 0 and 1.",
                    partial(_parts, probability=lambda x: x),
                ),
                ("this is the answer to x alone. Where is x_hat?", lambda net, x, x_hat: net(x)),
                ("this is the answer to x_hat alone. Where is x?", lambda net, x, x_hat: net(x_hat)),
                ("this is the sum of the two; take their mean.", partial(_parts, fuse=lambda a, b: a + b)),
                ("this is the difference of the two; take their mean.", partial(_parts, fuse=lambda a, b: a - b)),
                ("this is the larger of the two; take their mean.", partial(_parts, fuse=torch.maximum)),
                ("take the mean after psi; this takes it of F and F_hat.", _mean_first),
                ("take the mean before head and sigmoid; this takes it of the two probabilities.", _mean_last),
                ("the sigmoid comes twice.", lambda net, x, x_hat: torch.sigmoid(net(x, x_hat)[0])),
                ("upsample the logit, then take the sigmoid.", _sigmoid_first),
            ],
            say=_say_forward,
        )


def _mean_first(net: MPASNet, x: Tensor, x_hat: Tensor) -> Tensor:
    mean = (net.encode(x) + net.encode(x_hat)) / 2
    logit = functional.interpolate(net.head(net.psi(mean)), scale_factor=4, mode="bilinear", align_corners=False)
    return torch.sigmoid(logit[..., : x.shape[-2], : x.shape[-1]])


def _mean_last(net: MPASNet, x: Tensor, x_hat: Tensor) -> Tensor:
    return (net(x) + net(x_hat)) / 2


def _sigmoid_first(net: MPASNet, x: Tensor, x_hat: Tensor) -> Tensor:
    fused = (net.psi(net.encode(x)) + net.psi(net.encode(x_hat))) / 2
    small = torch.sigmoid(net.head(fused))
    large = functional.interpolate(small, scale_factor=4, mode="bilinear", align_corners=False)
    return large[..., : x.shape[-2], : x.shape[-1]]


def _say_forward(got: np.ndarray, wanted: np.ndarray, net: MPASNet, x: Tensor, x_hat: Tensor) -> str:
    if got.shape != wanted.shape:
        return f"its shape is {got.shape}, not that of the frame, {wanted.shape}; did you upsample?"
    return "encode both, psi of both, their mean, head, upsample, sigmoid: one step is missing or misplaced."


def _loss(net: MPASNet, x: Tensor, x_hat: Tensor, label: Tensor, weight: float) -> Tensor:
    prob, f, f_hat = net(x, x_hat)
    return dice_loss(prob, label) + weight * air_loss(f, f_hat)


def check_3(answer: Answer) -> None:
    """``my_loss(net, x, x_hat, label, air_weight)``: Dice and AIR, and a gradient that reaches both views."""
    generator = torch.Generator().manual_seed(2)
    net, cases = _net(), []
    for weight in (0.0, 1.0, 0.5):
        x, x_hat = torch.rand(2, 1, 3, 64, 64, generator=generator)
        cases.append((net, x, x_hat, torch.rand(1, 1, 64, 64, generator=generator) < 0.2, weight))

    compare(
        answer,
        cases,
        _loss,
        form=number,
        mistakes=[
            ("the AIR loss is missing.", lambda n, x, h, y, w: _loss(n, x, h, y, 0)),
            ("`air_weight` is not used: it is not always 1.", lambda n, x, h, y, w: _loss(n, x, h, y, 1)),
            ("`air_weight` belongs to the AIR loss alone.", lambda n, x, h, y, w: w * _loss(n, x, h, y, 1)),
            ("`air_weight` is on the wrong loss.", _weight_on_dice),
            ("the losses are added, not subtracted.", lambda n, x, h, y, w: _loss(n, x, h, y, -w)),
            ("the label's loss is Dice here, not cross entropy.", _with_entropy),
            ("the weights are no shares: L_SEG counts fully, whatever air_weight is.", _as_shares),
            ("the Dice loss is missing.", lambda n, x, h, y, w: _loss(n, x, h, y, w) - _loss(n, x, h, y, 0)),
            ("the probability is that of both views: net(x, x_hat), not net(x).", _one_view),
        ],
        say=lambda got, wanted, net, x, x_hat, label, weight: (
            f"with air_weight {weight} the loss of this batch is {wanted:.4f}, not {got:.4f}."
        ),
    )
    _gradient_must_pass(answer, cases[1])


def _parts_of(net: MPASNet, x: Tensor, x_hat: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    prob, f, f_hat = net(x, x_hat)
    return dice_loss(prob, label), air_loss(f, f_hat)


def _weight_on_dice(net: MPASNet, x: Tensor, x_hat: Tensor, label: Tensor, weight: float) -> Tensor:
    dice, air = _parts_of(net, x, x_hat, label)
    return weight * dice + air


def _as_shares(net: MPASNet, x: Tensor, x_hat: Tensor, label: Tensor, weight: float) -> Tensor:
    dice, air = _parts_of(net, x, x_hat, label)
    return (1 - weight) * dice + weight * air


def _with_entropy(net: MPASNet, x: Tensor, x_hat: Tensor, label: Tensor, weight: float) -> Tensor:
    prob, f, f_hat = net(x, x_hat)
    return cross_entropy_loss(prob, label) + weight * air_loss(f, f_hat)


def _one_view(net: MPASNet, x: Tensor, x_hat: Tensor, label: Tensor, weight: float) -> Tensor:
    _, f, f_hat = net(x, x_hat)
    return dice_loss(net(x), label) + weight * air_loss(f, f_hat)


def _gradient_must_pass(answer: Answer, case: Any) -> None:
    """Refuse numbers without a gradient, and one that a view was cut off from."""
    net, *rest = case
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    loss = answer(net, *rest)
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise NotYet("the numbers are right, but this loss has no gradient. Do not use .item() or .detach() inside.")
    mine = torch.autograd.grad(loss, weights, allow_unused=True)
    right = torch.autograd.grad(_loss(net, *rest), weights, allow_unused=True)
    for one, other in zip(mine, right, strict=True):
        if other is not None and (one is None or not torch.allclose(one, other, rtol=1e-3, atol=1e-6)):
            raise NotYet("the numbers are right, but the gradient does not reach all: nothing may be detached.")


EXERCISES = (
    Exercise("06.1", "my_conv", check_1, "return a tensor in place of the three dots."),
    Exercise("06.2", "my_forward", check_2, "return the probability in place of the three dots.", 3),
    Exercise("06.3", "my_loss", check_3, "return L_SEG + air_weight * L_AIR in place of the three dots."),
)
