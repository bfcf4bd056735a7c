"""People whom motion does not show stay out of the loss, where a network is sure of them; nothing else does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training import fitting
from mpas_lite.training.keeping import keep_people, unmoved_people
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.views import TrainingViews
from mpas_lite.video.images import write_image
from tests.helpers import new_net, weights_equal


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


def test_who_stands_is_left_out_and_who_walks_is_a_lesson(clip: Path) -> None:
    pairs = PairDataset(clip, long_side=80)
    teacher = Bright("test_resnet", siamese=False).train()
    kept = keep_people(teacher, pairs, device="cpu")
    assert teacher.training
    assert kept.fingerprint() == pairs.fingerprint()
    for index in range(2):
        (image, mask, valid), (same_image, same_mask, was_valid) = kept[index], pairs[index]
        assert torch.equal(image, same_image)
        assert torch.equal(mask, same_mask)
        left_out = (was_valid & ~valid)[0].numpy()
        expected = np.zeros((60, 80), bool)
        expected[10:20, 10:20] = True
        np.testing.assert_array_equal(left_out, expected)
        assert not valid[0, :, 70:].any()
    assert pairs[0][2][0, :, :70].all()
    views = TrainingViews(kept, "real", sizes=2.0)
    assert any(not views[epoch, 0][3].all() for epoch in range(4))


@pytest.mark.parametrize("keep", [None, 0.8])
def test_only_a_net_that_has_learned_keeps_what_it_knows(clip: Path, monkeypatch, keep: float | None) -> None:
    asked = []
    monkeypatch.setattr(fitting, "keep_people", lambda net, pairs, *rest: asked.append(rest[0]) or pairs)
    net = new_net(siamese=False)
    options = {"epochs": 1, "long_side": 64, "accelerator": "cpu", "progress": False, "keep": keep}
    fitting.fit(net, clip, **options)
    assert not asked  # random weights know nobody
    fitting.fit(net, clip, **options)
    assert asked == ([] if keep is None else [keep])


def test_a_run_that_keeps_people_goes_on_to_the_same_weights(clip: Path, tmp_path: Path) -> None:
    options = {"epochs": 2, "long_side": 64, "accelerator": "cpu", "progress": False, "keep": 0.5, "batch_size": 1}

    def taught() -> MPASNet:
        net = new_net(siamese=False)
        net.provenance["steps"] = 1
        return net

    whole, halves = taught(), taught()
    fitting.fit(whole, clip, **options)
    assert not fitting.fit(halves, clip, out=tmp_path / "out", max_seconds=0, **options).finished
    fitting.fit(again := taught(), clip, out=tmp_path / "out", **options)
    assert weights_equal(whole, again)
