"""LabelMe: masks out of polygons that a person drew. (The other way, for a person to correct: `prelabels`.)

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

import warnings
from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image

from mpas_lite.evaluation.labelme_files import read_labelme
from mpas_lite.evaluation.labelme_shapes import HOLE, paint
from mpas_lite.files.atomic import blame
from mpas_lite.files.ledger import lock_folder
from mpas_lite.files.outputs import check_apart
from mpas_lite.video.arrays import Mask
from mpas_lite.video.finding import is_visible
from mpas_lite.video.images import write_image
from mpas_lite.video.masks import numbered


def labelme_mask(path: str | Path, *, labels: Collection[str] | None = None) -> Mask:
    """The crowd mask of one LabelMe file.

    Polygons, rectangles, circles, oriented rectangles and the masks of LabelMe's AI tools count; see the top of
    this file for holes. Points and lines have no area: they are passed over where they have a label of their own, and
    refused where they have one that counts. The image is not opened, as its size stands in the file; in files of old
    that lack it, it is that of the image in them or beside them. No path in a file is followed to another folder.

    Parameters
    ----------
    path : str or Path
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
        shapes, (height, width) = read_labelme(path, wanted)
        canvas = Image.new("L", (width, height))
        for where, label, shape in shapes:
            paint(canvas, shape, 0 if label == HOLE else 1, where)
        return np.array(canvas, bool)


def labelme_masks(folder: str | Path, out: str | Path, *, labels: Collection[str] | None = None) -> list[Path]:
    """Turn a folder of LabelMe files into masks that :func:`mpas_lite.evaluate` takes for ground truth.

    Writes ``out/NNNNNN.png``, 0 and 255, by the number in the JSON's name. Mind that a frame without a JSON has no
    ground truth, not an empty one: for a frame without people save an annotation without shapes.

    Parameters
    ----------
    folder : str or Path
        Where the JSON files are.
    out : str or Path
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
