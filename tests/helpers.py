"""What tests share: where the checkout is, small crowds, pictures and clips, and whether two nets are the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mpas_lite.motion.tracklets import TRACKLET_FILE
from mpas_lite.video.images import write_image

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from mpas_lite.course.widgets.explorer import Explorer
    from mpas_lite.network.mpasnet import MPASNet

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data"
TINY = "test_resnet"  # the smallest encoder
CROWD_FRAMES, CROWD_STEP = 12, 2
# Five particles: four go right, more or less, and one turns back.
POSITION = np.array([[0.0, 0.0], [2.0, 0.9], [0.6, 2.2], [4.3, 1.2], [5.6, 2.6]])
VELOCITY = np.array([[5.0, 0.0], [4.0, 3.0], [3.0, 4.0], [5.0, 0.0], [-4.0, 3.0]])


# A program's first lines: a decoder that takes its whole process with it at files whose name has "deadly" in it.
DEADLY = """
import os, cv2
open_it = cv2.VideoCapture
cv2.VideoCapture = lambda path, *rest: os._exit(77) if "deadly" in path else open_it(path, *rest)
"""


def weights_equal(a: MPASNet, b: MPASNet) -> bool:
    """Whether two nets have the same weights and running statistics, bit for bit."""
    import torch

    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def new_net(encoder: str = TINY, **options: Any) -> MPASNet:
    """A small net, the same each time."""
    import torch

    from mpas_lite.network.mpasnet import MPASNet

    torch.manual_seed(0)
    return MPASNet(encoder, width=8, **options)


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth random picture full of corners, (H, W) uint8."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.uint8(127 + 60 * smooth / smooth.std() / 2).clip(0, 255)


def crowd(seed: int, n: int, *, groups: int, noise: float, grid: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Groups in a plane, each with a direction of its own and noise; some particles rest, some coincide."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    position = rng.uniform(0, 12 * np.sqrt(n), (groups, 2))[group] + rng.normal(size=(n, 2)) * 25
    if grid:
        position = np.round(position / 20) * 20
    angle = rng.uniform(0, 2 * np.pi, groups)[group] + noise * rng.normal(size=n)
    velocity = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.5, 3, (n, 1))
    velocity[rng.random(n) < 0.05] = 0
    return position, velocity


def dense_Z(W: csr_array, z: float) -> np.ndarray:
    identity = np.eye(W.shape[0])
    return np.linalg.inv(identity - z * W.toarray()) - identity


def write_pairs(
    clip: Path, number: int = 3, shape: tuple[int, int] = (48, 64), *, side: int = 24, every: int = 1, seed: int = 0
) -> Path:
    """A clip of pairs: frames of dark noise with one bright square each, which is the mask."""
    rng = np.random.default_rng(seed)
    for i in range(number):
        frame, mask = rng.integers(0, 60, (*shape, 3), dtype=np.uint8), np.zeros(shape, bool)
        y, x = rng.integers(0, shape[0] - side), rng.integers(0, shape[1] - side)
        mask[y : y + side, x : x + side] = True
        frame[mask] += 150
        write_image(clip / "frames" / f"{i * every:06d}.png", frame)
        write_image(clip / "masks" / f"{i * every:06d}.png", mask)
    return clip


def make_crowd_clip(folder: Path, *, frames: int = CROWD_FRAMES, tracklets: bool = True) -> Path:
    """A clip in the layout of the crowd databases: a square goes right; the grey of the corner says which frame."""
    square = texture(40, 40, 2)
    for n in range(1, frames + 1):
        image = np.full((60, 100, 3), 90, np.uint8)
        image[10:50, 5 + CROWD_STEP * n : 45 + CROWD_STEP * n] = square[..., None]
        image[:4, :4] = 10 * n
        write_image(folder / f"{n:06d}.png", image)
    for path in sorted(folder.glob("*.png")):  # real ones are JPEG
        cv2.imwrite(str(path.with_suffix(".jpg")), cv2.imread(str(path)), [cv2.IMWRITE_JPEG_QUALITY, 100])
        path.unlink()
    write_image(folder / "000000.jpg", np.full((60, 100, 3), 255, np.uint8))
    (folder / "imageList.txt").write_text("\n".join(f"{n:06d}.jpg" for n in range(frames + 1)))
    if tracklets:
        lines = [
            line_of([(x + 5 + CROWD_STEP * n, y + 10, n) for n in range(1, frames + 1)])
            for x in (5, 15, 25)
            for y in (5, 30)
        ]
        (folder / TRACKLET_FILE).write_text("".join(lines))
    return folder


def line_of(points: Sequence[tuple[int, int, int]]) -> str:
    """A line of a file of tracklets."""
    return f"{len(points)}\t" + "".join(f"({x},{y},{t})" for x, y, t in points) + "\n"


def values(explorer: Explorer, **changes: Any) -> dict[str, Any]:
    """What an explorer's controls say now, but for the changes."""
    return {name: control.value for name, control in explorer.controls.items()} | changes


def ends(control: Any) -> list[Any]:
    """Both ends of a slider, all options of a menu, both states of a box."""
    if hasattr(control, "options"):
        return [value for _, value in control.options]
    return [control.min, control.max] if hasattr(control, "max") else [True, False]


def drawn_at_ends(explorer: Explorer, control: Any) -> list[tuple[bytes, str]]:
    """Picture and line at each of a control's ends; afterwards it stands where it stood."""
    before = control.value
    drawn = []
    for value in ends(control):
        control.value = value
        drawn.append(explorer.draw())
    control.value = before
    return drawn


def notebooks_build() -> ModuleType:
    """`notebooks/build.py`, which is no part of a package; a file of tests that asks for it is skipped without it."""
    file = ROOT / "notebooks" / "build.py"
    if not file.exists():
        pytest.skip("the notebooks' sources are not here", allow_module_level=True)
    spec = importlib.util.spec_from_file_location("build", file)
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build


def interrupt_masks(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let Ctrl-C come to `segment_to` once so many masks are written; ``monkeypatch.undo()`` ends that."""
    from mpas_lite.network import mask_files

    write, written = mask_files.write_image, []

    def write_some(path: Path, mask: np.ndarray) -> None:
        if len(written) == after:
            raise KeyboardInterrupt
        written.append(path)
        write(path, mask)

    monkeypatch.setattr(mask_files, "write_image", write_some)
