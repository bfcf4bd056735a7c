"""The databases of crowds, Collective Motion and CUHK Crowd, which have one layout; and the paper's scenes in them."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mpas_lite.datasets.folders import existing_folder, good_clips, text_of, walk
from mpas_lite.motion.tracklets import TRACKLET_FILE
from mpas_lite.video.clip import Clip
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib
_LIST_FILE = "imageList.txt"
_MEAN_IMAGE = "000000"  # the clip's temporal mean, not a frame


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
    folder : str or Path
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


def _crowd_clips(folder: str | Path, dataset: str, scene_of: Callable[[str], str]) -> list[Clip]:
    folder = existing_folder(folder)
    clips, problems = [], []
    for place, folders, files in walk(folder):
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
    return good_clips(clips, problems, folder, layout)


def _problem_of_crowd_clip(place: Path, files: Sequence[str]) -> str | None:
    """Why the frames are not those that the tracklets count, in a sentence; None where they are."""
    if _LIST_FILE not in files:
        return f"without {_LIST_FILE} the mean image 000000.jpg cannot be told from a frame. Get the clip again."
    stems = sorted(Path(f).stem for f in files if is_visible(Path(f), IMAGE_ENDINGS))
    frames = [stem for stem in stems if stem != _MEAN_IMAGE]
    try:
        text = text_of(place / _LIST_FILE)
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


def paper_scenes(*folders: str | Path, truth: str | Path | None = None) -> dict[str, list[Clip]]:
    """Find the clips of the paper's six evaluation scenes in the data sets that are at hand.

    Which clips these are is written in ``paper_scenes.toml`` beside this file: five scenes of CUHK Crowd, one of the
    Collective Motion Database.

    Parameters
    ----------
    *folders : str or Path
        Folders of the two data sets, or of any of their clips.
    truth : str or Path, optional
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
    truth = None if truth is None else existing_folder(truth)
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
