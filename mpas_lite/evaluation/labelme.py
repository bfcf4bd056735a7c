"""LabelMe: masks out of polygons that a person drew, and polygons out of masks for a person to correct.

The paper's frames were annotated with LabelMe (https://github.com/wkentaro/labelme), which keeps one JSON file
beside each image::

    000020.png      the frame
    000020.json     its shapes: {"shapes": [{"label": "crowd", "points": [[x, y], ...], ...}], "imageHeight": ...}

**Shapes are painted in the order of the file**, each over those before it. A shape labelled ``hole`` takes away
what lies beneath it; every other one adds to the crowd. That is how a polygon, which has no holes, can have one:
drag it, delete it, or draw another, as with any shape. (To other programs a hole is a polygon like the rest.)

A shape covers the pixels that LabelMe's own export gives it, its outline included.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mpas_lite.files.atomic import blame, write_json
from mpas_lite.files.ledger import lock_folder
from mpas_lite.files.outputs import check_apart
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.images import image_shape, read_image, write_image
from mpas_lite.video.limits import LIMIT_VARIABLE, max_pixels
from mpas_lite.video.masks import frame_numbers, names_in_source, numbered, read_mask, source_names
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

HOLE = "hole"
_VERSION = "5.0.1"  # of LabelMe's format, which has not changed for polygons since; later ones read it
_FARTHEST = 50_000  # px; a shape may reach over the image's edge, but not without end
_LONGEST = 1 << 28  # bytes of a file: it may hold its image
_POINTS = {"polygon": "3 or more", "rectangle": "2", "circle": "2", "mask": "2"}
_POINTS |= dict.fromkeys(("oriented_rectangle", "rotation", "quadrilateral"), "4")  # the last two: X-AnyLabeling's
_NO_AREA = ("point", "points", "line", "linestrip")


# ------------------------------------------------------------------------------------------------- reading


def labelme_mask(path: str | Path, *, labels: Collection[str] | None = None) -> np.ndarray:
    """The crowd mask of one LabelMe file.

    Polygons, rectangles, circles, oriented rectangles and the masks of LabelMe's AI tools count; see the top of
    this file for holes. Points and lines have no area: they are passed over where they have a label of their own, and
    refused where they have one that counts. The image is not opened, as its size stands in the file; in files of old
    that lack it, it is that of the image in them or beside them. No path in a file is followed to another folder.

    Parameters
    ----------
    path : path
        A JSON file of LabelMe.
    labels : collection of str, optional
        Labels that count as crowd, whatever their case; by default all. ``hole`` always takes away.

    Returns
    -------
    (H, W) bool

    Raises
    ------
    ValueError
        If the file is not LabelMe's, says no size, or a shape that counts has no area (a line, a point) or
        points that are no numbers.
    """
    path = Path(path)
    wanted = None if labels is None else frozenset(label.strip().lower() for label in labels)
    with blame(path):
        shapes, (height, width) = _read(path, wanted)
        canvas = Image.new("L", (width, height))
        for where, label, shape in shapes:
            _paint(canvas, shape, 0 if label == HOLE else 1, where)
        return np.array(canvas, bool)


def labelme_masks(folder: str | Path, out: str | Path, *, labels: Collection[str] | None = None) -> list[Path]:
    """Turn a folder of LabelMe files into masks that :func:`mpas_lite.evaluate` takes for ground truth.

    Writes ``out/NNNNNN.png``, 0 and 255, by the number in the JSON's name. Mind that a frame without a JSON has no
    ground truth, not an empty one: for a frame without people save an annotation without shapes.

    Parameters
    ----------
    folder : path
        Where the JSON files are.
    out : path
        Masks there that this program wrote and nobody has changed are written anew, the JSON files being the
        original; any other file of such a name is left alone, and refused.
    labels : collection of str, optional
        See :func:`labelme_mask`.

    Returns
    -------
    list of Path
        The masks, in the order of their numbers.

    Raises
    ------
    ValueError
        If there are no LabelMe files, none can be read, two have one number, or ``out`` holds the LabelMe files or
        other files of the masks' names.
    FileNotFoundError
        If there is no such folder.

    Warns
    -----
    UserWarning
        For each file that cannot be read and is left out.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Check the path.")
    files = sorted(p for p in folder.iterdir() if is_visible(p, frozenset({".json"})))
    files = [p for p in files if any(map(str.isdecimal, p.stem))]  # others are notes such as frames.json
    by_number = numbered(files, [path.name for path in files])
    check_apart([out], files)
    written, problems = [], []
    with lock_folder(out):
        for number, path in by_number.items():
            try:
                mask = labelme_mask(path, labels=labels)
            except ValueError as error:
                problems.append(str(error))
                continue
            target = Path(out) / f"{number:06d}.png"
            write_image(target, mask)
            written.append(target)
    if not written:
        reason = problems[0] if problems else "LabelMe saves one beside each image, such as 000020.json."
        raise ValueError(f"{folder} holds no LabelMe file that can be read. {reason}")
    for problem in problems:
        warnings.warn(f"{problem} It is left out.", stacklevel=2)
    return written


_Shapes = list[tuple[str, str, Mapping[str, Any]]]  # where, label, shape
_Reading = tuple[Mapping[str, Any], _Shapes]


def _read(path: Path, wanted: frozenset[str] | None) -> tuple[_Shapes, tuple[int, int]]:
    """The shapes of a LabelMe file that count, and the height and width of its image."""
    if path.stat().st_size > _LONGEST:
        raise ValueError(f"{path} is larger than any file of LabelMe. Is it one?")
    readings = _readings(path.read_bytes(), path)
    content, shapes = next(
        (one for one in readings if wanted and not wanted.isdisjoint(label for _, label, _ in one[1])), readings[0]
    )
    with_area = {label for _, label, shape in shapes if _kind(shape) not in _NO_AREA}
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
    shapes: _Shapes = []
    for number, shape in enumerate(content["shapes"], 1):
        where = f"{path}, shape {number}"
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            raise ValueError(f"{where} has no label. Is the file damaged?")
        shapes.append((where, shape["label"].strip().lower(), shape))
    return content, shapes


def _kind(shape: Mapping[str, Any]) -> Any:
    return shape.get("shape_type") or "polygon"  # files of old do not name it


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
        with _embedded(data, f"{path} holds an image that cannot be read. Is the file damaged?") as image:
            return image.height, image.width
    beside = path.parent / PureWindowsPath(name if isinstance(name, str) else "").name  # "/" and "\\" alike
    if is_visible(beside, IMAGE_ENDINGS) and beside.is_file() and beside.resolve().parent == path.parent.resolve():
        return image_shape(beside)
    return None, None


def _paint(canvas: Image.Image, shape: Mapping[str, Any], value: int, where: str) -> None:
    """Draw one shape, as LabelMe's own export does."""
    kind = _kind(shape)
    if kind in _NO_AREA:
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


def _embedded_mask(text: Any, size: tuple[int, int], where: str) -> np.ndarray:
    """The PNG inside a shape of type mask, (h, w) uint8 of 0 and 255; no larger than the image."""
    problem = f"{where} is a mask that cannot be read. Is the file damaged?"
    with _embedded(text, problem) as unread, _embedded(text, problem) as image:
        if image.width > size[0] or image.height > size[1]:
            raise ValueError(problem)
        try:
            unread.verify()  # all checksums; it cannot be decoded afterwards
            stored = np.asarray(image if image.mode in ("1", "L", "I;16", "I") else image.convert("L"))
        except Exception:  # Pillow decodes what anybody may have written and raises all kinds
            raise ValueError(problem) from None
    return np.where(stored > 0, 255, 0).astype(np.uint8)


def _embedded(text: Any, problem: str) -> Image.Image:
    """The image in a base64 text: its header is read, its pixels are not yet."""
    try:
        data = base64.b64decode(text, validate=True)
        return Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "BMP"))
    except (TypeError, ValueError, binascii.Error, OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(problem) from None


# ------------------------------------------------------------------------------------------------- writing


def write_prelabels(
    masks: str | Path,
    frames: Video | str | Path,
    out: str | Path,
    *,
    label: str = "crowd",
    tolerance: float = 1.0,
    min_area: int = 25,
) -> list[Path]:
    """Write masks as LabelMe files for a person to correct, each beside a copy of its frame.

    Then ``labelme OUT`` opens them, and :func:`labelme_masks` reads what was corrected. Names in ``out`` carry the
    number that :func:`mpas_lite.evaluate` goes by: that of the frame's name in the source (``frames.json`` beside
    the masks says it), else the mask's own.

    **Files that are there are kept**, since a person may have worked on them: choose another folder to begin anew.

    Parameters
    ----------
    masks : path
        As :func:`mpas_lite.video.masks.read_mask` takes them: ``masks/`` of ``mpas-lite segment``, or
        ``pairs/<clip>/masks``.
    frames : path or Video
        ``pairs/<clip>/frames`` beside ``pairs/<clip>/masks``, where both have the same names; else what the masks
        were made from, in which case the number of a mask is the frame's 0-based index.
    out : path
    label, tolerance, min_area
        See :func:`prelabel`.

    Returns
    -------
    list of Path
        The JSON files that were written now.

    Raises
    ------
    ValueError
        If there are no masks, a file is not clearly a mask, one has no frame, they differ in size, or ``out`` lies
        among the masks or the frames, or holds other images of these names.
    FileNotFoundError
        If a folder does not exist.
    """
    masks, out = Path(masks), Path(out)
    if not masks.is_dir():
        raise FileNotFoundError(f"There is no folder {masks}. Check the path.")
    files = [p for p in masks.iterdir() if is_visible(p, IMAGE_ENDINGS)]
    if not files:
        raise ValueError(f"{masks} holds no masks.")
    files.sort()
    by_number = numbered(files, names_in_source(files, source_names(masks)))
    wanted = {path: out / f"{number:06d}.json" for number, path in by_number.items()}
    source = frames.source if isinstance(frames, Video) else frames
    check_apart([out], [*files, source])
    missing = [path for path, target in wanted.items() if not target.exists()]
    written = []
    with lock_folder(out):
        for path, frame in _frames_of(missing, files, frames):
            mask = read_mask(path) > 0
            if mask.shape != frame.shape[:2]:
                raise ValueError(
                    f"{path} is {mask.shape[1]}x{mask.shape[0]}, its frame {frame.shape[1]}x{frame.shape[0]}: "
                    "these are not the frames that the masks were made from."
                )
            image = wanted[path].with_suffix(".png")
            content = prelabel(mask, image.name, label=label, tolerance=tolerance, min_area=min_area)
            write_image(image, frame)
            write_json(wanted[path], content)
            written.append(wanted[path])
    left = [path for path in missing if wanted[path] not in written]
    if left:
        raise ValueError(f"{left[0]} has no frame: {source} has none of that number, or ends before it.")
    return written


def prelabel(
    mask: np.ndarray, image: str, *, label: str = "crowd", tolerance: float = 1.0, min_area: int = 25
) -> dict[str, Any]:
    """The content of a LabelMe file whose polygons outline a mask.

    Parameters
    ----------
    mask : (H, W) bool
    image : str
        File name of the image, which lies beside the JSON.
    label : str
        What to call the crowd.
    tolerance : float
        How far in px an outline may depart from the mask's, so that it has fewer points to drag; 0 keeps each.
    min_area : int
        Regions of fewer pixels are left out, and holes of fewer are filled.

    Returns
    -------
    dict
        For :func:`mpas_lite.files.atomic.write_json`. An island within a hole comes after the hole, and so is painted
        over it.

    Raises
    ------
    ValueError
        If the mask is not (H, W) bool, ``image`` is no plain file name, ``label`` is ``hole``, or a number is
        negative or not finite.

    Examples
    --------
    >>> mask = np.zeros((8, 10), bool); mask[2:6, 3:8] = True
    >>> content = prelabel(mask, "000020.png", min_area=1)
    >>> content["shapes"][0]["label"], content["shapes"][0]["points"]
    ('crowd', [[3.0, 2.0], [3.0, 5.0], [7.0, 5.0], [7.0, 2.0]])
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype != bool:
        raise ValueError(f"A mask is (H, W) bool; this one is {mask.shape} {mask.dtype}.")
    if image != Path(image).name or "\\" in image:
        raise ValueError(f"{image!r} is not the name of a file beside the JSON: give it without a folder.")
    if label.strip().lower() == HOLE:
        raise ValueError(f'The label "{HOLE}" takes away from the crowd; choose another.')
    for name, value in (("tolerance", tolerance), ("min_area", min_area)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}; it must be a number of pixels, 0 or more.")
    shapes = [
        {
            "label": label if inside else HOLE,
            "points": outline.astype(float).tolist(),
            "group_id": None,
            "shape_type": "polygon",
            "flags": {},
        }
        for inside, outline in _outlines(mask, tolerance, min_area)
    ]
    return {
        "version": _VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": image,
        "imageData": None,
        "imageHeight": mask.shape[0],
        "imageWidth": mask.shape[1],
    }


def _outlines(mask: np.ndarray, tolerance: float, min_area: int) -> Iterator[tuple[bool, np.ndarray]]:
    """Outlines (P, 2) to paint one over the other: the regions, then their holes, then islands in these, ..."""
    left, inside = mask, True
    while left.any():
        # Outer outlines only: filled, they are this layer. What differs from it beneath is the next.
        contours, _ = cv2.findContours(left.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        layer = np.zeros(mask.shape, np.uint8)
        for contour in contours:
            region = np.zeros(mask.shape, np.uint8)
            cv2.drawContours(region, [contour], 0, 1, cv2.FILLED)
            if np.count_nonzero(region) >= min_area:
                layer |= region
                yield inside, _simplified(contour, tolerance)
        inside = not inside
        left = (layer > 0) & (mask != (not inside))


def _simplified(contour: np.ndarray, tolerance: float) -> np.ndarray:
    """An outline (P, 2) of at least 3 points: LabelMe refuses a polygon of fewer."""
    epsilon = min(tolerance, 1e9)  # OpenCV takes no larger ones
    while epsilon > 0.1:
        points = cv2.approxPolyDP(contour, epsilon, True)
        # OpenCV measures to the line through two corners, not to the side between them: it may cut off a spike.
        farthest = max(abs(cv2.pointPolygonTest(points, point, True)) for point in contour[:, 0].astype(float))
        if len(points) >= 3 and farthest <= tolerance:
            return points[:, 0]
        epsilon /= 2
    points = contour[:, 0]
    return np.concatenate([points, np.repeat(points[-1:], max(0, 3 - len(points)), axis=0)])


def _frames_of(
    masks: Sequence[Path], all_masks: Sequence[Path], frames: Video | str | Path
) -> Iterator[tuple[Path, np.ndarray]]:
    """Each mask that has a frame with that frame, (H, W, 3) uint8 RGB."""
    if not masks:
        return
    if not isinstance(frames, Video) and Path(frames).resolve() == masks[0].resolve().parent.parent / "frames":
        images = {path.stem: path for path in Path(frames).iterdir() if is_visible(path, IMAGE_ENDINGS)}
        for path in masks:
            if path.stem in images:
                yield path, read_image(images[path.stem])
        return
    numbers = dict(zip(all_masks, frame_numbers([path.name for path in all_masks]), strict=True))
    by_index = {numbers[path]: path for path in masks}
    for index, frame in read_video(frames).frames(sorted(by_index)):
        yield by_index[index], frame
