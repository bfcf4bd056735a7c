"""Inference: frames in, masks out; the siamese branch is dropped."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor
from tqdm.auto import tqdm

from mpas_lite.files.atomic import atomic_write, read_json, write_json, write_names
from mpas_lite.files.ledger import claim, refuse_foreign, remove
from mpas_lite.files.outputs import check_apart
from mpas_lite.files.writing import in_background, plain_output
from mpas_lite.network.checkpoints import fingerprint
from mpas_lite.network.input_size import resize
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.plots.overlays import overlay
from mpas_lite.plots.palette import ORANGE
from mpas_lite.runtime.devices import pick_device
from mpas_lite.video.capture import plain_path
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.reader import Video, read_video, source_paths

Source = str | Path | np.ndarray | Sequence[np.ndarray] | Video
T = TypeVar("T")
_BATCH_PIXELS = 17_000_000  # of all frames that are dealt with together: 8 in full HD, 2 in 4K, or memory runs out
_CPU_BATCH = 4  # frames that a CPU takes at once: of 8 the maps fall out of its cache, and each takes 1.5 times as long


def segment(
    net: MPASNet,
    source: Source,
    *,
    every: int = 1,
    threshold: float = 0.5,
    batch_size: int = 8,
    long_side: int | None = None,
    device: str | torch.device = "auto",
    probability: bool = False,
) -> Iterator[tuple[int, np.ndarray]]:
    """Segment the frames of a video, one after the other.

    Parameters
    ----------
    net : MPASNet
        Is moved to ``device`` and put in eval mode.
    source : path, array, sequence of frames, or Video
        Whatever :func:`~mpas_lite.video.reader.read_video` takes.
    every : int
        Segment one frame in so many.
    threshold : float
        Crowd is where the probability is above it.
    batch_size : int
        Frames that go through the net together; fewer of frames larger than full HD, for the memory's sake.
    long_side : int, optional
        Frames are scaled down until their longer side has this many px, and the probabilities back up. By
        default the size that the net was trained on, or for a net that knows none the frames' own.
    device : str or torch.device
        ``"auto"``: a GPU if there is one.
    probability : bool
        Give (H, W) float32 probabilities in place of masks.

    Yields
    ------
    index : int
        0-based index of the frame in the video.
    mask : (H, W) bool

    Raises
    ------
    ValueError
        If the source is no video, or an option makes no sense.

    Examples
    --------
    >>> net = MPASNet("hrnet_w18_small")
    >>> video = np.zeros((5, 48, 64, 3), np.uint8)
    >>> [(index, mask.shape) for index, mask in segment(net, video, every=2)]
    [(0, (48, 64)), (2, (48, 64)), (4, (48, 64))]
    """
    _check_options(every, threshold, batch_size, long_side)
    video = read_video(source)
    batch_size = _batch_size(batch_size, video.shape)
    predictor = _Predictor.of(net, long_side, device)
    return _predictions(video, every, predictor, batch_size, None if probability else threshold)


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
    color: tuple[int, int, int] = ORANGE,
    progress: bool = True,
) -> dict[str, Any]:
    """Segment a video into files: masks, a video with the masks laid over, and a list of the frames.

    Writes ``out/masks/NNNNNN.png`` (0 and 255, named by the frame's 0-based index), ``out/overlay.mp4``,
    ``out/frames.json`` (index to the frame's name in the source) and ``out/segment.json`` (what the masks
    were made with). A run that was killed goes on: masks are kept if net, video and options are the same,
    else made anew.

    Parameters
    ----------
    net, source, every, threshold, batch_size, long_side, device : see :func:`segment`
    out : path
    color : (int, int, int)
        Of the overlay, RGB.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict
        ``frames``: masks that are there now; ``new``: those made by this call; ``crowd``: the mean share of
        a frame that is crowd, 0 to 1.

    Raises
    ------
    ValueError
        If the source is no video, an option makes no sense, masks would be written where frames are read, or a file
        of somebody else stands where one is to be written (:class:`~mpas_lite.files.ledger.NotOurs`).
    """
    _check_options(every, threshold, batch_size, long_side)
    video = read_video(source)
    batch_size = _batch_size(batch_size, video.shape)
    out = Path(out)
    masks = out / "masks"
    check_apart(segment_outputs(out), source_paths(video))
    claim(out)
    predictor = _Predictor.of(net, long_side, device)
    made_with = {
        "weights": fingerprint(net),
        "threshold": threshold,
        "long_side": long_side or net.long_side,
        "every": every,
        "source": video.source,
        "shape": list(video.shape),
        "length": _length(video),
        "first_frame": _first_frame(video),
    }
    _clear_unless(made_with, out)

    def mask_file(index: int) -> Path:
        return masks / f"{index:06d}.png"

    done = array("q")  # indices; numbers in place of names, as there may be a hundred thousand
    shares = array("d")

    def write(film: cv2.VideoWriter, index: int, frame: np.ndarray, new: np.ndarray | None) -> None:
        if new is not None:
            write_image(mask_file(index), new)
        mask = read_image(mask_file(index), grey=True) > 127 if new is None else new
        film.write(cv2.cvtColor(overlay(frame, mask, color), cv2.COLOR_RGB2BGR))
        done.append(index)
        shares.append(mask.mean())

    def is_missing(index: int) -> bool:
        return not mask_file(index).exists()

    new = 0
    total = -(-len(video) // every)
    with (
        atomic_write(out / "overlay.mp4") as temporary,
        tqdm(total=total, desc="segment", unit="frame", disable=not progress) as bar,
    ):
        with _film(temporary, video, every) as film, in_background(batch_size, bar.update) as in_order:
            # Three things at a time: one thread reads, this one has the net, one writes.
            for batch in _ahead(_batches(video.frames(count(0, every)), batch_size, predictor.prepare, is_missing)):
                fresh = dict(zip(batch.missing, predictor(batch.images, video.shape) > threshold, strict=True))
                new += len(fresh)
                for index, frame in batch.frames:
                    in_order(write, film, index, frame, fresh.get(index))
        _check_film(temporary, len(done), out / "overlay.mp4")
    write_names(out / "frames.json", ((index, video.frame_name(index)) for index in done))
    return {"frames": len(done), "new": new, "crowd": float(np.mean(shares))}


def segment_outputs(out: Path) -> list[Path]:
    """What :func:`segment_to` writes into a folder."""
    return [out / name for name in ("masks", "overlay.mp4", "frames.json", "segment.json")]


@dataclass(frozen=True)
class _Predictor:
    """A net with what it takes to feed it: the frames' working size (None: their own) and a device."""

    net: MPASNet
    side: int | None
    device: torch.device

    @classmethod
    def of(cls, net: MPASNet, long_side: int | None, device: str | torch.device) -> _Predictor:
        target = pick_device(device)
        net.to(target).eval()
        return cls(net, long_side or net.long_side, target)

    def prepare(self, frames: Sequence[np.ndarray]) -> Tensor:
        """Frames of one size, (H, W, 3) uint8, as the net sees them: (B, 3, h, w) uint8.

        In memory the colours of a pixel stay side by side (torch's channels_last), as on a CPU convolutions
        are up to a third faster so; they add in another order, which moves probabilities by some 1e-6.
        """
        scaled = np.stack([resize(frame, self.side) if self.side else frame for frame in frames])
        return torch.from_numpy(scaled).permute(0, 3, 1, 2)

    def __call__(self, images: Tensor | None, shape: tuple[int, int]) -> np.ndarray:
        """Probabilities, (B, *shape) float32; none for no images."""
        if images is None:
            return np.zeros((0, *shape), np.float32)
        on_cpu = self.device.type == "cpu"
        pieces = -(-len(images) // _CPU_BATCH) if on_cpu else 1
        images = images if on_cpu else images.to(self.device).contiguous()
        with torch.inference_mode():
            prob = torch.cat([self.net(piece / 255) for piece in images.tensor_split(pieces)])
            full = nnf.interpolate(prob, size=shape, mode="bilinear", align_corners=False)
        return full[:, 0].cpu().numpy()


@dataclass(frozen=True)
class _Batch:
    """Frames that are dealt with together, with their indices; and the images of those that have no mask yet."""

    frames: list[tuple[int, np.ndarray]]
    missing: list[int]
    images: Tensor | None


def _batches(
    frames: Iterable[tuple[int, np.ndarray]],
    size: int,
    prepare: Callable[[Sequence[np.ndarray]], Tensor],
    is_missing: Callable[[int], bool],
) -> Iterator[_Batch]:
    """Frames by the batch, ready for the net."""
    frames = iter(frames)
    while batch := list(islice(frames, size)):
        missing = {index: frame for index, frame in batch if is_missing(index)}
        yield _Batch(batch, list(missing), prepare(list(missing.values())) if missing else None)


def _predictions(
    video: Video, every: int, predictor: _Predictor, batch_size: int, threshold: float | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Predict a batch at a time, give the results one by one: masks, or without threshold probabilities."""
    frames = video.frames(count(0, every))
    for batch in _ahead(_batches(frames, batch_size, predictor.prepare, lambda _: True)):
        probabilities = predictor(batch.images, video.shape)
        yield from zip(batch.missing, probabilities if threshold is None else probabilities > threshold, strict=True)


def _ahead(items: Iterator[T], most: int = 2) -> Iterator[T]:
    """The same items, of which a thread makes up to ``most`` before they are asked for."""
    end: Any = object()
    with ThreadPoolExecutor(1) as thread:
        coming = deque(thread.submit(next, items, end) for _ in range(most))
        while (item := coming.popleft().result()) is not end:
            coming.append(thread.submit(next, items, end))
            yield item


def _batch_size(wanted: int, shape: tuple[int, int]) -> int:
    """Frames that go through together: as many as are wanted, fewer where they are large."""
    return max(1, min(wanted, _BATCH_PIXELS // (shape[0] * shape[1])))


def _check_options(every: int, threshold: float, batch_size: int, long_side: int | None) -> None:
    for name, value in (("every", every), ("batch_size", batch_size), ("long_side", long_side)):
        if value is not None and value < 1:
            raise ValueError(f"{name}={value}: it must be 1 or more.")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold={threshold}: probabilities lie between 0 and 1.")


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
    masks = list((out / "masks").glob("[0-9]*.png"))
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
