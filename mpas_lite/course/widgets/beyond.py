"""Labels beyond the paper: one place over time, and every step of the refinement on a control (notebook 07)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.merging import truth_of_frame
from mpas_lite.course.widgets.pictures import Place, add_key, add_picture, backdrop
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.frames import label_frames
from mpas_lite.labels.refine.background import densest_value
from mpas_lite.labels.refine.background_model import Background
from mpas_lite.labels.refine.foreground import foreground_mask, shadows
from mpas_lite.labels.refine.light import match_light
from mpas_lite.labels.refine.not_crowd import vehicles
from mpas_lite.labels.refine.outline import close_gaps, distance_to
from mpas_lite.labels.refine.person_size import local_height
from mpas_lite.labels.refine.pixels import largest, smooth
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import FrameSampler, Survey, survey_clip
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.plots.overlays import mask_errors, overlay_parts
from mpas_lite.plots.palette import ERROR_COLORS, PALETTE
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUND = 120  # grey level of the place that `place_explorer` looks at
_WHY = {"label": "sky", "one who stands": "green", "shadow": "purple", "no circle near": "yellow", "no crowd": "orange"}
_SHORT = {"one who stands": "stands", "no circle near": "no circle"}  # beneath a picture


def place_explorer() -> Explorer:
    """Sliders for one place of the picture: how often people cover it, and how different they are from each other.

    Returns
    -------
    Explorer
        Its callback takes ``covered`` (share of the time), ``variety`` (standard deviation of the people's grey
        levels), ``samples`` (frames) and ``part`` (of `mpas_lite.labels.refine.background.densest_value`).
    """
    import ipywidgets

    whole, real = ipywidgets.IntSlider, ipywidgets.FloatSlider
    controls = {
        "covered": slider(real, "covered by people  [share of the time]", min=0.0, max=0.95, step=0.05, value=0.6),
        "variety": slider(whole, "variety of their clothes  [grey levels]", min=0, max=60, step=5, value=50),
        "samples": slider(whole, "samples of the clip  [frames]", min=8, max=64, step=4, value=32),
        "part": slider(real, "part of the samples that must agree", min=0.15, max=0.95, step=0.05, value=0.45),
    }
    return Explorer(controls, _place)


def place_samples(covered: float, variety: float, samples: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels of one place over time, and when people cover it; the same for the same arguments.

    The ground is 120 with noise of 2; a person is 60 on the average, and stays for some three samples.

    Returns
    -------
    value : (samples,) uint8
    person : (samples,) bool

    Examples
    --------
    >>> value, person = place_samples(0.25, 50, 32)
    >>> int(person.sum()), abs(float(np.median(value[~person])) - 120) < 2
    (8, True)
    """
    rng = np.random.default_rng(seed)
    person = np.zeros(samples, bool)
    left, order = round(covered * samples), rng.permutation(samples)
    person[order[:left]] = True
    wear = 60 + variety * rng.standard_normal(64)
    value = np.where(person, wear[np.arange(samples) // 3], GROUND) + 2 * rng.standard_normal(samples)
    return np.clip(np.rint(value), 0, 255).astype(np.uint8), person


@lru_cache(maxsize=1)
def _place_backdrop() -> Callable[[], tuple[Figure, list[Axes]]]:
    """Axes and key of the picture of a place."""
    from matplotlib.figure import Figure

    still = Figure(figsize=(9.4, 4.0), dpi=80)
    ax = still.add_axes((0.09, 0.16, 0.66, 0.8), xlim=(0, 100), ylim=(0, 255), yticks=[0, 60, GROUND, 180, 240])
    ax.set_xlabel("time (% of the clip)", fontsize=13)
    ax.set_ylabel("grey level", fontsize=13)
    keys = (
        ("ground", "o", "sky"),
        ("person", "x", "vermillion"),
        ("median", "--", "orange"),
        ("densest value", "-", "blue"),
    )
    for name, style, color in keys:
        ax.plot([], [], style, color=PALETTE[color], linewidth=3, markersize=7, mew=1.5, label=name)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=13)
    return backdrop(still, [ax])


def _place(covered: float, variety: float, samples: int, part: float) -> tuple[Figure, str]:
    value, person = place_samples(covered, variety, samples)
    median, densest = float(np.median(value)), int(densest_value(value, part=part))
    figure, (ax,) = _place_backdrop()()
    time = 100 * (np.arange(samples) + 0.5) / samples
    ax.plot(time[~person], value[~person], "o", color=PALETTE["sky"], markersize=7, markeredgecolor="black", mew=0.6)
    ax.plot(time[person], value[person], "x", color=PALETTE["vermillion"], markersize=7, mew=2)
    ax.axhline(median, color=PALETTE["orange"], linestyle="--", linewidth=3)
    ax.axhline(densest, color=PALETTE["blue"], linewidth=3)
    line = (
        f"People cover the place in {int(person.sum())} of {samples} samples. Wrong by: "
        f"median <b>{abs(median - GROUND):.0f}</b>, densest value <b>{abs(densest - GROUND):.0f}</b> grey levels."
    )
    return figure, f"<p style='font-size:1.15em'>{line}</p>"


@dataclass(frozen=True)
class _Kept:
    """What a kept frame says whatever the controls say: its picture in the background's light, and its particles."""

    picture: np.ndarray
    near: np.ndarray  # px to the nearest particle of a group
    shadow: np.ndarray
    change: np.ndarray  # grey levels since the kept frame before
    position: np.ndarray
    velocity: np.ndarray


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
    video : anything `mpas_lite.read_video` takes
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
    import ipywidgets

    video = read_video(video)
    if max(video.shape) > 480:
        raise ValueError(
            f"Frames of {video.shape[1]}x{video.shape[0]} px are too large to follow a slider; 480 at most."
        )
    settings = settings or LabelSettings(every=10, radius=1 / 60, quality=0.02, min_distance=2.0)
    spread = FrameSampler()
    for _, frame in video:
        spread.add(frame)
    labelled = list(label_frames(video, settings))
    indices = [one.index for one in labelled]
    if index not in indices:
        raise ValueError(f"Frame {index} is not kept; choose one of {', '.join(map(str, indices))}.")
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
    target, valid = truth_of_frame(video, truth, index)

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
    return Explorer(controls, _callback(kept, surveys, background, indices.index(index), target, valid))


def _callback(
    kept: Sequence[_Kept],
    surveys: Mapping[tuple[bool, bool], Survey],
    background: Background,
    at: int,
    target: np.ndarray | None,
    valid: np.ndarray | None,
) -> Any:
    """Return the pure function from the controls' values to figure and line."""
    shape = background.image.shape[:2]
    grey = cv2.cvtColor(kept[at].picture, cv2.COLOR_RGB2GRAY)
    fresh, halves, above = _two_halves(shape, truth=target is not None)
    faded = cv2.cvtColor((grey * 0.6 + 255 * 0.4).astype(np.uint8), cv2.COLOR_GRAY2RGB)

    @lru_cache(maxsize=130)
    def standing_out(n: int, low: float, dark: bool, perspective: bool, not_crowd: bool) -> tuple[np.ndarray, ...]:
        """What is shadow in frame n, what stands before the background, and what of it is no crowd."""
        frame, survey = kept[n], surveys[perspective, dark]
        differs = foreground_mask(frame.picture, background, low=low, high=2 * low)
        shadow = differs & frame.shadow if dark else np.zeros(shape, bool)
        stands = differs & ~shadow
        other = np.zeros(shape, bool)
        if not_crowd:
            other |= vehicles(stands, frame.position, frame.velocity, survey.person, survey.speed)
            if survey.sways is not None:
                other |= survey.sways
        return shadow, stands, other

    def draw(
        low: float, reach: float, closing: float, shadows: bool, standing: bool, perspective: bool, not_crowd: bool
    ) -> tuple[Figure, str]:
        tall = local_height(surveys[perspective, shadows].person, shape)

        def look(n: int) -> dict[str, np.ndarray]:
            """Everything in frame n that differs from the background, sorted by why it is kept or not."""
            shadow, stands, other = standing_out(n, low, shadows, perspective, not_crowd)
            near = kept[n].near <= reach * tall
            disc = kept[n].near <= shape[0] / 60  # where the background is not known, circles stay
            return {
                "seed": np.where(background.known, stands & near & ~other, disc),
                "foreground": stands,
                "shadow": shadow & near,
                "no circle near": stands & ~near,
                "no crowd": stands & near & other,
            }

        now = look(at)
        label = now["seed"]
        if standing:
            looks = [now if n == at else look(n) for n in range(len(kept))]
            label = _with_those_who_stand(looks, kept, at, low * background.noise)
        mask = close_gaps(label, tall, closing)
        parts = {name: now[name] & ~mask for name in ("no circle near", "no crowd", "shadow")}
        parts |= {"label": mask & ~(label & ~now["seed"]), "one who stands": mask & label & ~now["seed"]}
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
        figure.text(halves[1][0] + halves[1][2] / 2, above, title, fontsize=13, ha="center")
        return figure, f"<p style='font-size:1.15em'>{line}.</p>"

    return draw


def _two_halves(
    shape: tuple[int, ...], *, truth: bool
) -> tuple[Callable[[], tuple[Figure, list[Axes]]], tuple[Place, Place], float]:
    """A figure with keys and the left title, the places of its two pictures, and where titles stand."""
    from matplotlib.figure import Figure

    tall = min(4.6 * shape[0] / shape[1], 6) + 0.75  # inch
    still = Figure(figsize=(9.6, tall), dpi=80)
    bottom, height = 0.4 / tall, 1 - 0.75 / tall
    above = bottom + height + 0.012
    halves: tuple[Place, Place] = ((0.005, bottom, 0.485, height), (0.505, bottom, 0.485, height))
    still.text(0.2475, above, "what differs from the background", fontsize=13, ha="center")
    add_key(still, 0.005, 0.03, {_SHORT.get(name, name): color for name, color in _WHY.items()})
    if truth:
        add_key(still, 0.6, 0.03, ERROR_COLORS)
    return backdrop(still), halves, above


def _with_those_who_stand(
    looks: Sequence[Mapping[str, np.ndarray]], kept: Sequence[_Kept], at: int, tolerance: np.ndarray
) -> np.ndarray:
    """The label of frame ``at``, with what came to it from earlier and from later frames; see `labels.refine`."""
    passed = []
    for way in (range(at + 1), range(len(looks) - 1, at - 1, -1)):
        label = looks[way[0]]["seed"]
        for before, now in pairwise(way):
            same = kept[max(before, now)].change <= tolerance
            label = looks[now]["seed"] | (label & same & looks[now]["foreground"])
        passed.append(label)
    return passed[0] | passed[1]
