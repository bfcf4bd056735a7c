"""Things that are nobody, strewn over labelled frames: what stands out from the ground need not be a person.

Pictures of things on nothing (with alpha, such as the Fluent emoji in 3D, MIT) are set into copies of the frames of
pairs, at any size and in other colours, never over somebody who is labelled. The masks stay as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mpas_lite.training.augmentation import colour_matrix
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.masks import read_mask

Cutout = NDArray[np.float32]  # (h, w, 4), RGB times alpha, and alpha, 0...255

# Code points of emoji that show things, plants, animals and vehicles; no people, no part of one, no shirts, no symbols.
THINGS = """
231a 23f0 260e 2693 26bd-26be 26f1-26f2 26fa 26fd 2702 1f302 1f331-1f335 1f337-1f33d 1f345-1f347 1f34e-1f352 1f36d 1f377
1f37e-1f381 1f383-1f384 1f388 1f38b 1f392 1f3a0-1f3a1 1f3a8-1f3a9 1f3b0-1f3b3 1f3b7-1f3bb 1f3c0 1f3c6 1f3c8-1f3c9
1f3cd-1f3d3 1f3d5-1f3d7 1f3ee 1f3f3-1f3f4 1f3f7 1f3fa 1f400-1f40a 1f40c-1f411 1f413-1f41d 1f420-1f42b 1f451-1f452
1f45c-1f462 1f488 1f4a1 1f4ba-1f4bc 1f4cd 1f4d1-1f4da 1f4e0-1f4e3 1f4e6 1f4ea-1f4ef 1f4f7-1f4fb 1f4fd 1f50b-1f50c
1f511-1f514 1f525-1f52d 1f56f-1f570 1f578 1f5a5-1f5a8 1f5c4 1f5d1 1f680-1f686 1f688-1f69d 1f69f-1f6a2 1f6a4-1f6aa 1f6ac
1f6b2 1f6bd 1f6c1 1f6cb 1f6cd-1f6cf 1f6d1-1f6d2 1f6dd-1f6de 1f6e0-1f6e2 1f6e5 1f6e9 1f6eb 1f6f0 1f6f3-1f6f7 1f6f9-1f6fc
1f7e0-1f7eb 1f950-1f956 1f95a-1f95d 1f964-1f968 1f96b-1f96f 1f986-1f987 1f989-1f98a 1f98c 1f98f 1f992-1f99c 1f9a1-1f9af
1f9bc-1f9bd 1f9c1-1f9c3 1f9e8 1f9ed-1f9f6 1f9f8-1f9fb 1f9ff 1fa80-1fa81 1fa85 1fa90-1fa93 1fa95 1fa97-1fa9c 1fa9e-1faa0
1faa3-1faa4 1faa6-1faab 1fab4-1fab5 1fad1 1fad6-1fad9
"""


def things_in(folder: Path) -> list[Cutout]:
    """The pictures of a folder that :data:`THINGS` names (``1f6b2.webp``), cut to where they are."""
    return [_cutout(file) for code in _codes() for file in _files(folder, code)]


def _codes() -> list[int]:
    ends = [[int(end, 16) for end in span.split("-")] for span in THINGS.split()]
    return [code for span in ends for code in range(span[0], span[-1] + 1)]


def _files(folder: Path, code: int) -> list[Path]:
    names = [f"{code:x}.webp", f"{code:x}-fe0f.webp"]  # the latter: as a picture, where text would be possible
    return [folder / name for name in names if (folder / name).is_file()][:1]


def _cutout(file: Path) -> Cutout:
    with Image.open(file) as picture:
        there = picture.convert("RGBA")
        pixels = np.asarray(there.crop(there.getchannel("A").getbbox()), np.float32)
    return np.dstack([pixels[..., :3] * pixels[..., 3:] / 255, pixels[..., 3:]])


def strew(frame: Frame, people: Mask, things: Sequence[Cutout], rng: np.random.Generator) -> Frame:
    """A frame with two to nine things on it, behind whoever is labelled.

    Parameters
    ----------
    frame : Frame
        (H, W, 3) uint8 RGB.
    people : Mask
        (H, W) bool: here the frame stays as it is.
    things : sequence of Cutout
    rng : Generator
        Every draw comes from it.
    """
    out = frame.astype(np.float32)
    for _ in range(rng.integers(2, 10)):
        height = frame.shape[0] * float(np.exp(rng.uniform(np.log(0.05), np.log(0.45))))
        thing, shade = _placed(things[rng.integers(len(things))], frame.shape[:2], height, rng)
        out = out * (1 - shade) * (1 - thing[..., 3:] / 255) + _in_other_colours(thing, rng)
    out += rng.normal(0, rng.uniform(0, 4), out.shape)
    return np.where(people[..., None], frame, np.clip(out, 0, 255)).astype(np.uint8)


def _placed(
    thing: Cutout, shape: tuple[int, int], height: float, rng: np.random.Generator
) -> tuple[Cutout, NDArray[np.float32]]:
    """A thing somewhere on an empty (H, W) picture, and how dark its shadow on the ground is, 0 to 1, (H, W, 1)."""
    scale = height / max(thing.shape[:2])
    wide = scale * float(np.exp(rng.uniform(-0.25, 0.25)))
    rows, columns = thing.shape[:2]
    x, y = rng.uniform(0, 1) * shape[1], rng.uniform(0.05, 0.95) * shape[0]
    lean = np.deg2rad(rng.normal(0, 8))
    turn = np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
    linear = np.diag([wide, scale]) @ turn @ np.diag([rng.choice([-1.0, 1.0]), 1.0])
    move = np.array([x, y]) - linear @ np.array([columns / 2, rows / 2])
    if scale < 0.5:
        thing = cv2.GaussianBlur(thing, (0, 0), 0.4 / scale)
    placed = cv2.warpAffine(thing, np.column_stack([linear, move]), shape[::-1])
    shade = np.zeros(shape, np.float32)
    if rng.random() < 0.6:
        below = (round(x), round(y + scale * rows / 2))
        axes = (max(2, round(wide * columns / 2)), max(1, round(0.08 * scale * rows)))
        cv2.ellipse(shade, below, axes, 0, 0, 360, float(rng.uniform(0.1, 0.5)), -1)
        shade = cv2.GaussianBlur(shade, (0, 0), max(0.5, 0.04 * height))
    return placed, shade[..., None]


def _in_other_colours(thing: Cutout, rng: np.random.Generator) -> NDArray[np.float32]:
    """RGB times alpha of a thing: paler, darker, of another hue."""
    turn = rng.uniform(-np.pi, np.pi) if rng.random() < 0.3 else rng.uniform(-0.4, 0.4)
    colour = rng.uniform(0.6, 1.1) * colour_matrix(rng.uniform(0.1, 1.0), turn)
    lighter = rng.uniform(-60, 20)
    rgb = thing[..., :3] @ colour.T.astype(np.float32) + thing[..., 3:] / 255 * np.float32(lighter)
    return np.clip(rgb, 0, 255)


def strewn(clip: Path, things: Sequence[Cutout], out: Path, *, seed: int = 0) -> Path:
    """A copy of a clip's pairs in ``out``, ``clip-things-0`` by its seed, with things on its frames."""
    rng = np.random.default_rng([seed, *clip.name.encode()])
    copy = out / f"{clip.name}-things-{seed}"
    shutil.copytree(clip / "masks", copy / "masks", dirs_exist_ok=True)
    (copy / "frames").mkdir(exist_ok=True)
    for frame in sorted((clip / "frames").iterdir()):
        people = read_mask(clip / "masks" / f"{frame.stem}.png") > 127
        write_image(copy / "frames" / frame.name, strew(read_image(frame), people, things, rng))
    return copy
