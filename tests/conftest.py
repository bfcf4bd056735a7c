"""Fixtures that tests share: real video where it is at hand, and a small moving picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mpas_lite.video import finding, folder_video
from tests.helpers import REAL, texture, write_pairs


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


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What this process looks through: a folder, or the header of an image."""
    seen: list[Path] = []
    for module, name in ((finding, "contents"), (folder_video, "image_view")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda path, real=real: seen.append(path) or real(path))
    return seen


@pytest.fixture(scope="session")
def moving_square() -> np.ndarray:
    """(30, 120, 160, 3) uint8: a textured square of 40 px goes right by 2 px a frame over a textured floor."""
    floor, square = texture(120, 160, 1), texture(40, 40, 2)
    frames = np.repeat(floor[None], 30, axis=0)
    for t, frame in enumerate(frames):
        frame[40:80, 10 + 2 * t : 50 + 2 * t] = square
    return np.repeat(frames[..., None], 3, axis=3)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames of dark noise with one bright square each, which is the mask: pairs to train on."""
    return write_pairs(tmp_path_factory.mktemp("pairs") / "clip", 5)
