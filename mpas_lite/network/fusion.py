"""The network knows what, a still camera's background knows where: masks out of both.

Beyond the paper. A network sees people at a quarter of its working size, so its masks end somewhere near where people
end; and it calls the ground between them crowd. The background of a clip, see :mod:`mpas_lite.labels.refine`, knows to
the pixel what is not itself, but not whether that is a car. Of both comes the probability of each pixel::

    log-odds  =  the network's, at most 6 either way  +  5.5 x vote x evidence

Evidence goes from -1 (the pixel is the background, or the background in shadow) to 1 (it surely is not). So what the
network takes for no person at all stays out however much it differs: cars, leaves. The background's vote is 0 where the
clip hides it, and where the network, *shown the background's picture itself*, sees people: who stands there for the
whole clip is part of that picture, and about him the network decides alone. In the end outlines are drawn along the
frame's edges (the guided filter, He, Sun & Tang 2010).

Crowd masks take in gaps as narrow as a person is broad, as an outline drawn by hand does: there the background does not
speak against. Masks of persons end where the background is, however sure the network is: against, evidence weighs half
as much again, 8.25 to the network's 6. But a slit or a small hole in a person is a coat in the colours of the ground,
not the ground.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mpas_lite.labels.refine.background import moves
from mpas_lite.labels.refine.background_model import Background
from mpas_lite.labels.refine.camera import steadying, unwarp_mask, warp
from mpas_lite.labels.refine.foreground import foreground_score
from mpas_lite.labels.refine.light import match_light
from mpas_lite.labels.refine.outline import close_gaps
from mpas_lite.labels.refine.person_size import local_height
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import SAMPLES, survey_clip, working_frame
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.video import Video

Kind = Literal["crowd", "person"]

WEIGHT = 5.5  # of the background's evidence, in log-odds
SURE = 6.0  # log-odds that the network is taken to have at most: networks trained with Dice say 0 and 1 lightly
SCORE = 0.3  # evidence is 0 at 0.7 of it: a fifth of the difference that a label is sure of
AGAINST = 1.5  # so many times it weighs against persons: more than the network's surest word
BREADTH = 0.29  # of a person, in heights
SLIT = 0.05  # in heights: narrower ones in a person are clothes in the colours of the background
APART = 5  # frames: who has moved since is told by two so far apart
OUTLINE = 0.06  # outlines are drawn along edges so far away, in heights of a person
SHOWN = 6  # frames at which two sizes are compared
EDGE = 1e-4  # squared contrast of an edge that an outline follows, grey levels over 255

_ALONE = "so the masks are the network's alone."


@dataclass(frozen=True)
class StillScene:
    """What a clip from a still camera tells beyond its frames.

    Attributes
    ----------
    background : Background
        Of working frames, at most 480 px long.
    tall : (H, 1) float32
        Height of a person in px in each row.
    vote : (H, W) float32
        How much the background counts, 0 to 1: nothing where it is hidden or shows people.
    shakes : bool
        The camera shakes: frames are steadied first.
    measured : bool
        Whether the height was measured, or is only supposed.
    shown : tuple of (Frame, Mask)
        Some of the clip's working frames, and what in them is not the background.
    """

    background: Background
    tall: np.ndarray
    vote: np.ndarray
    shakes: bool = False
    measured: bool = True
    shown: tuple[tuple[Frame, Mask], ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of working frames."""
        height, width = self.vote.shape
        return height, width

    @property
    def height(self) -> float:
        """Of a person in the middle of the picture, px."""
        return float(np.median(self.tall))


def still_scene(video: Video, predict: Callable[[Frame], np.ndarray]) -> StillScene | None:
    """Survey a clip; None where there is no background to fuse with.

    Parameters
    ----------
    video : Video
        Is passed through twice: to find its length, and for some frames of it.
    predict : callable
        The network: gives an (H, W, 3) uint8 frame's probabilities, (H, W) float32.

    Warns
    -----
    UserWarning
        Where the camera moves, or there are too few frames.
    """
    samples, moving = _samples_of(video)
    if len(samples) < 8:
        few = f"{len(samples)} frame is" if len(samples) == 1 else f"{len(samples)} frames are"
        warnings.warn(f"{video.name}: {few} too few to tell the background, {_ALONE}", stacklevel=2)
        return None
    survey = survey_clip(samples, [], Refinement(not_crowd=False), moving=moving)
    background = survey.background
    if background is None:
        warnings.warn(
            f"{video.name}: the camera moves, or people hide all that stands still, {_ALONE}",
            stacklevel=2,
        )
        return None
    shape = background.known.shape
    return StillScene(
        background,
        local_height(survey.person, (shape[0], shape[1])),
        vote_of(background, predict(background.image)),
        survey.shakes,
        survey.person.reason is None,
        tuple(_shown(samples, background, survey.shakes)),
    )


def _shown(samples: list[Frame], background: Background, shakes: bool) -> Iterator[tuple[Frame, Mask]]:
    """A few of the samples, each with what in it is not the background."""
    for k in np.linspace(0, len(samples) - 1, SHOWN).astype(int):
        frame = samples[int(k)]
        picture, move = _steadied(frame, background) if shakes else (frame, None)
        if move is not None or not shakes:
            differs = evidence(match_light(picture, background.image), background) > 0
            yield frame, unwarp_mask(differs, move, (frame.shape[0], frame.shape[1]))


def _steadied(picture: Frame, background: Background) -> tuple[Frame, np.ndarray | None]:
    """A working frame laid over the background, and the map that does it; None where none does."""
    move = steadying(picture, background.grey, background.corners)
    return (picture if move is None else warp(picture, move)), move


def _samples_of(video: Video) -> tuple[list[Frame], list[Mask]]:
    """At most 64 working frames spread over a clip, and where each moves."""
    indices = video.frame_indices()
    last = len(indices) - 1
    chosen = np.unique(np.linspace(0, last, min(2 * SAMPLES, last + 1)).astype(int))
    others = np.maximum(np.where(chosen + APART > last, chosen - APART, chosen + APART), 0)
    wanted = [indices[int(k)] for k in np.union1d(chosen, others)]
    seen = {index: working_frame(frame) for index, frame in video.frames(wanted)}
    pairs = [(seen[indices[int(k)]], seen[indices[int(m)]]) for k, m in zip(chosen, others, strict=True)]
    return [frame for frame, _ in pairs], [moves(frame, other) for frame, other in pairs]


def vote_of(background: Background, probability: np.ndarray) -> np.ndarray:
    """How much a background counts, (H, W) float32, given what the network says of its picture, (H, W) float32."""
    return np.where(background.known, np.maximum(1 - 2 * probability, 0), 0).astype(np.float32)


def fused_masks(
    probability: np.ndarray,
    frame: Frame,
    scene: StillScene,
    kinds: tuple[Kind, ...],
    threshold: float = 0.5,
    weight: float = WEIGHT,
) -> dict[Kind, Mask]:
    """Masks of a frame, of each kind that is wanted, (H, W) bool in the frame's size.

    Parameters
    ----------
    probability : (h, w) float32
        The network's, in the scene's size.
    frame : (H, W, 3) uint8
    scene : StillScene
    kinds : tuple of str
        ``"crowd"``: the region that a person would outline. ``"person"``: persons alone.
    threshold : float
    weight : float
        Of the background's evidence, in log-odds.
    """
    fused, move = _fused(probability, frame, scene, kinds, weight)
    masks: dict[Kind, Mask] = {}
    for kind, values in fused.items():
        if kind == "crowd":
            outline = close_gaps(values > threshold, scene.tall, BREADTH).astype(np.float32)
            masks[kind] = _in_frame(outline, move, frame) > 0.5
        else:
            masks[kind] = _in_frame(values, move, frame) > threshold
    return masks


def fused_probability(probability: np.ndarray, frame: Frame, scene: StillScene, kind: Kind) -> np.ndarray:
    """Fused probabilities of a frame in its own size, (H, W) float32; parameters as of :func:`fused_masks`."""
    fused, move = _fused(probability, frame, scene, (kind,))
    return _in_frame(fused[kind], move, frame)


def _fused(
    probability: np.ndarray, frame: Frame, scene: StillScene, kinds: tuple[Kind, ...], weight: float = WEIGHT
) -> tuple[dict[Kind, np.ndarray], np.ndarray | None]:
    """Fused probabilities of each kind, of the working frame, and the map that steadied it.

    A frame of a shaking camera that cannot be laid over the background stays the network's alone.
    """
    background = scene.background
    picture, move = working_frame(frame), None
    if scene.shakes:
        picture, move = _steadied(picture, background)
        if move is None:
            return dict.fromkeys(kinds, probability), None
        probability = warp(probability, move)
    picture = match_light(picture, background.image)
    guide = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    odds, found = network_odds(probability), evidence(picture, background)
    fused = {}
    for kind in kinds:
        seen = between_people(found, scene.tall) if kind == "crowd" else around_people(found, scene.tall)
        fused[kind] = along_edges(posterior(odds, seen, scene.vote, weight), guide, scene.height)
    return fused, move


def evidence(picture: Frame, background: Background) -> np.ndarray:
    """Whether a picture, (H, W, 3) uint8 in the background's light, is the background: -1 (is) to 1 (is not).

    Examples
    --------
    >>> behind = Background(np.full((9, 9, 3), 80, np.uint8), np.ones((9, 9), np.float32), np.ones((9, 9), bool))
    >>> frame = behind.image.copy()
    >>> frame[:, 5:] = (110, 70, 70)
    >>> evidence(frame, behind)[4, [1, 8]].round(2)
    array([-1.  ,  0.97], dtype=float32)
    """
    return np.asarray(1 - 2 * np.exp(foreground_score(picture, background) / np.float32(-SCORE)), np.float32)


def between_people(found: np.ndarray, tall: np.ndarray) -> np.ndarray:
    """Evidence for crowd masks: none against a gap as narrow as a person is broad; (H, W) float32, as it comes."""
    return _not_against_gaps(found, tall, BREADTH)


def around_people(found: np.ndarray, tall: np.ndarray) -> np.ndarray:
    """Evidence for masks of persons: half as much again against, none in slits and holes; (H, W) float32.

    Examples
    --------
    >>> found = np.ones((9, 9), np.float32)
    >>> found[4, 2] = found[:, 6:] = -1  # a button, and the ground beside the coat
    >>> around_people(found, np.full((9, 1), 20.0))[4]
    array([ 1. ,  1. ,  0. ,  1. ,  1. ,  1. , -1.5, -1.5, -1.5],
          dtype=float32)
    """
    seen = _not_against_gaps(found, tall, SLIT)
    return np.where(seen < 0, np.float32(AGAINST) * seen, seen)


def _not_against_gaps(found: np.ndarray, tall: np.ndarray, width: float) -> np.ndarray:
    """The same evidence, but none against gaps narrower than ``width`` heights of a person."""
    return np.where(close_gaps(found > 0, tall, width), np.maximum(found, 0), found)


def network_odds(probability: np.ndarray) -> np.ndarray:
    """The network's log-odds, (H, W) float32, within +-6."""
    least = 1 / (1 + np.exp(SURE))
    known = np.clip(probability, least, 1 - least)
    return np.asarray(np.log(known / (1 - known)), np.float32)


def posterior(odds: np.ndarray, found: np.ndarray, vote: np.ndarray, weight: float = WEIGHT) -> np.ndarray:
    """Probability of people from the network's log-odds and the background's evidence, all (H, W) float32.

    Examples
    --------
    The background is the ground: sure of a person the network stays sure, doubtful it gives in. Where somebody stands
    before it, a faint idea is enough, but none at all is not:

    >>> odds, found = np.float32([6, 1, -2, -6]), np.float32([-1, -1, 1, 1])
    >>> posterior(odds, found, vote=np.float32(1)).round(2)
    array([0.62, 0.01, 0.97, 0.38], dtype=float32)
    """
    return np.asarray(1 / (1 + np.exp(-(odds + np.float32(weight) * vote * found))), np.float32)


def along_edges(probability: np.ndarray, guide: np.ndarray, height: float) -> np.ndarray:
    """Probabilities, (H, W) float32, smoothed, but not across edges of the guide, (H, W) uint8: a guided filter."""
    side = 2 * max(1, round(OUTLINE * height)) + 1
    grey = guide.astype(np.float32) / 255

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (side, side))

    grey_mean, mean_probability = mean(grey), mean(probability)
    slope = (mean(grey * probability) - grey_mean * mean_probability) / (mean(grey * grey) - grey_mean**2 + EDGE)
    return np.asarray(mean(slope) * grey + mean(mean_probability - slope * grey_mean), np.float32)


def _in_frame(values: np.ndarray, move: np.ndarray | None, frame: Frame) -> np.ndarray:
    """Values of the steadied working frame, (h, w) float32, as those of the frame itself."""
    if move is not None:
        values = cv2.warpAffine(
            values, move, values.shape[1::-1], flags=cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    if values.shape == frame.shape[:2]:
        return values
    return cv2.resize(values, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
