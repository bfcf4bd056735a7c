"""Pictures that are drawn quickly: what no slider changes is drawn once, and an image needs no Axes.

Ticks, labels and legends are most of the time that matplotlib takes for a small picture; Axes alone cost more than
the points drawn on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mpas_lite.plots.palette import PALETTE, PATTERNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL, TICK, DPI = 13, 12, 80  # points, points, and dots an inch

Place = tuple[float, float, float, float]  # left, bottom, width and height, as shares of a figure


class Pixels(Artist):
    """An image (H, W, 4), uint8 RGBA, that is copied to the figure as it is; x and y are those of its lower left."""

    def __init__(self, image: np.ndarray, x: int = 0, y: int = 0, zorder: float = -1) -> None:
        super().__init__()
        self.image, self.x, self.y = image[::-1], x, y
        self.set_zorder(zorder)

    def draw(self, renderer: Any) -> None:
        """Copy it."""
        renderer.draw_image(renderer.new_gc(), self.x, self.y, self.image)


def backdrop(figure: Figure, axes: Sequence[Axes] = ()) -> Callable[[], tuple[Figure, list[Axes]]]:
    """Draw once what stays.

    Parameters
    ----------
    figure : Figure
        With all that no slider changes.
    axes : Axes of this figure
        Those that something will be drawn on.

    Returns
    -------
    function
        Makes a new figure that shows the old one as pixels, and on it, for each of ``axes``, bare Axes of the same
        place, limits and scale.

    Examples
    --------
    >>> still = Figure(figsize=(2, 1), dpi=50)
    >>> fresh = backdrop(still, [still.add_axes((0.2, 0.2, 0.7, 0.7), xlim=(0, 9))])
    >>> figure, (ax,) = fresh()
    >>> len(ax.plot([0, 9], [0, 1])), len(fresh()[1][0].lines)
    (1, 0)
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.array(canvas.buffer_rgba())
    places = [
        {"rect": ax.get_position().bounds, "xlim": ax.get_xlim(), "ylim": ax.get_ylim(), "yscale": ax.get_yscale()}
        for ax in axes
    ]

    def fresh() -> tuple[Figure, list[Axes]]:
        copy = Figure(figsize=(figure.get_figwidth(), figure.get_figheight()), dpi=figure.dpi)
        copy.add_artist(Pixels(picture))
        bare = [copy.add_axes(**place) for place in places]
        for ax in bare:
            ax.set_axis_off()
        return copy, bare

    return fresh


def add_picture(figure: Figure, picture: np.ndarray, place: Place, *, smooth: bool = False) -> None:
    """Put a picture, in a thin frame, into a place of the figure: as large as fits, in its middle.

    Parameters
    ----------
    figure : Figure
    picture : (H, W, 3) uint8 RGB
    place : Place
    smooth : bool
        Whether pixels run into each other where the picture is enlarged.
    """
    left, bottom, width, height = np.array(place) * np.tile(figure.get_size_inches() * figure.dpi, 2)
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows)
    size = round(scale * columns), round(scale * rows)
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST)
    shown = cv2.cvtColor(shown, cv2.COLOR_RGB2RGBA)
    shown[[0, -1]] = shown[:, [0, -1]] = (0, 0, 0, 255)
    figure.add_artist(Pixels(shown, round(left + (width - size[0]) / 2), round(bottom + (height - size[1]) / 2), 0))


def add_key(figure: Figure, x: float, y: float, colors: Mapping[str, str], marks: str = "") -> None:
    """Write a row of coloured squares with names; much faster than a legend.

    Parameters
    ----------
    figure : Figure
    x, y : float
        Where it begins, as shares of the figure.
    colors : mapping from name to colour of `mpas_lite.plots.PALETTE`
    marks : str
        A character for each name, in the place of the squares with the patterns of regions.
    """
    inch, up = 1 / figure.get_figwidth(), 1 / figure.get_figheight()
    for n, (name, color) in enumerate(colors.items()):
        if marks:
            figure.text(x, y, marks[n], color=PALETTE[color], fontsize=13)
        else:
            look: dict[str, Any] = {"facecolor": PALETTE[color], "hatch": 4 * PATTERNS.get(color, ""), "linewidth": 0.6}
            square = Rectangle((x, y - 0.01 * up), 0.15 * inch, 0.15 * up, edgecolor="black", **look)
            figure.add_artist(square).set_transform(figure.transFigure)
        figure.text(x + 0.19 * inch, y, name, fontsize=12)
        x += (0.38 + 0.092 * len(name)) * inch
