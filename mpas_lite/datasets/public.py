"""Public data sets as they come: where their clips, ground truth and tracklets lie, without moving a file.

Each adapter takes the folder of a data set, or of one clip of it, and returns a list of
:class:`mpas_lite.video.clip.Clip`. Nothing is decoded until a clip's frames are asked for. A clip that is not as it
should be is left out with a warning that names it; only a folder without a single good clip is an error.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mpas_lite.files.outputs import own_names
from mpas_lite.motion.tracklets import TRACKLET_FILE
from mpas_lite.video.clip import Clip
from mpas_lite.video.finding import IMAGE_ENDINGS, contents, existing_path, image_files, is_video_file, is_visible
from mpas_lite.video.limits import check_regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib
_LIST_FILE = "imageList.txt"
_MEAN_IMAGE = "000000"  # the clip's temporal mean, not a frame
_LARGEST_TEXT = 16_000_000  # bytes of any other text


# ------------------------------------------------------------------------------------------------- data sets


def collective_motion(folder: str | Path) -> list[Clip]:
    """Clips of the Collective Motion Database: 413 clips of 62 crowded scenes.

    B. Zhou, X. Tang, H. Zhang, X. Wang, "Measuring Crowd Collectiveness", TPAMI 2014. The authors' project page,
    http://mmlab.ie.cuhk.edu.hk/project/collectiveness, names where to get it; for the terms of use see there.

    One folder a clip::

        639-12/000000.jpg              the temporal mean of the clip: no frame, and skipped
        639-12/000001.jpg, 000002.jpg, ...
        639-12/imageList.txt
        639-12/klt_3000_10_trk.txt     the authors' tracklets

    The scene is what precedes the last hyphen of the clip's name, here 639.

    Parameters
    ----------
    folder : path
        The data set, at whatever depth the clips lie in it, or one clip.

    Returns
    -------
    list of Clip
        In the order of their folders.

    Raises
    ------
    ValueError
        If there is no good clip in the folder.
    FileNotFoundError
        If there is no such folder.

    Warns
    -----
    UserWarning
        For each clip that is left out because frames or its list are missing.
    """
    return _crowd_clips(folder, "Collective Motion Database", lambda name: re.sub(r"-\d+$", "", name))


def cuhk_crowd(folder: str | Path) -> list[Clip]:
    """Clips of the CUHK Crowd data set: 474 clips.

    J. Shao, C. C. Loy, X. Wang, "Scene-Independent Group Profiling in Crowd", CVPR 2014. For where to get it and
    the terms of use see the authors' pages at the Multimedia Laboratory of the Chinese University of Hong Kong.

    The layout is that of :func:`collective_motion`. The scene is what precedes the first hyphen of the clip's
    name: ``1_8_groupSplit-festivalwalk_1_2-1`` shows scene ``1_8_groupSplit``.

    Parameters, results and errors are those of :func:`collective_motion`.
    """
    return _crowd_clips(folder, "CUHK Crowd", lambda name: name.split("-")[0])


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
    folder : path
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
    folder = _existing(folder)
    clips, problems = [], []
    for place, folders, _ in _walk(folder):
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
    return _with_own_names(_good(clips, problems, folder, layout))


def video_folder(folder: str | Path) -> list[Clip]:
    """Videos of a plain folder: files, and folders of frames, each a clip of its own.

    Parameters
    ----------
    folder : path
        A folder of video files and of folders with images (or with one video file), or one folder of images.
        Other things in it are passed over.

    Returns
    -------
    list of Clip
        Named by file or folder; a name that is taken gets ``-2``, ``-3``, ... behind it.

    Raises
    ------
    ValueError
        If there is no video in it.
    FileNotFoundError
        If there is no such folder.

    Warns
    -----
    UserWarning
        For each folder in it that is left out because it cannot be read, or holds both frames and a video.
    """
    folder = _existing(folder)
    problems: list[str] = []
    if contents(folder)[0]:
        sources = [folder]
    else:
        entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        sources = [p for p in entries if (_is_one_video(p, problems) if p.is_dir() else is_video_file(p))]
    names = [p.absolute().name if p.is_dir() else p.stem for p in sources]
    clips = [Clip(name, folder.absolute().name, name, source) for name, source in zip(names, sources, strict=True)]
    layout = "Give a folder of video files, of folders of images, or of images."
    return _with_own_names(_good(clips, problems, folder, layout))


def paper_scenes(*folders: str | Path, truth: str | Path | None = None) -> dict[str, list[Clip]]:
    """Find the clips of the paper's six evaluation scenes in the data sets that are at hand.

    Which clips these are is written in ``paper_scenes.toml`` beside this file: five scenes of CUHK Crowd, one of the
    Collective Motion Database.

    Parameters
    ----------
    *folders : paths
        Folders of the two data sets, or of any of their clips.
    truth : path, optional
        Your annotations: a folder with one folder of masks a clip, named like the clip. The paper's authors
        published none.

    Returns
    -------
    dict from scene to list of Clip
        All six scenes in the paper's order; the list of a scene that is not at hand is empty.

    Raises
    ------
    ValueError
        If a folder holds no clip in the layout of these data sets, or none is given.
    FileNotFoundError
        If there is no such folder.

    Warns
    -----
    UserWarning
        Once, naming the known clips that are missing.
    """
    if not folders:
        raise ValueError("Give the folder of CUHK Crowd, of the Collective Motion Database, or both.")
    known: dict[str, Clip] = {}
    for folder in folders:
        for clip in _crowd_clips(folder, "", str):
            known.setdefault(clip.name, clip)
    truth = None if truth is None else _existing(truth)
    found, missing = {}, []
    for scene in _scene_list():
        names = scene.get("clips") or sorted(name for name in known if name.startswith(scene["prefix"]))
        clips = [replace(known[n], dataset=scene["dataset"], scene=scene["name"]) for n in names if n in known]
        found[scene["name"]] = [_with_truth(clip, truth) for clip in clips]
        absent = [name for name in names if name not in known] or ([] if names else [f"{scene['prefix']}..."])
        missing += [f"{name} ({scene['dataset']})" for name in absent]
    if missing:
        warnings.warn(f"Clips of the paper's scenes that are not at hand: {', '.join(missing)}.", stacklevel=2)
    return found


def _scene_list() -> list[dict[str, Any]]:
    text = (Path(__file__).parent / "paper_scenes.toml").read_text(encoding="utf-8")
    scenes: list[dict[str, Any]] = tomllib.loads(text)["scene"]
    return scenes


def _with_truth(clip: Clip, truth: Path | None) -> Clip:
    masks = None if truth is None else truth / clip.name
    return replace(clip, truth=masks) if masks is not None and masks.is_dir() else clip


# ------------------------------------------------------------------------------------------------- folders


def _crowd_clips(folder: str | Path, dataset: str, scene_of: Callable[[str], str]) -> list[Clip]:
    folder = _existing(folder)
    clips, problems = [], []
    for place, folders, files in _walk(folder):
        if not {_LIST_FILE, TRACKLET_FILE, f"{_MEAN_IMAGE}.jpg"} & set(files):
            continue
        folders.clear()
        problem = _problem_of_crowd_clip(place, files)
        if problem:
            problems.append(f"{place}: {problem}")
            continue
        name = place.absolute().name
        tracklets = place / TRACKLET_FILE if TRACKLET_FILE in files else None
        clips.append(Clip(name, dataset, scene_of(name), place, tracklets=tracklets))
    layout = f"A clip of this data set is a folder with 000001.jpg, 000002.jpg, ... and {_LIST_FILE}."
    return _good(clips, problems, folder, layout)


def _problem_of_crowd_clip(place: Path, files: Sequence[str]) -> str | None:
    """Why the frames are not those that the tracklets count, in a sentence; None where they are."""
    if _LIST_FILE not in files:
        return f"without {_LIST_FILE} the mean image 000000.jpg cannot be told from a frame. Get the clip again."
    stems = sorted(Path(f).stem for f in files if is_visible(Path(f), IMAGE_ENDINGS))
    frames = [stem for stem in stems if stem != _MEAN_IMAGE]
    try:
        text = _text_of(place / _LIST_FILE)
    except ValueError as error:
        return str(error)
    # Only the names are looked at: nothing that the list says is opened.
    listed = [Path(line.strip().replace("\\", "/")).stem for line in text.splitlines() if line.strip()]
    missing = sorted(set(listed) - set(stems) - {_MEAN_IMAGE})
    if missing:
        return f"of the frames in {_LIST_FILE} {len(missing)} are missing, the first {missing[0]}. Get the clip again."
    if not frames:
        return "it holds no frames."
    numbers = [int(stem) if stem.isdecimal() else -1 for stem in frames]
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        return "its images are not numbered 000001, 000002, ... without a gap. Get the clip again."
    return None


def _existing(folder: str | Path) -> Path:
    try:
        path = existing_path(folder)
    except FileNotFoundError:
        path = None
    if path is None or not path.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Check the path.")
    return path


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folders below, visible ones in order, through links too but into each only once; clear() stops the descent."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_say_if_closed):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(place), folders, sorted(files)


def _say_if_closed(error: OSError) -> None:
    warnings.warn(f"{error.filename} cannot be read ({error.strerror}) and is passed over.", stacklevel=2)


def _good(clips: list[Clip], problems: list[str], folder: Path, layout: str) -> list[Clip]:
    """The clips, with a warning for each that is left out; an error if none is left."""
    if not clips:
        reason = f" {problems[0]}" if problems else ""
        raise ValueError(f"{folder} holds no clip that can be used.{reason} {layout}")
    for problem in problems:
        warnings.warn(f"{problem} It is left out.", stacklevel=4)
    return clips


def _with_own_names(clips: list[Clip]) -> list[Clip]:
    """Put -2, -3, ... behind a name that an earlier clip has."""
    names = own_names(clip.name for clip in clips)
    return [replace(clip, name=name) for clip, name in zip(clips, names, strict=True)]


def _is_one_video(folder: Path, problems: list[str]) -> bool:
    """Whether a folder is one of frames, or holds one video; what is wrong with it is put to the problems."""
    try:
        images, videos = contents(folder)
    except ValueError as error:
        problems.append(str(error))
        return False
    return bool(images) or len(videos) == 1


def _text_of(path: Path) -> str:
    """A small text file, whatever its bytes are."""
    check_regular(path)
    if path.stat().st_size > _LARGEST_TEXT:
        raise ValueError(f"{path} is {path.stat().st_size / 1e6:.0f} MB long. Is it another kind of file?")
    return path.read_text(encoding="utf-8", errors="replace")


def _two_numbers(path: Path) -> tuple[int, int]:
    text = _text_of(path)
    try:
        first, last = (int(word) for word in text.split())
    except ValueError:
        raise ValueError(f"{path} should hold two whole numbers, such as: 300 1099") from None
    if not 1 <= first <= last:
        raise ValueError(f"{path} lets frames {first} to {last} count; they are numbered from 1, the lower one first.")
    return first, last
