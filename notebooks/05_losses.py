# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 Losses
#
# **You will** compute the losses of MPASNET by hand, watch the same small learner obey two different losses, and find
# two sentences in the paper that do not do what they seem to say.
#
# **You will learn** what a Dice loss asks for that cross entropy does not; why it forgives labels that forget people,
# and does not forgive labels that are too wide; what Laplace smoothing is for; what the factor 1/(W'H') in the paper's
# Eq. 6 does to training; and what the siamese part of the loss, AIR, measures.
#
# **You need** derivatives, a little PyTorch, and the idea of a pseudo-label from
# [notebook 04](04_circular_region_merging.ipynb): a mask made from motion alone, which is often wrong.
#
# **Time:** 60 minutes.

# %%
import importlib.util

if importlib.util.find_spec("mpas_lite") is None:
    raise SystemExit(
        "mpas_lite is not installed here. Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

import mpas_lite as mp
from mpas_lite.course import claim
from mpas_lite.plots import PALETTE, DescribedPicture, show_with_alt
from mpas_lite.course.widgets.explorer import png
from mpas_lite.course.widgets.losses import (
    LOSSES,
    draw_answers,
    imbalance_explorer,
    learn,
    noise_explorer,
    noisy_label,
    pull,
    toy_crowd,
)

torch.manual_seed(0)
plt.rcParams["font.size"] = 13

# %% [markdown]
# ## 1. How wrong is a mask?
#
# A network answers with a probability $\hat y_p$ between 0 and 1 for every pixel $p$: how likely it is that the pixel
# belongs to the crowd. The label $y_p$ is 1 for crowd and 0 for ground. A *loss* turns the two into one number, and
# training makes that number small.
#
# Here is a picture of nine pixels, with two pixels of crowd, and a network that is nearly sure of one and misses the
# other.

# %% tags=["nbval-check-output"]
y = torch.tensor([[1.0, 1, 0], [0, 0, 0], [0, 0, 0]])
y_hat = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]])

overlap = (y * y_hat).sum()
print(f"overlap, sum of y * y_hat:   1 * 0.9 + 1 * 0.2 = {overlap:.1f}")
print(f"sum of y: {y.sum():.1f}     sum of y_hat: {y_hat.sum():.1f}")

dice_by_hand = 1 - (2 * overlap + 1) / (y.sum() + y_hat.sum() + 1)
entropy_by_hand = -(y * y_hat.log() + (1 - y) * (1 - y_hat).log()).mean()
print(f"Dice loss      1 - (2 * 1.1 + 1) / (2 + 1.8 + 1) = {dice_by_hand:.3f}")
print(f"cross entropy  {entropy_by_hand:.3f}")

# %% [markdown]
# **Dice loss** (the bracket of Eq. 6 in the paper) compares whole regions:
#
# $$L_\text{Dice} = 1 - \frac{2\sum_p y_p\,\hat y_p + 1}{\sum_p y_p + \sum_p \hat y_p + 1}.$$
#
# It is 0 where the two regions are equal and close to 1 where they do not meet. The two 1s are *Laplace smoothing*; we
# come back to them.
#
# **Cross entropy** asks each pixel on its own, and takes the mean over all $n$ pixels:
#
# $$L_\text{CE} = -\frac1n \sum_p \big( y_p \log \hat y_p + (1 - y_p) \log (1 - \hat y_p) \big).$$
#
# The library has both. Its tensors have the shape (images, 1, height, width), and the loss is computed image by image.

# %%
prob, target = y_hat[None, None], y[None, None]
claim("The library's Dice loss is the one by hand.", torch.isclose(mp.dice_loss(prob, target), dice_by_hand))
claim("So is its cross entropy.", torch.isclose(mp.cross_entropy_loss(prob, target), entropy_by_hand))

# %% [markdown]
# **What we saw.** The library gives the numbers that we found by hand: 0.333 and 0.272.

# %%
claim(
    "The Dice loss is 0.333 and the cross entropy 0.272.",
    round(dice_by_hand.item(), 3) == 0.333,
    round(entropy_by_hand.item(), 3) == 0.272,
)

# %% [markdown]
# ## 2. What does a lazy answer cost?
#
# Most pixels of most pictures show no crowd. A network that answers "crowd with a probability of 2%" everywhere has
# learned nothing. Which of the losses notices?
#
# Let $s$ be the crowd's share of the pixels. We ask both losses about the lazy answer, for shares from one half down
# to one in two hundred.

# %%
side = 200
shares = np.array([0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005])
lazy = torch.full((1, 1, side, side), 0.02)
cost = {name: [] for name in LOSSES}
for share in shares:
    label = (torch.arange(side * side) < share * side**2).view(1, 1, side, side)
    for name, loss in LOSSES.items():
        cost[name].append(loss(lazy, label).item())

fig, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
for (name, values), color, mark in zip(cost.items(), ("vermillion", "blue"), "os", strict=True):
    ax.plot(100 * shares, values, marker=mark, color=PALETTE[color], linewidth=2.5, markersize=8, label=name)
ax.set_xscale("log")
ax.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
ax.set(xlabel="share of the crowd (% of pixels)", ylabel="loss of the lazy answer", ylim=(0, 2.1))
ax.minorticks_off()
ax.legend(frameon=False)
show_with_alt(
    fig,
    "Loss of an answer that says no crowd everywhere, over the crowd's share. Cross entropy rises from nearly "
    "0 where the crowd is small to 2 where it is half of the picture; Dice stays close to 1.",
)

# %% tags=["nbval-check-output"]
for name, values in cost.items():
    print(f"{name:14s} s = 50%: {values[0]:.2f}    s = 0.5%: {values[-1]:.2f}")
claim(
    "Cross entropy falls from nearly 2 to less than 0.05 as the crowd gets rare.",
    cost["cross entropy"][-1] < 0.05 < 1.9 < cost["cross entropy"][0],
)
claim("Dice stays above 0.95.", min(cost["Dice"]) > 0.95)

# %% [markdown]
# **What we saw.** Cross entropy falls from 1.97 to 0.04 as the crowd gets rare: the lazy answer is nearly perfect, for
# it is right about nearly every pixel. Dice stays above 0.95, whatever the share: the lazy answer meets no crowd, and
# Dice asks about nothing else.
#
# ## 3. Who pulls how hard?
#
# A loss acts through its gradient. Let the network start with $\hat y_p = 1/2$ everywhere. Pixels of crowd pull the
# probability up, pixels of ground pull it down. With the sums $I = \sum y_p \hat y_p$ and
# $S = \sum y_p + \sum \hat y_p + 1$ the derivatives are
#
# $$\frac{\partial L_\text{CE}}{\partial \hat y_p} = \frac1n \begin{cases} -1/\hat y_p & \text{crowd} \\
# 1/(1 - \hat y_p) & \text{ground} \end{cases}
# \qquad
# \frac{\partial L_\text{Dice}}{\partial \hat y_p} = \begin{cases} -\big(2S - (2I + 1)\big)/S^2 & \text{crowd} \\
# (2I + 1)/S^2 & \text{ground.} \end{cases}$$
#
# First we check the second formula on the nine pixels; autograd knows the truth.

# %%
p = prob.clone().requires_grad_()
(gradient,) = torch.autograd.grad(mp.dice_loss(p, target), p)
twice, S = 2 * overlap + 1, y.sum() + y_hat.sum() + 1
by_hand = torch.where(y > 0, -(2 * S - twice) / S**2, twice / S**2)
claim("Autograd agrees with the formula.", torch.allclose(gradient[0, 0], by_hand))
by_hand.round(decimals=3)

# %% [markdown]
# Now add up all the crowd's pulls, and all the ground's, for a share $s$ and $\hat y = 1/2$. Under cross entropy each
# pixel pulls alike, so the sums are to each other as $s$ to $1 - s$. Under Dice (put $I = ns/2$ and $S = n(s + 1/2)$
# into the formula, with $n$ large) they are as $1 + s$ to $1 - s$.

# %% tags=["nbval-check-output"]
print("share    crowd's pull / ground's pull")
print("         cross entropy   Dice")
for share in (0.5, 0.1, 0.02):
    crowd = toy_crowd(share, size=256).truth
    s = crowd.mean()
    ratio = {name: np.divide(*pull(crowd, loss)) for name, loss in LOSSES.items()}
    print(f"{share:5.0%}    {ratio['cross entropy']:13.2f} {ratio['Dice']:6.2f}")
    claim(
        "Under cross entropy the pulls are as s to 1 - s.", np.isclose(ratio["cross entropy"], s / (1 - s), rtol=1e-3)
    )
    claim("Under Dice they are as 1 + s to 1 - s.", np.isclose(ratio["Dice"], (1 + s) / (1 - s), rtol=0.01))

# %% [markdown]
# **What we saw.** With a crowd of 2%, cross entropy gives the ground fifty times the crowd's say. Dice gives both about
# the same, however small the crowd is. The balance needs no weight that somebody must choose.
#
# ## 4. Who learns what?
#
# Now we train. Our toy world is a square with people on it, and a poor camera: its *feature* is about +1 on a person
# and about -1 on the ground, with noise. The learner has only two numbers, a weight $w$ and a bias $b$:
#
# $$\hat y_p = \sigma(w f_p + b),$$
#
# with $f_p$ the feature and $\sigma$ the sigmoid. So it can choose a threshold on the feature, and how sure it is.
# Both losses train the same learner on the same picture, for 40 steps behind the slider and for 300 in the table. Move
# the slider.

# %%
imbalance_explorer().show()

# %% tags=["nbval-check-output"]
found = {}
print("IoU with the truth")
print("share   cross entropy   Dice")
for share in (0.5, 0.1, 0.02, 0.01):
    crowd = toy_crowd(share, noise=1.0)
    found[share] = {
        name: mp.iou(learn(crowd.feature, crowd.truth, loss, steps=300).mask, crowd.truth)
        for name, loss in LOSSES.items()
    }
    print(f"{share:5.0%}   {found[share]['cross entropy']:13.2f} {found[share]['Dice']:6.2f}")

# %% [markdown]
# *IoU*, intersection over union, is the score of the paper: the pixels in both masks, divided by the pixels in at least
# one of them.

# %%
claim("With half the picture crowd, the losses agree.", abs(found[0.5]["Dice"] - found[0.5]["cross entropy"]) < 0.02)
claim(
    "With a rare crowd, Dice finds more of it.",
    all(found[share]["Dice"] > found[share]["cross entropy"] for share in (0.1, 0.02, 0.01)),
)

# %% [markdown]
# **What we saw.** With half the picture crowd, the losses agree. With a rare crowd, Dice finds more of it. Cross
# entropy has another aim: it learns the true *probability* of crowd, and for a rare crowd and a noisy feature that
# probability is seldom above one half. If you want probabilities, take cross entropy. If you want a mask, you want
# another threshold, and Dice finds it by itself.
#
# ## 5. Which pixels does each loss keep?
#
# Suppose that of all pixels that look alike a fraction $q$ is labelled crowd. Cross entropy answers $\hat y = q$, so
# after the cut at one half it keeps them where
#
# $$q > \tfrac12 .$$
#
# For Dice look at the derivative of one pixel again. On average over its look-alikes it is
# $\big((2I + 1) - 2 q S\big)/S^2$, so it is negative, and pulls $\hat y$ all the way up, where
#
# $$q > \frac{2I + 1}{2S} = \frac{D}{2}, \qquad D = 1 - L_\text{Dice}.$$
#
# **Dice keeps what is labelled more often than half the Dice score that it reaches.** $D/2$ is never more than one
# half. The worse the labels are, the smaller is $D$, and the more generous is Dice. We test the rule: people and ground
# have normal features, so $q$ is known as a function of the feature, and the rule says where the threshold must lie.

# %% tags=["nbval-check-output"]
crowd = toy_crowd(0.2)
spread = 0.7**2  # variance of the feature's noise
s = crowd.truth.mean()


def feature_where(q, missing):
    """The feature at which a fraction q of the pixels is labelled, when labels miss a fraction of the people."""
    q_true = q / (1 - missing)
    return spread / 2 * (np.log(q_true / (1 - q_true)) - np.log(s / (1 - s)))


print("people missing   D/2    threshold: rule   learned")
for dropout in (0.0, 0.3, 0.6):
    label = noisy_label(crowd.people, dropout=dropout)
    missing = 1 - label.sum() / crowd.truth.sum()
    learned = learn(crowd.feature, label, mp.dice_loss, steps=300)
    half_dice = (1 - learned.loss[-1]) / 2
    rule, threshold = feature_where(half_dice, missing), -learned.bias / learned.weight
    print(f"{dropout:14.0%}   {half_dice:.2f}    {rule:15.2f}   {threshold:7.2f}")
    claim("The learned threshold lies within 0.06 of the rule's.", abs(rule - threshold) < 0.06)

# %% [markdown]
# **What we saw.** The learned threshold lies within 0.06 of the rule's.
#
# ## 6. What do wrong labels teach?
#
# Pseudo-labels are wrong in two ways. They are too wide, for they are made of discs (**dilation**). And they miss those
# who stand still (**dropout**). The sliders make a label as wrong as you like. The learner sees only this label, and is
# then scored against the truth.
#
# Before you move: what will each learner do when six people in ten are missing from the label?

# %%
noise_explorer().show()

# %%
answers = {}
for dilation, dropout in ((0, 0.0), (0, 0.6), (2, 0.0), (1, 0.6)):
    label = noisy_label(crowd.people, dilation=dilation, dropout=dropout)
    masks = {name: learn(crowd.feature, label, loss, steps=300).mask for name, loss in LOSSES.items()}
    masks["label"] = label
    answers[dilation, dropout] = {name: mp.iou(mask, crowd.truth) for name, mask in masks.items()}

# %% tags=["nbval-check-output"]
print("dilation   dropout   IoU with the truth of: label   cross entropy   Dice")
for (dilation, dropout), score in answers.items():
    row = f"{score['label']:5.2f}   {score['cross entropy']:13.2f}   {score['Dice']:4.2f}"
    print(f"{dilation:5d} px   {dropout:7.0%}   {'':22s} {row}")

# %%
missing, wide = answers[0, 0.6], answers[2, 0.0]
claim(
    "With six people in ten missing, Dice is far above its label, and cross entropy gives up the crowd.",
    missing["Dice"] > 0.7 > 0.4 > missing["label"] > 0.2 > missing["cross entropy"],
)
claim(
    "From labels that are too wide, Dice ends below its label, and cross entropy above.",
    wide["Dice"] < wide["label"] < wide["cross entropy"],
)
rim = noisy_label(crowd.people, dilation=2) & ~crowd.truth
right = answers[0, 0.0]
claim("At 2 px the rim covers more than a quarter of the ground.", 0.25 < rim.sum() / (~crowd.truth).sum() < 0.35)
claim(
    "Dilation costs Dice more than cross entropy.",
    right["Dice"] - wide["Dice"] > right["cross entropy"] - wide["cross entropy"],
)

# %% [markdown]
# **What we saw.**
#
# - *People missing.* With six in ten missing, even the clearest person is labelled only 4 times in 10. Cross entropy
#   needs more than one half and gives up nearly all of the crowd. Dice is still above 0.7, far above the label that it
#   was taught with (below 0.4). **This is how a network can become better than its pseudo-labels**: the errors of the
#   label do not depend on what people look like, so the learner cannot learn them.
# - *Too wide.* At 2 px of dilation the rim of the label covers more than a quarter of the ground, which looks like any
#   other ground. Cross entropy ignores it, as long as $q < 1/2$. Dice, more generous, begins to take ground for crowd,
#   and ends below its own label.
#
# Both follow from one rule, $1/2$ against $D/2$. Which error hurts more in your video decides which loss is better; a
# pseudo-label from motion misses many, so Dice is a fair choice. And a smaller circle radius (notebook
# [04](04_circular_region_merging.ipynb)), which means less dilation, helps Dice more than it helps cross entropy.

# %% [markdown]
# ## 7. What if there is no crowd at all?
#
# Some frames are empty: $y = 0$ everywhere. Without the two 1s the Dice loss of an empty answer would be $1 - 0/0$.
# With them, it is
#
# $$L = 1 - \frac{1}{\sum_p \hat y_p + 1}, \qquad
# \frac{\partial L}{\partial \hat y_p} = \frac{1}{(\sum_p \hat y_p + 1)^2}.$$

# %%
total = np.logspace(-2, 5, 200)  # sum of y_hat over the image
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.semilogx(total, 1 - 1 / (total + 1), color=PALETTE["blue"], linewidth=2.5)
left.set(xlabel=r"crowd claimed, $\sum \hat y_p$ (pixels)", ylabel="Dice loss of an empty mask")
right.loglog(total, 1 / (total + 1) ** 2, color=PALETTE["blue"], linewidth=2.5)
right.set(xlabel=r"crowd claimed, $\sum \hat y_p$ (pixels)", ylabel="gradient per pixel")
for ax in (left, right):
    ax.grid(alpha=0.3)
show_with_alt(
    fig,
    "Left: Dice loss of an empty mask over the crowd that is claimed, on a log axis: it rises from 0 to 1 "
    "around one pixel, and is flat after it. Right: its gradient per pixel, which is 1 there and falls to "
    "nearly nothing.",
)

# %% tags=["nbval-check-output"]
empty = torch.zeros(1, 1, 240, 320)
for claimed in (0, 1, 100, 38400):
    p = torch.full_like(empty, claimed / empty.numel()).requires_grad_()
    loss = mp.dice_loss(p, empty)
    (gradient,) = torch.autograd.grad(loss, p)
    print(f"{claimed:6d} px claimed: loss {loss.item():.4f}, gradient per pixel {gradient[0, 0, 0, 0].item():.1e}")
    claim(
        "Loss and gradient of an empty mask are those of the formulas.",
        np.isclose(loss.item(), 1 - 1 / (claimed + 1), atol=1e-4),
        np.isclose(gradient[0, 0, 0, 0].item(), 1 / (claimed + 1) ** 2, rtol=1e-3),
    )

# %% [markdown]
# **What we saw.** An empty answer to an empty mask costs nothing, as it should. But one pixel of false alarm costs half
# of the whole loss, and a hundred pixels cost as much as everything, 0.99. And a network that claims half of the
# picture (38,400 px here) gets a gradient of 7e-10 a pixel: from an empty mask it learns next to nothing. Empty frames
# teach little under Dice, so keep an eye on how many of your pseudo-labels are empty; `mpas-lite label` tells you.
#
# ## 8. What does 1/(W'H') do?
#
# Eq. 6 of the paper, as printed, divides the Dice loss by the number of pixels W'H'. Dice is already a ratio of sums
# over all pixels. What does the division do at the paper's settings: SGD, learning rate $\eta$ = 0.02, momentum
# $\mu$ = 0.9?
#
# Take one bias $b$ behind a sigmoid, an image of 480x360 px, a crowd of 10%, and $b = 0$. With momentum, a steady
# gradient $g$ moves $b$ by $\eta g/(1 - \mu)$ a step.

# %% tags=["nbval-check-output"]
height, width = 360, 480
label = torch.zeros(1, 1, height, width)
label[..., : height // 10, :] = 1
rate, momentum = 0.02, 0.9
steps = {}
for literal in (False, True):
    b = torch.zeros((), requires_grad=True)
    mp.dice_loss(torch.sigmoid(b).expand(label.shape), label, literal=literal).backward()
    steps[literal] = (1 - momentum) / (rate * abs(b.grad.item()))
    name = "as printed, with 1/(W'H')" if literal else "without the factor"
    print(f"{name:26s} gradient {b.grad.item():9.1e}   steps to move b by 1: {steps[literal]:10.1e}")
claim(
    "With the factor it takes as many times more steps as there are pixels.",
    np.isclose(steps[True] / steps[False], height * width, rtol=1e-4),
)
claim("These are some 360 steps, and 62 million.", 355 < steps[False] < 365, 61e6 < steps[True] < 63e6)

# %% [markdown]
# **What we saw.** Some 360 steps without the factor; 62 million with it. Read literally, Eq. 6 does not train the
# network at all at this learning rate. Worse, it is not alone in the loss.
#
# ## 9. What does AIR ask for?
#
# The siamese network sees every frame twice: as it is, and with its colours changed. Its encoder turns the two views
# into features $F$ and $\hat F$: $C$ numbers at each of $h \times w$ places. *Augmentation-invariant regularisation*
# (Eq. 7) asks that they be the same:
#
# $$L_\text{AIR} = \frac{1}{C h w} \sum_i (F_i - \hat F_i)^2 .$$
#
# By hand, with two channels and 2x2 places:

# %% tags=["nbval-check-output"]
F = torch.tensor([[[1.0, 2], [3, 4]], [[0, 1], [0, 1]]])[None]
F_hat = torch.tensor([[[1.0, 1], [3, 2]], [[0, 0], [1, 3]]])[None]
difference = F - F_hat
print("differences:", difference.flatten().int().tolist())
print("squares:    ", difference.square().flatten().int().tolist())
print(f"mean:        {int(difference.square().sum())} / 8 = {difference.square().mean().item()}")
claim("The library's AIR is the one by hand.", mp.air_loss(F, F_hat).item() == 11 / 8)

# %% [markdown]
# ## 10. What happens when AIR is alone?
#
# There is a cheap way to make two views' features equal: make all features zero. Only the segmentation loss stands
# against it. So what if that loss has been divided by W'H'?
#
# Our encoder is now one number $a$: $F = a f$ and $\hat F = a \hat f$, where $\hat f$ is the feature of a second,
# equally noisy view. The head is $\sigma\big(w (F + \hat F)/2 + b\big)$. We train $a$, $w$ and $b$ with the paper's
# optimiser: SGD, learning rate 0.02, momentum 0.9, weight decay 0.0001.

# %%
rng = np.random.default_rng(7)
second_view = np.where(crowd.truth, 1, -1) + 0.7 * rng.standard_normal(crowd.truth.shape)
f, f_hat = (torch.tensor(v, dtype=torch.float32)[None, None] for v in (crowd.feature, second_view))
label = torch.tensor(crowd.truth)[None, None]


def train(*, literal, air, steps=600):
    """The encoder's weight a at every step, and the mask at the end (of the first view alone, as in inference)."""
    a, w, b = (torch.tensor(v, requires_grad=True) for v in (1.0, 1.0, 0.0))
    optimizer = torch.optim.SGD([a, w, b], lr=0.02, momentum=0.9, weight_decay=1e-4)
    history = []
    for _ in range(steps):
        F, F_hat = a * f, a * f_hat
        loss = mp.dice_loss(torch.sigmoid(w * (F + F_hat) / 2 + b), label, literal=literal)
        loss = loss + air * mp.air_loss(F, F_hat)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(a.item())
    return history, (torch.sigmoid(w * a * f + b) > 0.5)[0, 0].numpy()


runs = {
    "Dice + AIR": train(literal=False, air=1),
    "Dice / (W'H') + AIR": train(literal=True, air=1),
    "Dice / (W'H') alone": train(literal=True, air=0),
}

# %%
fig, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
for (name, (history, _)), color, style in zip(
    runs.items(), ("blue", "vermillion", "black"), ("-", "--", ":"), strict=True
):
    ax.plot(history, style, color=PALETTE[color], linewidth=3, label=name)
ax.set(xlabel="step", ylabel="the encoder's weight $a$")
ax.grid(alpha=0.3)
ax.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.78))
show_with_alt(
    fig,
    "The encoder's weight over 600 steps of training, from 1. With Dice as printed and AIR it falls to 0 and "
    "stays there; with plain Dice and AIR it swings and settles near 0.4; without AIR it stays at 1.",
)

# %%
DescribedPicture(
    png(draw_answers(crowd.truth, {name: mask for name, (_, mask) in list(runs.items())[:2]})),
    "The truth, people on an empty square, and two answers. With Dice and AIR nearly all of it is a hit, with a few "
    "specks of misses and false alarms; with Dice as printed and AIR all of the ground is a false alarm.",
)

# %% tags=["nbval-check-output"]
for name, (history, mask) in runs.items():
    print(f"{name:20s} a = {history[-1]:.2f}   IoU {mp.iou(mask, crowd.truth):.2f}")
collapsed, alone = runs["Dice / (W'H') + AIR"], runs["Dice / (W'H') alone"]
balanced = runs["Dice + AIR"]
claim(
    "With the factor, all features go to zero, and the answer is crowd everywhere.",
    abs(collapsed[0][-1]) < 1e-3,
    collapsed[1].all(),
)
claim("The literal loss alone lets the weight shrink a little.", alone[0][-1] < 1)
claim(
    "Without the factor the weight falls first, then rises, and the crowd is found.",
    min(balanced[0][:100]) < 0 < 0.2 < balanced[0][300],
    balanced[0][-1] > 0.3,
    mp.iou(balanced[1], crowd.truth) > 0.7,
)

# %% [markdown]
# **What we saw.** With the factor, AIR wins: the encoder's weight goes to zero, all features with it, and the answer is
# "crowd" everywhere. Without AIR the literal loss does nothing at all; the weight even shrinks a little, for weight
# decay is stronger than the loss. Without the factor, segmentation and AIR find a balance: $a$ first falls, then rises
# again.
#
# The authors' network learned, so their code can hardly have divided. `mp.dice_loss` leaves the factor out, and
# `literal=True` puts it back for those who want to see.
#
# ## 11. Does ColorJitter change the colours?
#
# The paper makes the second view with `ColorJitter` and `RandomGrayscale` "with default parameters in PyTorch". We
# measure what these do to a frame.

# %% tags=["nbval-check-output"]
from torchvision.transforms import ColorJitter, RandomGrayscale

video = mp.read_video(mp.sample_path("street_flow"))
_, frame = next(iter(video))
x = torch.tensor(frame).permute(2, 0, 1) / 255

print(ColorJitter())
same = sum(torch.equal(ColorJitter()(x), x) for _ in range(100))
print(f"identical after ColorJitter():     {same} of 100")
grey = sum(not torch.equal(RandomGrayscale(p=0.1)(x), x) for _ in range(100))
claim("ColorJitter() changes nothing, and RandomGrayscale acts now and then.", same == 100, 0 < grey < 30)

# %% [markdown]
# **What we saw.** `ColorJitter()` with default arguments is the identity: every strength is `None`. Only
# `RandomGrayscale` acts, in about one frame of ten (its default p is 0.1). In the other nine the two views are the same
# tensor.
#
# Then $F = \hat F$ for these nine, and their AIR is exactly 0? It depends on the company that a frame is in. Here are four
# frames, of which one is made grey, and an untrained network, in eval mode and in training mode.

# %%
from torchvision.transforms.functional import rgb_to_grayscale

four = torch.stack([torch.tensor(one).permute(2, 0, 1) for _, one in video.frames([0, 20, 40, 60])]) / 255
one_grey = four.clone()
one_grey[1] = rgb_to_grayscale(four[1], num_output_channels=3)

torch.manual_seed(0)
untrained = mp.MPASNet("test_efficientnet")
air_of_frame = {}
for mode in ("eval", "training"):
    untrained.train(mode == "training")
    with torch.no_grad():
        pairs_of_maps = list(zip(untrained.encode(four), untrained.encode(one_grey), strict=True))
    air_of_frame[mode] = [mp.air_loss(*maps).item() for maps in pairs_of_maps]
    print(f"{mode:8s} AIR of each frame: " + "  ".join(f"{value:.4f}" for value in air_of_frame[mode]))

untrained.train()
with torch.no_grad():
    nobody_changed = mp.air_loss(untrained.encode(four), untrained.encode(four)).item()
print(f"training, none of the four made grey: {nobody_changed}")
print("share of batches of 4 and 8 in which none is:", *(f"{0.9**size:.2f}" for size in (4, 8)))
untouched = (0, 2, 3)
alone, together = air_of_frame["eval"], air_of_frame["training"]
claim(
    "In eval mode only the grey frame has an AIR.",
    alone[1] > 0,
    all(alone[number] == 0 for number in untouched),
)
claim(
    "In training mode the others have one, too, if a smaller one.",
    all(0.01 * together[1] < together[number] < 0.5 * together[1] for number in untouched),
)
claim("A batch without a grey frame has an AIR of exactly 0.", nobody_changed == 0)
claim(
    "That is two batches of four in three, and fewer than half of the batches of eight.",
    0.6 < 0.9**4 < 0.7,
    0.4 < 0.9**8 < 0.5,
)

# %% [markdown]
# **What we saw.** In eval mode each frame is on its own, and the three that were left alone have an AIR of exactly 0. In
# training mode they have not: **batch norm** takes its mean and variance from the whole batch, so one grey frame moves
# the features of all. Only a batch in which no frame was made grey has an AIR of exactly 0: two batches of four in
# three, and fewer than one half of the batches of eight.
#
# The library offers both: `augmentation="literal"`, and `augmentation="real"`, the default, which changes brightness,
# contrast, saturation and hue, and sometimes blurs or adds noise. All of them leave every pixel where it is, so the
# label stays true.

# %%
from mpas_lite.training import change_colours, literal_colours

rng = np.random.default_rng(0)
literal_views = [literal_colours(x, rng).permute(1, 2, 0).numpy() for _ in range(3)]
real_views = [change_colours(frame, rng) for _ in range(3)]
fig, rows = plt.subplots(2, 3, figsize=(9.5, 5.1), layout="constrained")
for row, name, views in zip(rows, ("literal", "real"), (literal_views, real_views), strict=True):
    for number, (ax, view) in enumerate(zip(row, views, strict=True), start=1):
        ax.imshow(view)
        ax.set(xticks=[], yticks=[], title=f"{name} view {number}")
show_with_alt(
    fig,
    "Two rows of three views of one frame. In the first, literal row colours hardly change, but one view is "
    "grey; in the second, real row they are darker, or grey and blurred. People stay in their places.",
)

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(1)
changed = sum(not torch.equal(literal_colours(x, rng), x) for _ in range(100))
air = {
    "literal": [mp.air_loss(x[None], literal_colours(x, rng)[None]).item() for _ in range(50)],
    "real": [
        mp.air_loss(x[None], torch.tensor(change_colours(frame, rng)).permute(2, 0, 1)[None] / 255).item()
        for _ in range(50)
    ],
}
zero = {name: sum(value == 0 for value in values) for name, values in air.items()}
print("views, of 50, that are the frame itself:", zero)
claim(
    "Most literal views are the frame itself, and no real one is.",
    changed < 30,
    zero["literal"] >= 35,
    zero["real"] == 0,
)

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: Dice loss in numpy
#
# Write the Dice loss of one image for two numpy arrays of the same shape. Do not forget the two 1s.


# %%
def my_dice(y_hat, y):
    return ...  # your formula here


# %%
mp.check("05.1", my_dice)

# %% [markdown]
# #### Solution of exercise 1
#
# Two sums and a division.


# %%
### BEGIN SOLUTION
def my_dice(y_hat, y):
    return 1 - (2 * (y * y_hat).sum() + 1) / (y.sum() + y_hat.sum() + 1)


mp.check("05.1", my_dice)
### END SOLUTION

# %% [markdown]
# ### Exercise 2: when does cross entropy go blind?
#
# Labels miss a fraction `dropout` of the people, at random, and contain nothing else. A pixel looks like a person with
# probability `looks`, judged by its feature alone. Write the fraction $q$ of such pixels that is labelled crowd.


# %%
def my_labelled(looks, dropout):
    return ...  # your formula here


# %%
mp.check("05.2", my_labelled)

# %% [markdown]
# #### Solution of exercise 2
#
# The pixel is a person, and the person is not left out. So $q \le 1 - \text{dropout}$, and when half of
# the people are missing, $q$ is nowhere above one half: cross entropy has nothing left to keep.


# %%
### BEGIN SOLUTION
def my_labelled(looks, dropout):
    return looks * (1 - dropout)


mp.check("05.2", my_labelled)
### END SOLUTION

# %% [markdown]
# ### Exercise 3: the gradient of AIR
#
# Write the derivative of $L_\text{AIR}$ with respect to each number of $F$, for two tensors of the same shape.


# %%
def my_air_gradient(F, F_hat):
    return ...  # your formula here


# %%
mp.check("05.3", my_air_gradient)

# %% [markdown]
# #### Solution of exercise 3
#
# The square gives a 2, the mean a division by the count of all numbers.


# %%
### BEGIN SOLUTION
def my_air_gradient(F, F_hat):
    return 2 * (F - F_hat) / F.numel()


mp.check("05.3", my_air_gradient)
### END SOLUTION

# %% [markdown]
# ## Recap
#
# - Cross entropy asks every pixel; Dice asks about the overlap of regions, and balances a rare crowd by itself.
# - After training, cross entropy keeps what is labelled more often than 1/2, Dice what is labelled more often than D/2.
#   So Dice forgives labels that miss people, and does not forgive labels that are too wide.
# - With the two 1s the loss of an empty mask is defined, but it has hardly any gradient.
# - Dividing Dice by W'H' switches the segmentation loss off, and AIR alone makes all features zero.
# - `ColorJitter()` does nothing. Read defaults before you trust them.
#
# Next: [06 The siamese network](06_siamese_network.ipynb), where these losses train a real one.
#
# ## Further reading
#
# - J. Yang, H. Yang: *MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd Segmentation in Video
#   Scenes*, ICIP 2021, [arXiv:2101.08609](https://arxiv.org/abs/2101.08609). The method; Eq. 6 and 7.
# - F. Milletari, N. Navab, S.-A. Ahmadi: *V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
#   Segmentation*, 3DV 2016, [arXiv:1606.04797](https://arxiv.org/abs/1606.04797). Dice as a loss.
# - Z. C. Lipton, C. Elkan, B. Narayanaswamy: *Optimal Thresholding of Classifiers to Maximize F1 Measure*, ECML PKDD
#   2014, [arXiv:1402.1892](https://arxiv.org/abs/1402.1892). The rule of one half of D: Dice and F1 are the same
#   number.
# - D. Rolnick, A. Veit, S. Belongie, N. Shavit: *Deep Learning is Robust to Massive Label Noise*, 2017,
#   [arXiv:1705.10694](https://arxiv.org/abs/1705.10694). Why a learner can be better than its labels.
