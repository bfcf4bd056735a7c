"""Polygons out of masks: LabelMe files for a person to correct."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mpas_lite.evaluation.labelme_shapes import HOLE
from mpas_lite.files.atomic import write_json
from mpas_lite.files.ledger import lock_folder
from mpas_lite.files.outputs import check_apart
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.masks import frame_numbers, names_in_source, numbered, read_mask, source_names
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

_VERSION = "5.0.1"  # of LabelMe's format, which has not changed for polygons since; later ones read it


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
    masks : str or Path
        As :func:`mpas_lite.video.masks.read_mask` takes them: ``masks/`` of ``mpas-lite segment``, or
        ``pairs/<clip>/masks``.
    frames : str, Path or Video
        ``pairs/<clip>/frames`` beside ``pairs/<clip>/masks``, where both have the same names; else what the masks
        were made from, in which case the number of a mask is the frame's 0-based index.
    out : str or Path
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
    mask: Mask, image: str, *, label: str = "crowd", tolerance: float = 1.0, min_area: int = 25
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


def _outlines(mask: Mask, tolerance: float, min_area: int) -> Iterator[tuple[bool, np.ndarray]]:
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
) -> Iterator[tuple[Path, Frame]]:
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
