"""The colours of every figure: those of Okabe and Ito, which colour-blind people tell apart."""

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
