"""How fast videos are labelled, with how much memory: ``python -m benchmarks --only labelling``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import cv2

import mpas_lite as mp
from benchmarks.measure import Row, paired, peak_memory, seconds
from mpas_lite.video.reader import read_video

EVERY = 20
# A textured square that goes to and fro over a textured floor, 96x72 px, for as long as one likes.
LONG_VIDEO = """
import sys
import cv2
import numpy as np

path, frames = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
noise = [rng.normal(127, 200, shape) for shape in [(72, 96), (30, 30)]]
floor, square = (np.uint8(cv2.GaussianBlur(each, (0, 0), 1.5).clip(0, 255)) for each in noise)
film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), 25, (96, 72))
for t in range(frames):
    picture = floor.copy()
    x = abs((2 * t) % 128 - 64)
    picture[20:50, x : x + 30] = square
    film.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
film.release()
"""
LABEL_IT = """
import sys, tempfile
import mpas_lite as mp

with tempfile.TemporaryDirectory() as folder:
    done = mp.pseudo_label(sys.argv[1], folder, progress=False)
assert done.pairs > 40 and done.empty == 0, done
"""


def rows(quick: bool, data: Path) -> Iterator[Row]:
    """Labelling against a plain loop, two workers against one, and a long video against a short one."""
    clip = data / "vtest.avi"
    if not clip.exists():  # smaller pictures: a bundled sample stands in for it
        clip = next(mp.sample_path("street_flow").glob("video.*"))
    yield from _against_plain_loop(clip, quick)
    yield from _two_workers(clip, quick)
    yield _memory(quick)


def plain_loop(path: Path) -> int:
    """Track up to 3,000 corners forward-backward on every frame, with OpenCV alone; the number of frames.

    New corners are looked for as often as labelling looks for them, in one frame of 20.
    """
    capture = cv2.VideoCapture(str(path))
    options = {"winSize": (15, 15), "maxLevel": 3, "criteria": (3, 30, 0.01)}
    before = points = None
    number = 0
    while True:
        decodes, frame = capture.read()
        if not decodes:
            return number
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        if points is not None:
            there, _, _ = cv2.calcOpticalFlowPyrLK(before, grey, points, None, **options)
            cv2.calcOpticalFlowPyrLK(grey, before, there, None, **options)
            points = there
        if number % EVERY == 0:
            points = cv2.goodFeaturesToTrack(grey, 3000, 0.01, 3.0)
        before = grey
        number += 1


def label(path: Path) -> int:
    """All that `mpas-lite label` does with a clip, files and all; bytes written."""
    with tempfile.TemporaryDirectory() as folder:
        mp.pseudo_label(path, folder, every=EVERY, progress=False)
        return sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())


def _against_plain_loop(clip: Path, quick: bool) -> Iterator[Row]:
    frames = sum(1 for _ in read_video(clip))
    written = label(clip)
    height, width = read_video(clip).shape
    ours, plain, ratio = paired(lambda: label(clip), lambda: plain_loop(clip), 1 if quick else 3)
    grabbing = seconds(lambda: _grab_all(clip))
    yield Row(
        f"`label` on {clip.name} ({width}x{height}, one frame in {EVERY})",
        "OpenCV tracking up to 3,000 corners there and back on every frame",
        f"{frames / ours:.0f} frames/s",
        f"{frames / plain:.0f} frames/s",
        ratio,
        2.5,
        at_least=True,
        raw={
            "label_fps": frames / ours,
            "grab_fps": frames / grabbing,
            "bytes_per_frame": written / frames,
            "every": EVERY,
            "height": height,
            "width": width,
        },
    )


def _grab_all(clip: Path) -> None:
    capture = cv2.VideoCapture(str(clip))
    while capture.grab():
        pass


def _two_workers(clip: Path, quick: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        clips = _cut(clip, Path(folder), 8, 100 if quick else 400)

        def label_all(jobs: int, cores: int) -> float:
            os.environ["LOKY_MAX_CPU_COUNT"] = str(cores)  # the cores that the workers share
            try:
                with tempfile.TemporaryDirectory() as out:
                    return seconds(lambda: mp.pseudo_label_many(clips, out, jobs=jobs, progress=False))
            finally:
                del os.environ["LOKY_MAX_CPU_COUNT"]

        label_all(2, 2)  # both workers are there and have imported what they need
        times = [(label_all(1, 1), label_all(2, 2), label_all(1, 2)) for _ in range(1 if quick else 3)]
    one, two, free = (median(column) for column in zip(*times, strict=True))
    ratio = median(a / b for a, b, _ in times)
    yield Row(
        "`label` on 8 clips, 2 workers",
        "one worker with one thread",
        f"{two:.1f} s",
        f"{one:.1f} s",
        ratio,
        1.7,
        at_least=True,
        raw={"one_worker_all_cores_s": free, "speedup_over_it": median(c / b for _, b, c in times)},
    )


def _cut(clip: Path, folder: Path, number: int, frames: int) -> list[Path]:
    """So many clips of so many frames, each from another place of the long one."""
    video = read_video(clip)
    paths = []
    for n in range(number):
        start = n * max(len(video) - frames, 0) // number
        paths.append(folder / f"clip{n}.avi")
        film = cv2.VideoWriter(str(paths[-1]), cv2.VideoWriter.fourcc(*"mp4v"), 25, video.shape[::-1])
        for _, frame in video.frames(range(start, start + frames)):
            film.write(frame[..., ::-1])
        film.release()
    return paths


def _memory(quick: bool) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        peaks = []
        for frames in (1_000, 5_000 if quick else 50_000):
            path = f"{folder}/{frames}.mp4"
            peak_memory(LONG_VIDEO, path, str(frames))
            peaks.append(median(peak_memory(LABEL_IT, path) for _ in range(1 if quick else 3)))
    short, long = peaks
    what = f"memory of `label`, a video of {frames:,} frames"
    return Row(what, "one of 1,000 frames", f"{long:.0f} MB", f"{short:.0f} MB", long / short, 1.1)
