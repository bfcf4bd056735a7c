"""Answers to the exercises of notebook 05."""

import numpy as np
import torch

import mpas_lite as mp


def dice(y_hat, y, above=1.0, beneath=1.0):
    return 1 - (2 * (y * y_hat).sum() + above) / (y.sum() + y_hat.sum() + beneath)


def with_dot(y_hat, y):
    overlap = np.dot(y_hat.ravel(), y.ravel().astype(float))
    size = np.count_nonzero(y) + y_hat.sum()
    return (size - 2 * overlap) / (size + 1)


def with_torch(y_hat, y):
    return mp.dice_loss(torch.tensor(y_hat)[None, None], torch.tensor(y)[None, None])


def with_autograd(F, F_hat):
    leaf = F.clone().requires_grad_()
    mp.air_loss(leaf, F_hat).backward()
    return leaf.grad


ANSWERS = {
    "05.1": (
        [dice, with_dot, with_torch, lambda p, y: dice(p, y, 1 + 1e-9, 1 + 1e-9)],
        [
            (lambda p, y: 1 - dice(p, y), "the loss is 1 minus it"),
            (lambda p, y: dice(p, y, 0, 1), "the 1 above the fraction bar is missing"),
            (lambda p, y: dice(p, y, 1, 0), "the 1 beneath the fraction bar is missing"),
            (lambda p, y: dice(p, y, 1e-6, 1e-6), "not a tiny number"),
            (lambda p, y: 1 - ((p * y).sum() + 1) / (p.sum() + y.sum() + 1), "the 2 above"),
            (lambda p, y: 1 - (2 * (p * y).mean() + 1) / (p.mean() + y.mean() + 1), "these are their means"),
            (lambda p, y: 1 - ((p * y).sum() + 1) / (p.sum() + y.sum() - (p * y).sum() + 1), "the IoU's loss"),
            (lambda p, y: dice(p, y) / p.size, "number of pixels"),
            (lambda p, y: dice(np.rint(p), y), "do not round"),
            (lambda p, y: 1 - (2 * (p * y).sum() + 1) / ((p**2).sum() + y.sum() + 1), "do not square"),
            (lambda p, y: p * y, "one number is asked for"),
        ],
    ),
    "05.2": (
        [lambda p, d: p * (1 - d), lambda looks, dropout: looks - dropout * looks, lambda p, d: np.prod([p, 1 - d])],
        [
            (lambda p, d: p * d, "left out"),
            (lambda p, d: 1 - d, "`looks` is not used"),
            (lambda p, d: p, "`dropout` is not used"),
            (lambda p, d: p - d, "multiply the chances"),
            (lambda p, d: max(0, p - d), "multiply the chances"),
            (lambda p, d: min(p, 1 - d), "takes the smaller"),
            (lambda p, d: 1 - p * (1 - d), "not labelled"),
            (lambda p, d: (1 - p) * (1 - d), "pixels that are no person"),
            (lambda p, d: 0.6, "the person is not left out"),
        ],
    ),
    "05.3": (
        [
            lambda F, F_hat: 2 * (F - F_hat) / F.numel(),
            with_autograd,
            lambda F, F_hat: (F - F_hat).numpy() * (2 / np.prod(F.shape)),
        ],
        [
            (lambda F, F_hat: 2 * (F_hat - F) / F.numel(), "the sign is turned"),
            (lambda F, F_hat: (F - F_hat) / F.numel(), "the 2 of the square"),
            (lambda F, F_hat: 2 * (F - F_hat), "that is missing"),
            (lambda F, F_hat: 2 * (F - F_hat) / len(F), "not of the frames"),
            (lambda F, F_hat: 2 * (F - F_hat) / F[0].numel(), "not of one frame's"),
            (lambda F, F_hat: (F - F_hat) ** 2 / F.numel(), "these are the squares"),
            (lambda F, F_hat: (2 * (F - F_hat) / F.numel()).sum(), "the gradient's sum"),
            (mp.air_loss, "this is the loss"),
            (lambda F, F_hat: 2 * (F - F_hat).flatten() / F.numel(), "one number for each of F is asked for, shape"),
            (lambda F, F_hat: F.sub_(F_hat).mul_(2 / F.numel()), "changes what it is given"),
        ],
    ),
}
