"""Small inputs of every kind that the program reads, and what it makes of them: ``python -m benchmarks.inputs FOLDER``.

``FOLDER/in`` gets videos, folders of frames, pairs, ground truth, LabelMe files, tracklets, weights; beside it lie
output folders as commands leave them (``labelled``, ``refined``, ``segmented``, ``half-trained``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

FOURCC = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "FFV1", ".webm": "VP80"}
LABEL = ("--every", "3", "--radius", "6", "--min-size", "2", "--quiet")
NET = ("--encoder", "test_resnet", "--set", "width=8", "--batch-size", "2", "--long-side", "64", "--device", "cpu")


def moving_square(frames: int, shape: tuple[int, int] = (48, 64), seed: int = 0) -> np.ndarray:
    """(T, H, W, 3) uint8: a textured square goes to and fro by 2 px a frame over a textured floor."""
    rng = np.random.default_rng(seed)
    side = shape[0] // 2
    floor, square = (
        np.uint8(cv2.GaussianBlur(rng.normal(127, 200, size), (0, 0), 1.5).clip(0, 255))
        for size in (shape, (side, side))
    )
    film = np.repeat(floor[None], frames, axis=0)
    way = shape[1] - side
    for t, frame in enumerate(film):
        x = way - abs((2 * t) % (2 * way) - way)
        frame[side // 2 : side // 2 + side, x : x + side] = square
    return np.repeat(film[..., None], 3, axis=3)


def write_video(path: Path, frames: Iterable[np.ndarray], fourcc: str | None = None) -> Path:
    """Frames as a video, the codec by the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    film = None
    for frame in frames:
        if film is None:
            code = cv2.VideoWriter.fourcc(*(fourcc or FOURCC[path.suffix]))
            film = cv2.VideoWriter(str(path), code, 10, (frame.shape[1], frame.shape[0]))
        film.write(frame)
    if film is not None:
        film.release()
    return path


def write_frames(folder: Path, frames: Iterable[np.ndarray], ending: str = ".png", name: str = "{:06d}") -> Path:
    """Frames, or masks, as images of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        (folder / f"{name.format(number)}{ending}").write_bytes(cv2.imencode(ending, frame)[1].tobytes())
    return folder


def write_pairs(clip: Path, number: int = 4, ending: str = ".png", seed: int = 0) -> Path:
    """A clip of pairs: dark noise with one bright square, which is the mask."""
    rng = np.random.default_rng(seed)
    frames, masks = rng.integers(0, 60, (number, 48, 64, 3), dtype=np.uint8), np.zeros((number, 48, 64), np.uint8)
    for frame, mask in zip(frames, masks, strict=True):
        y, x = rng.integers(0, 24), rng.integers(0, 40)
        mask[y : y + 24, x : x + 24] = 255
        frame[mask > 0] += 150
    write_frames(clip / "frames", frames, ending)
    write_frames(clip / "masks", masks)
    return clip


def digests(folder: Path, hidden: bool = True) -> dict[str, str]:
    """Sha-256 of every file below the folder, with or without hidden ones; of a link, where it points."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not hidden and any(part.startswith(".") for part in name.parts):
            continue
        if path.is_symlink():
            found[str(name)] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[str(name)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def make_seeds(folder: Path) -> Path:
    """All inputs and outputs; this trains, so call it in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder / "in"
    film = moving_square(14)
    truth = np.zeros((14, 48, 64), np.uint8)
    truth[:, 12:36, 20:44] = 255
    for ending in FOURCC:
        write_video(inside / "videos" / f"clip{ending}", film)
    for ending in (".png", ".jpg", ".bmp", ".tif"):
        write_frames(inside / ending[1:], film, ending)
    _turned(inside / "jpg", inside / "exif")
    write_pairs(inside / "pairs" / "clip")
    write_pairs(inside / "pairs_jpg" / "clip", ending=".jpg")
    write_frames(inside / "cdnet" / "ped" / "input", film[:4], ".jpg", "in{:06d}")
    write_frames(inside / "cdnet" / "ped" / "groundtruth", truth[:4], ".png", "gt{:06d}")
    (inside / "cdnet" / "ped" / "temporalROI.txt").write_text("1 3\n")
    write_frames(inside / "pred", truth[:4])
    _crowd_clip(inside / "crowd" / "001-1", film)
    _labelme(inside / "lm", film[:2], truth[0])
    os.chdir(folder)
    _encoder(inside)
    _command("train", "in/pairs", *NET, "--epochs", "1", "--validate", "in/pairs", "--out", "half-trained")
    shutil.copytree("half-trained", inside / "net", ignore=shutil.ignore_patterns("checkpoint*", ".*", "log*"))
    _command("label", "in/png", *LABEL, "--out", "labelled")
    _command("label", "in/png", *LABEL, "--refine", "--out", "refined")
    _command("segment", "in/png", "--weights", "in/net/model.safetensors", "--device", "cpu", "--out", "segmented")
    return folder


def _turned(source: Path, out: Path) -> None:
    from benchmarks.mutants import with_orientation

    out.mkdir()
    for path in source.iterdir():
        (out / path.name).write_bytes(with_orientation(path.read_bytes(), 6))


def _crowd_clip(folder: Path, film: np.ndarray) -> None:
    write_frames(folder, film, ".jpg")
    names = [f"{number:06d}.jpg" for number in range(1, 14)]
    (folder / "imageList.txt").write_text("\n".join(names))
    lines = [f"5\t{''.join(f'({x + 2 * t},{x},{t + 1})' for t in range(5))}" for x in range(10, 30)]
    (folder / "klt_3000_10_trk.txt").write_text("\n".join(lines) + "\n")


def _labelme(folder: Path, film: np.ndarray, truth: np.ndarray) -> None:
    """Every shape that counts, drawn by hand."""
    write_frames(folder, film)
    box = base64.b64encode(cv2.imencode(".png", truth[12:37, 20:45])[1].tobytes()).decode()
    drawn = {
        "polygon": [[5, 5], [30, 8], [20, 40]],
        "rectangle": [[10, 10], [40, 30]],
        "circle": [[30, 20], [35, 24]],
        "oriented_rectangle": [[10, 10], [30, 14], [28, 24], [8, 20]],
        "mask": [[20, 12], [44, 36]],
    }
    shapes = [{"label": "crowd", "shape_type": kind, "points": points, "flags": {}} for kind, points in drawn.items()]
    shapes[-1]["mask"] = box
    shapes.append({**shapes[0], "label": "hole", "points": [[12, 12], [18, 12], [15, 20]]})
    for number in range(len(film)):
        content = {"version": "5.0.1", "flags": {}, "shapes": shapes, "imagePath": f"{number:06d}.png"}
        content |= {"imageData": None, "imageHeight": 48, "imageWidth": 64}
        (folder / f"{number:06d}.json").write_text(json.dumps(content))


def _encoder(folder: Path) -> None:
    import timm
    import torch
    from safetensors.torch import save_file

    weights = timm.create_model("test_resnet").state_dict()
    torch.save(weights, folder / "encoder.pth")
    save_file(weights, folder / "encoder.safetensors")


def _command(*words: str) -> None:
    from mpas_lite import cli

    sys.argv = ["mpas-lite", *words]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{' '.join(words)} ended with exit code {end.code}.") from None


if __name__ == "__main__":
    make_seeds(Path(sys.argv[1]).absolute())
