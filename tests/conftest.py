"""What tests share: small moving pictures with known motion, and real video where it is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mpas_lite.images import write_image

if TYPE_CHECKING:
    from mpas_lite.network import MPASNet

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real videos beside the checkout, which is not part of the project."""
    if not REAL.is_dir():
        pytest.skip("the real videos are not at hand (../shared/data)")
    return REAL


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine cost more than they bring."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights_equal(a: MPASNet, b: MPASNet) -> bool:
    """Whether two nets have the same weights and running statistics, bit for bit."""
    import torch

    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth random picture full of corners, (H, W) uint8."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.uint8(127 + 60 * smooth / smooth.std() / 2).clip(0, 255)


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


@pytest.fixture(scope="session")
def moving_square() -> np.ndarray:
    """(30, 120, 160, 3) uint8: a textured square of 40 px goes right by 2 px a frame over a textured floor."""
    floor, square = texture(120, 160, 1), texture(40, 40, 2)
    frames = np.repeat(floor[None], 30, axis=0)
    for t, frame in enumerate(frames):
        frame[40:80, 10 + 2 * t : 50 + 2 * t] = square
    return np.repeat(frames[..., None], 3, axis=3)
