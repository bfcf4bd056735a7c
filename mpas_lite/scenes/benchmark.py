"""Scenes on disk: one clip with its truth, and the whole benchmark in its splits."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mpas_lite.files.atomic import atomic_write, read_json, write_json
from mpas_lite.files.ledger import claim, lock_folder, refuse_foreign, remove
from mpas_lite.files.writing import plain_output
from mpas_lite.scenes.renderer import SCENE_NAMES, check_scene, render_scene
from mpas_lite.scenes.scene import Scene

SPLITS = {"samples": 0, "train": 1000, "validation": 2000, "test": 3000}  # the first seed of each


def write_scene(scene: Scene, folder: str | Path, *, truth_every: int = 1, video: str = "video.mp4") -> Path:
    """Write a scene as a clip with its truth; ``scene.json`` comes last and so marks a complete clip.

    Writes ``video.mp4``, ``truth/person/NNNNNN.png`` and ``truth/crowd/NNNNNN.png`` (0 and 255, every
    ``truth_every``-th frame, named by the 0-based frame number), ``walkers.csv`` (of the same frames: frame,
    id, x, y in px, vx, vy in px/frame, paused 0 or 1) and ``scene.json``.

    Parameters
    ----------
    scene : Scene
        What ``render_scene`` gave.
    folder : str or Path
        Made if need be.
    truth_every : int
        The truth of one frame in so many is written.
    video : str
        The video's file name; its ending chooses the format: .mp4 (MPEG-4), .webm (VP9), .avi (Motion
        JPEG) or .mkv (FFV1, the only one without loss).

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If the ending is none of these, or OpenCV cannot write that format here.
    """
    folder = claim(folder)
    earlier = [*folder.glob("truth/*/??????.png"), folder / "scene.json"]  # perhaps of a longer clip
    refuse_foreign([*earlier, folder / video, folder / "walkers.csv"])
    remove(earlier[::-1])
    _write_video(folder / video, scene.frames, scene.fps)
    for t in range(0, len(scene), truth_every):
        for kind, mask in (("person", scene.instance[t] > 0), ("crowd", scene.crowd[t])):
            _write_mask(folder / "truth" / kind / f"{t:06d}.png", mask)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["frame", "id", "x", "y", "vx", "vy", "paused"])
    for t in range(0, len(scene), truth_every):
        columns = (scene.ids[t], *scene.position[t].T, *scene.velocity[t].T, scene.paused[t])
        for i, *numbers, paused in zip(*columns, strict=True):
            rows.writerow([t, i, *(f"{value:.2f}" for value in numbers), int(paused)])
    with atomic_write(folder / "walkers.csv") as temporary:
        temporary.write_text(table.getvalue(), encoding="utf-8")
    height, width = scene.frames.shape[1:3]
    facts = {"name": scene.name, "seed": scene.seed, "fps": scene.fps, "frames": len(scene)}
    facts |= {"height": height, "width": width, "truth_every": truth_every, "video": video}
    facts |= {"people_per_frame": round(float(np.mean([len(i) for i in scene.ids])), 1)}
    write_json(folder / "scene.json", facts)
    return folder


def _write_mask(path: Path, mask: np.ndarray) -> None:
    """A mask (H, W) bool as a PNG of one bit a pixel, a third of the ordinary size; it reads as 0 and 255."""
    options = [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8) * 255, options)
    with atomic_write(path) as temporary:
        temporary.write_bytes(encoded.tobytes())


CODECS = {".webm": "VP90", ".mp4": "mp4v", ".avi": "MJPG", ".mkv": "FFV1"}


def _write_video(path: Path, frames: np.ndarray, fps: float) -> None:
    if path.suffix not in CODECS:
        raise ValueError(f"{path.name}: a video's name must end in one of {', '.join(CODECS)}.")
    with atomic_write(path) as temporary, plain_output(temporary) as place:
        size = (frames.shape[2], frames.shape[1])
        writer = cv2.VideoWriter(str(place), cv2.VideoWriter.fourcc(*CODECS[path.suffix]), fps, size)
        if not writer.isOpened():
            raise ValueError(f"OpenCV cannot write {path.suffix} here. Try another of {', '.join(CODECS)}.")
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()


def render_benchmark(
    folder: str | Path,
    *,
    split: str = "test",
    clips_per_kind: int = 2,
    frames: int = 120,
    shape: tuple[int, int] = (240, 320),
    names: Sequence[str] = SCENE_NAMES,
    truth_every: int = 1,
    video: str = "video.mp4",
    progress: Callable[[list[tuple[str, int]]], Iterable[tuple[str, int]]] = iter,
    alone: bool = True,
    **options: Any,
) -> list[Path]:
    """Render one split of the synthetic benchmark to ``folder/<split>/<kind>-<seed>/``.

    Seeds are split by range, so that no clip of one split is in another: samples from 0, train from 1000,
    validation from 2000, test from 3000. Complete clips that are already there are kept if they were made
    with the same arguments, so an interrupted run goes on where it was.

    Parameters
    ----------
    folder : str or Path
    split : str
        'train', 'validation', 'test' or 'samples'.
    clips_per_kind : int
    frames, shape
        As for ``render_scene``.
    names : sequence of str
        The kinds, of ``SCENE_NAMES``.
    truth_every, video
        As for ``write_scene``.
    progress : callable
        Wraps the list of (name, seed) to do, for a progress bar: ``tqdm`` fits.
    alone : bool
        False where the caller holds ``folder`` or one above (:func:`mpas_lite.files.ledger.lock_folder`).
    **options
        As for ``render_scene``.

    Returns
    -------
    list of Path
        The clips' folders.

    Raises
    ------
    ValueError
        If the split or a name is not known, or another run is writing to the same folder.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}. Choose one of {', '.join(SPLITS)}.")
    if not 1 <= clips_per_kind <= 1000:
        raise ValueError(f"clips_per_kind={clips_per_kind} must be from 1 to 1000, so that the splits stay apart.")
    jobs = [(name, SPLITS[split] + i) for i in range(clips_per_kind) for name in names]
    for name, seed in jobs:
        check_scene(name, seed=seed, frames=frames, shape=shape)
    wanted = {
        "frames": frames,
        "height": shape[0],
        "width": shape[1],
        "truth_every": truth_every,
        "video": video,
    }
    wanted["options"] = options
    written = []
    with lock_folder(Path(folder) / split, alone=alone):
        for name, seed in progress(jobs):
            clip = Path(folder) / split / f"{name}-{seed}"
            written.append(clip)
            facts = read_json(clip / "scene.json", {"type": "object"}) if (clip / "scene.json").exists() else {}
            if {name: facts.get(name) for name in wanted} == wanted:
                continue
            scene = render_scene(name, seed=seed, frames=frames, shape=shape, **options)
            write_scene(scene, clip, truth_every=truth_every, video=video)
            write_json(clip / "scene.json", {**read_json(clip / "scene.json"), **wanted})  # last: it is complete
    return written
