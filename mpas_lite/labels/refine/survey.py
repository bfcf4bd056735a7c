"""What a whole clip says before its frames are labelled: background, camera, size and speed of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mpas_lite.labels.refine.background import estimate_background, moves
from mpas_lite.labels.refine.background_model import Background
from mpas_lite.labels.refine.camera import camera_motion, shift_of, warp
from mpas_lite.labels.refine.foreground import without_shadows
from mpas_lite.labels.refine.light import match_light
from mpas_lite.labels.refine.other_movers import swaying
from mpas_lite.labels.refine.person_size import PersonSize, person_size
from mpas_lite.labels.refine.resting import camera_rests
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.motion.klt import Particles
from mpas_lite.video.arrays import Frame, Mask

_NOTHING_STANDS = (
    "The camera moves, or people hide all that stands still, so there is no background to compare with: discs stay."
)
SAMPLES = 32  # frames of a clip that its background is made of
SURVEYED = 512  # kept frames, at most, that tell how fast the crowd is and what sways
WORKING_SIDE = 480  # px: larger frames are refined at this long side, masks scaled back


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
    sways: Mask | None = None
    shakes: bool = False
    notes: tuple[str, ...] = ()


def survey_clip(
    samples: Sequence[Frame],
    found: Sequence[tuple[Particles, np.ndarray]],
    settings: Refinement,
    *,
    scale: float = 1.0,
    moving: Sequence[Mask] | None = None,
) -> Survey:
    """Background, camera, size of people and their usual speed, from samples of the whole clip.

    ``samples`` are working frames; ``scale`` is their size over that of the frames that the particles are of;
    ``moving`` says where each sample moves (:func:`~mpas_lite.labels.refine.background.moves`), if that is known.
    """
    rows = samples[0].shape[0] if len(samples) else 240
    constant = PersonSize(0.0, rows / 8, "people are taken to be an eighth of the frame high everywhere")
    if not settings.background:
        return Survey(None, constant)
    if len(samples) < 8:
        return Survey(None, constant, notes=(f"{len(samples)} frames are too few to tell the background: discs stay.",))
    notes = []
    shakes = False
    background = None
    everything = samples, moving
    samples = [samples[k] for k in np.unique(np.linspace(0, len(samples) - 1, SAMPLES).astype(int))]
    if settings.camera:
        motion = camera_motion(samples[::2])
        if motion is None:
            background = estimate_background(*everything)
            if not camera_rests(samples, background.image):
                return Survey(None, constant, notes=(_NOTHING_STANDS,))
        shakes = motion is not None and bool(np.quantile(shift_of(motion, samples[0].shape[:2]), 0.75) > 0.7)
        if shakes and (motion := camera_motion(samples)) is not None:
            notes.append("The camera shakes; frames are steadied before they are compared with the background.")
            samples = [warp(s, m) for s, m in zip(samples, motion, strict=True)]
    some = np.unique(np.linspace(0, max(len(found) - 1, 0), min(len(found), SURVEYED)).astype(int))
    found = [found[int(k)] for k in some]
    if background is None:
        background = estimate_background(samples) if shakes else estimate_background(*everything)
    if background.known.mean() < 0.5:
        notes.append("Where people cover the ground nearly all of the time the background is not seen: discs stay.")
    person = constant
    if settings.perspective:
        person = person_size([without_shadows(match_light(s, background.image), background, settings) for s in samples])
    if person.reason and settings.perspective:
        notes.append(f"No size of people could be measured: {person.reason}.")
    speed = _typical_speed(found, person, scale)
    sways = None
    if settings.not_crowd:
        scaled = [(p.position[groups > 0] * scale, p.velocity[groups > 0] * scale) for p, groups in found]
        sways = swaying(scaled, person, speed, background.known.shape)
    return Survey(background, person, speed, sways, shakes, tuple(notes))


def _typical_speed(found: Sequence[tuple[Particles, np.ndarray]], person: PersonSize, scale: float) -> float:
    """Median speed of the particles in groups, in heights of a person a frame."""
    speeds = [
        scale * np.linalg.norm(p.velocity[labels > 0], axis=1) / person.height(scale * p.position[labels > 0, 1])
        for p, labels in found
    ]
    speed = np.concatenate(speeds) if speeds else np.zeros(0)
    return float(np.median(speed)) if len(speed) else 0.0


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
        self.frames: list[Frame] = []
        self.moving: list[Mask] = []
        self._every, self._seen = 1, 0

    def add(self, frame: Frame, other: Frame | None = None) -> None:
        """Take the frame, (H, W, 3) uint8, or pass it over; and where it moves, from a frame a little apart."""
        if self._seen % self._every == 0:
            if len(self.frames) == 2 * SAMPLES:
                self.frames, self.moving = self.frames[::2], self.moving[::2]
                self._every *= 2
            if self._seen % self._every == 0:
                self.frames.append(working_frame(frame))
                if other is not None:
                    self.moving.append(moves(self.frames[-1], working_frame(other)))
        self._seen += 1


def working_frame(frame: Frame) -> Frame:
    """The frame, or where its long side is over 480 px a smaller copy: the background needs no more."""
    scale = working_scale(frame.shape[:2])
    return frame if scale == 1 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def working_scale(shape: Sequence[int]) -> float:
    """How much smaller the working frame is, at most 1."""
    return min(1.0, WORKING_SIDE / max(shape[0], shape[1]))
