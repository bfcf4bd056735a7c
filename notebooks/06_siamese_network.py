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
# # 06 The siamese network
#
# **You will** take the network of MPASNET apart, put it together again in six lines of your own, train a small one while
# you watch, and find out which of the paper's ideas can be seen in so small a run, and which cannot.
#
# **You will learn** what an encoder with four resolutions hands on; what the 1x1 convolution psi is; what the siamese
# branch costs in training and in use; which part of the network each loss can move; and how to tell a difference
# between two methods from the luck of the first weights.
#
# **You need** PyTorch (`nn.Module`, autograd), the pseudo-label from
# [notebook 04](04_circular_region_merging.ipynb) and the losses from [notebook 05](05_losses.ipynb).
#
# **Time:** 55 minutes, and 10 more with what is marked as bonus.

# %%
import importlib.util

if importlib.util.find_spec("mpas_lite") is None:
    raise SystemExit(
        "mpas_lite is not installed here. Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from joblib import Parallel, delayed

import mpas_lite as mp
from mpas_lite.course import claim
from mpas_lite.training import change_colours
from mpas_lite.training import PairDataset, TrainingViews, as_image
from mpas_lite.evaluation import score_frames, score_masks, truth_of
from mpas_lite.plots import PALETTE, show_with_alt
from mpas_lite.course.widgets.siamese import draw_network, light_explorer, masks_explorer, shapes_of

plt.rcParams["font.size"] = 13
torch.set_num_threads(1)  # networks as small as those here are no faster with more

# %% [markdown]
# ## 1. What happens to a frame?
#
# The whole network in one picture, as in Fig. 2 of the paper. The shapes are those of a frame of 320 x 240 pixels in a
# small network of the paper's kind, `hrnet_w18_small`. A shape reads: number of maps x height x width.

# %%
video = mp.read_video(mp.sample_path("group_split"))
frame = dict(video.frames([50]))[50]
x = as_image(frame)[None] / 255  # (1, 3, 240, 320), from 0 to 1

torch.manual_seed(0)
net = mp.MPASNet("hrnet_w18_small").eval()
shapes = shapes_of(net, x)
draw_network(shapes)
show_with_alt(
    plt.gcf(),
    "The network as boxes with shapes: frame x and its other view go through the same encoder to F and F_hat, "
    "through the same psi, meet in their mean, and head, upsampling and sigmoid make the mask.",
)

# %% tags=["nbval-check-output"]
for name, shape in shapes.items():
    print(f"{name:5s}", " x ".join(map(str, shape)))
claim("F has the maps of all four branches.", shapes["F"][0] == 16 + 32 + 64 + 128)
claim("The mask is as large as the frame.", shapes["prob"] == (1, 240, 320))

# %% [markdown]
# Read it from left to right, along the solid line. The **encoder** turns the frame into 240 maps $F$, at a quarter of
# the resolution. **psi** boils them down to 64 (or as many as you like: section 2). The **head** makes one map of
# them, which is scaled up to the frame and squeezed between 0 and 1: the probability of crowd, pixel by pixel.
#
# The dashed line is the **siamese branch**. It sees the same frame in another light, goes through *the same* encoder
# and psi, and meets the first branch in a mean.
#
# The maps are 64 rows high for a frame of 240, because 240 is not a multiple of 32: the frame is padded to 256 rows
# first, and the mask is cropped afterwards.

# %%
claim("F has a quarter of the padded frame's rows and columns.", shapes["F"][1:] == (256 // 4, 320 // 4))

# %% [markdown]
# ## 2. Why four resolutions?
#
# Ask for the crowd in a photograph and you look twice: closely, for the outline of a head; and from afar, to tell a
# square full of people from a tree. A usual network does it one after the other, and has lost the outline when it
# understands the place. HRNet keeps **four branches side by side**, at strides 4, 8, 16 and 32, and lets them talk to
# each other. *Stride 8* means: one value for each 8 x 8 pixels.

# %% tags=["nbval-check-output"]
with torch.inference_mode():
    branches = net.encoder((torch.nn.functional.pad(x, (0, 0, 0, 16), mode="replicate") - net.mean) / net.std)
for branch in branches:
    print("maps, rows, columns:", tuple(branch.shape[1:]), "  stride", 320 // branch.shape[-1])
claim("The strides are 4, 8, 16 and 32.", [320 // branch.shape[-1] for branch in branches] == [4, 8, 16, 32])

# %%
fig, row = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained")
for ax, branch in zip(row, branches, strict=True):
    ax.imshow(branch[0].abs().mean(dim=0), cmap="cividis")
    ax.set(xticks=[], yticks=[], title=f"stride {320 // branch.shape[-1]}: {branch.shape[1]} maps")
show_with_alt(
    fig,
    "Four maps of the encoder, from stride 4 to stride 32: fine blotches in the first, a few large squares in "
    "the last.",
)

# %% [markdown]
# Each panel is the mean over one branch's maps, of a network that has learned nothing yet. The first branch still
# knows where the edges are, the last one has 8 x 10 values for the whole picture, but 128 maps to say what is there.
# **HRNetV2** (the V2 is this) scales all branches up to the first one's size and stacks them: 16 + 32 + 64 + 128 = 240
# maps.
#
# The paper's encoder is the same with more maps. We need not compute with it to know its shapes: on torch's *meta*
# device tensors have a shape and no content. The paper calls psi "a 1 x 1 x C convolutional layer", and *C* is what it
# calls the number of maps of $F$. So psi keeps all of them; `width=None` is this reading, and what `--paper` takes.

# %% tags=["nbval-check-output"]
with torch.device("meta"):
    paper_net = mp.MPASNet("hrnet_w48", width=None)
    narrow_net = mp.MPASNet("hrnet_w48")  # our default: 64 maps
channels = paper_net.encoder.feature_info.channels()
print("hrnet_w48:", " + ".join(map(str, channels)), "=", sum(channels), "maps")


def million(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


for name, one in (("hrnet_w48", paper_net), ("hrnet_w48", narrow_net), ("hrnet_w18_small", net)):
    print(f"{name:16s} encoder {million(one.encoder):5.1f} million weights, psi {million(one.psi):.3f}, ", end="")
    print(f"head {million(one.head):.4f}; psi makes {one.width} maps")
claim(
    "The paper's F has 720 maps, and its psi keeps them all.", sum(channels) == paper_net.width == 48 + 96 + 192 + 384
)
claim(
    "Less than a hundredth of the weights is in psi and head.",
    million(paper_net.psi) + million(paper_net.head) < 0.01 * million(paper_net.encoder),
)

# %% [markdown]
# **What we saw.** Nearly all weights lie in the encoder, in either reading of psi. psi and head are small, less than a
# hundredth of it: what they can say, the encoder must have prepared.
#
# ## 3. What is psi?
#
# psi is a 1x1 convolution, batch norm and ReLU. A *1x1 convolution* looks at one place at a time: it multiplies the
# vector of that place's maps by a matrix. Let us do it by hand, with $F$ of 2 maps and 1 x 2 places, and psi with one
# map.

# %%
F = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]])  # (1 frame, 2 maps, 1 row, 2 columns)
matrix = torch.tensor([[1.0, 2.0]])  # (1 new map, 2 old maps)

by_hand = [1 * 1.0 + 2 * 2.0, 1 * 3.0 + 2 * 0.0]  # left place, right place
convolved = torch.nn.functional.conv2d(F, matrix[:, :, None, None])
claim("The convolution is what we multiplied by hand.", convolved.flatten().tolist() == by_hand == [5.0, 3.0])

# %% [markdown]
# *Batch norm* then shifts and scales each map to mean 0 and variance 1 (over all places of all frames of the batch),
# and *ReLU* cuts off what is negative. With the values 5 and 3: the mean is 4 and the standard deviation 1, so they
# become 1 and -1, and after ReLU 1 and 0.

# %%
norm = torch.nn.BatchNorm2d(1).train()
with torch.no_grad():
    result = norm(convolved).relu().flatten()
claim("Batch norm and ReLU make 1 and 0 of them.", torch.allclose(result, torch.tensor([1.0, 0.0]), atol=1e-4))
result

# %% [markdown]
# ## 4. What does the siamese branch add?
#
# Let $\hat x$ be the same frame in another light. The paper makes the second view with `ColorJitter`; what that does,
# and does not, is in [notebook 05](05_losses.ipynb). Both views go through the same encoder and the same psi, and
#
# $$F_\text{fuse} = \tfrac12 \big(\psi(F) + \psi(\hat F)\big)$$
#
# goes to the head. This is **siamese feature aggregation** (SFA). Before you run the cell: how many weights has the
# network with the siamese branch, and how many without?

# %% tags=["nbval-check-output"]
plain = mp.MPASNet("hrnet_w18_small", siamese=False)
print(f"with the branch {million(net):.3f} million weights, without {million(plain):.3f}")
claim("Both have the same number of weights.", million(net) == million(plain))

# %% [markdown]
# The same. The second branch is not a second network: it is the first one, asked twice. So it can be dropped after
# training without taking anything away, and that is what happens in inference: one view goes in, and
# $F_\text{fuse} = \psi(F)$. It agrees with the network of training exactly where the two views are equal.

# %%
x_hat = as_image(change_colours(frame, np.random.default_rng(3)))[None] / 255
with torch.inference_mode():
    twice, f, f_hat = net(x, x)
    once = net(x)
    fused, f, f_hat = net(x, x_hat)
claim("Where the two views are equal, training and use agree.", torch.allclose(twice, once, atol=1e-6))
claim("Where they differ, so do the answers.", not torch.allclose(fused, once, atol=1e-3))
claim("Both views have features of one shape.", f.shape == f_hat.shape == (1, *shapes["F"]))

# %% [markdown]
# And what does it cost? Nearly all the work is the encoder's, so we count how often it is called.

# %% tags=["nbval-check-output"]
calls = []
counter = net.encoder.register_forward_hook(lambda *_: calls.append("encoder"))
with torch.inference_mode():
    net(x, x_hat)
    in_training = len(calls)
    net(x)
counter.remove()
print(f"calls of the encoder in training: {in_training}, in use: {len(calls) - in_training}")
claim("Training asks the encoder twice, use once.", (in_training, len(calls)) == (2, 3))

# %% [markdown]
# **What we saw.** Use is half the work of training's forward pass, and needs one frame: no motion, no second view, no
# graph.

# %% [markdown]
# ## 5. Whom does each loss move?
#
# Training minimises $L = L_\text{SEG} + L_\text{AIR}$: the Dice loss between the probability and the pseudo-label
# (Eq. 6), and the mean squared difference between $F$ and $\hat F$ (Eq. 7). We ask autograd which parts of the network
# have a gradient under each of them.

# %% tags=["nbval-check-output"]
label = torch.zeros(1, 1, 240, 320)
label[..., 100:180, 120:220] = 1  # any label will do here

prob, f, f_hat = net(x, x_hat)
losses = {"L_SEG": mp.dice_loss(prob, label), "L_AIR": mp.air_loss(f, f_hat)}
moves = {}
print("loss    encoder   psi     head")
for name, loss in losses.items():
    net.zero_grad()
    loss.backward(retain_graph=True)
    parts = {"encoder": net.encoder, "psi": net.psi, "head": net.head}
    moves[name] = {
        key: any(p.grad is not None and p.grad.any() for p in part.parameters()) for key, part in parts.items()
    }
    print(f"{name}   {moves[name]['encoder']!s:7s}   {moves[name]['psi']!s:5s}   {moves[name]['head']}")
net.zero_grad()
claim("The segmentation loss moves every part.", all(moves["L_SEG"].values()))
claim("AIR moves the encoder only.", moves["L_AIR"] == {"encoder": True, "psi": False, "head": False})

# %% [markdown]
# **What we saw.** AIR speaks to the encoder only. It says: *whatever you report about a place, do not let it depend on
# the light.* It does not say what to report; a constant would please it best
# ([notebook 05](05_losses.ipynb#10.-What-happens-when-AIR-is-alone?) shows that collapse). That is the other loss's part.
#
# ## 6. How does it learn?
#
# Now we train, live. To be done in seconds, three things are small: the frames (160 x 120), the encoder
# (`test_efficientnet`, which timm keeps for tests: four resolutions like HRNet, 0.09 million weights with psi and head,
# no pretraining), and the data: 19 frames of one clip, with the pseudo-labels that their motion gives.

# %%
settings = mp.LabelSettings.ours(every=5, radius=5)
folder = tempfile.mkdtemp()
mp.pseudo_label(video, folder, settings=settings, progress=False)
pairs = PairDataset(folder, long_side=160)
views = TrainingViews(pairs, "real", seed=0)
print(len(pairs), "pairs; a frame is", tuple(pairs[0][0].shape))

# %% [markdown]
# `views[epoch, number]` is one pair, seen anew: flipped or not, zoomed or not (both views and the label alike), and
# the second view in another light.

# %%
fig, rows = plt.subplots(3, 3, figsize=(9.5, 7.4), layout="constrained")
for column, number in enumerate((3, 9, 15)):
    view, other_view, mask, _ = views[0, number]
    rows[0, column].imshow(view.permute(1, 2, 0))
    rows[1, column].imshow(other_view.permute(1, 2, 0))
    rows[2, column].imshow(mask[0], cmap="cividis")
for ax in rows.flat:
    ax.set(xticks=[], yticks=[])
for ax, name in zip(rows[:, 0], ("x", "x_hat", "pseudo-label"), strict=True):
    ax.set_ylabel(name)
show_with_alt(
    fig,
    "Three columns, each a frame x, the same frame in other colours x_hat, and its pseudo-label. All of a "
    "column is flipped together; nothing else moves.",
)

# %% [markdown]
# Here is the training loop, whole. Each step takes four pairs, computes the loss, and walks a little downhill (stochastic
# gradient descent with momentum 0.9, as in the paper; the learning rate falls to 0 along half a cosine, for so short a
# run). Every few steps we look at the mask of our frame.
#
# One line needs explaining. In training, batch norm uses the batch's own mean and variance. In use it takes running
# averages, and after so few steps these lag behind. `recalibrate_batch_norm` measures them anew, with one pass over the
# frames. (Its documentation, `mp.recalibrate_batch_norm?`, names a case in which a network that had learned looked as if
# it had not.)


# %%
def batches(epoch, rng, size=4):
    """The pairs in a new order, stacked four by four."""
    order = rng.permutation(len(pairs))
    for start in range(0, len(order) - size + 1, size):
        items = [views[epoch, int(number)] for number in order[start : start + size]]
        x, x_hat, label, _ = (torch.stack(parts) for parts in zip(*items, strict=True))
        yield x / 255, x_hat / 255, label


def all_frames():
    """All frames as they are, for batch norm."""
    for start in range(0, len(pairs), 5):
        yield torch.stack([pairs[i][0] for i in range(start, min(start + 5, len(pairs)))]) / 255


def train(*, siamese=True, fusion=True, loss=mp.dice_loss, air_weight=1.0, steps=40, seed=0, look=None):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = mp.MPASNet("test_efficientnet", siamese=siamese, fusion=fusion, long_side=160)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    history, step, epoch = [], 0, 0
    while step < steps:
        for x, x_hat, label in batches(epoch, rng):
            if look and step % 10 == 0:
                look(step, net)
            net.train()
            if siamese:
                prob, f, f_hat = net(x, x_hat)
                segmentation, air = loss(prob, label), mp.air_loss(f, f_hat)
            else:
                segmentation, air = loss(net(x), label), torch.zeros(())
            optimizer.param_groups[0]["lr"] = 0.05 * (1 + np.cos(np.pi * step / steps)) / 2
            optimizer.zero_grad()
            (segmentation + air_weight * air).backward()
            optimizer.step()
            history.append((segmentation.item(), air.item()))
            step += 1
            if step == steps:
                break
        epoch += 1
    mp.recalibrate_batch_norm(net.eval(), all_frames())
    if look:
        look(steps, net)
    return net, np.array(history)


# %%
small_frame = pairs[10][0].permute(1, 2, 0).numpy()  # frame 50, as the network sees it
truth = truth_of(video, mp.sample_path("group_split") / "truth" / "crowd")
outlined, _ = mp.read_ground_truth(truth[50])
small_truth = outlined[::2, ::2]
probs = {}


def look(step, net):
    mp.recalibrate_batch_norm(net.eval(), all_frames())
    with torch.inference_mode():
        probs[step] = net(as_image(small_frame)[None] / 255)[0, 0].numpy()


learned, history = train(steps=60, look=look)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.plot(history[:, 0], color=PALETTE["blue"], linewidth=2.5)
left.set(xlabel="step", ylabel="$L_{SEG}$, the Dice loss", ylim=(0, 1))
right.plot(history[:, 1], color=PALETTE["vermillion"], linewidth=2.5)
right.set(xlabel="step", ylabel="$L_{AIR}$, on a log axis", yscale="log")
for ax in (left, right):
    ax.grid(alpha=0.3)
show_with_alt(
    fig,
    "Left: the Dice loss over 60 steps falls from 0.75 to 0.35. Right: the AIR loss on a log axis falls to a "
    "fifth, and trembles a lot.",
)

# %%
masks_explorer(small_frame, probs, small_truth).show()

# %%
first, last = min(probs), max(probs)
claim("Both losses fall.", *(history[-10:].mean(axis=0) < np.array([0.7, 0.5]) * history[:5].mean(axis=0)))
claim("The Dice loss is still far from 0.", history[-10:, 0].mean() > 0.2)
claim(
    "The network begins with a guess that has little to do with people, and finds them.",
    mp.iou(probs[last] > 0.5, small_truth) > 0.3 > mp.iou(probs[first] > 0.5, small_truth),
)

# %% [markdown]
# **What we saw.** Move the first slider from 0 to 60. The network begins with a guess that has little to do
# with people, and finds them within a few dozen steps. Both losses fall: it learns *what* to say from one, and *not to
# mind the light* from the other. (A Dice loss runs from 0 to 1 and is shown so: it is still far from 0. AIR has no such
# scale, only factors mean something, hence its log axis.)
#
# ## 7. Which of the ideas can we see?
#
# The paper's Table 2 starts from the full network and takes one idea away at a time: siamese feature aggregation (SFA),
# AIR, and at last Dice, in whose place comes cross entropy (CE). AIR without SFA is the branch that only compares: $F$
# and $\hat F$ are held together by the loss, but $\psi(F)$ alone goes to the head (`fusion=False`). Here is what the
# paper found, on its Scenes 1 to 3.

# %% tags=["nbval-check-output"]
from mpas_lite.experiments import TABLES

printed = {row.name: row.paper for row in TABLES["table2"] if row.paper}
print(f"{'':18s}Scene1  Scene2  Scene3  mIoU")
for name, row in printed.items():
    print(f"{name:18s}" + "  ".join(f"{value:.4f}" for value in (*row.scenes, row.miou)))
lost = {name: printed["AIR + SFA, Dice"].miou - row.miou for name, row in printed.items()}
print(f"lost without AIR {lost['SFA, Dice']:.4f}, without SFA {lost['AIR, Dice']:.4f}, ", end="")
print(f"with CE in place of Dice {lost['AIR + SFA, CE']:.4f}")
claim("In the paper's table, most is lost without AIR.", lost["SFA, Dice"] == max(lost.values()))

# %% [markdown]
# (The text of the paper that we have shows one tick in the second and third row and not under which heading. Its
# sentence "AIR contributes the most" says which is which: without AIR most is lost.)
#
# We do the same in miniature, and add two rows of our own that have no siamese branch at all, with Dice and with CE.
# Everything else is equal: 40 steps, the same pairs. And we do it **twice**, from two different first weights (two
# *seeds*). The difference between two runs of the *same* method tells how much of a difference between *two* methods is
# luck.
#
# Three scores for each run. *IoU* on the clip that it was trained on (its labels had no truth in them, so this is fair).
# *IoU, new people*: another clip of the same kind of place, with other people, other clothes and another camera. And
# *same mask*: the IoU between the network's masks of the frames as they are and in another light, without any truth.

# %%
methods = {
    "AIR + SFA, Dice": {},
    "AIR, Dice": {"fusion": False},
    "SFA, Dice": {"air_weight": 0.0},
    "AIR + SFA, CE": {"loss": mp.cross_entropy_loss},
    "Dice (ours)": {"siamese": False},
    "CE (ours)": {"siamese": False, "loss": mp.cross_entropy_loss},
}
claim("These are the paper's rows, in its order.", list(methods)[:4] == list(printed))


def train_all(runs):
    """Two at a time, each in a process of its own: the runs know nothing of each other."""
    work = (delayed(train)(seed=seed, **methods[name]) for name, seed in runs)
    return {run: net for run, (net, _) in zip(runs, Parallel(n_jobs=2)(work), strict=True)}


trained = train_all([(name, seed) for name in methods for seed in (0, 1)])

# %%
new_clip = mp.render_scene("group_split", seed=2001, frames=31)
some = torch.stack([pairs[i][0] for i in range(0, len(pairs), 3)]) / 255
rng = np.random.default_rng(7)
in_other_light = (
    torch.stack(
        [
            as_image(change_colours(pairs[i][0].permute(1, 2, 0).contiguous().numpy(), rng))
            for i in range(0, len(pairs), 3)
        ]
    )
    / 255
)


def scores(net):
    own = score_masks((item for item in mp.segment(net, video, every=5) if item[0] in truth), truth).pooled
    found = mp.segment(net, new_clip.frames, every=10)
    new = score_frames((i, mask, new_clip.crowd[i], None) for i, mask in found).pooled
    with torch.inference_mode():
        same = mp.iou((net(some) > 0.5).numpy(), (net(in_other_light) > 0.5).numpy())
        f, f_other = net.encode(some), net.encode(in_other_light)
        change = ((f - f_other).square().mean() / f.var(dim=(0, 2, 3)).mean()).sqrt().item()
    return {"IoU": own, "IoU, new people": new, "same mask": same, "features change": change}


table = {key: scores(net) for key, net in trained.items()}
labels_alone = score_masks(((s.index, s.mask) for s in mp.label_frames(video, settings)), truth).pooled

# %%
columns = list(next(iter(table.values())))
print(f"{'two seeds each':18s}" + "".join(f"{column:>20s}" for column in columns))
for name in methods:
    print(f"{name:18s}" + "".join(f"{table[name, 0][c]:>14.2f}  {table[name, 1][c]:.2f}" for c in columns))
print(f"{'pseudo-labels':18s}{labels_alone:>14.2f}")

# %%
mean = {name: {c: (table[name, 0][c] + table[name, 1][c]) / 2 for c in columns} for name in methods}
fig, row = plt.subplots(1, 3, figsize=(13, 4.8), layout="constrained", sharey=True)
for ax, column in zip(row, ("IoU", "IoU, new people", "same mask"), strict=True):
    for y, name in enumerate(methods):
        both = [table[name, seed][column] for seed in (0, 1)]
        ax.plot(both, [y, y], color=PALETTE["grey"], linewidth=3, zorder=1)
        ax.scatter(both, [y, y], s=90, color=PALETTE["blue"], edgecolor="black", zorder=2)
    ax.set(xlabel=f"{column} (higher is better)", xlim=(0.35, 0.85), ylim=(5.5, -0.5))
    ax.axhline(3.5, color="black", linewidth=0.8, linestyle=":")  # above: the paper's rows; below: ours
    ax.set_yticks(range(6), list(methods))
    ax.grid(axis="x", alpha=0.3)
show_with_alt(
    fig,
    "Three panels with a row for each method and a dot for each of two seeds: IoU, IoU on new people, and how "
    "far the mask stays the same in another light. In IoU the dots of a row lie about as far apart as the "
    "rows; the mask stays the same least in the two rows without a siamese branch.",
)

# %%
new = "IoU, new people"
with_air = [name for name in methods if "AIR" in name]
without_air = [name for name in methods if "AIR" not in name]
with_dice = [name for name in methods if "Dice" in name]

for seed in (0, 1):
    largest = max(table[name, seed]["features change"] for name in with_air)
    least = min(table[name, seed]["features change"] for name in without_air)
    claim("In every row with AIR the features change much less with the light.", largest < 0.75 * least)
same_with, same_without = (np.mean([mean[name]["same mask"] for name in part]) for part in (with_air, without_air))
print(f"same mask in another light: {same_with:.2f} with AIR, {same_without:.2f} without")
claim("With AIR the masks stay the same more often.", same_with > same_without)

apart = max(mean[name][new] for name in with_dice) - min(mean[name][new] for name in with_dice)
spread = max(abs(table[name, 0][new] - table[name, 1][new]) for name in with_dice)
print(f"new people, the four rows with Dice: best and worst are {apart:.2f} apart, ", end="")
print(f"two seeds of one row up to {spread:.2f}")
claim("The four rows with Dice lie about as far apart as two seeds of one row.", apart < 2 * spread)

# %% [markdown]
# And Dice against cross entropy? Two pairs of rows differ in nothing else. For these we train a third seed as well.

# %%
pairs_of_rows = (("AIR + SFA, CE", "AIR + SFA, Dice"), ("CE (ours)", "Dice (ours)"))
third = train_all([(name, 2) for pair in pairs_of_rows for name in pair])
table.update({run: scores(net) for run, net in third.items()})

gains = {}
for seed in (0, 1, 2):
    gains[seed] = [table[ce, seed][c] - table[dice, seed][c] for c in ("IoU", new) for ce, dice in pairs_of_rows]
    print(f"seed {seed}: IoU of CE less that of Dice: " + ", ".join(f"{gain:+.2f}" for gain in gains[seed]))
claim(
    "Under the first two seeds cross entropy is ahead of Dice, in six comparisons of eight or more.",
    sum(gain > 0 for gain in gains[0] + gains[1]) >= 6,
    np.mean(gains[0] + gains[1]) > 0.02,
)
claim("The third seed takes most of it back.", np.mean(gains[2]) < 0.5 * np.mean(gains[0] + gains[1]))

# %% [markdown]
# **What we saw.** And what we did not: each dot is one run; the grey line joins two runs that differ in nothing but
# their first weights.
#
# - AIR does what its name says, in both seeds, with SFA or without, with Dice or CE: the features change much less with
#   the light than in any row without it, and the masks stay the same more often.
# - Whether the *masks* are better for AIR or SFA cannot be said from here: the four rows with Dice lie about as far apart
#   as two seeds of one row.
# - **Cross entropy is ahead of Dice** under the first two seeds, in nearly every comparison, with the branch and without
#   it. Had we stopped there, we would have believed it. The third seed takes most of it back: two seeds that agree are
#   still two. The paper has Dice ahead, and so has our own Table 2 at full length (300 steps, 24 clips, an encoder from
#   ImageNet, three seeds; `benchmarks/RESULTS.md`). Forty steps of a tiny network on nineteen frames cannot rank losses.
#
# `mpas-lite reproduce table2` runs all six rows at a size of your choice, with as many seeds as you have time for. The
# paper's figures are those of HRNetV2-W48, pretrained on ImageNet, on *its* scenes. Over all six of these its Table 1 has
# an mIoU of 0.6447 for the full network and 0.6009 without the siamese branch; the pseudo-labels themselves have 0.4949.

# %%
in_table_1 = {row.name: row.paper for row in TABLES["table1"] if row.paper}
for name, figure in (("MPASNET", 0.6447), ("MPASNET*", 0.6009), ("CM+CRM", 0.4949)):
    in_paper = in_table_1[name]
    claim("The figures of Table 1 are those of its six scenes.", in_paper.miou == figure, len(in_paper.scenes) == 6)

# %% [markdown]
# ## 8. What does the light change? (bonus)
#
# Two of these networks, one without the siamese branch and one with all of it, under a light that you choose. There is
# no truth in this picture: the mask in the new light is compared with that in the old one. Blue: in both masks. Yellow
# with dots: lost in the new light. Orange-red with stripes: new in it.

# %%
light_explorer({name: trained[name, 0] for name in ("Dice (ours)", "AIR + SFA, Dice")}, small_frame).show()

# %% [markdown]
# ## 9. Where does invariance pay? (bonus)
#
# One clip cannot tell. The paper's claim is about *other* scenes ("cross-scene generalization"), so this has been measured
# at length, for 24 clips of the six kinds of scene that this package renders: once with networks that learned from
# all six kinds, and once with six networks that each learned from **five kinds and were tried on the sixth**. Each was
# tried twice, on frames lit as in training and on the same frames with their colours changed. (EfficientNet-Lite0 from
# ImageNet, 300 steps, circles as labels, 0.1 as the weight of AIR; `python -m benchmarks.air_study` does it again, in an
# hour of a GPU.)
#
# Beside the network without and with the siamese branch stands a third way, which is ours and the oldest trick there is:
# **colour augmentation**. No second branch and no AIR: the network is simply shown $\hat x$ in place of $x$.
#
# Before you run the cell: which of the three costs most per step? And which would you bet on?

# %%
from mpas_lite.experiments import air_study

measured = air_study()["miou"]
ways = {
    "no branch (MPASNET*)": "MPASNET*",
    "siamese (MPASNET)": "MPASNET, AIR 0.1",
    "colour augmentation (ours)": "colour augmentation",
}
panels = {"tried on the kinds it knows": "same kinds", "tried on a kind it never saw": "left out"}

fig, row = plt.subplots(1, 2, figsize=(13, 3.6), layout="constrained", sharey=True)
for ax, (title, clips) in zip(row, panels.items(), strict=True):
    for y, way in enumerate(ways.values()):
        for light, shift, marker, color in (("lit", -0.12, "o", "blue"), ("other light", 0.12, "D", "orange")):
            seeds = measured[way][f"test, crowd, {clips}"][light]
            label = {"lit": "lit as in training", "other light": "in another light"}[light] if y == 0 else None
            ax.scatter(seeds, [y + shift] * len(seeds), s=80, marker=marker, color=PALETTE[color], edgecolor="black",
                       label=label, zorder=2)  # fmt: skip
    ax.set(xlabel="mIoU, test clips (a dot is a seed)", title=title, xlim=(0.4, 0.53), ylim=(2.5, -0.5))
    ax.set_yticks(range(3), list(ways))
    ax.grid(axis="x", alpha=0.3)
row[0].legend(loc="lower left", fontsize=11)
show_with_alt(
    fig,
    "Two panels, networks that learned from all six kinds of scene and networks tried on a kind they had not "
    "seen. Each has a row for a network without a branch, for the siamese one and for colour augmentation. In "
    "another light all are lower, the one without a branch by most, colour augmentation by least.",
)

# %%
test = {(way, clips, light): np.mean(measured[ways[way]][f"test, crowd, {clips}"][light])
        for way in ways for clips in panels.values() for light in ("lit", "other light")}  # fmt: skip
star, siamese, plain_colour = ways
for clips in panels.values():
    print(
        f"{clips}:",
        ", ".join(f"{way} {test[way, clips, 'lit']:.3f} / {test[way, clips, 'other light']:.3f}" for way in ways),
    )
    claim(
        "In another light the siamese network is ahead of the one without the branch, and behind it in the same light.",
        test[siamese, clips, "other light"] > test[star, clips, "other light"],
        test[siamese, clips, "lit"] < test[star, clips, "lit"],
    )
    claim(
        "Colour augmentation is ahead of the siamese network in both lights.",
        all(test[plain_colour, clips, light] > test[siamese, clips, light] for light in ("lit", "other light")),
    )

# %% [markdown]
# **What we saw.** Under *another light* the siamese network is ahead of the one without the branch, as the paper says,
# on kinds that it knows and on kinds that it never saw. Under the *same* light it is behind, and most of all on kinds
# that it never saw: invariance costs what colour could have told. And **colour augmentation alone is ahead of the
# siamese network in all four**, at half the time a step: what helps in another light is to have seen it, under a loss
# that knows what to look for. That the paper finds more for AIR may lie in its scenes, its encoder or its labels; we had
# none of them, so this is a finding about *our* scenes, not a refutation. `benchmarks/RESULTS.md` has all numbers, the
# variants of AIR that cost less, and what was ruled out.
#
# ## 10. The same at full size (bonus)
#
# The loop above is what `mp.fit` does, plus what a long run needs: checkpoints and an exact resume after a kill, mixed
# precision, several GPUs and machines. On a GPU this cell trains HRNetV2-W48 on our 19 pairs, from random weights; without
# one it trains the small network for three epochs, to show that it is the same call. It prints the command for the real
# thing: the paper's settings (`--config paper`), of which one is an encoder that starts from ImageNet.

# %%
run_epochs = 4 if torch.cuda.is_available() else 3
if torch.cuda.is_available():
    full = mp.MPASNet("hrnet_w48", width=None)
    run = mp.fit(full, folder, epochs=run_epochs, precision="bf16-mixed", long_side=320, progress=False)
else:
    torch.manual_seed(0)
    full = mp.MPASNet("test_efficientnet")
    run = mp.fit(full, folder, epochs=run_epochs, lr=0.05, long_side=160, progress=False)
print("On a machine with eight GPUs, for all pairs below PAIRS:")
print("mpas-lite train PAIRS --config paper --devices 8 --out OUT")
claim("A loss was noted for each epoch, and it fell.", len(run.loss) == run_epochs, run.loss[-1] < run.loss[0])

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: psi's convolution as a matrix
#
# Write the 1x1 convolution without `conv2d`: `f` is a tensor of shape (frames, maps, rows, columns) and `matrix` of
# shape (new maps, maps). `torch.einsum`, or a matrix product, does it in one line.


# %%
def my_conv(f, matrix):
    return ...  # one line


# %%
mp.check("06.1", my_conv)

# %% [markdown]
# #### Solution of exercise 1
#
# Sum over the old maps $m$; frames $b$, rows and columns stay as they are.


# %%
### BEGIN SOLUTION
def my_conv(f, matrix):
    return torch.einsum("nm,bmhw->bnhw", matrix, f)


mp.check("06.1", my_conv)
### END SOLUTION

# %% [markdown]
# ### Exercise 2: the network in six lines
#
# Write the forward pass of training with the network's parts: `net.encode` (frame to $F$), `net.psi`, `net.head`, and
# `upsample` below, which scales up and crops. Return the probability.


# %%
def upsample(logit, like):
    """Scale up by 4, and crop to the size of the frame."""
    size = [4 * side for side in logit.shape[-2:]]
    larger = torch.nn.functional.interpolate(logit, size=size, mode="bilinear", align_corners=False)
    return larger[..., : like.shape[-2], : like.shape[-1]]


def my_forward(net, x, x_hat):
    return ...  # F and F_hat, psi of both, their mean, head, upsample, sigmoid


# %%
mp.check("06.2", my_forward)

# %% [markdown]
# #### Solution of exercise 2
#
# The library does the same; read it with `mp.MPASNet.forward??`.


# %%
### BEGIN SOLUTION
def my_forward(net, x, x_hat):
    f = net.encode(x)
    f_hat = net.encode(x_hat)
    fused = (net.psi(f) + net.psi(f_hat)) / 2
    logit = net.head(fused)
    return torch.sigmoid(upsample(logit, x))


mp.check("06.2", my_forward)
### END SOLUTION

# %% [markdown]
# ### Exercise 3: the loss of a batch
#
# What the training loop of section 6 minimises. Write $L = L_\text{SEG} + w L_\text{AIR}$, with the weight $w$ =
# `air_weight`; the paper's is 1.


# %%
def my_loss(net, x, x_hat, label, air_weight):
    # prob, f, f_hat = net(x, x_hat); mp.dice_loss(prob, label); mp.air_loss(f, f_hat)
    return ...


# %%
mp.check("06.3", my_loss)

# %% [markdown]
# #### Solution of exercise 3
#
# Three lines, each an equation of the paper.


# %%
### BEGIN SOLUTION
def my_loss(net, x, x_hat, label, air_weight):
    prob, f, f_hat = net(x, x_hat)
    return mp.dice_loss(prob, label) + air_weight * mp.air_loss(f, f_hat)


mp.check("06.3", my_loss)
### END SOLUTION

# %% [markdown]
# ## Recap
#
# - The encoder reports on every place at four resolutions; psi and head only read that report.
# - The siamese branch is the same network asked twice, in another light. It costs time in training and nothing in use.
# - The segmentation loss moves everything, AIR only the encoder: it asks for features that do not mind the light.
# - Recalibrate batch norm after a short training.
# - A difference between two methods can only mean something if it is larger than the difference between two seeds.
#
# This was the last notebook of the method. Next: [07 Beyond the paper](07_beyond_the_paper.ipynb), with better labels from
# the same clips, and where they are worse. Or back to the [start](00_quickstart.ipynb), with your own video.
#
# ## Further reading
#
# - J. Yang, H. Yang: *MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd Segmentation in Video
#   Scenes*, ICIP 2021, [arXiv:2101.08609](https://arxiv.org/abs/2101.08609). Fig. 2, Tables 1 and 2.
# - J. Wang et al.: *Deep High-Resolution Representation Learning for Visual Recognition*, 2019,
#   [arXiv:1908.07919](https://arxiv.org/abs/1908.07919). HRNet and HRNetV2.
# - X. Chen, K. He: *Exploring Simple Siamese Representation Learning*, CVPR 2021,
#   [arXiv:2011.10566](https://arxiv.org/abs/2011.10566). Siamese networks without labels, and how they collapse.
# - Y. Wang et al.: *Self-supervised Equivariant Attention Mechanism for Weakly Supervised Semantic Segmentation*, CVPR
#   2020, [arXiv:2004.04581](https://arxiv.org/abs/2004.04581). Another siamese network that learns from labels that are
#   incomplete.
