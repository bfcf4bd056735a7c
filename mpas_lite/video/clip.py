"""A clip on its way through the program: one name, one place, looked at once and opened once.

:func:`clips_of` makes clips of what a command was given; each stage then takes these and hands them on.
"""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mpas_lite.files.outputs import own_names
from mpas_lite.runtime.children import be_a_child, python_command
from mpas_lite.video.finding import Found, find
from mpas_lite.video.reader import open_found, paths_of, source_paths
from mpas_lite.video.video import Video


@dataclass(frozen=True)
class Clip:
    """A clip: where its frames are, what it is called, and what else its data set says of it.

    Clips are equal if all that is listed here is. What was found at the source and the video that was opened are kept
    beside it, and travel along to other processes.

    Attributes
    ----------
    name : str
        The clip's name in its data set, or in a command that takes several.
    dataset : str
        The data set's name; empty where it is of none.
    scene : str
        The scene it shows: clips of one scene share the place and the camera.
    source : str or Path
        What :func:`mpas_lite.read_video` takes.
    truth : Path, optional
        Folder of ground truth, as :func:`mpas_lite.evaluate` and ``evaluation.ground_truth`` take it.
    tracklets : Path, optional
        The authors' tracklets, for :func:`mpas_lite.read_tracklets`.
    valid : (int, int), optional
        First and last frame that count, as numbers in the frames' names, both included.
    """

    name: str
    dataset: str
    scene: str
    source: str | Path
    truth: Path | None = None
    tracklets: Path | None = None
    valid: tuple[int, int] | None = None

    @classmethod
    def at(cls, source: str | Path | Video | Clip) -> Clip:
        """The clip at a path, named by it; or of a video that is open.

        Nothing is decoded. Where nothing can be read there is a clip too: opening it says what is wrong.
        """
        if isinstance(source, Clip):
            return source
        if isinstance(source, Video):
            return cls(source.name, "", source.name, source.source)._keeping(source)
        found = _look(source)
        name = (Path(source).stem or "clip") if found is None else found.name
        clip = cls(name, "", name, source)
        vars(clip)["_found"] = found
        return clip

    def video(self) -> Video:
        """The clip's frames; opened at the first call, and kept.

        Raises
        ------
        FileNotFoundError, ValueError
            As :func:`mpas_lite.read_video`.
        """
        return self._video

    @property
    def is_open(self) -> bool:
        """Whether the video was opened, here or where the clip comes from."""
        return "_video" in vars(self)

    def paths(self) -> list[Path]:
        """The files and folders that reading the clip touches; the path itself of one that cannot be read."""
        if "_found" not in vars(self) and self.is_open:
            return source_paths(self._video)
        return [Path(self.source)] if self._found is None else paths_of(self.source, self._found)

    @cached_property
    def _found(self) -> Found | None:
        return _look(self.source)

    @cached_property
    def _video(self) -> Video:
        return open_found(self._found or find(self.source), self.name)  # find() again, to say what is wrong

    def _keeping(self, video: Video) -> Clip:
        """The same clip, its video at hand."""
        clip = replace(self)
        vars(clip).update({**vars(self), "_video": video})
        return clip


_KEPT = ("_found", "_video")  # what a clip knows beside its fields


def _look(source: str | Path) -> Found | None:
    try:
        return find(source)
    except (ValueError, OSError):
        return None


def clips_of(sources: Iterable[str | Path | Video | Clip], taken: Iterable[str] = ()) -> list[Clip]:
    """A clip for every source, each with a safe file name of its own: ``-2``, ``-3``, ... stand behind a taken one.

    Clips are handed on as they are, as long as their names are safe and their own.

    Parameters
    ----------
    sources : iterable of str, Path, Video or Clip
    taken : iterable of str
        Names that are not to be given.

    Returns
    -------
    list of Clip
        One for each source, in order.
    """
    clips = [Clip.at(source) for source in sources]
    names = own_names([clip.name for clip in clips], taken)
    return [clip if clip.name == name else _renamed(clip, name) for clip, name in zip(clips, names, strict=True)]


def _renamed(clip: Clip, name: str) -> Clip:
    renamed = replace(clip, name=name, scene=clip.scene if clip.dataset else name)
    vars(renamed).update({key: known for key, known in vars(clip).items() if key in _KEPT})
    return renamed


# ------------------------------------------------------------------------------------------------- in another process


def opened_apart(clips: Iterable[Clip]) -> list[Clip]:
    """The same clips with their videos opened and their frames counted, as far as they can be.

    It is done in another process: a damaged file may kill it. Another one then goes on after that file.

    Warns
    -----
    UserWarning
        Whatever opening a video warns of.
    """
    left = list(clips)
    opened: list[Clip] = []
    while left:
        serve = f"from mpas_lite.video import clip; clip._serve({os.getpid()})"
        child = subprocess.run(python_command(serve), input=pickle.dumps(left), stdout=subprocess.PIPE)
        answers = list(_answers(child.stdout))
        for clip, (video, notes) in zip(left, answers, strict=False):
            for note in notes:
                warnings.warn(note, stacklevel=2)
            opened.append(clip if video is None else clip._keeping(video))
        opened += left[len(answers) : len(answers) + 1]  # the one that it died of
        left = left[len(answers) + 1 :]
    return opened


_Answer = tuple[Video | None, list[str]]


def _answers(said: bytes) -> Iterator[_Answer]:
    """What the other process said of each clip in order, up to where it ended."""
    stream = io.BytesIO(said)
    while True:
        try:
            yield pickle.load(stream)
        except (EOFError, pickle.UnpicklingError):
            return


def _serve(parent: int) -> None:
    """The other end of :func:`opened_apart`: clips come in, and of each its video goes out."""
    be_a_child(parent)
    for clip in pickle.load(sys.stdin.buffer):
        pickle.dump(_opened(clip), sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _opened(clip: Clip) -> _Answer:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            video = clip.video()
            video.count_frames()
        except Exception:  # who reads the clip will say what is wrong
            return None, []
    return video, [str(note.message) for note in caught if note.category is UserWarning]
