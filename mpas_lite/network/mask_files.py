"""Masks of a video as files, with a film that shows them; a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from tqdm.auto import tqdm

from mpas_lite.files.atomic import atomic_write, read_json, write_json, write_names
from mpas_lite.files.ledger import claim, refuse_foreign, remove
from mpas_lite.files.outputs import check_apart
from mpas_lite.files.writing import in_background, plain_output
from mpas_lite.network.fusion import Kind, StillScene, fused_masks
from mpas_lite.network.inference import (
    Predictor,
    Source,
    batches,
    check_fusion,
    check_options,
    frames_at_once,
    read_ahead,
)
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import fingerprint
from mpas_lite.plots.overlays import overlay
from mpas_lite.plots.palette import ORANGE
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.capture import plain_path
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.reader import read_video, source_paths
from mpas_lite.video.video import Video

Masks = Literal["crowd", "person", "both"]
PERSONS = "persons"  # the folder of the masks of persons, where masks/ has the crowd's


@dataclass(frozen=True)
class SegmentationResult:
    """What :func:`segment_to` left. Its fields may also be had by name, as from a dict: ``result["frames"]``.

    Attributes
    ----------
    frames : int
        Masks that are there now.
    new : int
        Those that this call made.
    crowd : float
        Mean share of a frame that is crowd, 0 to 1.

    Examples
    --------
    >>> result = SegmentationResult(frames=40, new=0, crowd=0.25)
    >>> result.crowd, result["crowd"], dict(result)
    (0.25, 0.25, {'frames': 40, 'new': 0, 'crowd': 0.25})
    """

    frames: int
    new: int
    crowd: float

    def keys(self) -> list[str]:
        """Names of the fields."""
        return list(asdict(self))

    def __getitem__(self, name: str) -> float:
        return asdict(self)[name]


def segment_to(
    net: MPASNet,
    source: Source,
    out: str | Path,
    *,
    every: int = 1,
    threshold: float = 0.5,
    batch_size: int = 8,
    long_side: int | None = None,
    device: str | torch.device = "auto",
    background: bool = False,
    masks: Masks = "crowd",
    person_height: float | None = None,
    color: tuple[int, int, int] = ORANGE,
    progress: bool = True,
) -> SegmentationResult:
    """Segment a video into files: masks, a video with the masks laid over, and a list of the frames.

    Writes ``out/masks/NNNNNN.png`` (0 and 255, named by the frame's 0-based index), ``out/overlay.mp4``,
    ``out/frames.json`` (index to the frame's name in the source) and ``out/segment.json`` (what the masks
    were made with); with ``masks="both"`` also ``out/persons/NNNNNN.png``. A run that was killed goes on: masks are
    kept if net, video and options are the same, else made anew; with ``background`` also after an upgrade of mpas_lite.

    Parameters
    ----------
    net, source, every, threshold, batch_size, long_side, device, background, person_height
        See :func:`~mpas_lite.network.inference.segment`.
    out : str or Path
        A folder.
    masks : str
        Which ones, with ``background``: ``"crowd"`` or ``"person"`` in ``masks/``, or ``"both"``: the crowd's in
        ``masks/`` and those of persons in ``persons/``.
    color : tuple of int
        Of the overlay, RGB.
    progress : bool
        Show a progress bar.

    Returns
    -------
    SegmentationResult

    Raises
    ------
    ValueError
        If the source is no video, an option makes no sense, masks would be written where frames are read, or a file
        of somebody else stands where one is to be written (:class:`~mpas_lite.files.ledger.NotOurs`).
    """
    check_options(every, threshold, batch_size, long_side)
    check_fusion(background, masks, ("crowd", "person", "both"), person_height)
    video = read_video(source)
    batch_size = frames_at_once(batch_size, video.shape)
    out = Path(out)
    check_apart(segment_outputs(out), source_paths(video))
    claim(out)
    predictor = Predictor.of(net, long_side, device)
    predictor, scene = predictor.in_still_scene(video, person_height) if background else (predictor, None)
    made_with = _made_with(predictor, video, every, threshold)
    _clear_unless({**made_with, **_fused_with(scene, background, masks)}, out)
    writer = _Writer(out, _folders(masks) if scene else {"masks": "crowd"}, scene, threshold, color)
    with (
        atomic_write(out / "overlay.mp4") as temporary,
        tqdm(total=-(-len(video) // every), desc="segment", unit="frame", disable=not progress) as bar,
    ):
        with _film(temporary, video, every) as film, in_background(batch_size, bar.update) as in_order:
            # Three things at a time: one thread reads, this one has the net, one makes masks and writes them.
            frames = video.frames(count(0, every))
            for batch in read_ahead(batches(frames, batch_size, predictor.prepare, writer.is_missing)):
                probabilities = predictor(batch.images, scene.shape if scene else video.shape)
                found = dict(zip(batch.missing, probabilities, strict=True))
                for index, frame in batch.frames:
                    in_order(writer.write, film, index, frame, found.get(index))
        _check_film(temporary, len(writer.done), out / "overlay.mp4")
    write_names(out / "frames.json", ((index, video.frame_name(index)) for index in writer.done))
    return SegmentationResult(len(writer.done), writer.new, float(np.mean(writer.shares)))


def _folders(masks: Masks) -> dict[str, Kind]:
    """Which kind of masks each folder gets; the first is shown in the film."""
    return {"masks": "crowd", PERSONS: "person"} if masks == "both" else {"masks": masks}


def segment_outputs(out: Path) -> list[Path]:
    """What :func:`segment_to` writes into a folder."""
    return [out / name for name in ("masks", PERSONS, "overlay.mp4", "frames.json", "segment.json")]


class _Writer:
    """Makes masks out of probabilities, puts them and the film that shows them on the disk, and keeps count."""

    def __init__(
        self,
        out: Path,
        folders: dict[str, Kind],
        scene: StillScene | None,
        threshold: float,
        color: tuple[int, int, int],
    ) -> None:
        self.folders, self.kinds = [out / name for name in folders], tuple(folders.values())
        self.scene, self.threshold, self.color = scene, threshold, color
        self.done = array("q")  # indices; numbers in place of names, as there may be a hundred thousand
        self.shares = array("d")
        self.new = 0

    def files(self, index: int) -> list[Path]:
        """Where a frame's masks stand, one of each kind."""
        return [folder / f"{index:06d}.png" for folder in self.folders]

    def is_missing(self, index: int) -> bool:
        """Whether a frame lacks a mask."""
        return not all(file.exists() for file in self.files(index))

    def masks_of(self, frame: Frame, probability: np.ndarray) -> list[Mask]:
        """One of each kind, (H, W) bool."""
        if self.scene is None:
            return [probability > self.threshold]
        masks = fused_masks(probability, frame, self.scene, self.kinds, self.threshold)
        return [masks[kind] for kind in self.kinds]

    def write(self, film: cv2.VideoWriter, index: int, frame: Frame, probability: np.ndarray | None) -> None:
        """Write a frame's masks where it lacks them, and add the frame to the film with the first laid over."""
        files = self.files(index)
        if probability is None:
            shown = read_image(files[0], grey=True) > 127
        else:
            masks = self.masks_of(frame, probability)
            for file, mask in zip(files, masks, strict=True):
                write_image(file, mask)
            shown = masks[0]
            self.new += 1
        film.write(cv2.cvtColor(overlay(frame, shown, self.color), cv2.COLOR_RGB2BGR))
        self.done.append(index)
        self.shares.append(shown.mean())


def _fused_with(scene: StillScene | None, background: bool, masks: Masks) -> dict[str, Any]:
    """What fused masks depend on beside, the version of the fusion too; nothing where none was asked for."""
    from mpas_lite import __version__

    if not background:
        return {}
    if scene is None:
        return {"background": None}
    parts = (scene.background.image, scene.background.noise, scene.background.known, scene.tall)
    digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    return {"background": digest, "masks": masks, "mpas_lite": __version__}


def _made_with(predictor: Predictor, video: Video, every: int, threshold: float) -> dict[str, Any]:
    """What masks depend on."""
    return {
        "weights": fingerprint(predictor.net),
        "threshold": threshold,
        "long_side": predictor.side,
        "every": every,
        "source": video.source,
        "shape": list(video.shape),
        "length": _length(video),
        "first_frame": _first_frame(video),
    }


def _length(video: Video) -> int:
    """Bytes of a video file (the number of frames that it claims may be wrong), or the number of frames."""
    return os.path.getsize(video.source) if os.path.isfile(video.source) else len(video)


def _first_frame(video: Video) -> str:
    """Digest of the first frame: tells apart videos that share name, length and size."""
    frames = [frame for _, frame in video.frames([0])]  # none where the first frame is damaged
    return hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()


def _clear_unless(made_with: dict[str, Any], out: Path) -> None:
    """Remove masks that were made with anything else, and note what is made from now on."""
    note = out / "segment.json"
    masks = [file for folder in ("masks", PERSONS) for file in (out / folder).glob("[0-9]*.png")]
    refuse_foreign([note, out / "frames.json", out / "overlay.mp4", *masks])
    if note.exists() and read_json(note) == made_with:
        return
    remove([*masks, out / "frames.json", out / "overlay.mp4"])
    write_json(note, made_with)


@contextmanager
def _film(path: Path, video: Video, every: int) -> Iterator[cv2.VideoWriter]:
    """A writer of mp4v, the one codec that OpenCV brings on every system; it lasts as long as the video."""
    height, width = video.shape
    fps = max(video.fps / every, 1.0)
    with plain_output(path) as place:
        film = cv2.VideoWriter(str(place), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
        try:
            if not film.isOpened():
                raise OSError(f"OpenCV cannot write {path.parent / 'overlay.mp4'} ({width}x{height} px, mp4v).")
            yield film
        finally:
            film.release()


def _check_film(path: Path, frames: int, name: Path) -> None:
    """Refuse a film that cannot be played to its end: a full disk or a quota cuts it off without a word."""
    with plain_path(path) as place:
        capture = cv2.VideoCapture(place)
        count, played = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0
        while capture.grab():
            played += 1
        capture.release()
    if not count == played == frames:
        raise OSError(f"{name} could not be written: {played} of {frames} frames are in it. Is the disk full?")
