"""How much segmenting and training cost beyond the network itself: ``python -m benchmarks --only network``."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

import mpas_lite as mp
from benchmarks.measure import Row, paired, seconds
from mpas_lite.network.input_size import resize
from mpas_lite.network.mpasnet import pad_to_stride
from mpas_lite.training.pairs import as_image
from mpas_lite.video.reader import read_video

ENCODER, LONG_SIDE = "hrnet_w18_small", 320
BARE_BATCH = 4  # the bare encoder's fastest batch on the CPU at hand


def rows(quick: bool, data: Path) -> Iterator[Row]:
    """Segmenting against the bare encoder, a training step against bare forward and backward."""
    clip = data / "vtest.avi"
    if not clip.exists():
        clip = next(mp.sample_path("street_flow").glob("video.*"))
    yield from _segment(clip, quick)
    yield _training_step(quick)


def _segment(clip: Path, quick: bool) -> Iterator[Row]:
    frames = 16 if quick else 64
    torch.manual_seed(0)
    net = mp.MPASNet(ENCODER, long_side=LONG_SIDE).eval()
    with tempfile.TemporaryDirectory() as folder:
        short = _first_frames(clip, Path(folder) / "short.avi", frames)
        images = torch.stack([as_image(resize(frame, LONG_SIDE)) for _, frame in read_video(short)])
        images = (pad_to_stride(images / 255) - net.mean) / net.std

        @torch.inference_mode()
        def encoder() -> None:
            for batch in images.split(BARE_BATCH):
                net.encoder(batch)

        def in_memory() -> None:
            for _ in mp.segment(net, short, device="cpu"):
                pass

        def to_files() -> None:
            with tempfile.TemporaryDirectory() as out:
                mp.segment_to(net, short, out, device="cpu", progress=False)

        for what, job in (("masks", in_memory), ("masks and overlay on disk", to_files)):
            ours, bare, ratio = paired(job, encoder, 2 if quick else 7)
            yield Row(
                f"`segment`, {ENCODER}, {LONG_SIDE} px: {what}",
                "the bare encoder on the same frames, decoded",
                f"{1000 * ours / frames:.1f} ms/frame",
                f"{1000 * bare / frames:.1f} ms/frame",
                1 / ratio,
                1.25,
                raw={"segment_fps": frames / ours, "encoder_fps": frames / bare},
            )


def _first_frames(clip: Path, path: Path, number: int) -> Path:
    """A video file of the first frames of a clip."""
    import cv2

    video = read_video(clip)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, video.shape[::-1])
    for _, frame in video.frames(range(number)):
        film.write(frame[..., ::-1])
    film.release()
    return path


def _training_step(quick: bool) -> Row:
    steps, blocks = (4, 1) if quick else (8, 4)
    with tempfile.TemporaryDirectory() as folder:
        mp.pseudo_label(mp.sample_path("street_flow"), folder, every=2, radius=8, progress=False)
        pairs = mp.PairDataset(folder, long_side=LONG_SIDE)
        pairs.paths = pairs.paths[: 4 * steps]
        torch.manual_seed(0)
        net = mp.MPASNet(ENCODER, siamese=True)
        bare_net = copy.deepcopy(net).train()
        x, x_hat = torch.rand(2, 4, 3, *pairs.shape)

        def bare_step() -> None:
            outputs = bare_net(x, x_hat)
            torch.autograd.backward(outputs, [torch.ones_like(output) for output in outputs])

        times = []
        for _ in range(blocks + 1):
            times.append((_steps_of_fit(net, pairs), median(seconds(bare_step) for _ in range(steps))))
        times = times[1:]  # the first one warmed up
    ours, bare = (median(column) for column in zip(*times, strict=True))
    height, width = pairs.shape
    return Row(
        f"training step, siamese {ENCODER}, batch 4, {width}x{height}",
        "the same network's bare forward and backward",
        f"{ours:.2f} s",
        f"{bare:.2f} s",
        median(a / b for a, b in times),
        1.10,
        raw={"step_s": ours, "batch": 4},
    )


def _steps_of_fit(net: mp.MPASNet, pairs: mp.PairDataset) -> float:
    """Median seconds from one update of the weights to the next, over an epoch of `fit`."""
    ends: list[float] = []
    hook = register_optimizer_step_post_hook(lambda *_: ends.append(perf_counter()))
    try:
        mp.fit(net, pairs, epochs=1, batch_size=4, accelerator="cpu", progress=False)
    finally:
        hook.remove()
    return median(after - before for before, after in pairwise(ends))
