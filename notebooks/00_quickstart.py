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
# A camera looks at a hall. Which pixels belong to the crowd? The usual answer is a network, trained on thousands of
# frames in which somebody has outlined every group of people by hand. This course shows another way: **nobody
# outlines anything**. People who walk together *move* together, and motion can be measured. So motion draws the
# labels, and a network learns from them.
#
# **You will** move a slider, then run the whole way once, on a small clip, and at the end on a video of your own.
#
# **You will learn** what the steps are called, what comes out of each, and which notebook explains it.
#
# **You need** Python. Nothing about crowds.
#
# **Time:** 10 minutes, and 15 more with what is marked as bonus.

# %%
import importlib.util

if importlib.util.find_spec("mpas_lite") is None:
    raise SystemExit(
        "mpas_lite is not installed here. Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch

import mpas_lite as mp
from mpas_lite.course import Stop, claim, short_video
from mpas_lite.course.widgets.merging import merging_explorer
from mpas_lite.evaluation import score_masks, truth_of
from mpas_lite.plots import plot_mask, plot_pipeline, show_with_alt

plt.rcParams.update({"font.size": 13, "axes.titlesize": 14, "figure.dpi": 80})

# %% [markdown]
# ## 1. Can motion draw a label?
#
# The clip is one of six that come with the package: a group of people walks through a hall and splits. It is rendered,
# so the truth is known: which pixels are crowd.

# %%
VIDEO = mp.sample_path("group_split")  # a file, or a folder of frames

video = short_video(VIDEO, start=0)  # 100 frames from this one on, no larger than 480 px
drawn = Path(VIDEO) / "truth" / "crowd"
truth = truth_of(video, drawn) if drawn.is_dir() else {}  # masks of the true crowd, by frame
index = 50 if len(video) > 60 else 0
outlined = mp.read_ground_truth(truth[index])[0] if index in truth else None
if not truth:
    print("Nobody has drawn the truth of this clip, so what is compared with it is left out below.")

# %% [markdown]
# Points that move are found in a frame (left, an arrow to where each one is going). Those that move with others are
# kept, and each grows to a disc. The discs together are a label that nobody drew (right).
#
# **Try this.** Move the slider. From which radius on is the label one region? Where does it leave the people? The
# line above the picture tells how well label and truth agree, as **intersection over union** (IoU): the pixels that
# both have, over those that either has. 1 is perfect, 0 shares nothing.

# %%
merging_explorer(video, outlined, index=index, radius=5, sliders=["radius"]).show()

# %% [markdown]
# ## 2. What happened there?
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
# `pseudo_label` does all four to every fifth frame, and writes pairs of frame and label into a folder.

# %% tags=["nbval-check-output"]
labels_of = mp.LabelSettings.ours(every=5, radius=5)
folder = tempfile.mkdtemp()
labelled = mp.pseudo_label(video, folder, settings=labels_of, progress=False)
print(labelled.pairs, "pairs,", labelled.empty, "of them empty")
if labelled.empty == labelled.pairs:
    raise Stop("Nobody moves with others in these frames, so there is nothing to learn from. Choose a later start.")

# %% [markdown]
# ## 3. Can a network learn without a single label?
#
# A small network learns from these pairs for half a minute ([05 Losses](05_losses.ipynb) tells what "learns" means
# when labels are small and wrong). Then we ask it about every fifth frame.

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
network = mp.MPASNet("hrnet_w18_small", siamese=False)
history = mp.fit(network, folder, epochs=25, schedule="cosine", long_side=192, progress=False)

masks = dict(mp.segment(network, video, every=5))
print(len(masks), "masks of shape", masks[0].shape, masks[0].dtype)

# %% [markdown]
# One picture shows the whole way. Top left the frame, top right the particles (a colour and a mark for each group that
# moves together), bottom left the pseudo-label, bottom right the network's mask. The truth was not used: it only
# tells us now what is a **hit**, a **miss** and a **false alarm**.

# %%
step = next(step for step in mp.label_frames(video, labels_of) if step.index == index)
figure, axes = plt.subplots(2, 2, figsize=(12, 10.5), layout="compressed")
panels = plot_pipeline(step.frame, step.particles, step.labels, step.mask, masks[index], outlined, axes.ravel())
show_with_alt(
    panels,
    "Four pictures of one frame: the frame; the particles on it, a colour and a mark for each group; the pseudo-label, "
    "discs with gaps between them; the network's mask. In the bundled clip it is one region that holds the whole "
    "group, and both have a rim of false alarms.",
)

# %% [markdown]
# ## 4. Did the network only copy its labels?
#
# We measure both against the truth, all frames of the clip together.

# %%
if truth:
    made_by_motion = {step.index: step.mask for step in mp.label_frames(video, labels_of)}
    both = sorted(set(made_by_motion) & set(masks) & set(truth))
    motion = score_masks(((i, made_by_motion[i]) for i in both), truth).pooled
    learned = score_masks(((i, masks[i]) for i in both), truth).pooled
    print(f"{len(both)} frames: IoU of the pseudo-labels {motion:.2f}, of the network {learned:.2f}")
    claim("The network is better than the labels it learned from.", learned > motion)

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
claim("The network finds a crowd in one frame alone.", alone.any())
show_with_alt(
    ax,
    "The first frame with the mask that the network gives for it alone; in the bundled clip one region that holds the "
    "people on this side of the tree.",
)

# %% [markdown]
# ## 5. And a video of your own? (bonus)
#
# Write its path between the quotes, or that of a folder of frames; on Colab `"upload"` asks for a file. The cell
# labels 100 frames by their motion, trains a network on them for about a minute, and shows three masks. The camera
# should stand still; `start` is the frame from which on people walk.

# %%
MINE = ""


def masks_of(clip):
    """Label by motion, learn from the labels, and give a mask for every fifth frame."""
    pairs = tempfile.mkdtemp()
    found = mp.pseudo_label(clip, pairs, settings=labels_of, progress=False)
    if found.empty == found.pairs:
        raise Stop("Nobody moves with others in these frames, so there is nothing to learn from. Choose a later start.")
    learner = mp.MPASNet("hrnet_w18_small", siamese=False)
    mp.fit(learner, pairs, epochs=25, schedule="cosine", long_side=192, progress=False)
    return dict(mp.segment(learner, clip, every=5))


if MINE:
    clip = short_video(MINE, start=0)
    found = masks_of(clip)
    shown = [list(found)[i] for i in (0, len(found) // 2, -1)]
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="compressed")
    for ax, (i, frame) in zip(axes, clip.frames(shown), strict=True):
        plot_mask(frame, found[i], ax=ax).set_title(f"frame {i}")
    show_with_alt(
        axes, f"Three frames of {clip.name} with the masks of a network that learned from their motion alone."
    )

# %% [markdown]
# To look at all of the course's pictures with your video, write its path into `VIDEO` in section 1 and run all cells
# again. For a whole film and a better network there is the command line: `mpas-lite run my_video.mp4 --out result`
# leaves masks, a film and a page to look at.
#
# ## Exercises (bonus)
#
# They are about the bundled clips, with `VIDEO` as it was.
#
# ### Exercise 1: another clip
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
# #### Solution of exercise 1


# %%
### BEGIN SOLUTION
def crowd_share(name):
    return next(mp.label_frames(mp.sample_path(name), labels_of)).mask.mean()


mp.check("00.1", crowd_share)
### END SOLUTION

# %% [markdown]
# ### Exercise 2: larger circles
#
# The paper grows each particle to a disc of 20 px, on frames twice as large as ours. Write a function that takes a
# radius in px and returns the IoU of the pseudo-labels of our clip (use `score_masks` and `truth` as above). Is 5 px
# better than 20?


# %%
def iou_of_labels(radius):
    # mp.LabelSettings.ours(every=5, radius=radius)
    ...


# %%
mp.check("00.2", iou_of_labels)

# %% [markdown]
# #### Solution of exercise 2


# %%
### BEGIN SOLUTION
def iou_of_labels(radius):
    settings = mp.LabelSettings.ours(every=5, radius=radius)
    steps = mp.label_frames(video, settings)
    return score_masks(((step.index, step.mask) for step in steps), truth).pooled


mp.check("00.2", iou_of_labels)
### END SOLUTION

# %% [markdown]
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
