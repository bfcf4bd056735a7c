"""Labels that know where a person ends and who stands still: beyond the paper.

The paper's pseudo-labels are discs around particles. Discs are too big for people who walk alone, too small for
those who stand near, and there are none where nobody moves. But the camera stands still, the paper itself says,
and so the clip tells more than its motion. Each step here uses one thing more and can be left out::

    background   only what differs from the background is labelled, inside generous circles
    shadows      what is the ground in shadow is no person
    perspective  circles and gaps are measured in people: far ones are smaller
    standing     what was labelled while it moved stays labelled while it looks the same
    not_crowd    vehicles are wide, of one piece and much faster than people; trees sway and get nowhere
    camera       a shaking camera is steadied first; with a moving one the prior is switched off

Nothing of this is in the paper; ``LabelSettings(refine=None)`` is the paper's method to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from mpas_lite.files.spill import Spill
from mpas_lite.labels.circles import circular_region_merging, radius_in_pixels
from mpas_lite.labels.refine.background import (
    Background,
    apply_illumination,
    camera_motion,
    estimate_background,
    foreground_mask,
    largest,
    light_change,
    shadows,
    shift_of,
    smooth,
    steadying,
)
from mpas_lite.labels.refine.people import PersonSize, local_height, person_size, swaying, vehicles
from mpas_lite.motion.klt import Particles

_NOTHING_STANDS = (
    "The camera moves, or people hide all that stands still, so there is no background to compare with: discs stay."
)
SAMPLES = 32  # frames of a clip that its background is made of
SURVEYED = 512  # kept frames, at most, that tell how fast the crowd is and what sways
WORKING_SIDE = 480  # px: larger frames are refined at this long side, masks scaled back


@dataclass(frozen=True)
class Refinement:
    """What to use beyond the paper, and how much; one setting for all clips, chosen on validation scenes.

    Attributes
    ----------
    background, shadows, perspective, standing, not_crowd, camera, doubt : bool
        The steps; see the top of this file. ``doubt`` leaves uncertain pixels out of the loss; it is off, as the
        network was worse with it (validation scenes, crowd masks, one seed: 0.507, without 0.533).
    low, high : float
        A pixel differs from the background by ``low`` standard deviations of the noise, and hangs together with
        one that differs by ``high``.
    reach : float
        Radius of the generous circles, in heights of a person at that place.
    closing : float
        Gaps up to so many heights of a person are closed. A person is 0.29 of his height broad: crowd outlines
        close gaps as wide as that; outlines of persons close none.
    """

    background: bool = True
    shadows: bool = True
    perspective: bool = True
    standing: bool = True
    not_crowd: bool = True
    camera: bool = True
    doubt: bool = False
    low: float = 10.0
    high: float = 20.0
    reach: float = 0.9
    closing: float = 0.16


@dataclass(frozen=True)
class Survey:
    """What a whole clip says before its frames are labelled.

    Attributes
    ----------
    background : Background or None
        None where the camera moves, or there are too few frames.
    person : PersonSize
    speed : float
        Typical speed of the crowd, in heights of a person per frame.
    sways : (H, W) bool or None
        Where things move to and fro and get nowhere.
    shakes : bool
        The camera shakes: frames are steadied before they are compared.
    notes : tuple of str
        Sentences: what was found, and what is left out and why.
    """

    background: Background | None
    person: PersonSize
    speed: float = 0.0
    sways: np.ndarray | None = None
    shakes: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refined:
    """A refined label: the mask, and which pixels it is sure of, (H, W) bool each."""

    index: int
    mask: np.ndarray
    valid: np.ndarray = field(repr=False)


def refine_clip(
    frames: Iterable[tuple[int, np.ndarray]],
    found: Sequence[tuple[Particles, np.ndarray]],
    samples: Sequence[np.ndarray],
    *,
    radius: float,
    scale: float = 1.0,
    settings: Refinement | None = None,
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

    Returns
    -------
    survey : Survey
    refined : iterator of Refined
        One for each kept frame, in order, once all have been looked at.
    """
    settings = settings or Refinement()
    survey = survey_clip(samples, found, settings, scale=scale)
    return survey, _refined(frames, found, survey, radius, settings)


def working_frame(frame: np.ndarray) -> np.ndarray:
    """The frame, or where its long side is over 480 px a smaller copy: the background needs no more."""
    scale = working_scale(frame.shape[:2])
    return frame if scale == 1 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def working_scale(shape: Sequence[int]) -> float:
    """How much smaller the working frame is, at most 1."""
    return min(1.0, WORKING_SIDE / max(shape[0], shape[1]))


class FrameSampler:
    """At most 64 working frames spread evenly over a stream whose length need not be known.

    When it is full every other one is dropped, and from then on half as many are taken.

    Examples
    --------
    >>> spread = FrameSampler()
    >>> for t in range(1000):
    ...     spread.add(np.full((2, 2, 3), t % 256, np.uint8))
    >>> len(spread.frames), int(spread.frames[1][0, 0, 0])
    (63, 16)
    """

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self._every, self._seen = 1, 0

    def add(self, frame: np.ndarray) -> None:
        """Take the frame, (H, W, 3) uint8, or pass it over."""
        if self._seen % self._every == 0:
            if len(self.frames) == 2 * SAMPLES:
                self.frames = self.frames[::2]
                self._every *= 2
            if self._seen % self._every == 0:
                self.frames.append(working_frame(frame))
        self._seen += 1


def survey_clip(
    samples: Sequence[np.ndarray],
    found: Sequence[tuple[Particles, np.ndarray]],
    settings: Refinement,
    *,
    scale: float = 1.0,
) -> Survey:
    """Background, camera, size of people and their usual speed, from samples of the whole clip.

    ``samples`` are working frames; ``scale`` is their size over that of the frames that the particles are of.
    """
    rows = samples[0].shape[0] if len(samples) else 240
    constant = PersonSize(0.0, rows / 8, "people are taken to be an eighth of the frame high everywhere")
    if not settings.background:
        return Survey(None, constant)
    if len(samples) < 8:
        return Survey(None, constant, notes=(f"{len(samples)} frames are too few to tell the background: discs stay.",))
    notes = []
    shakes = False
    samples = [samples[k] for k in np.unique(np.linspace(0, len(samples) - 1, SAMPLES).astype(int))]
    if settings.camera:
        motion = camera_motion(samples[::2])
        if motion is None:
            return Survey(None, constant, notes=(_NOTHING_STANDS,))
        shakes = bool(np.quantile(shift_of(motion, samples[0].shape[:2]), 0.75) > 0.7)
        if shakes and (motion := camera_motion(samples)) is not None:
            notes.append("The camera shakes; frames are steadied before they are compared with the background.")
            size = samples[0].shape[1::-1]
            samples = [
                cv2.warpAffine(s, m, size, borderMode=cv2.BORDER_REPLICATE)
                for s, m in zip(samples, motion, strict=True)
            ]
    some = np.unique(np.linspace(0, max(len(found) - 1, 0), min(len(found), SURVEYED)).astype(int))
    found = [found[int(k)] for k in some]
    background = estimate_background(samples)
    if background.known.mean() < 0.5:
        notes.append("Where people cover the ground nearly all of the time the background is not seen: discs stay.")
    person = constant
    if settings.perspective:
        person = person_size([_unshadowed(s, background, settings) for s in samples])
    if person.reason and settings.perspective:
        notes.append(f"No size of people could be measured: {person.reason}.")
    speed = _typical_speed(found, person, scale)
    sways = None
    if settings.not_crowd:
        scaled = [(p.position[groups > 0] * scale, p.velocity[groups > 0] * scale) for p, groups in found]
        sways = swaying(scaled, person, speed, background.known.shape)
    return Survey(background, person, speed, sways, shakes, tuple(notes))


def _unshadowed(frame: np.ndarray, background: Background, settings: Refinement) -> np.ndarray:
    """Where something stands before the background, (H, W) bool."""
    light = light_change(background.image, frame)
    lit = apply_illumination(frame, *light)
    foreground = foreground_mask(lit, background, low=settings.low, high=settings.high)
    return foreground & ~shadows(lit, background) if settings.shadows else foreground


def _typical_speed(found: Sequence[tuple[Particles, np.ndarray]], person: PersonSize, scale: float) -> float:
    """Median speed of the particles in groups, in heights of a person a frame."""
    speeds = [
        scale * np.linalg.norm(p.velocity[labels > 0], axis=1) / person.height(scale * p.position[labels > 0, 1])
        for p, labels in found
    ]
    speed = np.concatenate(speeds) if speeds else np.zeros(0)
    return float(np.median(speed)) if len(speed) else 0.0


@dataclass(frozen=True)
class _Look:
    """What one kept frame says by itself, a bit a pixel: it must last until all frames have been looked at."""

    index: int
    foreground: np.ndarray
    seed: np.ndarray
    same: np.ndarray
    move: np.ndarray | None


def _refined(
    frames: Iterable[tuple[int, np.ndarray]],
    found: Sequence[tuple[Particles, np.ndarray]],
    survey: Survey,
    radius: float,
    settings: Refinement,
) -> Iterator[Refined]:
    """Look at every frame by itself; then pass labels on to those who stand; then finish."""
    looks: Spill[_Look] = Spill()
    shape = (0, 0)
    before: np.ndarray | None = None
    for (index, frame), (particles, labels) in zip(frames, found, strict=True):
        shape = frame.shape[:2]
        if survey.background is None:
            mask = circular_region_merging(particles.position[labels > 0], radius, shape)
            yield Refined(index, mask, np.ones(shape, bool))
            continue
        crowd = Particles(particles.position[labels > 0], particles.velocity[labels > 0], index)
        look, before = _look(frame, crowd, before, survey, survey.background, radius, settings)
        looks.append(look)
    if survey.background is None:
        return
    small = survey.background.image.shape[:2]
    tall = local_height(survey.person, small)
    for look, label in zip(
        looks, propagate_static(looks, small) if settings.standing else _seeds(looks, small), strict=True
    ):
        mask = close_gaps(label, tall, settings.closing)
        valid = ~doubtful(mask, _unpacked(look.foreground, small), tall) if settings.doubt else np.ones(small, bool)
        yield Refined(look.index, unwarp_mask(mask, look.move, shape), unwarp_mask(valid, look.move, shape))


def _look(
    frame: np.ndarray,
    crowd: Particles,
    before: np.ndarray | None,
    survey: Survey,
    background: Background,
    radius: float,
    settings: Refinement,
) -> tuple[_Look, np.ndarray]:
    """Everything that one frame says, and the frame as it was compared (for the next one)."""
    scale = working_scale(frame.shape[:2])
    position, velocity = crowd.position * scale, crowd.velocity * scale
    disc = max(1.0, radius_in_pixels(radius, (frame.shape[0], frame.shape[1])) * scale)
    picture = working_frame(frame)
    move = None
    if survey.shakes:
        move = steadying(picture, background)
        if move is not None:
            picture = cv2.warpAffine(picture, move, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            position = position @ move[:, :2].T + move[:, 2]
    picture = apply_illumination(picture, *light_change(background.image, picture))
    foreground = foreground_mask(picture, background, low=settings.low, high=settings.high)
    if settings.shadows:
        foreground &= ~shadows(picture, background)
    shape = foreground.shape
    tall = local_height(survey.person, shape)
    near = distance_to(position, shape) <= settings.reach * tall
    if survey.sways is not None:
        near &= ~survey.sways
    if settings.not_crowd:
        near &= ~vehicles(foreground, position, velocity, survey.person, survey.speed)
    known = background.known if move is not None or not survey.shakes else np.zeros(shape, bool)
    seed = np.where(known, foreground & near, circular_region_merging(position, disc, shape))
    same = np.zeros(shape, bool)
    if before is not None:
        same = unchanged(picture, before, settings.low * background.noise)
    return _Look(crowd.frame, np.packbits(foreground), np.packbits(seed), np.packbits(same), move), picture


def _unpacked(bits: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape) > 0


def _seeds(looks: Sequence[_Look], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    return (_unpacked(look.seed, shape) for look in looks)


def propagate_static(looks: Sequence[_Look], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Labels with those who stand: from the frame before and the frame after, as long as nothing changes there.

    A pixel that was labelled, still differs from the background and looks as it did belongs to someone who
    stopped; seen backward in time, to someone who has not started yet.
    """
    backward: Spill[np.ndarray] = Spill()  # last frame first
    later, after = looks[-1].seed, looks[-1]
    backward.append(later)
    for number in range(len(looks) - 2, -1, -1):
        look = looks[number]
        later = look.seed | (later & after.same & look.foreground)
        backward.append(later)
        after = look
    earlier = looks[0].seed
    for number, look in enumerate(looks):
        earlier = look.seed | (earlier & look.same & look.foreground)
        yield _unpacked(earlier | backward[len(looks) - 1 - number], shape)


def unchanged(frame: np.ndarray, before: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Where two frames look the same: no channel differs by more than the tolerance after a 3x3 mean."""
    return largest(cv2.absdiff(smooth(frame), smooth(before))) <= tolerance


def distance_to(position: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Distance of every pixel to the nearest particle in px, (H, W) float32; infinite where there is none.

    Examples
    --------
    >>> distance_to(np.array([[1.0, 0.0]]), (1, 4))
    array([[1., 0., 1., 2.]], dtype=float32)
    """
    seeds = np.ones(shape, np.uint8)
    pixel = np.rint(position).astype(np.int64)
    inside = np.all((pixel >= 0) & (pixel < shape[::-1]), axis=1)
    if not inside.any():
        return np.full(shape, np.inf, np.float32)
    seeds[pixel[inside, 1], pixel[inside, 0]] = 0
    distance: np.ndarray = cv2.distanceTransform(seeds, cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance


def close_gaps(mask: np.ndarray, tall: np.ndarray, closing: float) -> np.ndarray:
    """Gaps narrower than ``closing`` heights of a person closed, specks and pinholes far smaller than one dropped.

    Parameters
    ----------
    mask : (H, W) bool
    tall : (H, 1) float
        Height of a person in px in each row, see :func:`local_height`.
    closing : float
    """
    reach = np.broadcast_to(closing * tall / 2, mask.shape)
    if mask.any() and not mask.all():
        grown = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) <= reach
        framed = np.pad(grown, 1, mode="edge").astype(np.uint8)
        if not grown.all():
            inner = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
            mask = mask | (inner > reach + 0.5)
        else:
            mask = grown
    speck = 0.02 * float(np.median(tall)) ** 2
    return _without_specks(~_without_specks(~mask, speck), speck)


def _without_specks(mask: np.ndarray, area: float) -> np.ndarray:
    _, part, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    large = boxes[:, cv2.CC_STAT_AREA] >= area
    large[0] = False
    return large[part]


def doubtful(mask: np.ndarray, foreground: np.ndarray, tall: np.ndarray) -> np.ndarray:
    """Where a label is not to be trusted: along its border, and where something stands that was not labelled.

    Compression blurs outlines by a pixel or two; and what differs from the background outside the label is a
    person who did not move, or no person: the frame alone does not say which.
    """
    width = max(3, 2 * round(0.02 * float(np.median(tall))) + 1)
    kernel = np.ones((width, width), np.uint8)
    border = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
    return border | (foreground & ~mask)


def unwarp_mask(mask: np.ndarray, move: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """A mask of the steadied working frame as one of the frame itself."""
    if move is not None:
        size = mask.shape[1::-1]
        back = cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
        mask = cv2.warpAffine(mask.astype(np.uint8), move, size, flags=back, borderMode=cv2.BORDER_REPLICATE) > 0
    if mask.shape == shape:
        return mask
    large = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(large >= 0.5)
