"""Labels without a labeller: a video in, pairs of (frame, pseudo-label) out, on disk.

This is where the first half of the method comes together (section 2.2 of the paper)::

    window of frames -> particles -> crowd graph -> collective merging -> circular region merging

The pairs can be looked at with any image viewer::

    pairs/<clip>/frames/000020.png      the kept frame
    pairs/<clip>/masks/000020.png       its pseudo-label, 0 or 255
    pairs/<clip>/manifest.json          where they come from, with every parameter and our version
    pairs/<clip>/frames.json            the name that each kept frame has in the source

With ``LabelSettings(refine=Refinement())`` the labels go beyond the paper (see ``refine``); the paper's then lie
beside them in ``circles/``, and with ``Refinement(doubt=True)`` the pixels that a label is sure of in ``valid/``.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from mpas_lite.files.atomic import read_json, write_json, write_names
from mpas_lite.files.ledger import lock_folder
from mpas_lite.files.outputs import check_apart, safe_name
from mpas_lite.files.sentences import changes
from mpas_lite.files.writing import in_background
from mpas_lite.labels.frames import label_window
from mpas_lite.labels.refined import FirstPass
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import windows
from mpas_lite.video.arrays import Frame
from mpas_lite.video.clip import Clip
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

_MANIFEST = {
    "type": "object",
    "required": ["source", "settings"],
    "properties": {
        "source": {"type": "string"},
        "settings": {"type": "object"},
        "pairs": {"type": "integer", "minimum": 0},
        "empty": {"type": "integer", "minimum": 0},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}
_NAMES = {"type": "object", "propertyNames": {"pattern": "^[0-9]{1,12}$"}, "additionalProperties": {"type": "string"}}


@dataclass(frozen=True)
class ClipLabels:
    """What labelling a clip came to.

    Attributes
    ----------
    name : str
    folder : Path
        Of the clip's pairs.
    pairs, empty : int
        How many pairs there are, and how many of them without a crowd.
    error : str or None
        Why the clip could not be labelled; None where all went well.
    notes : tuple of str
        Warnings of a clip that was labelled in another process.
    """

    name: str
    folder: Path
    pairs: int = 0
    empty: int = 0
    error: str | None = None
    notes: tuple[str, ...] = ()


def pseudo_label(
    source: Clip | Video | str | Path | np.ndarray,
    out: str | Path,
    *,
    settings: LabelSettings | None = None,
    name: str | None = None,
    progress: bool = True,
    **changes: float | None,
) -> ClipLabels:
    """Label a video by its motion and write the pairs to ``out/<clip>/``.

    Pairs that are there already, made with the same settings, are kept, also where another version of mpas_lite
    made them: an interrupted run goes on where it stopped.

    Parameters
    ----------
    source : Clip, Video, str, Path or array
        A clip, or what :func:`mpas_lite.read_video` takes.
    out : str or Path
        The folder of pairs; the clip becomes a folder in it.
    settings : LabelSettings, optional
    name : str, optional
        Name of the clip; by default the source's.
    progress : bool
        Show a progress bar.
    **changes
        Single settings by name, as in ``pseudo_label(video, "pairs", every=5, radius=8)``.

    Returns
    -------
    ClipLabels

    Raises
    ------
    ValueError
        If the source cannot be read, is too short, or the folder holds pairs of another source or made with
        other settings.

    Warns
    -----
    UserWarning
        If nothing moves together in any kept frame, so that all labels are empty; if another version made the pairs.
    """
    settings = replace(settings or LabelSettings(), **changes)  # type: ignore[arg-type]
    clip = source if isinstance(source, Clip) else Clip.at(read_video(source, name=name))
    folder = Path(out) / safe_name(name or clip.name)
    check_apart([folder], clip.paths())
    video = clip.video()
    with lock_folder(folder, alone=False):
        return _label_into(folder, video, settings, progress)


def _label_into(folder: Path, video: Video, settings: LabelSettings, progress: bool) -> ClipLabels:
    manifest = {
        "source": video.source,
        "fps": video.fps,
        "shape": list(video.shape),
        "settings": asdict(settings),
    }
    before = _check_same(folder / "manifest.json", manifest)
    done = _done_in(folder, settings)
    manifest["mpas_lite"] = _version_of_pairs(folder, before, done)
    if not before:
        write_json(folder / "manifest.json", manifest)
    if done and settings.refine:
        kept, empty, notes = done, _count_empty(folder, done), before.get("notes", [])
    elif settings.refine:
        kept, empty, notes = _label_refined(video, folder, settings, progress)
    else:
        kept, empty, notes = _label_by_circles(video, folder, settings, progress, done)
    write_names(folder / "frames.json", ((index, video.frame_name(index)) for index in kept))
    write_json(folder / "manifest.json", {**manifest, "pairs": len(kept), "empty": empty, "notes": notes})
    for note in notes:
        warnings.warn(f"{video.source}: {note}", stacklevel=3)
    if empty == len(kept):
        warnings.warn(
            f"{video.source}: nothing moves together in any of the {len(kept)} kept frames; all labels are empty. "
            "Is the crowd standing still, or slower than min_speed?",
            stacklevel=3,
        )
    return ClipLabels(folder.name, folder, len(kept), empty)


def _label_by_circles(
    video: Video, folder: Path, settings: LabelSettings, progress: bool, done: array[int]
) -> tuple[array[int], int, list[str]]:
    """Write the paper's labels, frame by frame; return the kept frames, how many labels are empty, and no notes."""
    kept = array("q", done)
    empty = _count_empty(folder, done)
    with in_background() as write:
        for index, frames in _windows(video, settings, progress, done):
            mask = label_window(index, frames, settings).mask
            write(write_image, _file(folder, "masks", index), mask)
            write(write_image, _file(folder, "frames", index), frames[0])  # last: without its frame it is no pair yet
            kept.append(index)
            empty += not mask.any()
    return array("q", sorted(kept)), empty, []


def _label_refined(
    video: Video, folder: Path, settings: LabelSettings, progress: bool
) -> tuple[array[int], int, list[str]]:
    """Write the paper's labels to ``circles/`` and the refined ones, which take a whole clip, to ``masks/``."""
    first = FirstPass(settings)
    with in_background() as write:
        for index, frames in _windows(video, settings, progress):
            one = first.label(index, frames)
            write(write_image, _file(folder, "frames", index), one.frame)
            write(write_image, _file(folder, "circles", index), one.mask)
    kept = first.indices
    survey, refined = first.refine(((index, read_image(_file(folder, "frames", index))) for index in kept), video)
    empty = 0
    with in_background() as write:
        for label in refined:
            if settings.refine and settings.refine.doubt:
                write(write_image, _file(folder, "valid", label.index), label.valid)
            write(write_image, _file(folder, "masks", label.index), label.mask)
            empty += not label.mask.any()
    return kept, empty, list(survey.notes)


def _done_in(folder: Path, settings: LabelSettings) -> array[int]:
    """The frames whose pairs are kept; a clip to be refined that was interrupted is labelled anew."""
    if settings.refine is None:
        return array("q", frame_indices_in(folder / "masks") & frame_indices_in(folder / "frames"))
    if not (folder / "frames.json").exists():
        return array("q")
    kept = array("q", map(int, read_json(folder / "frames.json", _NAMES)))
    whole = all(_file(folder, kind, index).exists() for kind in ("frames", "masks") for index in kept)
    return kept if whole else array("q")


def _version_of_pairs(folder: Path, before: dict[str, Any], done: array[int]) -> str:
    """Ours, or where pairs are kept the version that made them; where that is another, it is said."""
    from mpas_lite import __version__

    then = str(before.get("mpas_lite", "unknown")) if done else __version__
    if then != __version__:
        warnings.warn(
            f"{folder} holds pairs of another version of mpas_lite ({then}), which are kept. To have them made by "
            f"this one ({__version__}), delete the folder, or choose another.",
            stacklevel=4,
        )
    return then


def frame_indices_in(folder: Path) -> set[int]:
    """Indices of the frames whose picture stands in a folder, ``NNNNNN.png`` each; other names are not ours."""
    names = (path.stem for path in folder.glob("*.png") if path.stem.isdecimal())
    return {int(name) for name in names if name == f"{int(name):06d}"}


def _file(folder: Path, kind: str, index: int) -> Path:
    """Where the picture of that kind of a kept frame stands."""
    return folder / kind / f"{index:06d}.png"


def _count_empty(folder: Path, indices: Iterable[int]) -> int:
    """How many of the labels that are there have no crowd in them."""
    return sum(not read_image(_file(folder, "masks", index), grey=True).any() for index in indices)


def _windows(
    video: Video, settings: LabelSettings, progress: bool, done: Iterable[int] = ()
) -> Iterator[tuple[int, list[Frame]]]:
    """The windows of the kept frames that are not done, with a progress bar."""
    total = max(0, len(video) - settings.interval - 1) // max(1, settings.every) + 1
    skip = frozenset(done)
    steps = windows(video, every=settings.every, interval=settings.interval, skip=skip)
    bar = tqdm(steps, f"label {video.name}", total, initial=len(skip), unit="frame", disable=not progress)
    yield from bar


def _check_same(path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Refuse to mix pairs of different origin in one folder; return the manifest that is there, empty if none is."""
    if not path.exists():
        if any(True for kind in ("frames", "masks") for _ in (path.parent / kind).glob("*.png")):
            raise ValueError(
                f"{path.parent} holds frames or masks that mpas_lite did not write. Choose another folder."
            )
        return {}
    before: dict[str, Any] = read_json(path, _MANIFEST)
    then, now = before["settings"], manifest["settings"]
    changed = changes({name: then.get(name) for name in now}, now)
    if before.get("source") != manifest["source"]:
        changed.append(f"source {before.get('source')} -> {manifest['source']}")
    if changed:
        raise ValueError(
            f"{path.parent} holds pairs made otherwise ({'; '.join(changed)}). "
            "Choose another folder, or delete that one first."
        )
    return before
