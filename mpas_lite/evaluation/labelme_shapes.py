"""The shapes of a LabelMe file, painted: each covers the pixels that LabelMe's own export gives it."""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mpas_lite.video.arrays import Grey

HOLE = "hole"
NO_AREA = ("point", "points", "line", "linestrip")
_FARTHEST = 50_000  # px; a shape may reach over the image's edge, but not without end
_POINTS = {"polygon": "3 or more", "rectangle": "2", "circle": "2", "mask": "2"}
_POINTS |= dict.fromkeys(("oriented_rectangle", "rotation", "quadrilateral"), "4")  # the last two: X-AnyLabeling's


def kind_of(shape: Mapping[str, Any]) -> Any:
    """What a shape says that it is."""
    return shape.get("shape_type") or "polygon"  # files of old do not name it


def paint(canvas: Image.Image, shape: Mapping[str, Any], value: int, where: str) -> None:
    """Draw one shape, as LabelMe's own export does."""
    kind = kind_of(shape)
    if kind in NO_AREA:
        raise ValueError(f"{where} is a {kind}, which has no area. Draw a polygon, or leave its label out.")
    if kind not in tuple(_POINTS):  # a tuple: it may be a list, which a dict cannot look up
        raise ValueError(f"{where} is of a kind that is not known ({str(kind)[:40]}). Draw a polygon in its place.")
    points = _points(shape.get("points"), where)
    if kind == "rectangle" and len(points) == 4:  # X-AnyLabeling gives all its corners
        kind, points = _rectangle(points)
    if not (len(points) >= 3 if kind == "polygon" else len(points) == int(_POINTS[kind])):
        raise ValueError(f"{where}: a {kind} has {_POINTS[kind]} points; this one has {len(points)}.")
    draw = ImageDraw.Draw(canvas)
    (x0, y0), (x1, y1) = points[:2]
    if kind == "rectangle":
        draw.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), outline=value, fill=value)
    elif kind == "circle":
        r = math.hypot(x1 - x0, y1 - y0)
        draw.ellipse((x0 - r, y0 - r, x0 + r, y0 + r), outline=value, fill=value)
    elif kind == "mask":
        stencil = Image.fromarray(_embedded_mask(shape.get("mask"), canvas.size, where))
        canvas.paste(value, (int(min(x0, x1)), int(min(y0, y1))), stencil)
    else:
        draw.polygon(points, outline=value, fill=value)


def _rectangle(corners: Sequence[tuple[float, float]]) -> tuple[str, list[tuple[float, float]]]:
    """Four corners as the rectangle that two of them span, or as a polygon where they are askew."""
    (left, right), (top, bottom) = ((min(c), max(c)) for c in zip(*corners, strict=True))
    if {*corners} == {(x, y) for x in (left, right) for y in (top, bottom)}:
        return "rectangle", [(left, top), (right, bottom)]
    return "polygon", [*corners]


def _points(points: Any, where: str) -> list[tuple[float, float]]:
    try:
        checked = [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where} has points that are not pairs of numbers. Is the file damaged?") from None
    if not all(abs(c) <= _FARTHEST for point in checked for c in point):  # NaN fails too
        raise ValueError(f"{where} has a point that lies nowhere near the image. Is the file damaged?")
    return checked


def _embedded_mask(text: Any, size: tuple[int, int], where: str) -> Grey:
    """The PNG inside a shape of type mask, (h, w) uint8 of 0 and 255; no larger than the image."""
    problem = f"{where} is a mask that cannot be read. Is the file damaged?"
    with embedded_image(text, problem) as unread, embedded_image(text, problem) as image:
        if image.width > size[0] or image.height > size[1]:
            raise ValueError(problem)
        try:
            unread.verify()  # all checksums; it cannot be decoded afterwards
            stored = np.asarray(image if image.mode in ("1", "L", "I;16", "I") else image.convert("L"))
        except Exception:  # Pillow decodes what anybody may have written and raises all kinds
            raise ValueError(problem) from None
    return np.where(stored > 0, 255, 0).astype(np.uint8)


def embedded_image(text: Any, problem: str) -> Image.Image:
    """The image in a base64 text: its header is read, its pixels are not yet."""
    try:
        data = base64.b64decode(text, validate=True)
        return Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "BMP"))
    except (TypeError, ValueError, binascii.Error, OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(problem) from None
