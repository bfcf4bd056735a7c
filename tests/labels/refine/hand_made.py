"""Clips made by hand, whose truth is known by construction."""

import numpy as np

from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.circles import circular_region_merging
from mpas_lite.labels.refine.person_size import PersonSize
from mpas_lite.labels.refine.pipeline import refine_clip
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.motion.klt import Particles
from tests.helpers import texture

HEIGHT, WIDTH = 120, 160
PERSON = PersonSize(0.0, 30.0)


def floor(seed=1):
    """A coloured, textured floor, (H, W, 3) float."""
    grey = texture(HEIGHT, WIDTH, seed).astype(float) * 0.5 + 70
    return np.stack([grey, grey * 0.95, grey * 0.85], axis=-1)


def walk(count=32, *, speed=4, stand=None, noise=1.5, light=None, shadow=False, seed=0, width=8):
    """Somebody in red walks over a floor; frames, true masks and his particles.

    ``stand`` is a range of frames in which he does not move; ``light`` a gain for each frame.
    """
    rng = np.random.default_rng(seed)
    base, frames, masks, found = floor(), [], [], []
    x = 4.0
    for t in range(count):
        halted = stand is not None and t in stand
        picture, mask = base.copy(), np.zeros((HEIGHT, WIDTH), bool)
        left = round(x)
        if shadow:
            picture[84:90, left + width : left + width + 24] *= 0.6
        mask[60:90, left : left + width] = True
        picture[mask] = (150, 40, 50)
        frames.append(
            np.uint8((picture * (1 if light is None else light[t]) + rng.normal(0, noise, base.shape)).clip(0, 255))
        )
        masks.append(mask)
        y, xs = np.mgrid[62:90:4, left : left + width : 3]
        position = np.c_[xs.ravel(), y.ravel()].astype(np.float32)
        velocity = np.tile(np.float32([0 if halted else speed, 0]), (len(position), 1))
        moving = slice(0, 0) if halted else slice(None)
        found.append((Particles(position[moving], velocity[moving], t), np.ones(len(position[moving]), int)))
        x += 0 if halted else speed
    return np.stack(frames), np.stack(masks), found


def refined(frames, found, **changes):
    survey, labels = refine_clip(enumerate(frames), found, list(frames), radius=5, settings=Refinement(**changes))
    return survey, list(labels)


def score(labels, masks):
    return iou(np.stack([label.mask for label in labels]), masks)


def discs(found):
    return np.stack([circular_region_merging(p.position[g > 0], 5, (HEIGHT, WIDTH)) for p, g in found])
