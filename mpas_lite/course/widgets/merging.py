"""From particles to a pseudo-label, with every parameter on a slider (notebook 04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import add_key, add_picture, backdrop
from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.merging import collective_merging
from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.circles import circular_region_merging
from mpas_lite.motion.klt import Particles, particles_of_window
from mpas_lite.plots.axes import name_region
from mpas_lite.plots.overlays import fade_to_white, mask_errors, overlay_parts
from mpas_lite.plots.palette import ERROR_COLORS, PALETTE
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GROUPS = {"orange": "o", "sky": "s", "green": "^", "purple": "D", "blue": "v", "vermillion": "*", "yellow": "P"}
_SHOWN = 400  # px: a frame that is larger is thinned out for the picture, not for the mathematics


def merging_explorer(
    video: Video | str | Path | np.ndarray,
    truth: np.ndarray | str | Path | None = None,
    *,
    index: int = 0,
    interval: int = 5,
    max_corners: int = 1000,
    min_speed: float = 0.2,
    radius: int = 20,
    sliders: Sequence[str] | None = None,
) -> Explorer:
    """Sliders for K, z, threshold, radius and smallest group; particles and pseudo-label of one frame.

    The frame is tracked once, here; the crowd graph is kept for every K that has been asked for.

    Parameters
    ----------
    video : Video, str, Path or (T, H, W, 3) uint8 RGB
        Anything that `mpas_lite.read_video` takes.
    truth : (H, W) bool, or folder of ground truth, optional
        The frame's ground truth; in a folder it is found by the frame's number. Without it there is no IoU.
    index : int
        0-based index of the frame; ``interval`` frames must follow it.
    interval, max_corners, min_speed
        See `mpas_lite.track`. With more than 1,000 corners the sliders become slow.
    radius : int
        Of the discs at first, px.
    sliders : sequence of str, optional
        Only these: names of the callback's arguments. The others keep their first values.

    Returns
    -------
    Explorer
        Its callback takes ``k``, ``z_times_k``, ``threshold``, ``radius`` (px) and ``min_size``.

    Raises
    ------
    ValueError
        If the video ends before the window of frames does, or the truth does not fit the frame.
    """
    import ipywidgets

    video = read_video(video)
    frames = [frame for _, frame in video.frames(range(index, index + interval + 1))]
    if len(frames) <= interval:
        raise ValueError(
            f"{video.source} ends before frame {index + interval}; choose an index from 0 to "
            f"{max(len(video) - interval - 1, 0)}."
        )
    particles = particles_of_window(frames, index, max_corners=max_corners, min_speed=min_speed)
    target, valid = truth_of_frame(video, truth, index)
    if target is not None and target.shape != frames[0].shape[:2]:
        raise ValueError(
            f"The truth is {target.shape} and the frame {frames[0].shape[:2]} (rows, columns). "
            "They must be of one size."
        )

    whole, real = ipywidgets.IntSlider, ipywidgets.FloatSlider
    controls = {
        "k": slider(whole, "K  neighbours of each particle [number]", min=1, max=40, value=20),
        "z_times_k": slider(real, "zK  damping z [multiple of 1/K]", min=0.05, max=0.95, step=0.05, value=0.5),
        "threshold": slider(real, "threshold of a link [multiple of κ]", min=0.05, max=1.0, step=0.05, value=0.6),
        "radius": slider(whole, "r  radius of the discs [px]", min=1, max=40, value=radius),
        "min_size": slider(whole, "smallest group [particles]", min=1, max=60, value=10),
    }
    shown = {name: control for name, control in controls.items() if sliders is None or name in sliders}
    fixed = {name: control.value for name, control in controls.items() if name not in shown}
    return Explorer(
        shown,
        partial(_callback(frames[0], particles, target, valid), **fixed),
        alt=(
            "Left, particles in the colours of their groups, with arrows where they go. "
            "Right, the pseudo-label on the frame."
        ),
    )


def truth_of_frame(
    video: Video, truth: np.ndarray | str | Path | None, index: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Target and valid pixels of a frame, (H, W) bool each; None where there is no truth, or all pixels are valid."""
    if truth is None:
        return None, None
    if isinstance(truth, np.ndarray):
        return truth.astype(bool), None
    files = truth_of(video, truth)
    if index not in files:
        near = sorted(files, key=lambda known: abs(known - index))[:4]
        raise ValueError(f"{truth} has no ground truth of frame {index}; the nearest it has: {sorted(near)}.")
    return read_ground_truth(files[index])


def _callback(frame: np.ndarray, particles: Particles, target: np.ndarray | None, valid: np.ndarray | None) -> Any:
    """Return the pure function from slider values to figure and line; what no slider changes is done here."""
    n, shape = len(particles), (frame.shape[0], frame.shape[1])
    thin = -(-max(shape) // _SHOWN)
    faded = fade_to_white(frame[::thin, ::thin], 0.4)
    fresh, half = _backdrop(faded)

    @lru_cache(maxsize=64)
    def graph(k: int) -> Any:
        return crowd_graph(particles.position, particles.velocity, k)

    def draw(k: int, z_times_k: float, threshold: float, radius: float, min_size: int) -> tuple[Figure, str]:
        z = z_times_k / max(min(k, n - 1), 1)  # a frame of few particles has fewer neighbours than K
        labels = collective_merging(graph(k), z, threshold=threshold, min_size=min_size)
        mask = circular_region_merging(particles.position[labels > 0], radius, shape)
        kept, groups = int((labels > 0).sum()), int(labels.max(initial=0))
        line = f"{n} particles, {kept} kept in {groups} group{'s'[: groups != 1]}; "
        line += f"the pseudo-label covers {100 * mask.mean():.0f} % of the frame"
        if target is None:
            title, parts = "pseudo-label", {"pseudo-label": mask}
        else:
            score = iou(mask, target, valid)
            line += f"; <b>IoU with the ground truth: {score:.3f}</b>"
            title, parts = f"pseudo-label, IoU {score:.3f}", mask_errors(mask, target, valid)
        figure, (ax,) = fresh()
        _draw_groups(ax, particles, labels, thin)
        ax.set_title(f"{groups} groups of particles", fontsize=13, pad=4, y=1)
        left, bottom, width, height = half
        tinted = overlay_parts(faded, {name: part[::thin, ::thin] for name, part in parts.items()}, ERROR_COLORS)
        add_picture(figure, tinted, (left + 0.5, bottom, width, height))
        figure.text(left + 0.5 + width / 2, bottom + height + 0.012, title, fontsize=13, ha="center")
        add_key(figure, 0.515, 0.03, {name: ERROR_COLORS.get(name, "orange") for name in parts})
        return figure, f"<p style='font-size:1.15em'>{line}</p>"

    return draw


def _backdrop(picture: np.ndarray) -> Any:
    """What makes wide figures with the frame on the left half and a key of the groups beneath; and that half."""
    from matplotlib.figure import Figure

    height, width = picture.shape[:2]
    still = Figure(figsize=(9.6, min(4.6 * height / width, 4) + 0.75), dpi=80)
    ax = _picture(still, 0, picture, "")
    add_key(still, 0.01, 0.03, {"largest group": "orange", "second": "sky", "third": "green"}, marks="●■▲")
    still.text(0.4, 0.03, "x  dropped", fontsize=12)
    return backdrop(still, [ax]), ax.get_position(original=True).bounds


def _draw_groups(ax: Axes, particles: Particles, labels: np.ndarray, thin: int) -> None:
    start = particles.position / thin
    end = start + particles.velocity * 10 / thin
    for rank, (name, mark) in enumerate(_GROUPS.items()):
        mine = (labels > 0) & ((labels - 1) % len(_GROUPS) == rank)
        if mine.any():  # all arrows of a colour as one line with gaps: a tenth of the time that arrows take
            paths = np.stack([start[mine], end[mine], np.full_like(end[mine], np.nan)], axis=1).reshape(-1, 2)
            ax.plot(*paths.T, color=PALETTE[name], linewidth=1.2)
            ax.plot(*start[mine].T, mark, color=PALETTE[name], markersize=3.5, markeredgecolor="black", mew=0.4)
    ax.plot(*start[labels == 0].T, "x", color="black", markersize=4, mew=0.8)


def _picture(figure: Figure, half: int, picture: np.ndarray, title: str) -> Axes:
    """Show a picture in the left (0) or right (1) half, without ticks."""
    height, width = picture.shape[:2]
    bottom = 0.4 / figure.get_figheight()
    ax = figure.add_axes((0.005 + half / 2, bottom, 0.485, 1 - bottom - 0.35 / figure.get_figheight()))
    ax.imshow(picture, interpolation="nearest")
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
    ax.set_title(title, fontsize=13, pad=4)
    return ax


def plot_parts(
    frame: np.ndarray, parts: Mapping[str, np.ndarray], ax: Axes, *, colors: Sequence[str] | None = None
) -> Axes:
    """Tint several regions of a frame, each in a colour and pattern of its own, with a legend beneath.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    parts : dict of (H, W) bool
        By name; a later one covers an earlier one.
    ax : Axes
    colors : names of `mpas_lite.plots.PALETTE`, optional
        One for each part.

    Raises
    ------
    ValueError
        If there is not one colour for each part.
    """
    names = list(list(_GROUPS)[: len(parts)] if colors is None else colors)
    if len(names) != len(parts):
        raise ValueError(f"{len(parts)} parts need as many colours, not {len(names)}.")
    color_of = dict(zip(parts, names, strict=True))
    ax.imshow(overlay_parts(fade_to_white(frame, 0.4), parts, color_of), interpolation="bilinear")
    for name, color in color_of.items():
        name_region(ax, name, color)
    ax.set(xticks=[], yticks=[])
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=2, fontsize=13, frameon=False, handletextpad=0.3)
    return ax
