"""The network and the background on one slider: how much each counts, for masks of crowds and of persons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.merging import truth_of_frame
from mpas_lite.course.widgets.pictures import DPI, LABEL, Place, add_key, add_picture, backdrop
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.refine.light import match_light
from mpas_lite.network.fusion import WEIGHT, StillScene, evidence, fused_masks
from mpas_lite.network.inference import Predictor
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.plots.overlays import mask_errors, overlay_parts
from mpas_lite.plots.palette import ERROR_COLORS
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST_SIDE = 480  # px: what can follow a slider
_SAYS = {"both": "sky", "the network alone": "orange", "the background alone": "purple"}
_KINDS = ("crowd", "person")


def fusion_explorer(
    net: MPASNet, video: Video | str | Path | np.ndarray, truth: str | Path | None = None, *, index: int = 0
) -> Explorer:
    """How much the background of a still camera counts beside the network.

    Parameters
    ----------
    net : MPASNet
    video : Video, str, Path or (T, H, W, 3) uint8 RGB
        Anything that `mpas_lite.read_video` takes, no larger than 480 px; the camera must stand still.
    truth : str or Path, optional
        Folder with ``crowd/`` and ``person/``, as rendered scenes have it. Without it there is no IoU.
    index : int
        0-based index of the frame.

    Returns
    -------
    Explorer
        Its callback takes ``weight`` (log-odds), ``masks`` (``"crowd"`` or ``"person"``) and ``asked`` (True: where the
        network sees people in the background's own picture, the background has no vote).

    Raises
    ------
    ValueError
        If the frames are too large, there is no such frame, or the clip's background cannot be told.
    """
    video = read_video(video)
    if max(video.shape) > LARGEST_SIDE:
        raise ValueError(
            f"Frames of {video.shape[1]}x{video.shape[0]} px are too large to follow a slider; {LARGEST_SIDE} at most."
        )
    frames = [frame for _, frame in video.frames([index])]
    if not frames:
        raise ValueError(f"The video has no frame {index}.")
    predictor = Predictor.of(net, None, "cpu")
    scene = predictor.still_scene(video)
    if scene is None:
        raise ValueError("The background of this clip cannot be told, so there is nothing to weigh.")
    probability = predictor(predictor.prepare(frames), video.shape)[0]
    truths = {kind: truth_of_frame(video, Path(truth) / kind, index) for kind in _KINDS} if truth else {}
    return Explorer(
        _controls(),
        _callback(frames[0], probability, scene, truths),
        alt="Left, what the network takes for people and what differs from the background. Right, the mask of both.",
    )


def _controls() -> dict[str, Any]:
    import ipywidgets

    text = "weight of the background  [log-odds; 0: it counts nothing]"
    return {
        "weight": slider(ipywidgets.FloatSlider, text, min=0.0, max=12.0, step=0.5, value=WEIGHT),
        "masks": slider(ipywidgets.Dropdown, "masks of", options=[("the crowd", "crowd"), ("persons", "person")]),
        "asked": ipywidgets.Checkbox(
            value=True, description="the network is asked about the background's picture", indent=False
        ),
    }


def _callback(
    frame: Frame, probability: np.ndarray, scene: StillScene, truths: Mapping[str, tuple[Mask | None, Mask | None]]
) -> Any:
    """Return the pure function from the controls' values to figure and line."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    faded = cv2.cvtColor((grey * 0.6 + 255 * 0.4).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    fresh, right, above = _left_half(faded, _who_says(frame, probability, scene), truth=bool(truths))
    scenes = {True: scene, False: replace(scene, vote=scene.background.known.astype(np.float32))}

    def draw(weight: float, masks: Any, asked: bool) -> tuple[Figure, str]:
        mask = fused_masks(probability, frame, scenes[asked], (masks,), weight=weight)[masks]
        figure = fresh()[0]
        line = f"The mask covers <b>{100 * mask.mean():.1f} %</b> of the frame"
        target, valid = truths.get(masks, (None, None))
        parts, colors, title = {"mask": mask}, {"mask": "sky"}, "mask of both"
        if target is not None:
            score = iou(mask, target, valid)
            parts, colors = mask_errors(mask, target, valid), ERROR_COLORS
            title = f"against the truth: IoU {score:.3f}"
            line += (
                f"; IoU with the ground truth of {'the crowd' if masks == 'crowd' else 'persons'}: <b>{score:.3f}</b>"
            )
        add_picture(figure, overlay_parts(faded, parts, colors), right)
        figure.text(right[0] + right[2] / 2, above, title, fontsize=LABEL, ha="center")
        return figure, f"<p style='font-size:1.15em'>{line}.</p>"

    return draw


def _who_says(frame: Frame, probability: np.ndarray, scene: StillScene) -> dict[str, Mask]:
    """Where each takes somebody to be."""
    network = probability > 0.5
    differs = evidence(match_light(frame, scene.background.image), scene.background) > 0
    said = (network & differs, network & ~differs, differs & ~network)
    return dict(zip(_SAYS, said, strict=True))


def _left_half(
    faded: Frame, parts: Mapping[str, Mask], *, truth: bool
) -> tuple[Callable[[], tuple[Figure, list[Axes]]], Place, float]:
    """A figure with all that no control changes, the place of the right picture, and where its title stands."""
    from matplotlib.figure import Figure

    tall = min(4.6 * faded.shape[0] / faded.shape[1], 3.6) + 0.75  # inch
    still = Figure(figsize=(9.6, tall), dpi=DPI)
    bottom, height = 0.4 / tall, 1 - 0.75 / tall
    above = bottom + height + 0.012
    left: Place = (0.005, bottom, 0.485, height)
    add_picture(still, overlay_parts(faded, parts, _SAYS), left)
    still.text(0.2475, above, "who says that somebody is there", fontsize=LABEL, ha="center")
    add_key(still, 0.005, 0.03, _SAYS)
    if truth:
        add_key(still, 0.6, 0.03, ERROR_COLORS)
    return backdrop(still), (0.505, bottom, 0.485, height), above
