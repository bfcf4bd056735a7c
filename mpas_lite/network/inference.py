"""Inference: frames in, masks out; the siamese branch is dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from mpas_lite.network.fusion import Kind, StillScene, fused_masks, fused_probability, still_scene, vote_of
from mpas_lite.network.input_size import resize, side_for_people
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.runtime.devices import pick_device
from mpas_lite.video.arrays import Frame
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video

Source = str | Path | Frame | Sequence[Frame] | Video
T = TypeVar("T")
_SURE, _SEEN_AGAIN = 0.9, 0.9  # a larger size must show so many of the pixels of which a smaller one is so sure
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
    background: bool = False,
    masks: Kind = "crowd",
    person_height: float | None = None,
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Segment the frames of a video, one after the other.

    Parameters
    ----------
    net : MPASNet
        Is moved to ``device`` and put in eval mode.
    source : str, Path, NDArray, sequence of Frame, or Video
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
    background : bool
        Beyond the paper: let the clip's own background tell where people end, see
        :mod:`mpas_lite.network.fusion`. The video is passed through twice before the first mask comes. Where its
        camera moves the masks are the network's alone, and a warning says so.
    masks : str
        With ``background``: ``"crowd"``, the region that a person would outline, or ``"person"``, persons alone.
    person_height : float, optional
        With ``background``: where people are small, frames are scaled down less, until people are so high, px (640 px
        in all at most). 48 is what ``mpas-lite run`` takes; the network's time grows with the square.

    Yields
    ------
    index : int
        0-based index of the frame in the video.
    mask : Mask
        (H, W) bool; with ``probability`` float32.

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
    check_options(every, threshold, batch_size, long_side)
    check_fusion(background, masks, ("crowd", "person"), person_height)
    video = read_video(source)
    batch_size = frames_at_once(batch_size, video.shape)
    predictor = Predictor.of(net, long_side, device)
    shown = None if probability else threshold
    return _predictions(video, every, predictor, batch_size, shown, background, masks, person_height)


@dataclass(frozen=True)
class Predictor:
    """A net with what it takes to feed it: the frames' working size (None: their own) and a device."""

    net: MPASNet
    side: int | None
    device: torch.device

    @classmethod
    def of(cls, net: MPASNet, long_side: int | None, device: str | torch.device) -> Predictor:
        """Move a net to its device and make it ready; ``long_side`` None is the one that it was trained at."""
        target = pick_device(device)
        net.to(target).eval()
        return cls(net, long_side or net.long_side, target)

    def prepare(self, frames: Sequence[Frame]) -> Tensor:
        """Frames of one size, (H, W, 3) uint8, as the net sees them: (B, 3, h, w) uint8.

        In memory the colours of a pixel stay side by side (torch's channels_last), as on a CPU convolutions
        are up to a third faster so; they add in another order, which moves probabilities by some 1e-6.
        """
        scaled = np.stack([resize(frame, self.side) if self.side else frame for frame in frames])
        return torch.from_numpy(scaled).permute(0, 3, 1, 2)

    def __call__(self, images: Tensor | None, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Probabilities, (B, *shape) float32; none for no images."""
        if images is None:
            return np.zeros((0, *shape), np.float32)
        return self.predict(images, shape)[:, 0].cpu().numpy()

    def of_picture(self, frame: Frame) -> NDArray[np.float32]:
        """Probabilities of one frame in its own size, (H, W) float32."""
        return self(self.prepare([frame]), (frame.shape[0], frame.shape[1]))[0]

    def still_scene(self, video: Video) -> StillScene | None:
        """What the clip's background is and how far it counts, see :func:`~mpas_lite.network.fusion.still_scene`."""
        return still_scene(video, self.of_picture)

    def in_still_scene(self, video: Video, person_height: float | None) -> tuple[Predictor, StillScene | None]:
        """The still scene, and the predictor of frames so large that people in it are as high as is wanted, px.

        Not if that loses people: heights are measured wrongly in dense crowds, and those near the camera may be larger
        than any that the network has seen.
        """
        scene = self.still_scene(video)
        if scene is None or person_height is None or not scene.measured:
            return self, scene
        height = scene.height * max(video.shape) / max(scene.shape)
        side = side_for_people(height, video.shape, person_height, self.side or max(video.shape))
        larger = replace(self, side=side)
        if side == self.side or not self._seen_again_by(larger, scene):
            return self, scene
        return larger, replace(scene, vote=vote_of(scene.background, larger.of_picture(scene.background.image)))

    def _seen_again_by(self, larger: Predictor, scene: StillScene) -> bool:
        """Whether at a larger size people are seen of whom this is sure, and who are not the background."""
        sure = again = 0
        for frame, differs in scene.shown:
            people = differs & (self.of_picture(frame) > _SURE)
            sure += int(people.sum())
            again += int((people & (larger.of_picture(frame) > 0.5)).sum())
        return again >= _SEEN_AGAIN * sure

    def predict(self, images: Tensor, shape: tuple[int, int]) -> Tensor:
        """Probabilities, (B, 1, *shape) float32, on the device."""
        on_cpu = self.device.type == "cpu"
        pieces = -(-len(images) // _CPU_BATCH) if on_cpu else 1
        images = images if on_cpu else images.to(self.device).contiguous()
        with torch.inference_mode():
            prob = torch.cat([self.net(piece / 255) for piece in images.tensor_split(pieces)])
            return nnf.interpolate(prob, size=shape, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Batch:
    """Frames that are dealt with together, with their indices; and the images of those that have no mask yet."""

    frames: list[tuple[int, Frame]]
    missing: list[int]
    images: Tensor | None


def batches(
    frames: Iterable[tuple[int, Frame]],
    size: int,
    prepare: Callable[[Sequence[Frame]], Tensor],
    is_missing: Callable[[int], bool],
) -> Iterator[Batch]:
    """Frames by the batch, ready for the net."""
    frames = iter(frames)
    while batch := list(islice(frames, size)):
        missing = {index: frame for index, frame in batch if is_missing(index)}
        yield Batch(batch, list(missing), prepare(list(missing.values())) if missing else None)


def _predictions(
    video: Video,
    every: int,
    predictor: Predictor,
    batch_size: int,
    threshold: float | None,
    background: bool,
    kind: Kind,
    person_height: float | None,
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Predict a batch at a time, give the results one by one: masks, or without threshold probabilities."""
    predictor, scene = predictor.in_still_scene(video, person_height) if background else (predictor, None)
    frames = video.frames(count(0, every))
    for batch in read_ahead(batches(frames, batch_size, predictor.prepare, lambda _: True)):
        probabilities = predictor(batch.images, scene.shape if scene else video.shape)
        for (index, frame), values in zip(batch.frames, probabilities, strict=True):
            if scene is None:
                yield index, values if threshold is None else values > threshold
            elif threshold is None:
                yield index, fused_probability(values, frame, scene, kind)
            else:
                yield index, fused_masks(values, frame, scene, (kind,), threshold)[kind]


def read_ahead(items: Iterator[T], most: int = 2) -> Iterator[T]:
    """The same items, of which a thread makes up to ``most`` before they are asked for."""
    end: Any = object()
    with ThreadPoolExecutor(1) as thread:
        coming = deque(thread.submit(next, items, end) for _ in range(most))
        while (item := coming.popleft().result()) is not end:
            coming.append(thread.submit(next, items, end))
            yield item


def frames_at_once(wanted: int, shape: tuple[int, int]) -> int:
    """Frames that go through together: as many as are wanted, fewer where they are large."""
    return max(1, min(wanted, _BATCH_PIXELS // (shape[0] * shape[1])))


def check_options(every: int, threshold: float, batch_size: int, long_side: int | None) -> None:
    """Refuse options that make no sense."""
    for name, value in (("every", every), ("batch_size", batch_size), ("long_side", long_side)):
        if value is not None and value < 1:
            raise ValueError(f"{name}={value}: it must be 1 or more.")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold={threshold}: probabilities lie between 0 and 1.")


def check_fusion(background: bool, masks: str, known: tuple[str, ...], person_height: float | None) -> None:
    """Refuse kinds of masks that there are not, and what nothing tells where the background has no say."""
    if masks not in known:
        raise ValueError(f"masks={masks!r}: choose one of {', '.join(known)}.")
    if masks != "crowd" and not background:
        raise ValueError(f"masks={masks!r}: only the background tells persons from the crowd; add background=True.")
    if person_height is not None and not background:
        raise ValueError(
            f"person_height={person_height}: only the background tells how high people are; add background=True."
        )
    if person_height is not None and not person_height > 0:
        raise ValueError(f"person_height={person_height}: it must be more than 0 px.")
