"""What stands in a LabelMe file: its shapes, and the size of the image that they lie on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from typing import Any

from mpas_lite.evaluation.labelme_shapes import HOLE, NO_AREA, embedded_image, kind_of
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.images import image_shape
from mpas_lite.video.limits import LIMIT_VARIABLE, max_pixels

_LONGEST = 1 << 28  # bytes of a file: it may hold its image
Shapes = list[tuple[str, str, Mapping[str, Any]]]  # where, label, shape
_Reading = tuple[Mapping[str, Any], Shapes]


def read_labelme(path: Path, wanted: frozenset[str] | None) -> tuple[Shapes, tuple[int, int]]:
    """The shapes of a LabelMe file that count, and the height and width of its image."""
    if path.stat().st_size > _LONGEST:
        raise ValueError(f"{path} is larger than any file of LabelMe. Is it one?")
    readings = _readings(path.read_bytes(), path)
    content, shapes = next(
        (one for one in readings if wanted and not wanted.isdisjoint(label for _, label, _ in one[1])), readings[0]
    )
    with_area = {label for _, label, shape in shapes if kind_of(shape) not in NO_AREA}
    if wanted is not None:
        counted = {HOLE, *wanted}
    else:
        counted = {HOLE, *with_area} if with_area else {label for _, label, _ in shapes}
    return [one for one in shapes if one[1] in counted], _image_shape(content, path)


def _readings(data: bytes, path: Path) -> list[_Reading]:
    """What a file says: UTF-8 as LabelMe writes it, with or without a mark at its start, or UTF-16.

    LabelMe of old wrote in the system's encoding: then as Chinese and as Western European, where these can be read.
    """
    try:
        return [_labelled(data.decode(json.detect_encoding(data)), path)]
    except UnicodeDecodeError as error:
        readings = []
        for encoding in ("gb18030", "cp1252"):
            with suppress(ValueError):
                readings.append(_labelled(data.decode(encoding), path))
        if not readings:
            raise ValueError(f"{path} is not valid JSON ({error}). Open it in LabelMe, or go back to a copy.") from None
        return readings


def _labelled(text: str, path: Path) -> _Reading:
    """The content of a LabelMe file, and its shapes as (where, label, shape)."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}). Open it in LabelMe, or go back to a copy.") from None
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise ValueError(f'{path} is not a file of LabelMe: it has no list of "shapes".')
    shapes: Shapes = []
    for number, shape in enumerate(content["shapes"], 1):
        where = f"{path}, shape {number}"
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            raise ValueError(f"{where} has no label. Is the file damaged?")
        shapes.append((where, shape["label"].strip().lower(), shape))
    return content, shapes


def _image_shape(content: Mapping[str, Any], path: Path) -> tuple[int, int]:
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if height is None and width is None:
        height, width = _shape_of_image(content, path)
    if not (type(height) is int and type(width) is int and height > 0 and width > 0):
        raise ValueError(
            f"{path} does not say how large the image is, and its image does not lie beside it. Open it in LabelMe and "
            "save it again."
        )
    if height * width > max_pixels():
        raise ValueError(
            f"{path} says its image is {str(width)[:12]}x{str(height)[:12]}. Is the file damaged? Images of more than "
            f"{max_pixels() / 1e6:g} million pixels are not read; {LIMIT_VARIABLE} raises that."
        )
    return height, width


def _shape_of_image(content: Mapping[str, Any], path: Path) -> tuple[int | None, int | None]:
    """Height and width of the image inside a LabelMe file, or beside it under the name that it gives; else None."""
    data, name = content.get("imageData"), content.get("imagePath")
    if isinstance(data, str):
        with embedded_image(data, f"{path} holds an image that cannot be read. Is the file damaged?") as image:
            return image.height, image.width
    beside = path.parent / PureWindowsPath(name if isinstance(name, str) else "").name  # "/" and "\\" alike
    if is_visible(beside, IMAGE_ENDINGS) and beside.is_file() and beside.resolve().parent == path.parent.resolve():
        return image_shape(beside)
    return None, None
