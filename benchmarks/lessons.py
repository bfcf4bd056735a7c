"""Pairs that a general network learns from: of scenes, of clips, of clips with nobody, and copies with things."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.things import strewn, things_in
from mpas_lite.labels.batch import pseudo_label_many
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.scenes.benchmark import render_benchmark
from mpas_lite.video.images import write_image
from mpas_lite.video.reader import read_video


def scene_pairs(out: Path) -> list[Path]:
    """Pairs of the scenes of the train seeds."""
    return label(render_benchmark(out / "scenes", split="train", clips_per_kind=3), out / "pairs", every=8)


def clip_pairs(clip: str, out: Path) -> Path:
    """Pairs of a clip, ``CLIP@EVERY``."""
    path, every = parted(clip)
    (folder,) = label([opened(path, out / "clips")], out / "pairs", every=every)
    return folder


def nobody_pairs(clip: str, out: Path) -> Path:
    """Pairs of a clip in which there is nobody: all masks are empty."""
    path, every = parted(clip)
    folder = out / "pairs" / path.stem
    for part in ("frames", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    video = read_video(opened(path, out / "clips"))
    for index, frame in video.frames(range(0, len(video), every)):
        write_image(folder / "frames" / f"{index:06d}.png", frame)
        write_image(folder / "masks" / f"{index:06d}.png", np.zeros(frame.shape[:2], bool))
    return folder


def copies_with_things(pairs: Sequence[Path], things: Path | None, out: Path) -> list[Path]:
    """Two copies of all pairs with things strewn over their frames; none without things."""
    cutouts = things_in(things) if things else []
    return [strewn(clip, cutouts, out / "things", seed=seed) for clip in pairs for seed in (0, 1) if cutouts]


def parted(clip: str) -> tuple[Path, int]:
    path, _, every = clip.rpartition("@")
    return Path(path), int(every)


def opened(clip: Path, folder: Path) -> Path:
    """A clip; of an animated GIF a folder of its frames."""
    if clip.suffix != ".gif":
        return clip
    from PIL import Image, ImageSequence

    frames = folder / clip.stem
    frames.mkdir(parents=True, exist_ok=True)
    with Image.open(clip) as pictures:
        for number, picture in enumerate(ImageSequence.Iterator(pictures)):
            picture.convert("RGB").save(frames / f"{number:06d}.png")
    return frames


def label(clips: Sequence[Path], out: Path, *, every: int) -> list[Path]:
    settings = LabelSettings.ours(every=every, refine=Refinement())
    labels = pseudo_label_many(clips, out, settings=settings, progress=False)
    for one in labels:
        if one.error:
            raise ValueError(f"{one.name} has no labels: {one.error}")
    return [one.folder for one in labels]
