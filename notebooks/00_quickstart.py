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
# # 00 Quickstart: a video in, crowd masks out
#
# A camera looks at a square. Which pixels belong to the crowd? The usual answer is a network, trained on thousands of
# frames in which somebody has outlined every group of people by hand. This course shows another way: **nobody
# outlines anything**. People who walk together *move* together, and motion can be measured. So motion draws the
# labels, and a network learns from them.
#
# **You will** run the whole way once, on a small clip, in ten lines.
#
# **You will learn** what the steps are called, what comes out of each, and which notebook explains it.
#
# **You need** Python. Nothing about crowds.
#
# **Time:** 10 minutes.

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
import torch

import mpas_lite as mp
from mpas_lite.evaluation import score_masks, truth_of
from mpas_lite.plots import plot_mask, plot_pipeline, show_with_alt

plt.rcParams.update({"font.size": 13, "axes.titlesize": 14, "figure.dpi": 80})

# %% [markdown]
# ## 1. Can a network learn without a single label?
#
# Here is the whole of it. The clip is one of six that come with the package: a group of people walks through a hall
# and splits. We take every fifth frame, let motion label it, train a small network for half a minute, and ask it about
# all those frames.

# %%
video = mp.read_video(mp.sample_path("group_split"))
folder = tempfile.mkdtemp()

labelled = mp.pseudo_label(video, folder, every=5, radius=5, quality=0.02, min_distance=2.0, progress=False)

torch.manual_seed(0)
network = mp.MPASNet("hrnet_w18_small", siamese=False)
history = mp.fit(network, folder, epochs=25, schedule="cosine", long_side=192, progress=False)

masks = dict(mp.segment(network, video, every=5))

# %% [markdown]
# `pseudo_label` wrote pairs of frame and label into a folder, `fit` trained on them, and `segment` gave a mask a frame:

# %% tags=["nbval-check-output"]
print(labelled.pairs, "pairs,", labelled.empty, "of them empty")
print(len(masks), "masks of shape", masks[0].shape, masks[0].dtype)

# %%
assert labelled.pairs == 19
assert len(masks) == 20

# %% [markdown]
# ## 2. What happened on the way?
#
# Four things, in this order, each with a notebook of its own:
#
# | step | what it does | notebook |
# |:--|:--|:--|
# | particles | corners are found and followed; those that move are kept | [01 Particles](01_particles.ipynb) |
# | crowd graph | each particle is joined to its neighbours; how alike do they move? | [02 The crowd graph](02_crowd_graph.ipynb) |
# | collectiveness | who moves with whom, along all paths through the graph; the others are outliers | [03 Collectiveness](03_collectiveness.ipynb) |
# | circular region merging | each kept particle grows to a disc; the discs together are the **pseudo-label** | [04 Circular region merging](04_circular_region_merging.ipynb) |
#
# and then the network learns from the pseudo-labels; [05 Losses](05_losses.ipynb) tells what "learns" means when
# labels are small and wrong. One picture shows it all. The clip is rendered, so the truth is known; the network has
# never seen it.

# %%
index = 50
labels_of = mp.LabelSettings(every=5, radius=5, quality=0.02, min_distance=2.0)
step = next(step for step in mp.label_frames(video, labels_of) if step.index == index)
truth = truth_of(video, mp.sample_path("group_split") / "truth" / "crowd")
outlined, _ = mp.read_ground_truth(truth[index])

figure, axes = plt.subplots(2, 2, figsize=(12, 10.5), layout="compressed")
panels = plot_pipeline(step.frame, step.particles, step.labels, step.mask, masks[index], outlined, axes.ravel())
show_with_alt(
    panels,
    "Four pictures of one frame: a hall where people walk past a tree; particles on them, a colour for each "
    "group; the pseudo-label, discs with gaps between them; the network's mask, one region that holds the "
    "whole group. Both have a rim that is too much.",
)

# %% [markdown]
# Top left the frame, top right the particles (a colour for each group that moves together), bottom left the
# pseudo-label, bottom right the network. Blue is right, yellow was missed, orange-red is too much.
#
# ## 3. Did the network only copy its labels?
#
# We measure with **intersection over union** (IoU): the pixels that mask and truth share, over those that either has.
# 1 is perfect, 0 shares nothing. All frames of the clip count together.

# %%
made_by_motion = {step.index: step.mask for step in mp.label_frames(video, labels_of)}
both = sorted(set(made_by_motion) & set(masks) & set(truth))
motion = score_masks(((i, made_by_motion[i]) for i in both), truth).pooled
learned = score_masks(((i, masks[i]) for i in both), truth).pooled
print(f"{len(both)} frames: pseudo-labels {motion:.2f}, network {learned:.2f}")

# %%
assert learned > motion

# %% [markdown]
# **What we saw.** The network is better than the labels it learned from. That is less of a miracle than it seems. The
# errors of the labels are partly *chance*: a person is missed in this frame because no corner was found on her back,
# and in the next because she stopped. A network that sees many frames learns what the labels have in *common*, which
# is what people look like. What is wrong in *all* labels, such as discs that are larger than people, it learns too.
#
# A mask also needs no motion any more: one frame is enough.

# %%
single = next(iter(video))[1]
_, alone = next(mp.segment(network, single[None]))
ax = plot_mask(single, alone)
ax.set_title("from one frame alone")
assert alone.any()
show_with_alt(
    ax,
    "The same hall with the mask that the network gives for one frame alone: one region that holds the people "
    "on this side of the tree.",
)

# %% [markdown]
# ## Exercise 1: another clip
#
# Six clips come with the package. What share of the pixels of the first labelled frame is crowd in the clip
# `"marathon_bend"`? Write a function that takes the name of a clip and returns the share of `True` in the
# pseudo-label of its first frame, with `labels_of` from above.


# %%
def crowd_share(name):
    # mp.sample_path(name), mp.label_frames(...), .mask.mean()
    ...


# %%
mp.check("00.1", crowd_share)

# %% [markdown]
# ### Solution


# %%
### BEGIN SOLUTION
def crowd_share(name):
    return next(mp.label_frames(mp.sample_path(name), labels_of)).mask.mean()


mp.check("00.1", crowd_share)
### END SOLUTION

# %% [markdown]
# ## Exercise 2: larger circles
#
# The paper grows each particle to a disc of 20 px, on frames twice as large as ours. Write a function that takes a
# radius in px and returns the IoU of the pseudo-labels of our clip (use `score_masks` and `truth` as above). Is 5 px
# better than 20?


# %%
def iou_of_labels(radius):
    # mp.LabelSettings(every=5, radius=radius, quality=0.02, min_distance=2.0)
    ...


# %%
mp.check("00.2", iou_of_labels)

# %% [markdown]
# ### Solution


# %%
### BEGIN SOLUTION
def iou_of_labels(radius):
    settings = mp.LabelSettings(every=5, radius=radius, quality=0.02, min_distance=2.0)
    steps = mp.label_frames(video, settings)
    return score_masks(((step.index, step.mask) for step in steps), truth).pooled


mp.check("00.2", iou_of_labels)
### END SOLUTION

# %% [markdown]
# ## Your own video
#
# In a terminal, `mpas-lite run my_video.mp4 --out result` does all of this with a better network, and leaves masks, a
# film and a page to look at. In a notebook, pass the path of your video to `mp.read_video` above.
#
# ## Recap
#
# - Motion makes the labels: particles, crowd graph, collective groups, discs.
# - A network trained on such labels finds more than they show, and needs one frame only.
# - What all labels get wrong, the network gets wrong too.
#
# ## Further reading
#
# - Jinhai Yang and Hua Yang, *MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd Segmentation in
#   Video Scenes*, ICIP 2021, [arXiv:2101.08609](https://arxiv.org/abs/2101.08609): the paper of this course.
