"""How a net is judged on pairs: by hand, with nets that say what they are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.self_training import hold_out
from mpas_lite.training.validation import make_judge, pair_iou, recalibration_batches
from mpas_lite.video.images import write_image
from tests.helpers import write_pairs


class Says(torch.nn.Module):
    """Says one probability on the left half of each picture, and another on the right."""

    def __init__(self, left: float, right: float) -> None:
        super().__init__()
        self.mean = torch.nn.Parameter(torch.zeros(3, 1, 1))
        self.left, self.right = left, right

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.max() <= 1
        prob = torch.full((len(x), 1, *x.shape[-2:]), self.right)
        prob[..., : x.shape[-1] // 2] = self.left
        return prob


@pytest.fixture
def halves(tmp_path: Path) -> PairDataset:
    """Two pairs: a crowd on all of the left half, and one on the upper quarter of it."""
    for name, rows in (("0", 48), ("1", 24)):
        mask = np.zeros((48, 64), bool)
        mask[:rows, :32] = True
        write_image(tmp_path / "frames" / f"{name}.png", np.full((48, 64, 3), 200, np.uint8))
        write_image(tmp_path / "masks" / f"{name}.png", mask)
    return PairDataset(tmp_path)


@pytest.mark.parametrize(
    ("left", "right", "iou"), [(0.9, 0.1, 0.75), (0.51, 0.5, 0.75), (0.9, 0.9, 0.375), (0.1, 0.9, 0), (0.5, 0.5, 0)]
)
def test_iou_is_of_all_pixels_of_all_pairs_together(halves: PairDataset, left: float, right: float, iou: float) -> None:
    assert pair_iou(Says(left, right), halves) == pytest.approx(iou)  # type: ignore[arg-type]


def test_pixels_that_are_not_valid_do_not_count(halves: PairDataset, tmp_path: Path) -> None:
    valid = np.zeros((48, 64), bool)
    valid[:24] = True
    write_image(tmp_path / "valid" / "1.png", valid)
    assert pair_iou(Says(0.9, 0.1), halves) == 1  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:The clip")
def test_no_crowd_in_either_is_agreement(tmp_path: Path) -> None:
    write_image(tmp_path / "frames" / "0.png", np.full((48, 64, 3), 200, np.uint8))
    write_image(tmp_path / "masks" / "0.png", np.zeros((48, 64), bool))
    assert pair_iou(Says(0.1, 0.5), PairDataset(tmp_path)) == 1  # type: ignore[arg-type]
    assert pair_iou(Says(0.1, 0.6), PairDataset(tmp_path)) == 0  # type: ignore[arg-type]


def test_a_judge_measures_on_folders_data_sets_or_by_a_function(halves: PairDataset, tmp_path: Path) -> None:
    assert make_judge(None, halves, 2) is None
    for judged in (tmp_path, [tmp_path], halves):
        judge = make_judge(judged, halves, 2)
        assert judge is not None
        assert judge(Says(0.9, 0.1)) == pytest.approx(0.75)
    judge = make_judge(lambda net: 7 if not net.training else 0, halves, 2)
    assert judge is not None
    assert judge(Says(0, 0)) == 7.0


def test_before_it_is_judged_a_nets_batch_norm_sees_the_training_frames(halves: PairDataset) -> None:
    class Normed(Says):
        def __init__(self) -> None:
            super().__init__(0.9, 0.1)
            self.norm = torch.nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.norm(x)
            return super().forward(x)

    net = Normed()
    judge = make_judge(lambda judged: float(judged.norm.running_mean[0]), halves, 2)  # type: ignore[union-attr, index]
    assert judge is not None
    assert judge(net) == pytest.approx(200 / 255)


@pytest.mark.parametrize(("batch", "sizes"), [(3, [3, 2, 2]), (7, [7]), (8, [7]), (1, [1] * 7), (4, [4, 3])])
def test_batches_of_nearly_one_size_for_the_statistics(tmp_path: Path, batch: int, sizes: list[int]) -> None:
    pairs = PairDataset(write_pairs(tmp_path, 7))
    batches = list(recalibration_batches(pairs, batch))
    assert [len(images) for images in batches] == sizes
    torch.testing.assert_close(torch.cat(batches), torch.stack([pairs[i][0] for i in range(7)]) / 255)


def test_five_hundred_frames_spread_evenly_are_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mpas_lite.training.validation.RECALIBRATION_IMAGES", 4)
    pairs = PairDataset(write_pairs(tmp_path, 7))
    images = torch.cat(list(recalibration_batches(pairs, 3)))
    torch.testing.assert_close(images, torch.stack([pairs[i][0] for i in (0, 2, 4, 6)]) / 255)


@pytest.mark.parametrize(
    ("number", "every", "judged"), [(12, 5, [2, 7]), (13, 5, [2, 7, 12]), (3, 10, [1]), (2, 20, [1]), (4, 2, [1, 3])]
)
def test_one_in_so_many_is_held_out_from_the_middle_of_each_stretch(tmp_path, number, every, judged) -> None:
    pairs = PairDataset(write_pairs(tmp_path, number))
    train, held = hold_out(pairs, every)
    assert held.paths == [pairs.paths[i] for i in judged]
    assert train.paths == [path for i, path in enumerate(pairs.paths) if i not in judged]
    assert len(pairs) == number
