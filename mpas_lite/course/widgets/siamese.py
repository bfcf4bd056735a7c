"""Notebook 06: the network as a picture with shapes, masks that evolve, and features under another light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mpas_lite.course.widgets.explorer import Explorer, slider, value_slider
from mpas_lite.course.widgets.pictures import Place, add_key, add_picture, backdrop
from mpas_lite.evaluation.scores import iou
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.plots.overlays import overlay, overlay_errors
from mpas_lite.plots.palette import ERROR_COLORS, INK, ORANGE, PALETTE
from mpas_lite.training.pairs import as_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Two masks of one network, neither of them the truth, in the colours of hit, miss and false alarm.
IN_LIGHT = dict(zip(("in both lights", "lost", "new"), ERROR_COLORS.values(), strict=True))


def shapes_of(net: MPASNet, x: Tensor) -> dict[str, tuple[int, ...]]:
    """Shapes, without the batch, of everything that a frame becomes on its way through the network.

    Parameters
    ----------
    net : MPASNet
        In eval mode.
    x : (1, 3, H, W) float in [0, 1]

    Returns
    -------
    dict
        ``x``, ``F`` (the encoder's maps), ``psi``, ``head`` and ``prob``.

    Examples
    --------
    >>> shapes_of(MPASNet("test_efficientnet").eval(), torch.zeros(1, 3, 64, 96))["F"]
    (168, 16, 24)
    """
    with torch.inference_mode():
        f = net.encode(x)
        psi = net.psi(f)
        steps = {"x": x, "F": f, "psi": psi, "head": net.head(psi), "prob": net(x)}
    return {name: tuple(step.shape[1:]) for name, step in steps.items()}


def draw_network(shapes: Mapping[str, tuple[int, ...]]) -> Axes:
    """Draw Fig. 2 of the paper: both branches, their fusion, both losses, and what inference drops.

    Parameters
    ----------
    shapes : mapping
        As `shapes_of` returns it.
    """
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(13, 4.9), layout="constrained")
    ax.set(xlim=(-0.4, 13.6), ylim=(-0.7, 3.7))
    ax.axis("off")
    top, bottom, middle = 3.1, 0.8, 1.95
    size = {name: " x ".join(map(str, shape)) for name, shape in shapes.items()}
    for y, hat, dropped in ((top, "", False), (bottom, r"\hat", True)):
        _box(ax, 0.55, y, f"$x$\n{size['x']}" if not hat else "$\\hat{x}$\nother light", "white", dropped)
        _box(ax, 2.7, y, "encoder\nstrides 4 to 32", "sky", dropped)
        _box(ax, 4.85, y, f"${'F' if not hat else hat + '{F}'}$\n{size['F']}", "white", dropped)
        _box(ax, 7.0, y, f"$\\psi$: 1x1, norm, ReLU\n{size['psi']}", "orange", dropped, fontsize=10.5)
        for left, right in ((1.39, 1.86), (3.54, 4.01), (5.69, 6.16)):
            _arrow(ax, (left, y), (right, y), dropped)
    _box(ax, 9.15, middle, f"mean\n{size['psi']}", "white", False, width=1.35)
    _box(ax, 10.95, middle, f"head: 3x3\n{size['head']}", "orange", False, width=1.45)
    _box(ax, 12.75, middle, f"sigmoid\n{size['prob']}", "white", False, width=1.35)
    _arrow(ax, (7.85, top - 0.2), (8.75, middle + 0.5), False)
    _arrow(ax, (7.85, bottom + 0.2), (8.75, middle - 0.5), True)
    _arrow(ax, (9.83, middle), (10.2, middle), False)
    _arrow(ax, (11.68, middle), (12.05, middle), False)
    style = {"ha": "center", "va": "center", "fontsize": 14, "color": INK["vermillion"]}
    for x, name in ((2.7, "the same weights"), (7.0, "the same weights")):
        ax.text(x, middle, name, ha="center", va="center", fontsize=12, color=INK["blue"])
        for y, sign in ((top, -1), (bottom, 1)):
            ends = {"xy": (x, y + sign * 0.5), "xytext": (x, middle + sign * -0.2)}
            ax.annotate("", **ends, arrowprops={"arrowstyle": "-", "color": PALETTE["blue"], "linewidth": 1.5})
    ax.text(4.85, middle, "$L_{AIR}$", **style)
    for y, sign in ((top, -1), (bottom, 1)):
        ends = {"xy": (4.85, y + sign * 0.5), "xytext": (4.85, middle + sign * -0.2)}
        ax.annotate("", **ends, arrowprops={"arrowstyle": "->", "color": PALETTE["vermillion"], "linewidth": 2})
    ax.text(12.75, top + 0.3, "pseudo-label", ha="center", va="center", fontsize=13)
    ax.text(12.75, 2.9, "$L_{SEG}$", **style)
    for start, end in ((2.75, 2.42), (3.05, 3.28)):
        ends = {"xy": (12.75, end), "xytext": (12.75, start)}
        ax.annotate("", **ends, arrowprops={"arrowstyle": "->", "color": PALETTE["vermillion"], "linewidth": 2})
    ax.text(4.0, -0.45, "dashed: in training only; inference drops it", ha="center", fontsize=13, color="0.35")
    return ax


def _box(
    ax: Axes, x: float, y: float, text: str, color: str, dropped: bool, width: float = 1.6, fontsize: float = 12
) -> None:
    from matplotlib.patches import FancyBboxPatch

    face = "white" if color == "white" else PALETTE[color] + ("55" if dropped else "aa")
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - 0.42),
            width,
            0.84,
            boxstyle="round,pad=0.04",
            facecolor=face,
            edgecolor="black",
            linewidth=1.4,
            linestyle="--" if dropped else "-",
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=fontsize)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], dropped: bool) -> None:
    style = {"arrowstyle": "->", "linewidth": 1.6, "linestyle": "--" if dropped else "-", "color": "black"}
    ax.annotate("", xy=end, xytext=start, arrowprops=style)


def masks_explorer(frame: np.ndarray, probs: Mapping[int, np.ndarray], truth: np.ndarray | None = None) -> Explorer:
    """Sliders for the step of training and the threshold: what the network says of a frame as it learns.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    probs : mapping of step to (H, W) float
        The probability of crowd after so many steps.
    truth : (H, W) bool, optional

    Raises
    ------
    ValueError
        If there is no step.
    """
    import ipywidgets

    if not probs:
        raise ValueError("There is no step to show: probs is empty.")
    of_prob, of_mask = (0.01, 0.1, 0.43, 0.8), (0.55, 0.1, 0.44, 0.8)
    fresh = _with_colorbar(of_prob, "probability of crowd", 1.0, of_mask, {} if truth is None else ERROR_COLORS)

    def draw(step: int, threshold: float) -> tuple[Figure, str]:
        prob = probs[step]
        mask = prob > threshold
        figure, _ = fresh()
        add_picture(figure, _cividis(prob), of_prob)
        _title(figure, of_prob, f"after {step} steps")
        if truth is None:
            add_picture(figure, overlay(frame, mask, ORANGE, opacity=0.5), of_mask, smooth=True)
        else:
            add_picture(figure, overlay_errors(frame, mask, truth), of_mask, smooth=True)
            _title(figure, of_mask, f"IoU {iou(mask, truth):.2f}")
        line = f"After <b>{step}</b> steps <b>{mask.mean():.0%}</b> of the pixels lie above the threshold"
        if truth is not None:
            line += f"; IoU with the truth <b>{iou(mask, truth):.2f}</b>"
        return figure, line + "."

    steps = value_slider("training  [steps]", sorted(probs), max(probs))
    level = slider(
        ipywidgets.FloatSlider, "threshold of the probability  [1]", min=0.05, max=0.95, step=0.05, value=0.5
    )
    return Explorer(
        {"step": steps, "threshold": level},
        draw,
        alt="Left, the probability of crowd at each pixel. Right, the mask that the threshold makes of it.",
    )


def another_light(frame: np.ndarray, *, brightness: float = 0.0, saturation: float = 1.0) -> np.ndarray:
    """Return the frame in another light: all grey levels shifted, all colours paler or stronger.

    Parameters
    ----------
    frame : (H, W, 3) uint8 RGB
    brightness : float
        Added to every channel, grey levels.
    saturation : float
        0 is grey, 1 changes nothing.

    Examples
    --------
    >>> another_light(np.full((1, 1, 3), 100, np.uint8), brightness=20).ravel()
    array([120, 120, 120], dtype=uint8)
    """
    grey = frame @ np.array([0.299, 0.587, 0.114])
    changed = grey[..., None] + saturation * (frame - grey[..., None]) + brightness
    return np.clip(changed.round(), 0, 255).astype(np.uint8)


def light_explorer(nets: Mapping[str, MPASNet], frame: np.ndarray) -> Explorer:
    """Sliders for the light of a frame: what happens to each network's features, and to its mask.

    There is no truth in it: the mask in the new light is compared with that in the old one (``IN_LIGHT``).

    Parameters
    ----------
    nets : mapping of name to MPASNet
        In eval mode.
    frame : (H, W, 3) uint8 RGB
        At the networks' working size.
    """
    import ipywidgets

    of_mask, of_change = (0.01, 0.1, 0.44, 0.8), (0.48, 0.1, 0.43, 0.8)
    fresh = _with_colorbar(of_change, "change / spread of $F$", 1.5, of_mask, IN_LIGHT)
    before = {name: _features(net, frame) for name, net in nets.items()}

    @lru_cache(maxsize=64)
    def changed(name: str, brightness: int, saturation: float) -> tuple[np.ndarray, Tensor, np.ndarray]:
        view = another_light(frame, brightness=brightness, saturation=saturation)
        return view, *_features(nets[name], view)

    def draw(name: str, brightness: int, saturation: float) -> tuple[Figure, str]:
        f, mask = before[name]
        view, f_hat, mask_hat = changed(name, brightness, saturation)
        change = (f - f_hat).square().mean(dim=0) / f.var(dim=(1, 2)).mean()
        figure, _ = fresh()
        add_picture(figure, overlay_errors(view, mask_hat, mask), of_mask, smooth=True)
        _title(figure, of_mask, "mask, against that in the old light")
        add_picture(figure, _cividis(change.sqrt().numpy() / 1.5), of_change)
        _title(figure, of_change, "change of the features")
        line = (
            f"{name}: features change by <b>{change.mean().sqrt():.2f}</b> of their spread; "
            f"IoU of the two masks <b>{iou(mask_hat, mask):.2f}</b>."
        )
        return figure, line

    controls = {
        "name": slider(ipywidgets.Dropdown, "network trained with", options=list(nets)),
        "brightness": slider(ipywidgets.IntSlider, "brightness  [grey levels]", min=-60, max=60, step=10, value=-40),
        "saturation": slider(
            ipywidgets.FloatSlider, "saturation  [multiple of what it is]", min=0.0, max=2.0, step=0.25, value=0.5
        ),
    }
    return Explorer(
        controls,
        draw,
        alt="Left, the mask in the new light against that in the old. Right, how much the features change.",
    )


def _with_colorbar(
    place: Place, label: str, top: float, keyed: Place, key: Mapping[str, str]
) -> Callable[[], tuple[Figure, list[Axes]]]:
    """Figures with a colour bar, from 0 to ``top``, to the right of a place, and a key beneath another one."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    still = Figure(figsize=(11, 4.5), dpi=72)
    beside = still.add_axes((place[0] + place[2] + 0.008, place[1], 0.015, place[3]))
    bar = still.colorbar(ScalarMappable(Normalize(0, top), "cividis"), cax=beside, ticks=np.arange(0, top + 0.1, 0.5))
    bar.set_label(label, fontsize=13)
    add_key(still, keyed[0] + 0.09, 0.03, key)
    return backdrop(still)


def _cividis(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 as colours, (H, W, 3) uint8."""
    from matplotlib import colormaps

    colors: np.ndarray = colormaps["cividis"](values, bytes=True)
    return colors[..., :3]


def _title(figure: Figure, place: Place, text: str) -> None:
    figure.text(place[0] + place[2] / 2, place[1] + place[3] + 0.02, text, fontsize=15, ha="center")


def _features(net: MPASNet, frame: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """F of one frame, (C, h, w), and its mask, (H, W) bool."""
    x = as_image(frame)[None] / 255
    with torch.inference_mode():
        return net.encode(x)[0], (net(x)[0, 0] > 0.5).numpy()
