"""The methods of the tables: each gives the masks of a clip's frames that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpas_lite.evaluation.background_subtraction import mog2_masks
from mpas_lite.experiments.scored_clips import Masks, ScoredClip
from mpas_lite.labels.refined import FirstPass
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import windows

if TYPE_CHECKING:
    from mpas_lite.network.mpasnet import MPASNet


def pseudo_labels(clip: ScoredClip, settings: LabelSettings) -> Masks:
    """The pseudo-labels themselves: CM+CRM, or what the refinement makes of it."""
    video = clip.clip.video()
    unwanted = set(video.frame_indices()) - set(clip.frames)
    first, frames = FirstPass(settings), []
    for index, window in windows(video, every=1, interval=settings.interval, skip=unwanted):
        labelled = first.label(index, window)
        if settings.refine is None:
            yield index, labelled.mask
        else:
            frames.append(labelled.frame)
    if settings.refine is not None:
        _, refined = first.refine(zip(first.indices, frames, strict=True), video, both_ends=True)
        yield from ((one.index, one.mask) for one in refined)


def background_subtraction(clip: ScoredClip, closed: bool) -> Masks:
    """OpenCV's MOG2, raw or closed."""
    return mog2_masks(clip.clip.video(), indices=clip.frames, closed=closed)


def network_masks(clip: ScoredClip, net: MPASNet, device: str, other_light: bool = False) -> Masks:
    """The network's masks; in another light, the frames' colours are changed as x_hat's are in training."""
    from mpas_lite.network.inference import segment
    from mpas_lite.training.augmentation import change_colours

    frames = [frame for _, frame in clip.clip.video().frames(clip.frames)]
    if other_light:
        frames = [change_colours(f, np.random.default_rng(n)) for n, f in zip(clip.frames, frames, strict=True)]
    for number, mask in segment(net, frames, device=device):
        yield clip.frames[number], mask
