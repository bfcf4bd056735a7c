"""Are those who wait masked? ``python -m benchmarks.who_waits OUT.png NAME=FOLDER ...``: a panel a folder of masks.

The people of one frame were marked by eye (``who_waits.json``): a box around what is seen of each, as left, top, right
and bottom in px, and whether he or she stays in one place from the first frame to the last (waits) or not (walks).
Somebody is found if at least half of the ellipse that fills the box is masked. No pixel of the clip is in the picture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpas_lite.files.atomic import read_json
from mpas_lite.plots.overlays import overlay_parts
from mpas_lite.plots.palette import PALETTE, PATTERNS
from mpas_lite.video.arrays import Mask
from mpas_lite.video.masks import read_mask

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PEOPLE = Path(__file__).with_suffix(".json")
Box = Sequence[int]  # left, top, right, bottom, px; the last two are beyond it
BOXES = {"waits": ("black", "--"), "walks": ("blue", ":")}
PARTS = {"mask, in a box": "sky", "mask, in no box": "orange"}
CROSS: dict[str, Any] = {"marker": "X", "color": PALETTE["vermillion"], "markersize": 8, "markeredgecolor": "black"}
FINER = 3  # pixels of the picture a pixel of the mask, so that patterns are fine
TEXT = 10  # points, in a figure of 7.5 inch


@dataclass(frozen=True)
class Found:
    """What a mask has of the marked people, and how much of it is elsewhere.

    Attributes
    ----------
    found : dict from str to list of bool
        Of those who wait and of those who walk, for each box.
    elsewhere : float
        Share of the mask that is in no box.
    """

    found: dict[str, list[bool]]
    elsewhere: float


def inside(box: Box, shape: tuple[int, int]) -> Mask:
    """The ellipse that fills a box, (H, W) bool.

    Examples
    --------
    >>> print(inside((1, 0, 5, 3), (3, 6)).astype(int))
    [[0 0 1 1 0 0]
     [0 1 1 1 1 0]
     [0 0 1 1 0 0]]
    """
    left, top, right, bottom = box
    y, x = np.indices(shape) + 0.5
    away = ((2 * x - left - right) / (right - left)) ** 2 + ((2 * y - top - bottom) / (bottom - top)) ** 2
    return np.asarray(away <= 1)


def in_boxes(people: Mapping[str, Sequence[Box]], shape: tuple[int, int]) -> Mask:
    """What lies in any box, (H, W) bool."""
    covered = np.zeros(shape, bool)
    for left, top, right, bottom in (box for kind in BOXES for box in people[kind]):
        covered[top:bottom, left:right] = True
    return covered


def look_for(people: Mapping[str, Sequence[Box]], mask: Mask) -> Found:
    """Say who is found in a mask, (H, W) bool."""
    shape = (mask.shape[0], mask.shape[1])
    found = {kind: [bool(mask[inside(box, shape)].mean() >= 0.5) for box in people[kind]] for kind in BOXES}
    return Found(found, float((mask & ~in_boxes(people, shape)).sum() / max(mask.sum(), 1)))


def always_found(people: Mapping[str, Sequence[Box]], folder: Path) -> float:
    """How many of those who wait are found, on the average over all masks of a folder: their boxes hold for each."""
    found = []
    ellipses: list[Mask] = []
    for path in sorted(folder.glob("*.png")):
        mask = read_mask(path) > 0
        ellipses = ellipses or [inside(box, (mask.shape[0], mask.shape[1])) for box in people["waits"]]
        found.append(sum(mask[ellipse].mean() >= 0.5 for ellipse in ellipses))
    return float(np.mean(found))


def draw(people: Mapping[str, Any], masks: Mapping[str, Mask]) -> Figure:
    """A panel for each mask, two in a row: the mask, the boxes, and a cross where somebody is not found."""
    from matplotlib.figure import Figure

    rows = -(-len(masks) // 2)
    axis = 0.5 * (1 + len(masks) % 2)  # inch, beneath the last panel of each column
    tall = rows * (3.4 * people["height"] / people["width"] + 0.5) + axis
    figure = Figure(figsize=(7.5, tall + 0.5), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(tall, 0.5))
    above, below = halves
    axes = above.subplots(rows, 2, squeeze=False).ravel()
    for place, (ax, (name, mask)) in enumerate(zip(axes, masks.items(), strict=False)):
        said = look_for(people, mask)
        _panel(ax, people, mask, said)
        counts = ", ".join(f"{sum(found)}/{len(found)} who {kind[:-1]}" for kind, found in said.found.items())
        ax.set_title(f"{name}\n{counts}; {said.elsewhere:.0%} in no box", fontsize=TEXT)
        ax.tick_params(labelsize=TEXT, labelleft=place % 2 == 0, labelbottom=place + 2 >= len(masks))
        ax.set_ylabel("" if place % 2 else "y (px)", fontsize=TEXT)
        ax.set_xlabel("" if place + 2 < len(masks) else "x (px)", fontsize=TEXT)
    for ax in axes[len(masks) :]:
        ax.remove()
    below.legend(handles=_key(), loc="center", ncols=3, fontsize=TEXT, frameon=False, borderpad=0)
    return figure


def _panel(ax: Axes, people: Mapping[str, Any], mask: Mask, said: Found) -> None:
    """Draw a mask and the boxes, and cross out who is not found."""
    from matplotlib.patches import Rectangle

    height, width = mask.shape
    boxes = in_boxes(people, (height, width))
    parts = {
        name: np.kron(part, np.ones((FINER, FINER), bool))
        for name, part in zip(PARTS, (mask & boxes, mask & ~boxes), strict=True)
    }
    white = np.full((FINER * height, FINER * width, 3), 255, np.uint8)
    ax.imshow(overlay_parts(white, parts, PARTS), extent=(0, width, height, 0))
    for kind, found in said.found.items():
        color, style = BOXES[kind]
        for (left, top, right, bottom), is_found in zip(people[kind], found, strict=True):
            look: dict[str, Any] = {"fill": False, "edgecolor": PALETTE[color], "linestyle": style, "linewidth": 1.4}
            ax.add_patch(Rectangle((left, top), right - left, bottom - top, **look))
            if not is_found:
                at = ((left + right) / 2, (top + bottom) / 2)
                ax.plot(*at, linestyle="", **CROSS)
    ax.set(xlim=(0, width), ylim=(height, 0), xticks=range(0, width, 100), yticks=range(0, height + 1, 100))


def _key() -> list[Any]:
    """What stands beneath the panels."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=PALETTE[color], hatch=3 * PATTERNS.get(color, ""), edgecolor="black", linewidth=0.6, label=name)
        for name, color in PARTS.items()
    ]
    for kind, (color, style) in BOXES.items():
        handles.append(Line2D([], [], color=PALETTE[color], linestyle=style, linewidth=1.4, label=f"who {kind}"))
    handles.append(Line2D([], [], linestyle="", label="not found", **CROSS))
    return handles


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("masks", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--people", type=Path, default=PEOPLE, help="who was marked")
    args = parser.parse_args()
    people = read_json(args.people)
    folders = dict(each.rpartition("=")[::2] for each in args.masks)
    masks = {name: read_mask(Path(folder, f"{people['frame']:06d}.png")) > 0 for name, folder in folders.items()}
    print("| | of the frame | who wait | who walk | of the mask, in no box | who wait, all frames |")
    print("|:--|--:|--:|--:|--:|--:|")
    for name, mask in masks.items():
        said = look_for(people, mask)
        counts = " | ".join(f"{sum(found)} of {len(found)}" for found in said.found.values())
        always = always_found(people, Path(folders[name]))
        print(f"| {name} | {mask.mean():.0%} | {counts} | {said.elsewhere:.0%} | {always:.1f} |", flush=True)
    draw(people, masks).savefig(args.out, dpi=160)
    return 0


if __name__ == "__main__":
    sys.exit(main())
