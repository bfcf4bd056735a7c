"""The colours of every figure: those of Okabe and Ito, which colour-blind people tell apart.

Some of them vanish in grey, and purple does for deuteranopes: so a region has a pattern, too, a line a style and a mark
a shape. Words on white are written in ``INK``, which is dark enough to be read.
"""

from __future__ import annotations

RGB = tuple[int, int, int]

PALETTE = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#999999",
    "black": "#000000",
}
INK = {
    "orange": "#9B6A00",
    "sky": "#387A9F",
    "green": "#00845F",
    "yellow": "#7C751D",
    "blue": "#0072B2",
    "vermillion": "#BE5300",
    "purple": "#A15E83",
    "grey": "#737373",
    "black": "#000000",
}  # the same colours, darker: a contrast of 4.5 or more against white, as WCAG asks of text
PATTERNS = {"green": "-", "yellow": ".", "blue": "x", "vermillion": "/", "purple": "\\", "orange": "|"}
"""How a region of a colour is marked where several are drawn; sky stays plain. Matplotlib's hatches look alike."""
ERROR_COLORS = {"hit": "sky", "miss": "yellow", "false alarm": "vermillion"}  # what a mask has right and wrong


def rgb(name: str) -> RGB:
    """Red, green and blue, 0 to 255, of a colour of ``PALETTE``.

    Parameters
    ----------
    name : str

    Returns
    -------
    (int, int, int)

    Examples
    --------
    >>> rgb("orange")
    (230, 159, 0)
    """
    digits = PALETTE[name][1:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


ORANGE = rgb("orange")
