"""Exercises of notebook 05: Dice in numpy, blind cross entropy, and the gradient of AIR."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mpas_lite.course.checks.exercises import Exercise
from mpas_lite.course.checks.judging import Answer, compare, number, numbers
from mpas_lite.network.losses import air_loss, dice_loss


def _dice(y_hat: np.ndarray, y: np.ndarray) -> float:
    return float(dice_loss(torch.tensor(y_hat)[None, None].float(), torch.tensor(y)[None, None].float()))


def check_1(answer: Answer) -> None:
    """``my_dice(y_hat, y)`` of one image."""
    rng = np.random.default_rng(0)
    cases: list[Any] = [
        (rng.random(s).astype(np.float32), rng.random(s) < p) for s, p in (((4, 5), 0.3), ((6, 3), 0.7))
    ]
    cases += [(np.zeros((2, 2)), np.zeros((2, 2))), (np.ones((3, 3)), np.zeros((3, 3))), (np.eye(3), np.ones((3, 3)))]
    compare(
        answer,
        cases,
        _dice,
        form=number,
        mistakes=[
            ("this is the score; the loss is 1 minus it.", lambda p, y: 1 - _dice(p, y)),
            ("the two 1s are missing: an empty answer to an empty mask has loss 0.", lambda p, y: _with(p, y, 0, 0)),
            ("the 1 above the fraction bar is missing.", lambda p, y: _with(p, y, 0, 1)),
            ("the 1 beneath the fraction bar is missing.", lambda p, y: _with(p, y, 1, 0)),
            ("the 1s are 1s, not a tiny number.", lambda p, y: _with(p, y, 1e-6, 1e-6)),
            (
                "the 2 above the fraction bar is missing.",
                lambda p, y: 1 - ((p * y).sum() + 1) / (p.sum() + y.sum() + 1),
            ),
            ("add up the pixels; these are their means.", _of_means),
            ("this is the IoU's loss: what is shared counts twice beneath the bar in Dice's.", _of_union),
            ("do not square the answer beneath the fraction bar.", _squared),
            (
                "this is divided by the number of pixels, as Eq. 6 is printed; leave that out.",
                lambda p, y: _dice(p, y) / p.size,
            ),
            ("do not round the answer: half a chance counts half.", lambda p, y: _dice(np.rint(p), y)),
        ],
        say=lambda got, wanted, y_hat, y: (
            f"for a mask of {y.shape} with {int(y.sum())} crowd pixels the loss is {wanted:.4f}, not {got:.4f}."
        ),
    )


def _with(y_hat: np.ndarray, y: np.ndarray, above: float, beneath: float) -> float:
    return float(1 - (2 * (y_hat * y).sum() + above) / (y_hat.sum() + y.sum() + beneath))


def _of_means(y_hat: np.ndarray, y: np.ndarray) -> float:
    return float(1 - (2 * (y_hat * y).mean() + 1) / (y_hat.mean() + y.mean() + 1))


def _of_union(y_hat: np.ndarray, y: np.ndarray) -> float:
    shared = (y_hat * y).sum()
    return float(1 - (shared + 1) / (y_hat.sum() + y.sum() - shared + 1))


def _squared(y_hat: np.ndarray, y: np.ndarray) -> float:
    return float(1 - (2 * (y_hat * y).sum() + 1) / ((y_hat**2).sum() + y.sum() + 1))


def check_2(answer: Answer) -> None:
    """``my_labelled(looks, dropout)``: the fraction of such pixels that is labelled."""
    rng = np.random.default_rng(2)
    cases = [(1.0, 0.0), (0.8, 1.0), (0.8, 0.25), (0.0, 0.3)]
    cases += [(round(float(a), 2), round(float(b), 2)) for a, b in rng.random((4, 2))]
    compare(
        answer,
        cases,
        lambda looks, dropout: looks - looks * dropout,
        form=number,
        mistakes=[
            ("this is the fraction that is left out; those who are not left out are labelled.", lambda p, d: p * d),
            ("`looks` is not used: not every such pixel is a person.", lambda p, d: 1 - d),
            ("`dropout` is not used: labels miss some people.", lambda p, d: p),
            ("people are left out at random: multiply the chances, do not subtract them.", lambda p, d: p - d),
            ("people are left out at random: multiply the chances, do not subtract them.", lambda p, d: max(p - d, 0)),
            (
                "it must be a person and not be left out; this asks for one of the two.",
                lambda p, d: p + (1 - d) - p * (1 - d),
            ),
            ("it must be a person and not be left out: multiply; this takes the smaller.", lambda p, d: min(p, 1 - d)),
            ("this is the fraction that is not labelled.", lambda p, d: 1 - p * (1 - d)),
            (
                "these are pixels that are no person; labels contain nothing else than persons.",
                lambda p, d: (1 - p) * (1 - d),
            ),
            ("this is the mean of the two chances; multiply them.", lambda p, d: (p + 1 - d) / 2),
        ],
        say=lambda got, wanted, looks, dropout: (
            f"with looks = {looks} and dropout = {dropout} it is {wanted:.3f}, not {got:.3f}: "
            "the pixel is a person, and the person is not left out."
        ),
    )


def _gradient(F: torch.Tensor, F_hat: torch.Tensor) -> torch.Tensor:
    leaf = F.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(air_loss(leaf, F_hat), leaf)
    return gradient


def check_3(answer: Answer) -> None:
    """``my_air_gradient(F, F_hat)``, compared with autograd."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((1, 2, 2, 2), (2, 3, 4, 5), (3, 1, 2, 7))
    cases = [(torch.randn(*s, generator=generator), torch.randn(*s, generator=generator)) for s in shapes]
    compare(
        answer,
        cases,
        _gradient,
        form=numbers,
        mistakes=[
            ("the sign is turned: a larger F, above F_hat, makes the loss larger.", lambda a, b: -_gradient(a, b)),
            ("the 2 of the square's derivative is missing.", lambda a, b: _gradient(a, b) / 2),
            ("the mean divides by the count of all numbers; that is missing.", lambda a, b: 2 * (a - b)),
            ("divide by the count of all numbers, not of the frames.", lambda a, b: 2 * (a - b) / len(a)),
            (
                "divide by the count of all numbers, not of rows and columns alone.",
                lambda a, b: 2 * (a - b) / a[0, 0].numel(),
            ),
            ("divide by the count of all numbers, not of one frame's.", lambda a, b: 2 * (a - b) / a[0].numel()),
            ("this is the loss; its derivative is asked for.", air_loss),
            (
                "these are the squares; the derivative of a square is twice the difference.",
                lambda a, b: (a - b) ** 2 / a.numel(),
            ),
            ("this is the gradient of the mean of absolute differences.", lambda a, b: torch.sign(a - b) / a.numel()),
            ("this is the gradient's sum; one number for each of F is asked for.", lambda a, b: _gradient(a, b).sum()),
            ("F_hat is not used.", lambda a, b: 2 * a / a.numel()),
        ],
        say=lambda got, wanted, F, F_hat: (
            f"one number for each of F is asked for, shape {tuple(F.shape)}; yours has {got.shape}."
            if got.shape != wanted.shape
            else "compare with d/dF of (F - F_hat)^2 / n, where n counts all numbers in F."
        ),
    )


EXERCISES = (
    Exercise("05.1", "my_dice", check_1, "write your formula in place of the three dots."),
    Exercise("05.2", "my_labelled", check_2, "write your formula in place of the three dots."),
    Exercise("05.3", "my_air_gradient", check_3, "write your formula in place of the three dots."),
)
