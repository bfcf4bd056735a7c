"""Answers to the exercises of notebook 06."""

import torch

import mpas_lite as mp


def conv(f, matrix):
    return torch.einsum("nm,bmhw->bnhw", matrix, f)


def with_matmul(f, matrix):
    return (matrix @ f.flatten(2)).reshape(len(f), -1, *f.shape[2:])


def with_numpy(f, matrix):
    return (f.permute(0, 2, 3, 1).numpy() @ matrix.numpy().T).transpose(0, 3, 1, 2)


def upsample(logit, like):
    size = [4 * side for side in logit.shape[-2:]]
    larger = torch.nn.functional.interpolate(logit, size=size, mode="bilinear", align_corners=False)
    return larger[..., : like.shape[-2], : like.shape[-1]]


def forward(net, x, x_hat, fuse=lambda a, b: (a + b) / 2, probability=torch.sigmoid):
    return probability(upsample(net.head(fuse(net.psi(net.encode(x)), net.psi(net.encode(x_hat)))), x))


def step_by_step(net, x, x_hat):
    f, f_hat = net.encode(x), net.encode(x_hat)
    fused = torch.stack([net.psi(f), net.psi(f_hat)]).mean(dim=0)
    return 1 / (1 + torch.exp(-upsample(net.head(fused), x)))


def of_features(net, x, x_hat):
    return torch.sigmoid(upsample(net.head(net.psi((net.encode(x) + net.encode(x_hat)) / 2)), x))


def loss(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    return mp.dice_loss(prob, label) + air_weight * mp.air_loss(f, f_hat)


def in_place(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    total = mp.air_loss(f_hat, f) * air_weight
    total = total + mp.dice_loss(prob, label.float())
    return total


def by_hand(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    y = label.float()
    dice = 1 - (2 * (prob * y).sum() + 1) / (prob.sum() + y.sum() + 1)
    return dice + air_weight * ((f - f_hat) ** 2).mean()


def one_view_cut(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    return mp.dice_loss(prob, label) + air_weight * mp.air_loss(f, f_hat.detach())


def on_dice(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    return air_weight * mp.dice_loss(prob, label) + mp.air_loss(f, f_hat)


def entropy(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    return mp.cross_entropy_loss(prob, label) + air_weight * mp.air_loss(f, f_hat)


def one_view(net, x, x_hat, label, air_weight):
    _, f, f_hat = net(x, x_hat)
    return mp.dice_loss(net(x), label) + air_weight * mp.air_loss(f, f_hat)


ANSWERS = {
    "06.1": (
        [conv, with_matmul, with_numpy, lambda f, m: torch.conv2d(f, m[:, :, None, None])],
        [
            (lambda f, m: torch.einsum("mn,bmhw->bnhw", m, f), "the matrix is turned"),
            (lambda f, m: torch.einsum("nm,bmhw->bhwn", m, f), "the new maps stand last"),
            (lambda f, m: torch.einsum("nm,bmhw->nbhw", m, f), "the new maps stand first"),
            (lambda f, m: torch.einsum("nm,bmhw->bnwh", m, f), "rows and columns are exchanged"),
            (lambda f, m: conv(f, m).relu(), "without ReLU"),
            (lambda f, m: conv(f, m) / f.shape[1], "not their mean"),
            (lambda f, m: conv(f[:1], m), "the first frame alone"),
            (lambda f, m: m @ f, "the code stopped with RuntimeError"),
            (lambda f, m: conv(f, m)[:, :1], "the shape must be"),
        ],
    ),
    "06.2": (
        [forward, step_by_step, lambda net, x, x_hat: net(x, x_hat)[0]],
        [
            (lambda net, x, h: forward(net, x, h, probability=lambda x: x), "the sigmoid is missing"),
            (lambda net, x, h: net(x), "Where is x_hat?"),
            (lambda net, x, h: forward(net, x, h, fuse=torch.add), "this is the sum"),
            (lambda net, x, h: forward(net, x, h, fuse=torch.maximum), "the larger of the two"),
            (of_features, "takes it of F and F_hat"),
            (lambda net, x, h: (net(x) + net(h)) / 2, "of the two probabilities"),
            (lambda net, x, h: torch.sigmoid(net(x, h)[0]), "the sigmoid comes twice"),
            (lambda net, x, h: torch.sigmoid(net.head(net.psi(net.encode(x)))), "did you upsample?"),
            (lambda net, x, h: net(x, h), "an array of numbers is asked for"),
            (lambda net, x, h: 1 - net(x, h)[0], "missing or misplaced"),
        ],
    ),
    "06.3": (
        [loss, in_place, by_hand],
        [
            (lambda n, x, h, y, w: loss(n, x, h, y, 1), "`air_weight` is not used"),
            (lambda n, x, h, y, w: loss(n, x, h, y, 0), "the AIR loss is missing"),
            (on_dice, "on the wrong loss"),
            (lambda n, x, h, y, w: w * loss(n, x, h, y, 1), "belongs to the AIR loss alone"),
            (lambda n, x, h, y, w: loss(n, x, h, y, -w), "added, not subtracted"),
            (entropy, "not cross entropy"),
            (one_view, "net(x, x_hat), not net(x)"),
            (lambda n, x, h, y, w: loss(n, x, h, y, w).item(), "has no gradient"),
            (one_view_cut, "nothing may be detached"),
            (lambda n, x, h, y, w: 2 * loss(n, x, h, y, w), "the loss of this batch is"),
        ],
    ),
}
