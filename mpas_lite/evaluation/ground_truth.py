"""Which ground truth a clip has, and which of its frames count."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mpas_lite.video.arrays import Mask
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.masks import CDNET, frame_numbers, mask_files, numbered, read_mask
from mpas_lite.video.video import Video


def truth_folders(source: str | Path, given: Path | None = None) -> dict[str, Path]:
    """Ground truth of a clip, by kind: a given folder, or what lies beside the clip in a layout we know.

    Our scenes keep ``truth/crowd`` and ``truth/person`` beside the video. A folder of frames may have these too, or
    masks in ``truth`` itself. CDnet keeps ``groundtruth`` beside the folder ``input``.

    Raises
    ------
    ValueError
        If a folder is given and it does not exist, or holds no masks.
    """
    if given is not None and not Path(given).is_dir():
        raise ValueError(f"There is no folder {given} with ground truth. Check the path.")
    source = Path(source)
    beside = source if source.is_dir() else source.parent
    places = [Path(given)] if given is not None else [beside / "truth", beside.parent / "groundtruth"]
    for place in places:
        kinds = {kind: place / kind for kind in ("crowd", "person") if _has_images(place / kind)}
        if kinds:
            return kinds
        if given is not None and not _has_images(place):
            raise ValueError(f"{given} holds no masks, and no crowd/ or person/ with masks. Check the path.")
        own = place.parent == source and _has_images(place)
        if place.is_dir() and (given is not None or beside.name == "input" or own):
            return {"truth": place}
    return {}


def _has_images(folder: Path) -> bool:
    return folder.is_dir() and any(is_visible(path, IMAGE_ENDINGS) for path in folder.iterdir())


def truth_of(video: Video, folder: str | Path) -> dict[int, Path]:
    """Find the ground truth of a video's frames: 0-based index of the frame -> file in ``folder``.

    A frame of a folder goes by the number in its name, so frame 0 of a folder that begins with ``in000001.jpg`` has
    ``gt000001.png``; in a video file, frame 0 has ``000000.png``. Frames without ground truth are left out, and those
    outside ``temporalROI.txt`` too; see `evaluate`. How many frames a video file has is not asked, as containers claim
    what they like: of ground truth past its end nothing will be compared.
    """
    folder = Path(folder)
    files = mask_files(folder)
    truth_names = [file.name for file in files]
    if Path(video.source).is_file():
        return _that_count(folder, numbered(files, truth_names))
    names = [video.frame_name(index) for index in range(len(video))]
    truths = _that_count(folder, numbered(files, truth_names, names))
    indices = enumerate(frame_numbers(names, truth_names))
    return {index: truths[number] for index, number in indices if number in truths}


def read_ground_truth(path: str | Path) -> tuple[Mask, Mask]:
    """Read one ground-truth mask: see `mpas_lite.video.masks.read_mask` for what is taken for one.

    Black and white is 0 and 255. CDnet 2014 adds 50 (shadow: background), 85 (outside the region of interest)
    and 170 (unknown motion, mostly outlines); the last two do not count.

    Returns
    -------
    target, valid : (H, W) bool
        Where a person is, and which pixels count.

    Raises
    ------
    ValueError
        If the image has other values.
    """
    image = read_mask(path, CDNET)
    return image == 255, (image != 85) & (image != 170)


def _that_count(gt: Path, files: dict[int, Path]) -> dict[int, Path]:
    """The ground truth that counts: all there is, or what temporalROI.txt limits it to."""
    for path in (gt / "temporalROI.txt", gt.resolve().parent / "temporalROI.txt"):
        if path.exists():
            try:
                first, last = (int(word) for word in path.read_text().split())
            except ValueError:
                raise ValueError(f"{path} should hold two whole numbers, such as: 300 1099") from None
            counted = {number: file for number, file in files.items() if first <= number <= last}
            if not counted:
                raise ValueError(f"{gt} has {_span(files)}, but {path} lets only {first} to {last} count.")
            return counted
    return files


def _span(numbers: Collection[int]) -> str:
    return f"{len(numbers)} masks with numbers {min(numbers)} to {max(numbers)}"
