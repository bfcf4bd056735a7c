"""People whom motion does not show stay out of the loss, where a network is sure of them; nothing else does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mpas_lite.files.ledger import claim
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.keeping import keep_people, unmoved_people
from mpas_lite.training.pairs import PairDataset, valid_path
from mpas_lite.video.images import write_image
from mpas_lite.video.masks import read_mask
from tests.helpers import new_net


def test_regions_that_the_network_is_sure_of_and_the_label_has_not() -> None:
    probability = np.zeros((120, 160))
    probability[10:30, 10:30] = 0.6  # all of this, as a part of it is sure
    probability[20:24, 20:24] = 0.9
    probability[10:30, 60:80] = 0.79  # likely, but nowhere sure
    probability[60:80, 10:30] = 0.9  # the label has it
    label = np.zeros((120, 160), bool)
    label[62:78, 12:28] = True
    expected = np.zeros((120, 160), bool)
    expected[10:30, 10:30] = True
    np.testing.assert_array_equal(unmoved_people(probability, label, 0.8), expected)
    assert unmoved_people(probability, label, 0.7)[10:30, 60:80].all()
    assert not unmoved_people(probability, label, 0.95).any()
    label[:] = False
    assert unmoved_people(probability, label, 0.8)[60:80, 10:30].all()


class Bright(MPASNet):
    """Takes what is bright for people."""

    def forward(self, x: torch.Tensor, x_hat: torch.Tensor | None = None) -> torch.Tensor:
        self.asked = getattr(self, "asked", 0) + 1
        return x.mean(dim=1, keepdim=True)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two frames of one who stands and one who walks; the label has the one who walks, and a doubt."""
    for t in range(2):
        frame, label, valid = np.full((60, 80, 3), 20, np.uint8), np.zeros((60, 80), bool), np.ones((60, 80), bool)
        frame[10:20, 10:20] = frame[40:50, 20 + t : 30 + t] = 240
        label[40:50, 20 + t : 30 + t] = True
        valid[:, 70:] = False
        for kind, image in (("frames", frame), ("masks", label), ("valid", valid)):
            write_image(tmp_path / "clip" / kind / f"{t:06d}.png", image)
    return tmp_path / "clip"


def test_who_stands_is_left_out_and_who_walks_is_a_lesson(clip: Path, tmp_path: Path) -> None:
    pairs = PairDataset(clip, long_side=80)
    claim(tmp_path / "kept")
    teacher = Bright("test_resnet", siamese=False, long_side=80)
    kept = keep_people(teacher, pairs, tmp_path / "kept", device="cpu")
    assert [frame for frame, _ in kept.paths] == [frame for frame, _ in pairs.paths]
    assert kept.name(1) == pairs.name(1)
    for index in range(2):
        (image, mask, valid), (same_image, same_mask, was_valid) = kept[index], pairs[index]
        assert torch.equal(image, same_image)
        assert torch.equal(mask, same_mask)
        left_out = (was_valid & ~valid)[0].numpy()
        expected = np.zeros((60, 80), bool)
        expected[10:20, 10:20] = True
        np.testing.assert_array_equal(left_out, expected)
        assert not valid[0, :, 70:].any()
    keep_people(teacher, pairs, tmp_path / "kept", device="cpu")
    assert teacher.asked == 2  # the second time it is read
    write_image(kept.paths[1][1], ~(read_mask(pairs.paths[1][1]) > 127))
    again = keep_people(teacher, pairs, tmp_path / "kept", device="cpu")
    assert teacher.asked == 3  # other labels
    assert torch.equal(again[1][1], pairs[1][1])
    assert valid_path(again.paths[1][1]).exists()


def test_an_untrained_net_leaves_all_labels_as_they_are(clip: Path, tmp_path: Path) -> None:
    pairs = PairDataset(clip, long_side=80)
    kept = keep_people(new_net(siamese=False), pairs, tmp_path / "kept", sure=0.999, device="cpu")
    assert all(torch.equal(kept[i][2], pairs[i][2]) for i in range(2))
