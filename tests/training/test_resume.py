"""What a run leaves, and how it goes on: killed, stopped or cut off by the clock, it ends bit for bit the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mpas_lite.network.checkpoints import write_checkpoint
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import load
from mpas_lite.training.fitting import fit
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.records import model_card, read_log
from tests.helpers import ROOT, new_net, weights_equal

QUICK: dict[str, Any] = {"accelerator": "cpu", "progress": False, "batch_size": 2}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
pytestmark = pytest.mark.usefixtures("one_thread")


# --------------------------------------------------------------------------------------------- records


def test_log_has_one_row_a_step_also_after_a_resume(clip: Path, tmp_path: Path) -> None:
    fit(new_net(), clip, out=tmp_path, epochs=1, **QUICK)
    with (tmp_path / "log.csv").open("a") as file:
        file.write("4,2,0.1,0.1,0.1,0.02,9,\n5,2,0.")  # of steps that were lost, the last cut short
    history = fit(new_net(), clip, out=tmp_path, epochs=2, validate=clip, validate_every=2, **QUICK)
    rows = read_log(tmp_path / "log.csv")
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [int(row["epoch"]) for row in rows] == [1, 1, 1, 2, 2, 2]
    for epoch in range(2):
        mine = [float(row["loss"]) for row in rows[3 * epoch : 3 * epoch + 3]]
        assert np.mean(mine) == pytest.approx(history.loss[epoch])
    assert {row["lr"] for row in rows} == {"0.02"}
    assert [row["validation_iou"] != "" for row in rows] == [False] * 5 + [True]
    fit(new_net(), clip, out=tmp_path, epochs=1, resume=False, **QUICK)
    assert len(read_log(tmp_path / "log.csv")) == 3


def test_validation_judges_what_training_would_give_and_changes_nothing(clip: Path, tmp_path: Path) -> None:
    seen = []

    def measure(net: MPASNet) -> float:
        torch.rand(3)
        seen.append({name: tensor.clone() for name, tensor in net.state_dict().items()})
        assert not net.training
        return 0.25

    plain, judged = new_net(), new_net()
    fit(plain, clip, epochs=2, ema=0.9, **QUICK)
    history = fit(judged, clip, epochs=2, ema=0.9, validate=measure, **QUICK)
    assert weights_equal(plain, judged)
    assert history.validation == [0.25, 0.25]
    assert all(torch.equal(tensor, seen[-1][name]) for name, tensor in judged.state_dict().items())

    history = fit(plain, clip, epochs=10, validate=clip, validate_every=5, **QUICK)
    assert [value is None for value in history.validation] == [True] * 4 + [False] + [True] * 4 + [False]
    common = either = 0
    for image, mask, _ in PairDataset(clip):
        with torch.inference_mode():
            found = plain(image[None] / 255)[0] > 0.5
        common, either = common + int((found & mask).sum()), either + int((found | mask).sum())
    assert history.validation[-1] == common / either
    assert plain.provenance["validation_iou"] == common / either


def test_model_card_says_what_made_the_weights(clip: Path) -> None:
    net = new_net()
    fit(net, clip, epochs=1, lr=0.012, **QUICK)
    card = model_card(net.provenance, net.config, "1.2")
    for said in (
        "test_resnet",
        "| lr | 0.012 |",
        "frame and pseudo-label: 5",
        "steps: 3",
        'mp.load("',
        "random weights",
    ):
        assert said in card
    assert card == model_card(net.provenance, net.config, "1.2")


# --------------------------------------------------------------------------------------------- resume

KILLED = """
import os, signal, sys, torch
from mpas_lite.network.weights import save
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training import loop
from mpas_lite.training.fitting import fit

if __name__ == "__main__":
    clip, out, kill_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
    steps, dice_loss = 0, loop.dice_loss

    def deadly_dice_loss(*args, **options):
        global steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return dice_loss(*args, **options)

    loop.dice_loss = deadly_dice_loss
    torch.manual_seed(int(sys.argv[4]))
    net = MPASNet("test_resnet", width=8)
    options = dict(epochs=3, batch_size=2, checkpoint_every=2, accelerator="cpu", progress=False)
    fit(net, clip, out=out, **options)
    save(net, out + "/net.safetensors")
"""


@pytest.mark.slow
def test_killed_and_resumed_ends_bit_for_bit_like_uninterrupted(clip: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(KILLED))

    def run(out: str, kill_at: int, seed: int = 0) -> int:
        command = [sys.executable, str(script), str(clip), str(tmp_path / out), str(kill_at), str(seed)]
        return subprocess.run(command, env=ENVIRONMENT, check=False).returncode

    assert run("killed", kill_at=6) == -signal.SIGKILL  # step 5 is done and lost, step 4 is on disk
    assert torch.load(tmp_path / "killed/checkpoint.pt", weights_only=True)["step"] == 4
    assert run("killed", kill_at=0, seed=7) == 0  # other first weights: nothing may be left of them

    whole = new_net()
    history = fit(whole, clip, out=tmp_path / "whole", epochs=3, checkpoint_every=2, **QUICK)
    assert weights_equal(load(tmp_path / "killed/net.safetensors"), whole)
    ends = [torch.load(tmp_path / f"{out}/checkpoint.pt", weights_only=True) for out in ("killed", "whole")]
    assert ends[0]["history"] == ends[1]["history"]
    assert ends[0]["step"] == history.steps == 9


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes to kill are forks: they need no new import")
def test_killed_at_ten_random_moments_ends_bit_for_bit_like_uninterrupted(clip: Path, tmp_path: Path) -> None:
    options = {"epochs": 40, "ema": 0.95, "checkpoint_every": 2, **QUICK}
    resumed, whole, rng = new_net(), new_net(), np.random.default_rng(0)
    seconds = fit(whole, clip, out=tmp_path / "whole", **options).seconds
    for _ in range(10):
        child = os.fork()
        if child == 0:
            try:
                fit(new_net(), clip, out=tmp_path, **options)
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0, seconds / 8))  # so that ten of them are killed before the end
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    fit(resumed, clip, out=tmp_path, **options)
    assert weights_equal(resumed, whole)
    assert [int(row["step"]) for row in read_log(tmp_path / "log.csv")] == list(range(1, 121))


def test_dropout_resumes_bit_for_bit(clip: Path, tmp_path: Path) -> None:
    def with_dropout() -> MPASNet:
        net = new_net()
        net.psi.append(torch.nn.Dropout(0.5))
        return net

    whole, parts, plain = with_dropout(), with_dropout(), new_net()
    fit(whole, clip, epochs=1, **QUICK)
    while not fit(parts, clip, out=tmp_path, epochs=1, max_seconds=0, **QUICK).finished:
        torch.rand(7)  # what others draw meanwhile changes nothing
    fit(plain, clip, epochs=1, **QUICK)
    assert weights_equal(whole, parts)
    assert not weights_equal(whole, plain)


def test_max_seconds_stops_and_the_next_call_goes_on(clip: Path, tmp_path: Path) -> None:
    whole, parts = new_net(), new_net()
    fit(whole, clip, epochs=2, **QUICK)
    for calls in range(1, 20):  # noqa: B007
        history = fit(parts, clip, out=tmp_path, epochs=2, max_seconds=0, **QUICK)
        if history.finished:
            break
    assert calls == 6  # one step a call
    assert weights_equal(whole, parts)
    again = fit(parts, clip, out=tmp_path, epochs=2, **QUICK)  # nothing is left to do
    assert again.steps == 6
    assert weights_equal(whole, parts)


def test_more_epochs_at_a_constant_rate_continue_the_run(clip: Path, tmp_path: Path) -> None:
    whole, parts = new_net(), new_net()
    fit(whole, clip, epochs=2, **QUICK)
    fit(parts, clip, out=tmp_path, epochs=1, **QUICK)
    fit(parts, clip, out=tmp_path, epochs=2, **QUICK)
    assert weights_equal(whole, parts)
    with pytest.raises(ValueError, match="has done 2 epochs already"):
        fit(parts, clip, out=tmp_path, epochs=1, **QUICK)


def test_checkpoint_of_another_run_is_refused(clip: Path, tmp_path: Path) -> None:
    fit(new_net(), clip, out=tmp_path, epochs=1, **QUICK)
    with pytest.raises(ValueError, match=r"of another run: lr is 0.1 and was 0.02; seed is 1 and was 0\. Start"):
        fit(new_net(), clip, out=tmp_path, epochs=1, lr=0.1, seed=1, **QUICK)
    with pytest.raises(ValueError, match="the net's siamese is False and was True"):
        fit(new_net(siamese=False), clip, out=tmp_path, epochs=1, **QUICK)
    fit(new_net(), clip, out=tmp_path, epochs=1, lr=0.1, resume=False, **QUICK)
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="not a checkpoint that can be read"):
        fit(new_net(), clip, out=tmp_path, epochs=1, **QUICK)


def test_a_checkpoint_from_before_a_setting_goes_on_with_its_default(clip: Path, tmp_path: Path) -> None:
    """``view`` came later: where a checkpoint does not name it, the net saw x."""
    whole, resumed, path = new_net(siamese=False), new_net(siamese=False), tmp_path / "checkpoint.pt"
    fit(whole, clip, epochs=2, **QUICK)
    fit(resumed, clip, out=tmp_path, epochs=1, **QUICK)
    content = torch.load(path, weights_only=True)
    assert content["run"].pop("view") == "clean"
    write_checkpoint(path, content)
    with pytest.raises(ValueError, match="another run: view is augmented and was clean"):
        fit(new_net(siamese=False), clip, out=tmp_path, epochs=2, view="augmented", **QUICK)
    fit(resumed, clip, out=tmp_path, epochs=2, **QUICK)
    assert weights_equal(whole, resumed)


def test_ctrl_c_leaves_a_checkpoint_and_raises(clip: Path, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupt_soon() -> None:
        while not (tmp_path / "checkpoint.pt").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_soon, daemon=True).start()
    with pytest.raises(KeyboardInterrupt, match="after step"):
        fit(new_net(), clip, out=tmp_path, epochs=10_000, checkpoint_every=3, **QUICK)
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] >= 3
    history = fit(new_net(), clip, out=tmp_path, epochs=10_000, max_seconds=0, **QUICK)
    assert history.steps >= 4
