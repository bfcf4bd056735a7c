"""CDnet 2014 as it comes: videos with ground truth for every pixel."""

from __future__ import annotations

from pathlib import Path

from mpas_lite.datasets.folders import existing_folder, good_clips, text_of, walk, with_own_names
from mpas_lite.video.clip import Clip
from mpas_lite.video.finding import image_files


def cdnet(folder: str | Path) -> list[Clip]:
    """Videos of CDnet 2014 (changedetection.net), with ground truth for every pixel.

    Y. Wang, P.-M. Jodoin, F. Porikli, J. Konrad, Y. Benezeth, P. Ishwar, "CDnet 2014: An Expanded Change Detection
    Benchmark Dataset", CVPR workshops 2014. The site offers it for download, by category; it asks to be named
    and the overview paper to be cited. For further terms see there.

    One folder a video, in one of its category::

        baseline/pedestrians/input/in000001.jpg, ...
        baseline/pedestrians/groundtruth/gt000001.png, ...
        baseline/pedestrians/temporalROI.txt      first and last frame that count, from 1, both included

    The ground truth marks what moves (255), shadow (50), what lies outside the region of interest (85) and what
    nobody can tell (170); :func:`mpas_lite.read_ground_truth` knows these. What moves need not be people: choose
    videos accordingly, such as ``baseline/pedestrians``.

    Parameters
    ----------
    folder : str or Path
        The data set, a category, or one video's folder.

    Returns
    -------
    list of Clip
        ``truth`` is None where there is no folder of ground truth, ``valid`` where there is no temporalROI.txt.

    Raises
    ------
    ValueError
        If no folder in it has an ``input`` with images.
    FileNotFoundError
        If there is no such folder.

    Warns
    -----
    UserWarning
        For each video that is left out because it holds no images or its temporalROI.txt is not two numbers.
    """
    folder = existing_folder(folder)
    clips, problems = [], []
    for place, folders, _ in walk(folder):
        if "input" not in folders:
            continue
        folders.clear()
        truth, limits = place / "groundtruth", place / "temporalROI.txt"
        try:
            if not image_files(place / "input"):
                raise ValueError(f"{place / 'input'} holds no images.")
            has_truth = truth.is_dir() and bool(image_files(truth))
            valid = _two_numbers(limits) if limits.exists() else None
        except ValueError as error:
            problems.append(str(error))
            continue
        name = place.absolute().name
        clips.append(Clip(name, "CDnet 2014", name, place / "input", truth if has_truth else None, None, valid))
    layout = "A video of CDnet is a folder with input/ (in000001.jpg, ...), groundtruth/ and temporalROI.txt."
    return with_own_names(good_clips(clips, problems, folder, layout))


def _two_numbers(path: Path) -> tuple[int, int]:
    text = text_of(path)
    try:
        first, last = (int(word) for word in text.split())
    except ValueError:
        raise ValueError(f"{path} should hold two whole numbers, such as: 300 1099") from None
    if not 1 <= first <= last:
        raise ValueError(f"{path} lets frames {first} to {last} count; they are numbered from 1, the lower one first.")
    return first, last
