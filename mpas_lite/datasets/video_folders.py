"""Plain folders of videos."""

from __future__ import annotations

from pathlib import Path

from mpas_lite.datasets.folders import existing_folder, good_clips, with_own_names
from mpas_lite.video.clip import Clip
from mpas_lite.video.finding import contents, is_video_file


def video_folder(folder: str | Path) -> list[Clip]:
    """Videos of a plain folder: files, and folders of frames, each a clip of its own.

    Parameters
    ----------
    folder : str or Path
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
    folder = existing_folder(folder)
    problems: list[str] = []
    if contents(folder)[0]:
        sources = [folder]
    else:
        entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        sources = [p for p in entries if (_is_one_video(p, problems) if p.is_dir() else is_video_file(p))]
    names = [p.absolute().name if p.is_dir() else p.stem for p in sources]
    clips = [Clip(name, folder.absolute().name, name, source) for name, source in zip(names, sources, strict=True)]
    layout = "Give a folder of video files, of folders of images, or of images."
    return with_own_names(good_clips(clips, problems, folder, layout))


def _is_one_video(folder: Path, problems: list[str]) -> bool:
    """Whether a folder is one of frames, or holds one video; what is wrong with it is put to the problems."""
    try:
        images, videos = contents(folder)
    except ValueError as error:
        problems.append(str(error))
        return False
    return bool(images) or len(videos) == 1
