"""Every step of the refinement on a control: what a label keeps, what it throws away, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.merging import truth_of_frame
from mpas_lite.course.widgets.pictures import DPI, LABEL, Place, add_key, add_picture, backdrop
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.frames import LabelledFrame, label_frames
from mpas_lite.labels.refine.background_model import Background
from mpas_lite.labels.refine.foreground import foreground_mask, shadows
from mpas_lite.labels.refine.light import match_light
from mpas_lite.labels.refine.other_movers import not_crowd
from mpas_lite.labels.refine.outline import close_gaps, distance_to, wide_regions
from mpas_lite.labels.refine.person_size import local_height
from mpas_lite.labels.refine.pipeline import seed_mask
from mpas_lite.labels.refine.pixels import largest, smooth
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.standing import Look, propagate_static
from mpas_lite.labels.refine.survey import FrameSampler, Survey, survey_clip
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.plots.overlays import mask_errors, overlay_parts
from mpas_lite.plots.palette import ERROR_COLORS
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST_SIDE = 480  # px: what can follow a slider
_WHY = {"label": "sky", "one who stands": "green", "shadow": "purple", "no circle near": "yellow", "no crowd": "orange"}
_SHORT = {"one who stands": "stands", "no circle near": "no circle"}  # beneath a picture


def refinement_explorer(
    video: Video | str | Path | np.ndarray,
    truth: np.ndarray | str | Path | None = None,
    *,
    index: int = 0,
    settings: LabelSettings | None = None,
) -> Explorer:
    """Every step of the refinement on a control: what it keeps, what it throws away and why, and if that was right.

    The clip is labelled and surveyed once, here; as `mpas_lite.refine_clip` does, but it must be no larger than the
    refinement's working size of 480 px, and the camera must stand still.

    Parameters
    ----------
    video : Video, str, Path or (T, H, W, 3) uint8 RGB
        Anything that `mpas_lite.read_video` takes.
    truth : (H, W) bool, or folder of ground truth, optional
        The frame's ground truth; in a folder it is found by the frame's number. Without it there is no IoU.
    index : int
        0-based index of the frame, one of those kept: a multiple of ``settings.every``.
    settings : LabelSettings, optional
        Of the particles and circles; by default those of ``mpas-lite run``, one frame in 10.

    Returns
    -------
    Explorer
        Its callback takes ``low`` (standard deviations of the noise), ``reach`` and ``closing`` (heights of a
        person) and, as True or False, ``shadows``, ``standing``, ``perspective`` and ``not_crowd``.

    Raises
    ------
    ValueError
        If the frame is not kept, is too large, or the clip's background cannot be told.
    """
    video = read_video(video)
    if max(video.shape) > LARGEST_SIDE:
        raise ValueError(
            f"Frames of {video.shape[1]}x{video.shape[0]} px are too large to follow a slider; {LARGEST_SIDE} at most."
        )
    settings = settings or LabelSettings.ours(every=10)
    labelled = list(label_frames(video, settings))
    indices = [one.index for one in labelled]
    if index not in indices:
        raise ValueError(f"Frame {index} is not kept; choose one of {', '.join(map(str, indices))}.")
    clip = _look_through(video, labelled)
    target, valid = truth_of_frame(video, truth, index)
    return Explorer(
        _controls(),
        _callback(clip, indices.index(index), target, valid),
        alt=(
            "Left, what differs from the background, coloured by why it is labelled or not. "
            "Right, the label on the frame."
        ),
    )


def _controls() -> dict[str, Any]:
    """A slider for each number of the refinement, a box for each step that can be left out."""
    import ipywidgets

    usual = Refinement()
    controls: dict[str, Any] = {}
    for name, text, low, high, step in (
        ("low", "threshold  [standard deviations of the noise]", 2.0, 40.0, 1.0),
        ("reach", "reach of the circles  [heights of a person]", 0.1, 3.0, 0.1),
        ("closing", "gaps closed  [heights of a person]", 0.0, 0.6, 0.02),
    ):
        real = ipywidgets.FloatSlider
        controls[name] = slider(real, text, min=low, max=high, step=step, value=getattr(usual, name))
    for name, text in (
        ("shadows", "shadows taken out"),
        ("standing", "those who stand keep their label"),
        ("perspective", "heights grow towards the camera"),
        ("not_crowd", "vehicles and swaying taken out"),
    ):
        controls[name] = ipywidgets.Checkbox(value=True, description=text, indent=False)
    return controls


@dataclass(frozen=True)
class _Kept:
    """What a kept frame says whatever the controls say: its picture in the background's light, and its particles."""

    picture: np.ndarray
    near: np.ndarray  # px to the nearest particle of a group
    shadow: np.ndarray
    change: np.ndarray  # grey levels since the kept frame before
    position: np.ndarray
    velocity: np.ndarray


@dataclass(frozen=True)
class _Clip:
    """What a clip says whatever the controls say; surveys by whether there is perspective, and shadows count."""

    kept: Sequence[_Kept]
    surveys: Mapping[tuple[bool, bool], Survey]
    background: Background


def _look_through(video: Video, labelled: Sequence[LabelledFrame]) -> _Clip:
    """Survey a clip in every way that the controls ask for, and look at each kept frame."""
    spread = FrameSampler()
    for _, frame in video:
        spread.add(frame)
    found = [(one.particles, one.labels) for one in labelled]
    surveys = {
        (perspective, dark): survey_clip(spread.frames, found, Refinement(perspective=perspective, shadows=dark))
        for perspective in (True, False)
        for dark in (True, False)
    }
    background = surveys[True, True].background
    if background is None:
        raise ValueError(" ".join(surveys[True, True].notes))
    kept: list[_Kept] = []
    for one in labelled:
        picture = match_light(one.frame, background.image)
        crowd = one.labels > 0
        position, velocity = one.particles.position[crowd], one.particles.velocity[crowd]
        near = distance_to(position, picture.shape[:2])
        before = kept[-1].picture if kept else picture
        change = largest(cv2.absdiff(smooth(picture), smooth(before)))
        kept.append(_Kept(picture, near, shadows(picture, background), change, position, velocity))
    return _Clip(kept, surveys, background)


def _explainer(clip: _Clip, at: int) -> Callable[..., tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Return the pure function from the controls' values to frame ``at``'s label, and to parts of the frame by why."""
    kept, background, shape = clip.kept, clip.background, clip.background.image.shape[:2]
    circles = [frame.near <= shape[0] / 60 for frame in kept]  # where the background is not known, they stay

    @lru_cache(maxsize=130)
    def standing_out(n: int, low: float, dark: bool, perspective: bool, drop: bool) -> tuple[np.ndarray, ...]:
        """What is shadow in frame n, what stands before the background, and what of it is no crowd."""
        frame, survey = kept[n], clip.surveys[perspective, dark]
        differs = foreground_mask(frame.picture, background, low=low, high=2 * low)
        shadow = differs & frame.shadow if dark else np.zeros(shape, bool)
        stands, other = differs & ~shadow, np.zeros(shape, bool)
        if drop:
            other = not_crowd(stands, frame.position, frame.velocity, survey.person, survey.speed, survey.sways)
        return shadow, stands, other

    def explain(
        low: float, reach: float, closing: float, shadows: bool, standing: bool, perspective: bool, not_crowd: bool
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        tall = local_height(clip.surveys[perspective, shadows].person, shape)

        def look(n: int) -> Look:
            _, stands, other = standing_out(n, low, shadows, perspective, not_crowd)
            near = (kept[n].near <= reach * tall) | wide_regions(stands, kept[n].position, tall)
            seed = seed_mask(stands, near & ~other, background.known, circles[n])
            return Look(seed, stands, kept[n].change <= low * background.tolerance)

        seed = label = look(at).seed
        if standing:
            label = next(islice(propagate_static([look(n) for n in range(len(kept))]), at, None))
        mask = close_gaps(label, tall, closing)
        shadow, stands, other = standing_out(at, low, shadows, perspective, not_crowd)
        near = (kept[at].near <= reach * tall) | wide_regions(stands, kept[at].position, tall)
        stood = label & ~seed
        return mask, {
            "no circle near": stands & ~near & ~mask,
            "no crowd": stands & near & other & ~mask,
            "shadow": shadow & near & ~mask,
            "label": mask & ~stood,
            "one who stands": mask & stood,
        }

    return explain


def _callback(clip: _Clip, at: int, target: np.ndarray | None, valid: np.ndarray | None) -> Any:
    """Return the pure function from the controls' values to figure and line."""
    picture = clip.kept[at].picture
    fresh, halves, above = _two_halves(picture.shape, truth=target is not None)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    faded = cv2.cvtColor((grey * 0.6 + 255 * 0.4).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    explain = _explainer(clip, at)

    def draw(**values: Any) -> tuple[Figure, str]:
        mask, parts = explain(**values)
        figure = fresh()[0]
        add_picture(figure, overlay_parts(faded, parts, _WHY), halves[0])
        line = f"The label covers <b>{100 * mask.mean():.1f} %</b> of the frame"
        if target is None:
            title, right = "label", {"label": mask}
        else:
            score = iou(mask, target, valid)
            right = mask_errors(mask, target, valid)
            title = f"against the truth: IoU {score:.3f}"
            line += f"; IoU with the ground truth: <b>{score:.3f}</b>"
        add_picture(figure, overlay_parts(faded, right, {**_WHY, **ERROR_COLORS}), halves[1])
        figure.text(halves[1][0] + halves[1][2] / 2, above, title, fontsize=LABEL, ha="center")
        return figure, f"<p style='font-size:1.15em'>{line}.</p>"

    return draw


def _two_halves(
    shape: tuple[int, ...], *, truth: bool
) -> tuple[Callable[[], tuple[Figure, list[Axes]]], tuple[Place, Place], float]:
    """A figure with keys and the left title, the places of its two pictures, and where titles stand."""
    from matplotlib.figure import Figure

    tall = min(4.6 * shape[0] / shape[1], 3.6) + 0.75  # inch
    still = Figure(figsize=(9.6, tall), dpi=DPI)
    bottom, height = 0.4 / tall, 1 - 0.75 / tall
    above = bottom + height + 0.012
    halves: tuple[Place, Place] = ((0.005, bottom, 0.485, height), (0.505, bottom, 0.485, height))
    still.text(0.2475, above, "what differs from the background", fontsize=LABEL, ha="center")
    add_key(still, 0.005, 0.03, {_SHORT.get(name, name): color for name, color in _WHY.items()})
    if truth:
        add_key(still, 0.6, 0.03, ERROR_COLORS)
    return backdrop(still), halves, above
