"""Which corners become particles, and how well their velocities fit the truth (notebook 01)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpas_lite.course.widgets.explorer import Explorer, slider
from mpas_lite.course.widgets.pictures import backdrop
from mpas_lite.motion.klt import find_corners, follow
from mpas_lite.plots.overlays import fade_to_white
from mpas_lite.plots.palette import PALETTE
from mpas_lite.scenes.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TOP = 3.0  # px/frame, the end of the speed axis


def true_velocity(scene: Scene, index: int, position: np.ndarray, interval: int) -> tuple[np.ndarray, np.ndarray]:
    """What velocity a point of a rendered scene ought to have: that of whom its pixel shows.

    Parameters
    ----------
    scene : Scene
        As `mpas_lite.render_scene` gives it.
    index : int
        0-based frame that the points belong to.
    position : (N, 2) float
        Points x, y in px, inside the picture.
    interval : int
        The velocity is the mean over so many frames.

    Returns
    -------
    velocity : (N, 2) float32
        Of the middle of the body, px/frame; (0, 0) on the background; NaN where it is not known, because that
        person's middle is, or by then will be, outside the picture.
    person : (N,) int
        Index of the person into the frame's ``ids``; -1 on the background.

    Raises
    ------
    ValueError
        If the scene ends before frame ``index + interval``.
    """
    if not 0 <= index < index + interval < len(scene):
        raise ValueError(f"The scene has {len(scene)} frames; frame {index + interval} is not among them.")
    pixel = np.rint(position).astype(int)
    person = scene.instance[index][pixel[:, 1], pixel[:, 0]].astype(int) - 1
    later = dict(zip(scene.ids[index + interval], scene.position[index + interval], strict=True))
    unknown = np.full(2, np.nan, np.float32)
    moved = [
        (later.get(number, unknown) - place) / interval
        for number, place in zip(scene.ids[index], scene.position[index], strict=True)
    ]
    half_outside = 255 - len(moved)  # people whose middle is outside have numbers, but no truth
    velocity_of = np.array([*moved, *[unknown] * half_outside, np.zeros(2)], np.float32)  # the last is for -1
    return velocity_of[person], person


def particles_explorer(scene: Scene, *, index: int = 20, longest: int = 10) -> Explorer:
    """Sliders for interval, least speed and largest drift; the particles they leave, and their errors.

    The corners are found and followed once, for every interval.

    Parameters
    ----------
    scene : Scene
    index : int
        0-based frame; ``longest`` frames must follow it.
    longest : int
        The right end of the slider for the interval.

    Returns
    -------
    Explorer
        Its callback takes ``interval`` (frames), ``min_speed`` (px/frame) and ``max_drift`` (px).

    Raises
    ------
    ValueError
        If the scene ends before frame ``index + longest``.
    """
    import ipywidgets

    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in scene.frames[index : index + longest + 1]]
    corners = find_corners(greys[0])
    runs = {}
    for interval in range(1, longest + 1):
        path, drift = follow(greys[: interval + 1], corners)
        truth, person = true_velocity(scene, index, corners, interval)
        runs[interval] = ((path[-1] - path[0]) / interval, drift, truth)
    whole, real = ipywidgets.IntSlider, ipywidgets.FloatSlider
    controls = {
        "interval": slider(whole, "interval  how long a corner is followed [frames]", min=1, max=longest, value=5),
        "min_speed": slider(real, "least speed [px/frame]", min=0.0, max=1.0, step=0.05, value=0.2),
        "max_drift": slider(real, "largest drift, there and back [px]", min=0.05, max=3.0, step=0.05, value=1.0),
    }
    return Explorer(
        controls,
        _callback(scene.frames[index], corners, person >= 0, runs),
        alt="Left, the corners on the frame: on people, elsewhere, dropped. Right, measured over true speed.",
    )


def _callback(frame: np.ndarray, corners: np.ndarray, on_person: np.ndarray, runs: Mapping[int, Any]) -> Any:
    """Return the pure function from slider values to figure and line."""
    from matplotlib.figure import Figure

    still = Figure(figsize=(9.6, 4.3), dpi=80)
    picture = still.add_axes((0.005, 0.13, 0.52, 0.78))
    _show_faded(frame, picture)
    speeds = still.add_axes((0.615, 0.16, 0.37, 0.75), xlim=(0, _TOP), ylim=(0, _TOP))
    speeds.plot([0, _TOP], [0, _TOP], color="black", linewidth=1)
    speeds.set_title("speed of particles on people", fontsize=13)
    speeds.set_xlabel("true (px/frame)", fontsize=12)
    speeds.set_ylabel("measured (px/frame)", fontsize=12)
    speeds.tick_params(labelsize=11)
    fresh = backdrop(still, [picture, speeds])

    def draw(interval: int, min_speed: float, max_drift: float) -> tuple[Figure, str]:
        velocity, drift, truth = runs[interval]
        speed, true_speed = np.linalg.norm(velocity, axis=1), np.linalg.norm(truth, axis=1)
        kept = (drift <= max_drift) & (speed >= min_speed)
        error = np.linalg.norm(velocity - truth, axis=1)[kept & on_person]
        error = error[np.isfinite(error)]
        figure, (left, right) = fresh()
        groups = {
            "on people": corners[kept & on_person],
            "elsewhere": corners[kept & ~on_person],
            "dropped": corners[~kept],
        }
        _mark(groups, left, size=4)
        left.set_title(f"{kept.sum()} particles of {len(kept)} corners", fontsize=13, y=1)
        shown = kept & on_person
        right.plot(true_speed[shown], speed[shown], "o", color=PALETTE["blue"], markersize=4, alpha=0.5)
        share = (
            f"{100 * (kept & on_person).sum() / kept.sum():.0f} % of them on people" if kept.any() else "none at all"
        )
        off = f"{np.median(error):.3f} px/frame" if error.size else "not defined: no particle is on a person"
        line = f"{kept.sum()} particles, {share}; <b>median error of their velocity: {off}</b>"
        return figure, f"<p style='font-size:1.15em'>{line}</p>"

    return draw


def plot_points(frame: np.ndarray, groups: Mapping[str, np.ndarray], ax: Axes, *, size: float = 5) -> Axes:
    """Mark groups of points on a frame, with a legend beneath: blue discs, vermillion triangles, then grey crosses.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    groups : dict of (N, 2) float, up to three
        Points x, y in px by the name of their group.
    ax : Axes
    size : float
        Of a mark, in points.
    """
    _show_faded(frame, ax)
    _mark(groups, ax, size)
    return ax


def _show_faded(frame: np.ndarray, ax: Axes) -> None:
    height, width = frame.shape[:2]
    ax.imshow(fade_to_white(frame, 0.5), interpolation="bilinear")
    ax.set(xticks=[], yticks=[], xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def _mark(groups: Mapping[str, np.ndarray], ax: Axes, size: float) -> None:
    looks = (("o", "blue"), ("^", "vermillion"), ("x", "grey"))
    for (name, points), (mark, color) in reversed(list(zip(groups.items(), looks, strict=False))):
        edge = PALETTE[color] if mark == "x" else "white"
        label = f"{name} ({len(points)})"
        ax.plot(*points.T, mark, color=PALETTE[color], markersize=size, markeredgecolor=edge, mew=0.7, label=label)
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=3,
        fontsize=12,
        frameon=False,
        columnspacing=1.0,
        handletextpad=0.1,
        reverse=True,
        markerscale=2,
    )
