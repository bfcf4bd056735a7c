"""Labels that know where a person ends and who stands still: beyond the paper.

The paper's pseudo-labels are discs around particles. Discs are too big for people who walk alone, too small for
those who stand near, and there are none where nobody moves. But the camera stands still, the paper itself says,
and so the clip tells more than its motion. Each step here uses one thing more and can be left out::

    background   only what differs from the background is labelled, inside generous circles
    shadows      what is the ground in shadow is no person
    perspective  circles and gaps are measured in people: far ones are smaller
    standing     what was labelled while it moved stays labelled while it looks the same
    not_crowd    vehicles are wide, of one piece and much faster than people; trees sway and get nowhere
    camera       a shaking camera is steadied first; with a moving one (no part rests) the prior is switched off

Nothing of this is in the paper; ``LabelSettings(refine=None)`` is the paper's method to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from mpas_lite.files.spill import Spill
from mpas_lite.labels.circles import circular_region_merging, radius_in_pixels
from mpas_lite.labels.refine.background_model import Background
from mpas_lite.labels.refine.camera import steadying, unwarp_mask, warp
from mpas_lite.labels.refine.foreground import without_shadows
from mpas_lite.labels.refine.light import match_light
from mpas_lite.labels.refine.other_movers import not_crowd
from mpas_lite.labels.refine.outline import close_gaps, distance_to, doubtful, wide_regions
from mpas_lite.labels.refine.person_size import local_height
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.standing import Look, propagate_static, unchanged
from mpas_lite.labels.refine.survey import Survey, survey_clip, working_frame, working_scale
from mpas_lite.motion.klt import Particles
from mpas_lite.video.arrays import Frame, Mask


@dataclass(frozen=True)
class Refined:
    """A refined label: the mask, and which pixels it is sure of, (H, W) bool each."""

    index: int
    mask: Mask
    valid: Mask = field(repr=False)


def refine_clip(
    frames: Iterable[tuple[int, Frame]],
    found: Sequence[tuple[Particles, np.ndarray]],
    samples: Sequence[Frame],
    *,
    radius: float,
    scale: float = 1.0,
    settings: Refinement | None = None,
    moving: Sequence[Mask] | None = None,
) -> tuple[Survey, Iterator[Refined]]:
    """Refine the labels of a clip: survey it, look at each kept frame, let those who stand keep their label.

    Parameters
    ----------
    frames : iterable of (index, (H, W, 3) uint8 RGB)
        The kept frames, once, in order.
    found : sequence of (Particles, (N,) int)
        Of each kept frame the particles and their groups, as the paper's method finds them.
    samples : sequence of (H, W, 3) uint8 RGB
        Frames spread over the clip, as :func:`working_frame` makes them small; some 32 to 48.
    radius : float
        The radius of the paper's discs, which stay where the background is not known.
    scale : float
        Size of the samples over that of the frames, see :func:`working_scale`.
    settings : Refinement, optional
    moving : sequence of (H, W) bool, optional
        Where each sample moves, see :func:`~mpas_lite.labels.refine.background.moves`.

    Returns
    -------
    survey : Survey
    refined : iterator of Refined
        One for each kept frame, in order, once all have been looked at.
    """
    settings = settings or Refinement()
    survey = survey_clip(samples, found, settings, scale=scale, moving=moving)
    if survey.background is None:
        return survey, _circles(frames, found, radius)
    return survey, _refined(frames, found, survey, survey.background, radius, settings)


def _circles(
    frames: Iterable[tuple[int, Frame]], found: Iterable[tuple[Particles, np.ndarray]], radius: float
) -> Iterator[Refined]:
    """The paper's labels as they are, where there is no background."""
    for (index, frame), (particles, labels) in zip(frames, found, strict=True):
        shape = frame.shape[:2]
        mask = circular_region_merging(particles.position[labels > 0], radius, shape)
        yield Refined(index, mask, np.ones(shape, bool))


def _refined(
    frames: Iterable[tuple[int, Frame]],
    found: Iterable[tuple[Particles, np.ndarray]],
    survey: Survey,
    background: Background,
    radius: float,
    settings: Refinement,
) -> Iterator[Refined]:
    """Look at every frame by itself; then pass labels on to those who stand; then finish."""
    looks: Spill[_KeptLook] = Spill()
    shape = (0, 0)
    before: Frame | None = None
    for (index, frame), (particles, labels) in zip(frames, found, strict=True):
        shape = frame.shape[:2]
        crowd = Particles(particles.position[labels > 0], particles.velocity[labels > 0], index)
        look, before = _look(frame, crowd, before, survey, background, radius, settings)
        looks.append(look)
    small = background.image.shape[:2]
    tall = local_height(survey.person, small)
    labelled = propagate_static(looks) if settings.standing else (look.seed for look in looks)
    for look, label in zip(looks, labelled, strict=True):
        mask = close_gaps(_unpacked(label, small), tall, settings.closing)
        valid = ~doubtful(mask, _unpacked(look.foreground, small), tall) if settings.doubt else np.ones(small, bool)
        yield Refined(look.index, unwarp_mask(mask, look.move, shape), unwarp_mask(valid, look.move, shape))


@dataclass(frozen=True)
class _KeptLook(Look):
    """What one kept frame says by itself, a bit a pixel: it must last until all frames have been looked at."""

    index: int
    move: np.ndarray | None


def _look(
    frame: Frame,
    crowd: Particles,
    before: Frame | None,
    survey: Survey,
    background: Background,
    radius: float,
    settings: Refinement,
) -> tuple[_KeptLook, Frame]:
    """Everything that one frame says, and the frame as it was compared (for the next one)."""
    scale = working_scale(frame.shape[:2])
    position, velocity = crowd.position * scale, crowd.velocity * scale
    disc = max(1.0, radius_in_pixels(radius, (frame.shape[0], frame.shape[1])) * scale)
    picture = working_frame(frame)
    move = steadying(picture, background.grey, background.corners) if survey.shakes else None
    if move is not None:
        picture = warp(picture, move)
        position = position @ move[:, :2].T + move[:, 2]
    picture = match_light(picture, background.image)
    foreground = without_shadows(picture, background, settings)
    shape = foreground.shape
    tall = local_height(survey.person, shape)
    near = (distance_to(position, shape) <= settings.reach * tall) | wide_regions(foreground, position, tall)
    other = np.zeros(shape, bool)
    if settings.not_crowd:
        other = not_crowd(foreground, position, velocity, survey.person, survey.speed, survey.sways)
    known = background.known if move is not None or not survey.shakes else np.zeros(shape, bool)
    seed = seed_mask(foreground, near & ~other, known, circular_region_merging(position, disc, shape))
    same = np.zeros(shape, bool)
    if before is not None:
        same = unchanged(picture, before, settings.low * background.tolerance)
    return _KeptLook(np.packbits(seed), np.packbits(foreground), np.packbits(same), crowd.frame, move), picture


def seed_mask(foreground: Mask, near: Mask, known: Mask, circles: Mask) -> Mask:
    """What one frame labels without regard to others: what stands there near the crowd.

    Parameters
    ----------
    foreground : (H, W) bool
    near : (H, W) bool
        Within reach of the crowd, vehicles and what sways apart.
    known : (H, W) bool
        Where the background is known.
    circles : (H, W) bool
        The paper's label, which stays where it is not.
    """
    return np.where(known, foreground & near, circles)


def _unpacked(bits: np.ndarray, shape: tuple[int, int]) -> Mask:
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape) > 0
