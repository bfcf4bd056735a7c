"""Mask files: what is taken for one, and which frame each is of.

A mask has 255 where a person is and 0 elsewhere; ground truth may have the codes of CDnet 2014 as well. Other programs
keep masks in other ways: in 1 or 16 bits, as three equal colours, with a transparency that says nothing or the same
again. Those are taken, as they can mean one thing only. Whatever could mean another is refused: a 1 in place of 255,
the numbers of objects, a mask in the transparency alone, colours, the greys of a JPEG.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from mpas_lite.files.atomic import read_json
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.images import image_view, read_unchanged

PLAIN = (0, 255)
CDNET = (0, 50, 85, 170, 255)  # background, shadow, outside the region of interest, unknown motion, person

_REMEDY = "Save it as a grey PNG with 255 for people and 0 for the rest."
_SIZE = re.compile(r"(?<!\d)\d{2,5}[xX×]\d{2,5}(?!\d)")  # such as 320x240 in a name


# ------------------------------------------------------------------------------------------------- what is in one


def read_mask(path: str | Path, values: Sequence[int] = PLAIN) -> np.ndarray:
    """Read a mask: the file as it is stored, then checked, then brought to 8 bit grey.

    Parameters
    ----------
    path : str or Path
    values : sequence of int
        The grey values that it may have.

    Returns
    -------
    (H, W) uint8
        Of these values alone.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not an image that can be read, or not clearly such a mask; the message says what was found.
    """
    _, orientation = image_view(path)
    if orientation != 1:
        raise ValueError(f"{path} is to be turned when it is shown (EXIF orientation {orientation}). Save it upright.")
    stored = read_unchanged(path)
    grey = stored if stored.ndim == 2 else _grey(path, stored)
    mask = grey if grey.dtype == np.uint8 else _eight_bit(path, grey, values)
    if not _table(tuple(values))[mask].all():
        _refuse_values(path, mask, values)
    return mask


@lru_cache
def _table(values: tuple[int, ...]) -> np.ndarray:
    """For each of 256 grey values, whether a mask may have it."""
    return np.isin(np.arange(256), values)


def _grey(path: str | Path, stored: np.ndarray) -> np.ndarray:
    """The one channel that says everything, of (H, W, C) with C = 2, 3 or 4, where there is one."""
    has_alpha = stored.shape[2] in (2, 4)
    colours = stored[..., :-1] if has_alpha else stored
    grey: np.ndarray = colours[..., 0]
    if (colours != grey[..., None]).any():
        raise ValueError(f"{path} is in colour, so which of its pixels are people is not known. {_REMEDY}")
    if has_alpha:
        alpha = stored[..., -1]
        says_nothing = (alpha == alpha.flat[0]).all() and (alpha.flat[0] > 0 or not grey.any())
        if not says_nothing and not np.array_equal(alpha, grey):
            raise ValueError(
                f"{path} has a transparency (alpha) other than its grey values, and either could be the mask. {_REMEDY}"
            )
    return grey


def _eight_bit(path: str | Path, grey: np.ndarray, values: Sequence[int]) -> np.ndarray:
    """A grey image of another type as uint8, where its values are those of a mask, as they are or times 257."""
    if grey.dtype == bool:
        return grey.astype(np.uint8) * np.uint8(255)
    if grey.dtype != np.uint16:
        raise ValueError(f"{path} holds numbers of type {grey.dtype}, not grey values of 8 bit. {_REMEDY}")
    found = set(np.unique(grey).tolist())
    if found <= set(values):
        return grey.astype(np.uint8)
    if found <= {257 * value for value in values}:  # 65535 is the white of 16 bit
        return (grey // 257).astype(np.uint8)
    raise ValueError(
        f"{path} has 16-bit values {_few(found - {0})}, such as the numbers of objects; a mask has only "
        f"{_all(values)} (255 = person). {_REMEDY}"
    )


def _refuse_values(path: str | Path, mask: np.ndarray, values: Sequence[int]) -> None:
    others = set(np.unique(mask).tolist()) - set(values)
    remedy = (
        "Multiply it by 255: 255 for people, 0 for the rest."
        if others == {1} and 255 not in mask
        else ("Save it as PNG, not JPEG, with 255 for people and 0 for the rest.")
    )
    raise ValueError(f"{path} has grey values {_few(others)}; a mask has only {_all(values)} (255 = person). {remedy}")


def _few(values: Collection[int]) -> str:
    return ", ".join(map(str, sorted(values)[:5])) + (", ..." if len(values) > 5 else "")


def _all(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


# ------------------------------------------------------------------------------------------------- which frame it is of


def frame_number(name: str | Path) -> int:
    """The number in a file name: its last group of digits, the ending and a size such as 320x240 apart.

    Where there are several files, `frame_numbers` knows better.

    Examples
    --------
    >>> frame_number("gt000012.png"), frame_number("cam2_0300.mask.png"), frame_number("frame_12_320x240.json")
    (12, 300, 12)
    """
    return int(_groups(name)[-1])


def frame_numbers(names: Sequence[str | Path], beside: Sequence[str | Path] = ()) -> list[int]:
    """The number in each name of a folder: of its groups of digits the last that differs from name to name.

    Parameters
    ----------
    names : sequence of str or Path
    beside : sequence of str or Path
        Names of another folder that these are paired with. The same group counts in both, where there is one.

    Raises
    ------
    ValueError
        If a name has no digits.

    Examples
    --------
    >>> frame_numbers(["gt000012.png", "gt000013.png"]), frame_numbers(["f12_at25fps.png", "f13_at25fps.png"])
    ([12, 13], [12, 13])
    """
    own, others = [_groups(name) for name in names], [_groups(name) for name in beside]
    if len({len(groups) for groups in own}) != 1:
        return [int(groups[-1]) for groups in own]
    places = range(len(own[0]) - 1, -1, -1)
    apart = [place for place in places if _differ(own, place)]
    if {len(groups) for groups in others} == {len(own[0])}:
        apart = [place for place in apart if _differ(others, place)] or apart
    place = apart[0] if apart else -1
    return [int(groups[place]) for groups in own]


def _groups(name: str | Path) -> list[str]:
    """The groups of digits in a name, the ending apart, and those of a size where others are left."""
    stem = Path(name).stem
    digits = re.findall(r"\d+", _SIZE.sub(" ", stem)) or re.findall(r"\d+", stem)
    if not digits:
        raise ValueError(f"There is no number in the file name {Path(name).name!r}, by which masks are paired.")
    return digits


def _differ(names: Sequence[Sequence[str]], place: int) -> bool:
    return len({int(groups[place]) for groups in names}) == len(names)


def numbered(files: Sequence[Path], names: Sequence[str], beside: Sequence[str] = ()) -> dict[int, Path]:
    """Map frame number -> file, increasing, by the numbers in ``names``: see `frame_numbers`.

    Raises
    ------
    ValueError
        If two files have one number.
    """
    found: dict[int, Path] = {}
    for file, number in zip(files, frame_numbers(names, beside), strict=True):
        if number in found:
            raise ValueError(
                f"{found[number]} and {file} both stand for frame {number}: of the digits in their names, the last "
                "group that differs from file to file counts, a size such as 320x240 apart. Name them so that one "
                "number tells them apart, or put one of two kinds of files into another folder."
            )
        found[number] = file
    return dict(sorted(found.items()))


def mask_files(folder: Path) -> list[Path]:
    """The images of a folder of masks, by name.

    Raises
    ------
    ValueError
        If there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder of masks: there is no such folder.")
    files = sorted(p for p in folder.iterdir() if is_visible(p, IMAGE_ENDINGS))
    if not files:
        inside = sorted(p.name for p in folder.iterdir() if p.is_dir())
        hint = f" Did you mean a folder in it ({', '.join(inside[:5])})?" if inside else ""
        raise ValueError(f"{folder} holds no images.{hint}")
    return files


def source_names(masks: Path) -> dict[str, str] | None:
    """What ``segment`` and ``label`` noted beside their masks: {"000020": "in000021.jpg", ...}; None without a note.

    Raises
    ------
    ValueError
        If there is such a note, and it is damaged or another program's.
    """
    path = masks.resolve().parent / "frames.json"
    if not path.exists():
        return None
    content = read_json(path)
    names = content.get("frames", content) if isinstance(content, Mapping) else None
    if not isinstance(names, dict) or not all(isinstance(name, str) and len(name) < 1000 for name in names.values()):
        raise ValueError(f"{path} does not map masks to frames. Segment the video again.")
    return names


def names_in_source(files: Iterable[Path], names: Mapping[str, str] | None) -> list[str]:
    """The name of the source's frame for each mask, as `source_names` has it; without such a note the mask's own.

    Raises
    ------
    ValueError
        If there is a note, and it does not list one of the masks.
    """
    if names is None:
        return [file.name for file in files]
    found = []
    for file in files:
        if file.stem not in names:
            raise ValueError(
                f"{file.resolve().parents[1] / 'frames.json'} does not list {file.name}: it stems from another run, "
                "or from one that was killed. Segment the video again."
            )
        found.append(names[file.stem])
    return found
