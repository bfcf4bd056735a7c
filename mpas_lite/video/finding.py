"""What a path stands for: a video file, a folder of frames, a folder with one video in it, and the clip's name.

Nothing is decoded here. What is no video or frames on this machine (an address, a camera, a pattern of names) is
refused in a sentence that says what to do instead.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mpas_lite.files.sentences import reason_of, shortened
from mpas_lite.video.limits import check_regular

IMAGE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
VIDEO_ENDINGS = frozenset(
    {".avi", ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".wmv", ".asf"}
    | {".flv", ".f4v", ".ts", ".mts", ".m2ts", ".3gp", ".3g2", ".ogv", ".dv", ".mxf", ".mjpg", ".mjpeg", ".divx"}
)
_PLAIN_NAMES = frozenset({"input", "frames", "images", "img", "img1", "video"})  # say nothing of the clip
_SEQUENCE = 3  # so many numbered images are frames; fewer, beside a video, are its posters
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(?=.)")  # one letter would be a drive of Windows
_PATTERN = re.compile(r"%0?\d*d|[*?]|\[.+\]")


class Found(NamedTuple):
    """A video file (``images`` is empty), or a folder and its frames in order; and the clip's name."""

    path: Path
    images: list[Path]
    name: str


def find(source: str | os.PathLike[str]) -> Found:
    """Say what a path stands for.

    Raises
    ------
    FileNotFoundError
        If there is nothing at that path.
    ValueError
        If it is nothing that can be read: an address, a camera, a pattern, a device, a folder without frames.
    """
    path = existing_path(source)
    if not path.is_dir():
        check_regular(path)
        if path.suffix.lower() in IMAGE_ENDINGS:
            return Found(path, [path], _plain_name(path))
        return Found(path, [], _plain_name(path))
    images, videos = contents(path)
    if images:
        _check_frames(path, images)
        return Found(path, images, _plain_name(path))
    if len(videos) == 1:
        return Found(videos[0], [], _absolute(path).name or "clip")
    raise ValueError(f"{path} holds no images{_hint(path, videos)}")


def as_path(source: object) -> str | os.PathLike[str]:
    """The source, if it is a path at all; a number, say, is refused in one clear sentence."""
    if isinstance(source, int | np.integer):
        raise ValueError(
            f"{source} would be a camera, and cameras are not read. Record a file first, for instance with: "
            "ffmpeg -f v4l2 -i /dev/video0 -t 60 clip.mp4"
        )
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"A {type(source).__name__} is no path of a video. Give a file or a folder of frames.")
    return source


def existing_path(source: str | os.PathLike[str]) -> Path:
    """The source as a path of this machine at which there is something.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`find`.
    """
    text = os.fspath(source)
    if not isinstance(text, str) or not text.strip():
        raise ValueError("The path of the video is empty. Give a video file or a folder of frames.")
    path = Path(source)
    try:
        if path.exists():
            return path
        if path.is_symlink():
            raise FileNotFoundError(f"{path} is a link to {os.readlink(path)}, which is not there. Mend the link.")
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # too long, not permitted, links in a circle, a zero byte
        where = shortened(text, 120, end=40)
        raise ValueError(
            f"{where} cannot be opened ({reason_of(error)}). Check the path and its permissions."
        ) from error
    raise _nothing_there(text, path)


def _nothing_there(text: str, path: Path) -> Exception:
    """What to say about a path that is not there: it may have been meant for something else than a path."""
    if (address := _ADDRESS.match(text)) is not None:
        scheme, rest = address[1], text[address.end() :]
        if scheme.lower() == "file":
            return ValueError(f"file:///{rest} is an address. Give the path itself, without file://.")
        return ValueError(
            f"{scheme}://{rest} is an address, and streams are not read. Save the video as a file first (its download, "
            f"or a minute of it with: ffmpeg -i {scheme}://{rest} -t 60 clip.mp4) and give that file."
        )
    if text.strip().isdecimal():
        return ValueError(
            f"There is no file or folder {text}, and cameras are not read. Record a file first, for instance with: "
            "ffmpeg -f v4l2 -i /dev/video0 -t 60 clip.mp4"
        )
    if _PATTERN.search(path.name) is not None:
        return ValueError(
            f"{text} is a pattern, and there is no file of that name. Give the folder, {path.parent}: its images are "
            "taken in the order of the numbers in their names. Give several videos by their names."
        )
    return FileNotFoundError(f"There is no file or folder {shortened(text, 120, end=40)}. Check the path.")


# ------------------------------------------------------------------------------------------------- folders


def contents(folder: Path) -> tuple[list[Path], list[Path]]:
    """The frames of a folder in order, or the videos in it: one of both lists is empty.

    Where both lie together, numbered images (three or more) are frames, and others are the videos' posters.

    Raises
    ------
    ValueError
        If the folder cannot be read, or holds both a sequence of images and videos.
    """
    images = sorted(image_files(folder), key=by_number)
    if (folder / "imageList.txt").exists():  # the crowd databases: 000000.jpg is the clip's mean image
        images = [image for image in images if image.stem != "000000"]
    videos = sorted(p for p in _files(folder, VIDEO_ENDINGS) if is_video_file(p))
    if not videos or not images:
        return images, videos
    numbered = max(len(members) for members in _families(images).values())
    if numbered < _SEQUENCE:
        return [], videos
    raise ValueError(
        f"{folder} holds {len(images)} images and the video {videos[0].name}: which is meant? Give the video itself, "
        "or put the images into a folder of their own and give that."
    )


def image_files(folder: Path) -> list[Path]:
    """All images of a folder, in no order.

    Raises
    ------
    ValueError
        If the folder cannot be read.
    """
    return _files(folder, IMAGE_ENDINGS)


def is_visible(path: Path, endings: frozenset[str]) -> bool:
    """Whether a file has one of these endings, and is none that the system hides."""
    return path.suffix.lower() in endings and not path.name.startswith(".")


def is_video_file(path: Path) -> bool:
    """Whether a file's ending says that it is a video; ``.ts`` is also that of TypeScript, so that is looked at."""
    if path.suffix.lower() not in VIDEO_ENDINGS:
        return False
    if path.suffix.lower() != ".ts":
        return True
    try:
        with open(path, "rb") as file:
            start = file.read(5)
    except OSError:
        return True
    return start[:1] == b"G" or start[4:] == b"G"  # the sync byte of a transport stream, with or without a time code


def _files(folder: Path, endings: frozenset[str]) -> list[Path]:
    """What has these endings and is no folder. A broken link is among them: it is to be named, not passed over."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if is_visible(Path(entry.name), endings) and not _is_folder(entry)]
    except OSError as error:
        raise ValueError(f"{folder} cannot be read ({error.strerror}). Check its permissions.") from error
    return [folder / name for name in names]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def by_number(path: Path) -> list[tuple[int, int | str]]:
    """Sort key in which frame 9 comes before frame 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part)) if i % 2 else (0, part) for i, part in enumerate(parts)]


def _families(images: Iterable[Path]) -> dict[tuple[str, ...], dict[Path, tuple[int, ...]]]:
    """Images whose names differ in digits alone, together; of each its numbers, those that vary in the family."""
    families: dict[tuple[str, ...], dict[Path, tuple[int, ...]]] = defaultdict(dict)
    for image in images:
        parts = re.split(r"(\d+)", image.name)
        families[tuple(parts[::2])][image] = tuple(int(part) for part in parts[1::2])
    for members in families.values():
        columns = list(zip(*members.values(), strict=True))
        vary = [i for i, column in enumerate(columns) if len(set(column)) > 1] or range(len(columns))
        for image, numbers in members.items():
            members[image] = tuple(numbers[i] for i in vary)
    return dict(families)


def _check_frames(folder: Path, images: Sequence[Path]) -> None:
    """Refuse a folder in which two images stand for one number (masks beside frames), or one stands for none."""
    families = _families(images)
    seen: dict[tuple[int, ...], Path] = {}
    for members in families.values():
        for image, numbers in members.items():
            other = seen.setdefault(numbers, image) if numbers else image
            if other != image:
                raise ValueError(
                    f"Two images of {folder} stand for one frame: {other.name} and {image.name}. Are masks or copies "
                    "among the frames? Put the frames alone into a folder of their own."
                )
    if max(len(members) for members in families.values()) >= _SEQUENCE:
        for template, members in families.items():
            if len(template) == 1:
                raise ValueError(
                    f"{next(iter(members)).name} in {folder} has no number, as the other images have. If it is no "
                    "frame, put it elsewhere; if it is, number it."
                )


def _hint(folder: Path, videos: Sequence[Path]) -> str:
    """What the user may have meant by a folder without images: the end of the sentence."""
    if videos:
        return f", but {len(videos)} videos: name one, or give them all, as in {videos[0]}."
    for below in sorted(p for p in folder.iterdir() if p.is_dir()):
        try:
            if any(is_visible(p, IMAGE_ENDINGS) for p in below.iterdir()):
                return f"; did you mean {below}?"
        except OSError:  # a folder that may not be looked into is no hint
            continue
    return f" (looked for {', '.join(sorted(IMAGE_ENDINGS))})."


# ------------------------------------------------------------------------------------------------- names


def _absolute(path: Path) -> Path:
    """The path with a name at its end: links keep theirs, but ``..`` is followed to where it leads."""
    return path.resolve() if ".." in path.parts else path.absolute()


def _plain_name(path: Path) -> str:
    """The file's or folder's name; where that says nothing (``input``), the name of the folder above."""
    path = _absolute(path)
    name = path.name if path.is_dir() else path.stem
    return (path.parent.name if name.lower() in _PLAIN_NAMES else name) or name or "clip"
