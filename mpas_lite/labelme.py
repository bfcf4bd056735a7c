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
import json
import math
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mpas_lite.evaluation import frame_number
from mpas_lite.files import read_image, read_json, write_image, write_json
from mpas_lite.video import IMAGE_ENDINGS, Video, is_visible, read_video

HOLE = "hole"
_VERSION = "5.0.1"  # of LabelMe's format, which has not changed for polygons since; later ones read it
_MOST_PIXELS = 200_000_000
_FARTHEST = 50_000  # px; a shape may reach over the image's edge, but not without end
_POINTS = {"polygon": "3 or more", "rectangle": "2", "circle": "2", "oriented_rectangle": "4", "mask": "2"}


# ------------------------------------------------------------------------------------------------- reading


def labelme_mask(path: str | Path, *, labels: Collection[str] | None = None) -> np.ndarray:
    """The crowd mask of one LabelMe file.

    Polygons, rectangles, circles, oriented rectangles and the masks of LabelMe's AI tools count; see the top of
    this file for holes. The image is not opened: its size stands in the file, and no path in it is followed.

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
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}). Open it in LabelMe, or go back to a copy.") from None
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise ValueError(f'{path} is not a file of LabelMe: it has no list of "shapes".')
    canvas = Image.fromarray(np.zeros(_image_shape(content, path), np.uint8))
    wanted = None if labels is None else {label.lower() for label in labels}
    for number, shape in enumerate(content["shapes"], 1):
        where = f"{path}, shape {number}"
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            raise ValueError(f"{where} has no label. Is the file damaged?")
        label = shape["label"].strip().lower()
        if label == HOLE or wanted is None or label in wanted:
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
        Masks there are written over: the JSON files are the original.
    labels : collection of str, optional
        See :func:`labelme_mask`.

    Returns
    -------
    list of Path
        The masks, in the order of their numbers.

    Raises
    ------
    ValueError
        If there are no LabelMe files, none can be read, or two have one number.
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
    numbered: dict[int, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() == ".json" and not p.name.startswith(".")):
        if not any(character.isdecimal() for character in path.stem):
            continue  # some other program's notes, such as frames.json
        number = frame_number(path)
        if number in numbered:
            raise ValueError(f"{numbered[number]} and {path} both stand for frame {number}. Keep one of them.")
        numbered[number] = path
    written, problems = [], []
    for number, path in sorted(numbered.items()):
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


def _image_shape(content: Mapping[str, Any], path: Path) -> tuple[int, int]:
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if not (isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0):
        raise ValueError(f"{path} does not say how large the image is. Open it in LabelMe and save it again.")
    if height * width > _MOST_PIXELS:
        raise ValueError(f"{path} says its image is {width}x{height}. Is the file damaged?")
    return height, width


def _paint(canvas: Image.Image, shape: Mapping[str, Any], value: int, where: str) -> None:
    """Draw one shape, as LabelMe's own export does."""
    kind = shape.get("shape_type") or "polygon"  # files of old do not name it
    if kind not in _POINTS:
        raise ValueError(f"{where} is a {kind}, which has no area. Draw a polygon, or leave its label out.")
    points = _points(shape.get("points"), where)
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


def _points(points: Any, where: str) -> list[tuple[float, float]]:
    try:
        checked = [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError):
        raise ValueError(f"{where} has points that are not pairs of numbers. Is the file damaged?") from None
    if not all(abs(c) <= _FARTHEST for point in checked for c in point):  # NaN fails too
        raise ValueError(f"{where} has a point that lies nowhere near the image. Is the file damaged?")
    return checked


def _embedded_mask(text: Any, size: tuple[int, int], where: str) -> np.ndarray:
    """The PNG inside a shape of type mask, (h, w) uint8 of 0 and 255; no larger than the image."""
    problem = f"{where} is a mask that cannot be read. Is the file damaged?"
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ValueError(problem) from None
    # A PNG says its size in bytes 16 to 23: looked at before anything of that size is made.
    width, height = (int.from_bytes(data[start : start + 4], "big") for start in (16, 20))
    if data[:4] != b"\x89PNG" or width > size[0] or height > size[1]:
        raise ValueError(problem)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError(problem)
    return np.where(image > 0, 255, 0).astype(np.uint8)


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
        Masks of 0 and 255: ``masks/`` of ``mpas-lite segment``, or ``pairs/<clip>/masks``.
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
        If there are no masks, a mask has no frame, or they differ in size.
    FileNotFoundError
        If a folder does not exist.
    """
    masks, out = Path(masks), Path(out)
    if not masks.is_dir():
        raise FileNotFoundError(f"There is no folder {masks}. Check the path.")
    files = [p for p in masks.iterdir() if is_visible(p, IMAGE_ENDINGS)]
    if not files:
        raise ValueError(f"{masks} holds no masks.")
    files.sort(key=frame_number)
    names = _source_names(masks)
    wanted = {path: out / f"{frame_number(names.get(path.stem, path.name)):06d}.json" for path in files}
    missing = [path for path, target in wanted.items() if not target.exists()]
    written = []
    for path, frame in _frames_of(missing, frames):
        mask = read_image(path, grey=True) > 127
        if mask.shape != frame.shape[:2]:
            raise ValueError(
                f"{path} is {mask.shape[1]}x{mask.shape[0]}, its frame {frame.shape[1]}x{frame.shape[0]}: "
                "these are not the frames that the masks were made from."
            )
        image = wanted[path].with_suffix(".png")
        write_image(image, frame)
        write_json(wanted[path], prelabel(mask, image.name, label=label, tolerance=tolerance, min_area=min_area))
        written.append(wanted[path])
    if len(written) < len(missing):
        raise ValueError(f"{missing[len(written)]} has no frame: {frames} ends before it.")
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
        For :func:`mpas_lite.files.write_json`. An island within a hole comes after the hole, and so is painted
        over it.

    Raises
    ------
    ValueError
        If the mask is not (H, W) bool, ``image`` is no plain file name, or ``label`` is ``hole``.

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
    epsilon = tolerance
    while epsilon > 0.1:
        points = cv2.approxPolyDP(contour, epsilon, True)
        # OpenCV measures to the line through two corners, not to the side between them: it may cut off a spike.
        farthest = max(abs(cv2.pointPolygonTest(points, point, True)) for point in contour[:, 0].astype(float))
        if len(points) >= 3 and farthest <= tolerance:
            return points[:, 0]
        epsilon /= 2
    points = contour[:, 0]
    return np.concatenate([points, np.repeat(points[-1:], max(0, 3 - len(points)), axis=0)])


def _frames_of(masks: list[Path], frames: Video | str | Path) -> Iterator[tuple[Path, np.ndarray]]:
    """Each mask with its frame (H, W, 3) uint8 RGB."""
    if not masks:
        return
    if not isinstance(frames, Video) and Path(frames).resolve() == masks[0].resolve().parent.parent / "frames":
        for path in masks:
            yield path, read_image(Path(frames) / path.name)
        return
    by_index = {frame_number(path): path for path in masks}
    for index, frame in read_video(frames).frames(sorted(by_index)):
        yield by_index[index], frame


def _source_names(masks: Path) -> dict[str, str]:
    """What ``segment`` and ``label`` note beside their masks: {"000020": "in000021.jpg", ...}; else empty."""
    path = masks.resolve().parent / "frames.json"
    content = read_json(path) if path.exists() else {}
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content.values()):
        raise ValueError(f"{path} does not map masks to frames. Segment the video again.")
    return content
