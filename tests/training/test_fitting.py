"""What fit refuses, and what it leaves where a run or its pairs went wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mpas_lite.training import fitting, loop
from mpas_lite.training.fitting import fit
from mpas_lite.training.records import model_card, read_log
from mpas_lite.video.images import write_image
from mpas_lite.video.masks import read_mask
from tests.helpers import new_net, weights_equal

QUICK: dict[str, Any] = {"accelerator": "cpu", "progress": False, "batch_size": 2}
pytestmark = pytest.mark.usefixtures("one_thread")


def test_diverged_training_stops_and_keeps_the_last_good_checkpoint(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, dice_loss = [0], loop.dice_loss

    def breaking(*args: Any, **options: Any) -> torch.Tensor:
        calls[0] += 1
        return dice_loss(*args, **options) * (float("nan") if calls[0] == 5 else 1)

    monkeypatch.setattr(loop, "dice_loss", breaking)
    net = new_net()
    with pytest.raises(ValueError, match=r"after step 4.*on the pairs clip/00000\d.png.*last good state"):
        fit(net, clip, out=tmp_path, epochs=3, **QUICK)
    assert all(tensor.isfinite().all() for tensor in net.state_dict().values())
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["step"] == 3  # the end of the first epoch
    assert all(tensor.isfinite().all() for tensor in kept["weights"].values())


def test_weights_that_are_no_numbers_are_not_kept(clip: Path, tmp_path: Path, monkeypatch) -> None:
    """A step can spoil them that had a good loss itself."""
    calls, step = [0], torch.optim.SGD.step

    def spoiling(self: torch.optim.SGD, *args: Any, **options: Any) -> None:
        step(self, *args, **options)
        calls[0] += 1
        if calls[0] == 6:  # the last of the second epoch
            self.param_groups[0]["params"][0].data.fill_(float("inf"))

    monkeypatch.setattr(torch.optim.SGD, "step", spoiling)
    with pytest.raises(ValueError, match="after step 6"):
        fit(new_net(), clip, out=tmp_path, epochs=3, **QUICK)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    assert len(read_log(tmp_path / "log.csv")) == 3


def test_pairs_without_a_crowd_are_no_lessons_where_that_is_said(clip: Path, tmp_path: Path, monkeypatch) -> None:
    """Two of five: one step less an epoch. What batch norm knows in the end is of all frames."""
    some = shutil.copytree(clip, tmp_path / "some")
    for t in (1, 4):
        cv2.imwrite(str(some / "masks" / f"{t:06d}.png"), np.zeros_like(read_mask(some / "masks" / f"{t:06d}.png")))
    seen, batch_losses = [], loop.batch_losses
    monkeypatch.setattr(loop, "batch_losses", lambda learner, batch, *rest: seen.append(batch[2]) or batch_losses(
        learner, batch, *rest))  # fmt: skip
    counted, batches = [], fitting.recalibration_batches
    monkeypatch.setattr(
        fitting, "recalibration_batches", lambda pairs, size: counted.append(len(pairs)) or batches(pairs, size)
    )
    for empty, steps in ((True, 3), (False, 2)):
        seen.clear()
        net = new_net(siamese=False)
        assert fit(net, some, epochs=1, augmentation="none", empty=empty, **QUICK).steps == steps
        masks = torch.cat(seen)
        assert masks.flatten(1).any(1).tolist().count(False) == (2 if empty else 0)
        assert net.provenance["pairs"] == (5 if empty else 3)
    assert counted == [5, 5]


def test_pairs_in_which_nothing_moves_are_refused(clip: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "still/frames/000000.png", np.zeros((40, 40, 3), np.uint8))
    write_image(tmp_path / "still/masks/000000.png", np.zeros((40, 40), bool))
    with pytest.raises(ValueError, match="Nothing moves in these pairs"):
        fit(new_net(), tmp_path / "still", **QUICK)
    fit(new_net(), [tmp_path / "still", clip], epochs=1, **QUICK)  # one still clip among others is fine


@pytest.mark.slow
def test_damaged_pairs_are_left_out_named_and_counted_at_the_end(clip: Path, tmp_path: Path) -> None:
    whole = tmp_path / "clip"
    shutil.copytree(clip, whole)
    broken = tmp_path / "broken" / "clip"
    shutil.copytree(clip, broken)
    for number in (5, 6):
        shutil.copy(clip / "masks/000000.png", broken / f"masks/{number:06d}.png")
        data = (clip / "frames/000000.png").read_bytes()
        (broken / f"frames/{number:06d}.png").write_bytes(data[:-40])
    one, other = new_net(), new_net()
    fit(one, whole, epochs=2, **QUICK)
    with pytest.warns(UserWarning, match=r"2 of 7 pairs were left out as damaged: .*000005.png \(.*000006.png \("):
        history = fit(other, broken, epochs=1, out=tmp_path / "out", **QUICK)
    with pytest.warns(UserWarning, match=r"2 of 7 pairs"):
        fit(other, broken, epochs=2, out=tmp_path / "out", **QUICK)
    assert len(history.skipped) == 2
    assert "2 left out as damaged" in model_card(other.provenance, other.config, "1")
    assert weights_equal(one, other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 0}, "epochs=0: it must be 1 or more"),
        ({"lr": -1.0}, "lr=-1.0: it must be 0 or more"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"seed": -1}, "seed=-1"),
        ({"loss": "iou"}, "choose dice or cross_entropy"),
        ({"schedule": "step"}, "choose constant or cosine"),
        ({"augmentation": "strong"}, "choose real, literal, none"),
        ({"precision": "8"}, "choose 32-true"),
        ({"checkpoint_every": 0}, "checkpoint_every=0"),
        ({"devices": 0}, "devices=0"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"validate_every": 0}, "validate_every=0"),
        ({"ema": 1.0}, "ema=1.0: it must lie between 0 and 1"),
        ({"workers": -1}, "workers=-1: it must be 0 or more"),
        ({"workers": 10**6}, "workers=1000000: it must be 256 at most"),
        ({"accumulate": 10**9}, "accumulate=1000000000: it must be 4096 at most"),
        ({"lr": 1e30}, "it must be 1000000 at most"),
        ({"accelerator": "abacus"}, "accelerator='abacus'"),
        ({"strategy": "magic"}, "strategy='magic'"),
        ({"accelerator": "cuda"}, "There is no CUDA GPU here"),
        ({"accelerator": "mps"}, "There is no Apple GPU"),
    ],
)
def test_settings_that_make_no_sense_are_named(
    clip: Path, options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(ValueError, match=said):
        fit(new_net(), clip, **{**QUICK, **options})
