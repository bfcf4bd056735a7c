"""How a net is judged by the way, by hand: IoU over pixels that count, and frames for batch norm from everywhere."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.validation import pair_iou, recalibration_batches
from mpas_lite.video.images import write_image


class Red:
    """A net whose probability is how red a pixel is."""

    mean = torch.zeros(1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1]


def write_pair(clip: Path, number: int, red: list[int], mask: list[int], valid: list[int]) -> None:
    """A pair whose columns have these values, 8 px wide each."""
    columns = [np.repeat(np.array(values, np.uint8), 8)[None].repeat(40, axis=0) for values in (red, mask, valid)]
    write_image(clip / "frames" / f"{number:06d}.png", np.dstack([columns[0]] * 3))
    write_image(clip / "masks" / f"{number:06d}.png", columns[1])
    write_image(clip / "valid" / f"{number:06d}.png", columns[2])


def test_iou_pools_the_pixels_that_count_of_all_pairs(tmp_path: Path) -> None:
    write_pair(tmp_path / "a", 0, [255, 128, 127, 0], [255, 255, 255, 0], [255, 255, 255, 255])  # 2 of 3 columns found
    write_pair(tmp_path / "a", 1, [200, 200, 115, 0], [255, 0, 0, 255], [255, 255, 255, 0])  # 1 of 2, 1 in doubt
    pairs = PairDataset(tmp_path / "a")
    assert pair_iou(Red(), pairs) == 3 / 5  # type: ignore[arg-type]


def test_no_crowd_in_either_is_agreement(tmp_path: Path) -> None:
    write_pair(tmp_path / "a", 0, [0] * 4, [0] * 4, [255] * 4)
    assert pair_iou(Red(), PairDataset(tmp_path / "a")) == 1  # type: ignore[arg-type]


class Numbered(list):
    """Pairs whose frames hold their own number, times 255."""

    def __init__(self, count: int) -> None:
        super().__init__((torch.full((3, 1, 1), 255.0 * number), None, None) for number in range(count))


def test_recalibration_sees_frames_from_everywhere_in_batches_of_nearly_one_size() -> None:
    batches = list(recalibration_batches(Numbered(1203), 8))  # type: ignore[arg-type]
    seen = torch.cat(batches)[:, 0, 0, 0].round().long().tolist()
    assert len(seen) == 500
    assert (seen[0], seen[-1]) == (0, 1202)
    assert {after - before for before, after in pairwise(seen)} == {2, 3}
    assert {len(batch) for batch in batches} == {7, 8}
    few = [batch[:, 0, 0, 0].round().tolist() for batch in recalibration_batches(Numbered(5), 2)]  # type: ignore[arg-type]
    assert few == [[0, 1], [2, 3], [4]]
