"""Notebook 05: a learner of two numbers on a toy crowd, and sliders for imbalance and for wrong labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor

from mpas_lite.course.widgets.explorer import Explorer, slider, value_slider
from mpas_lite.course.widgets.pictures import add_key, add_picture
from mpas_lite.evaluation.scores import iou
from mpas_lite.network.losses import cross_entropy_loss, dice_loss
from mpas_lite.plots.overlays import mask_errors, overlay_parts
from mpas_lite.plots.palette import ERROR_COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross entropy": cross_entropy_loss, "Dice": dice_loss}
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True)
class ToyCrowd:
    """People on an empty square, and what a poor camera makes of them.

    Attributes
    ----------
    people : (H, W) int32
        0 is ground, person number 1, 2, ... elsewhere.
    feature : (H, W) float32
        About +1 on people and about -1 on the ground, with normal noise.
    """

    people: np.ndarray
    feature: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """(H, W) bool: where the people are."""
        return self.people > 0


@dataclass(frozen=True)
class Learned:
    """What `learn` found: probability (H, W) float32, its two numbers, and the loss of every step."""

    prob: np.ndarray
    weight: float
    bias: float
    loss: list[float]

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool: where the probability is above one half."""
        return self.prob > 0.5


@lru_cache(maxsize=16)
def toy_crowd(share: float, *, size: int = 96, noise: float = 0.7, seed: int = 0) -> ToyCrowd:
    """Put people at random on a square until they cover a share of it.

    Parameters
    ----------
    share : float in (0, 1)
    size : int
        Side of the square, px. A person is 5 x 11 px.
    noise : float
        Standard deviation of the feature's noise.
    seed : int

    Raises
    ------
    ValueError
        If the share is not between 0 and 1.

    Examples
    --------
    >>> crowd = toy_crowd(0.1)
    >>> bool(0.1 <= crowd.truth.mean() < 0.11)
    True
    """
    if not 0 < share < 1:
        raise ValueError(f"The share of the crowd lies between 0 and 1; this is {share}.")
    rng = np.random.default_rng(seed)
    people = np.zeros((size, size), np.int32)
    while (people > 0).mean() < share:
        person = np.zeros((size, size), np.uint8)
        cv2.ellipse(person, [int(v) for v in rng.integers(0, size, 2)], (2, 5), 0, 0, 360, 1, -1)
        people[(person > 0) & (people == 0)] = np.max(people) + 1
    feature = np.where(people > 0, 1, -1) + noise * rng.standard_normal(people.shape)
    return ToyCrowd(people, feature.astype(np.float32))


def noisy_label(people: np.ndarray, *, dilation: int = 0, dropout: float = 0.0, seed: int = 0) -> np.ndarray:
    """Label that is wrong in the two ways of a pseudo-label: people are missing, and the rest is too wide.

    Parameters
    ----------
    people : (H, W) int
        Number of the person at each pixel, 0 for none.
    dilation : int
        The label reaches so many px beyond each person.
    dropout : float in [0, 1]
        Share of the people that the label does not know.
    seed : int

    Returns
    -------
    (H, W) bool

    Examples
    --------
    >>> people = np.array([[0, 1, 0, 0, 2]])
    >>> noisy_label(people, dilation=1, dropout=0.5).astype(int)
    array([[1, 1, 1, 0, 0]])
    """
    count = int(people.max())
    order = np.random.default_rng(seed).permutation(count) + 1
    label = np.isin(people, order[: round(count * (1 - dropout))]).astype(np.uint8)
    if dilation:
        label = cv2.dilate(label, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * dilation + 1,) * 2))
    return label > 0


def learn(
    feature: np.ndarray,
    label: np.ndarray,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    steps: int = 40,
    rate: float = 0.4,
) -> Learned:
    """Fit the smallest learner there is, ``prob = sigmoid(w * feature + b)``, from w = b = 0, with Adam.

    Parameters
    ----------
    feature : (H, W) float
    label : (H, W) bool
    loss : function
        Of probability and label, both (1, 1, H, W), such as `mpas_lite.dice_loss`.
    steps, rate : int, float
        Of the optimisation.
    """
    x = torch.as_tensor(feature, dtype=torch.float32)[None, None]
    y = torch.as_tensor(label, dtype=torch.float32)[None, None]
    numbers = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([numbers], lr=rate)
    history = []
    for _ in range(steps):
        value = loss(torch.sigmoid(numbers[0] * x + numbers[1]), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    w, b = numbers.detach()
    return Learned(torch.sigmoid(w * x + b)[0, 0].numpy(), w.item(), b.item(), history)


def pull(label: np.ndarray, loss: Callable[[Tensor, Tensor], Tensor], *, prob: float = 0.5) -> tuple[float, float]:
    """Total gradient that crowd pixels and ground pixels put on the probability, where it is the same everywhere.

    Parameters
    ----------
    label : (H, W) bool
    loss : function
    prob : float

    Returns
    -------
    crowd, ground : float
        How hard they pull upwards and downwards, both positive.
    """
    p = torch.full((1, 1, *label.shape), prob, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(p, torch.as_tensor(label)[None, None]), p)
    one = gradient[0, 0].numpy()
    return -float(one[label].sum()), float(one[~label].sum())


def draw_answers(truth: np.ndarray, answers: Mapping[str, np.ndarray]) -> Figure:
    """Draw the truth, and every mask with its hits and errors and its IoU, side by side.

    Parameters
    ----------
    truth : (H, W) bool
    answers : mapping of name to (H, W) bool
    """
    from matplotlib.figure import Figure

    times = np.ones(2 * [-(-200 // max(truth.shape))], np.uint8)  # enlarged, so that patterns have room
    large = {name: np.kron(mask, times) > 0 for name, mask in {"": truth, **answers}.items()}
    white = np.full((*large[""].shape, 3), 255, np.uint8)
    pictures = {"the truth\n": np.where(large[""][..., None], np.uint8(0), white)}
    for name, mask in answers.items():
        picture = overlay_parts(white, mask_errors(large[name], large[""]), ERROR_COLORS)
        pictures[f"{name}\nIoU {iou(mask, truth):.2f}"] = picture
    figure = Figure(figsize=(2.45 * len(pictures), 3.3), dpi=80)
    width = 1 / len(pictures)
    for n, (title, picture) in enumerate(pictures.items()):
        add_picture(figure, picture, ((n + 0.02) * width, 0.1, 0.96 * width, 0.72))
        figure.text((n + 0.5) * width, 0.84, title, fontsize=14, ha="center")
    add_key(figure, 0.5 - 1.6 / figure.get_figwidth(), 0.025, ERROR_COLORS)
    return figure


def imbalance_explorer(noise: float = 1.0) -> Explorer:
    """Slider for the crowd's share of the picture: what each loss makes the same learner find."""
    found = {}  # learned beforehand: there are few positions, and each takes longer than a slider may
    for share in SHARES:
        crowd = toy_crowd(share, noise=noise)
        found[share] = {name: learn(crowd.feature, crowd.truth, loss).mask for name, loss in LOSSES.items()}

    def draw(share: float) -> tuple[Figure, str]:
        truth = toy_crowd(share).truth
        ratio = {name: np.divide(*pull(truth, loss)) for name, loss in LOSSES.items()}
        line = (
            f"The crowd covers <b>{truth.mean():.1%}</b>. At the start, p = 0.5 everywhere, for each 1 that the ground "
            f"pulls down the crowd pulls up by <b>{ratio['cross entropy']:.2f}</b> under cross entropy and by "
            f"<b>{ratio['Dice']:.2f}</b> under Dice."
        )
        return draw_answers(truth, found[share]), line

    share_slider = value_slider("s  the crowd's share [% of pixels]", SHARES, 0.02, "{:.0%}")
    return Explorer(
        {"share": share_slider},
        draw,
        alt="The truth, and beside it what each loss makes the same learner find.",
    )


def noise_explorer(share: float = 0.2) -> Explorer:
    """Sliders for the two errors of a pseudo-label, too wide and people missing: who learns what from it."""
    import ipywidgets

    crowd = toy_crowd(share)

    @lru_cache(maxsize=64)
    def found(dilation: int, percent: int) -> tuple[dict[str, np.ndarray], float]:
        label = noisy_label(crowd.people, dilation=dilation, dropout=percent / 100)
        both = {name: learn(crowd.feature, label, loss) for name, loss in LOSSES.items()}
        return {"its label": label, **{name: one.mask for name, one in both.items()}}, 1 - both["Dice"].loss[-1]

    def draw(dilation: int, dropout: int) -> tuple[Figure, str]:
        answers, dice = found(dilation, dropout)
        line = (
            f"The label covers <b>{answers['its label'].mean():.0%}</b>, the crowd {crowd.truth.mean():.0%}. Cross "
            "entropy keeps a pixel that is labelled more often than 1 time in 2, Dice one that is labelled more often "
            f"than D/2 = <b>{dice / 2:.2f}</b> of the time."
        )
        return draw_answers(crowd.truth, answers), line

    wide = slider(ipywidgets.IntSlider, "d  dilation of the label [px]", min=0, max=4, value=1)
    lost = slider(ipywidgets.IntSlider, "m  people missing in the label [%]", min=0, max=90, step=10, value=60)
    return Explorer(
        {"dilation": wide, "dropout": lost},
        draw,
        alt="The truth, the wrong label, and what each loss makes the same learner find from it.",
    )
