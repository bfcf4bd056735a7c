from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from mpas_lite.network.batchnorm import recalibrate_batch_norm
from mpas_lite.network.checkpoints import write_checkpoint
from mpas_lite.network.losses import air_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import load, save
from mpas_lite.training import loop
from mpas_lite.training.config import Runtime, TrainConfig
from mpas_lite.training.fitting import History, fit
from mpas_lite.training.loop import train_step
from mpas_lite.training.pairs import PairDataset, TrainingViews
from mpas_lite.training.plan import Plan
from mpas_lite.training.records import model_card, read_log
from mpas_lite.training.state import Learner
from mpas_lite.video.images import write_image
from mpas_lite.video.masks import read_mask
from tests.helpers import ROOT, TINY, new_net, weights_equal

QUICK: dict[str, Any] = {"accelerator": "cpu", "progress": False, "batch_size": 2}


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


pytestmark = pytest.mark.usefixtures("one_thread")


# ------------------------------------------------------------------------------------------- learning


def test_a_net_learns_bright_squares(clip: Path) -> None:
    net = new_net()
    history = fit(net, clip, epochs=15, **QUICK)
    assert history.finished
    assert history.steps == 15 * 3
    assert history.segmentation[-1] < 0.5 * history.segmentation[0]
    assert history.loss == pytest.approx(np.add(history.segmentation, history.air))
    assert not net.training
    overlaps = []
    for image, mask, _ in PairDataset(clip):
        with torch.inference_mode():
            found = net(image[None] / 255)[0] > 0.5
        overlaps.append(float((found & mask).sum() / (found | mask).sum()))
    assert np.mean(overlaps) > 0.6
    assert net.long_side == 320
    assert net.provenance["epochs"] == 15


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "cross_entropy", "schedule": "cosine"},
        {"literal_dice": True, "augmentation": "literal"},
        {"air_weight": 0.0, "augmentation": "none", "batch_size": 64},
        {"workers": 1, "precision": "bf16-mixed"},
    ],
)
def test_every_option_trains(clip: Path, options: dict[str, Any]) -> None:
    history = fit(new_net(), clip, epochs=1, **{**QUICK, **options})
    assert np.isfinite(history.loss).all()


def test_without_siamese_branch_there_is_no_air(clip: Path) -> None:
    history = fit(new_net(siamese=False), clip, epochs=1, **QUICK)
    assert history.air == [0.0]


@pytest.mark.parametrize(("view", "seen"), [("clean", 0), ("augmented", 1)])
def test_a_net_without_the_branch_sees_one_view(clip: Path, view: str, seen: int) -> None:
    """The first step's L_SEG is that of x, or with plain colour augmentation of x_hat."""
    net, by_hand = new_net(siamese=False), new_net(siamese=False).train()
    history = fit(net, clip, epochs=1, view=view, **{**QUICK, "batch_size": 5})
    views = TrainingViews(PairDataset(clip), "real", seed=0)
    parts = [torch.stack(part) for part in zip(*(views[0, index] for index in range(5)), strict=True)]
    expected = dice_loss(by_hand(parts[seen] / 255), parts[2], valid=parts[3]).item()
    other = dice_loss(by_hand(parts[1 - seen] / 255), parts[2], valid=parts[3]).item()
    assert history.segmentation[0] == pytest.approx(expected, abs=1e-5)
    assert abs(other - expected) > 1e-3
    assert net.provenance["settings"]["view"] == view


def test_a_net_with_the_branch_sees_both_views_anyway(clip: Path) -> None:
    with pytest.raises(ValueError, match=r"view='augmented' is for a net without the siamese branch"):
        fit(new_net(), clip, epochs=1, view="augmented", **QUICK)


def test_without_fusion_there_is_air_and_one_view_is_segmented(clip: Path, tmp_path: Path) -> None:
    """AIR without SFA: the first step's L_SEG is that of the view alone, its L_AIR that of both."""
    net, by_hand = new_net(fusion=False), new_net().train()
    history = fit(net, clip, out=tmp_path, epochs=1, accelerator="cpu", progress=False, batch_size=5)
    dataset = PairDataset(clip)
    order = Plan(5, TrainConfig(batch_size=5)).indices(0)
    views = [TrainingViews(dataset, "real", seed=0)[0, index] for index in order]
    x, x_hat, target, valid = (torch.stack(parts) for parts in zip(*views, strict=True))
    f, f_hat = by_hand.encode(x / 255), by_hand.encode(x_hat / 255)
    prob = torch.sigmoid(by_hand._decide(by_hand.psi(f), x))
    assert history.segmentation[0] == pytest.approx(dice_loss(prob, target, valid=valid).item(), abs=1e-5)
    assert history.air[0] == pytest.approx(air_loss(f, f_hat).item(), rel=1e-4)
    assert history.air[0] > 0
    with pytest.raises(ValueError, match="the net's fusion is None and was False"):
        fit(new_net(), clip, out=tmp_path, epochs=1, accelerator="cpu", progress=False, batch_size=5)


def test_weights_move_as_sgd_of_the_printed_loss_says(clip: Path) -> None:
    """Two steps, with weight decay and momentum, by hand."""
    net, by_hand = new_net(), new_net()
    options = {"epochs": 2, "augmentation": "none", "lr": 0.1, "weight_decay": 0.01, "momentum": 0.5}
    fit(net, clip, **{**QUICK, "batch_size": 5}, **options)

    images, masks, _ = (torch.stack(parts) for parts in zip(*PairDataset(clip), strict=True))
    velocities: dict[str, torch.Tensor] = {}
    for _ in range(2):
        by_hand.zero_grad()
        prob, f, f_hat = by_hand.train()(images / 255, images / 255)
        overlap = (prob * masks).sum((1, 2, 3))
        dice = 1 - (2 * overlap + 1) / (prob.sum((1, 2, 3)) + masks.sum((1, 2, 3)) + 1)
        (dice.mean() + ((f - f_hat) ** 2).mean()).backward()
        with torch.no_grad():
            for name, weight in by_hand.named_parameters():
                velocities[name] = 0.5 * velocities.get(name, 0) + weight.grad + 0.01 * weight
                weight -= 0.1 * velocities[name]
    for (name, expected), trained in zip(by_hand.named_parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(trained, expected, rtol=1e-3, atol=1e-5, msg=name)


def first_step(clip: Path, config: TrainConfig, siamese: bool) -> tuple[float, float, float]:
    """(L, L_SEG, L_AIR) of all pairs in one step, by torch's own functions and the formulas as they are printed."""
    net = new_net(siamese=siamese).train().requires_grad_(False)
    views = TrainingViews(PairDataset(clip), config.augmentation, seed=config.seed)
    x, x_hat, y, valid = (torch.stack(part) for part in zip(*(views[0, index] for index in range(5)), strict=True))
    f, f_hat = net.encode(x / 255), net.encode(x_hat / 255)
    air = float((f - f_hat).square().mean()) if siamese else 0.0
    prob = torch.sigmoid(net._decide((net.psi(f) + net.psi(f_hat)) / 2 if siamese else net.psi(f), x))
    losses = []
    for p, label, sure in zip(prob, y, valid, strict=True):
        p, label = p[sure], label[sure].float()
        if config.loss == "cross_entropy":
            losses.append(float(torch.nn.functional.binary_cross_entropy(p, label)))
        else:
            dice = 1 - float((2 * (p * label).sum() + 1) / (p.sum() + label.sum() + 1))
            losses.append(dice / len(p) if config.literal_dice else dice)
    segmentation = float(np.mean(losses))
    return segmentation + config.air_weight * air, segmentation, air


@pytest.mark.parametrize("siamese", [True, False])
@pytest.mark.parametrize(
    "options", [{}, {"loss": "cross_entropy"}, {"literal_dice": True}, {"air_weight": 0.25, "seed": 5}]
)
def test_losses_of_a_step_are_those_of_the_printed_formulas(
    clip: Path, tmp_path: Path, siamese: bool, options: dict[str, Any]
) -> None:
    """Also where labels are in doubt here and there."""
    shutil.copytree(clip, tmp_path / "clip")
    for number, mask in enumerate(sorted((tmp_path / "clip" / "masks").iterdir())):
        sure = np.random.default_rng(number).random(read_mask(mask).shape) < 0.5
        write_image(tmp_path / "clip" / "valid" / mask.name, sure)
    config = TrainConfig(epochs=1, batch_size=5, **options)
    history = fit(new_net(siamese=siamese), tmp_path / "clip", config=config, accelerator="cpu", progress=False)
    total, segmentation, air = first_step(tmp_path / "clip", config, siamese)
    assert history.segmentation[0] == pytest.approx(segmentation, rel=1e-4)
    assert history.air[0] == pytest.approx(air, rel=1e-4)
    assert history.loss[0] == pytest.approx(total, rel=1e-4)


def test_the_rate_is_constant_or_falls_along_a_cosine(clip: Path, tmp_path: Path, monkeypatch) -> None:
    """What the log says is what the optimizer had, also after a resume."""
    used: list[float] = []
    step = torch.optim.SGD.step

    def noting(self: torch.optim.SGD, *args: Any, **options: Any) -> Any:
        used.append(self.param_groups[0]["lr"])
        return step(self, *args, **options)

    monkeypatch.setattr(torch.optim.SGD, "step", noting)
    options = {"epochs": 2, "lr": 0.1, **QUICK}  # three steps an epoch
    fit(new_net(), clip, out=tmp_path / "constant", **options)
    assert used == [0.1] * 6
    used.clear()
    while not fit(new_net(), clip, out=tmp_path / "cosine", schedule="cosine", max_seconds=0, **options).finished:
        pass
    assert used == pytest.approx([0.1, 0.05 + 0.05 * 0.75**0.5, 0.075, 0.05, 0.025, 0.05 - 0.05 * 0.75**0.5])
    for name, rates in (("constant", [0.1] * 6), ("cosine", used)):
        assert [float(row["lr"]) for row in read_log(tmp_path / name / "log.csv")] == pytest.approx(rates)


class PretendedFabric:
    """lightning-fabric on a GPU that only pretends to be there; what a loss is it cannot tell, so it says 1."""

    device, world_size, global_rank = torch.device("cuda"), 1, 0

    def to_device(self, batch: list[torch.Tensor]) -> list[torch.Tensor]:
        return [part.to(self.device) for part in batch]

    def backward(self, loss: torch.Tensor) -> None:
        assert (loss.shape, loss.device.type) == ((), "cuda")  # torch's own way back wants a real GPU

    def all_reduce(self, values: torch.Tensor) -> torch.Tensor:
        assert (values.shape, values.device.type) == ((4,), "cuda")
        with unset_fake_temporarily():
            return torch.tensor([1.0, 1.0, 0.0, 0.0])

    def no_backward_sync(self, _: torch.nn.Module) -> AbstractContextManager[None]:
        return nullcontext()

    def setup(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> tuple[Any, Any]:
        return model, optimizer

    strategy = SimpleNamespace(precision=None)


@pytest.mark.parametrize("siamese", [True, False])
@pytest.mark.parametrize("loss", ["dice", "cross_entropy"])
def test_a_step_stays_on_one_cuda_device_and_looks_at_no_value(siamese: bool, loss: str, monkeypatch) -> None:
    """With tensors without values: torch raises where one on a CPU meets one on a GPU, and where a value is wanted."""
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_, **__: self)  # such tensors cannot be moved in place
    config = TrainConfig(epochs=1, batch_size=2, accumulate=2, loss=loss)
    fabric: Any = PretendedFabric()
    with FakeTensorMode(allow_non_fake_inputs=True):
        with torch.device("cuda"):
            net = MPASNet(TINY, width=8, siamese=siamese)
        images, masks = torch.empty(2, 3, 50, 70, dtype=torch.uint8), torch.empty(2, 1, 50, 70, dtype=torch.bool)
        learner = Learner(fabric, net, config, Runtime(channels_last=True))
        batches = iter([[images, images, masks, masks]] * 2)
        losses, stopping = train_step(fabric, learner, batches, Plan(4, config), 0, lambda: False)
        assert {weight.device.type for weight in learner.result().values()} == {"cuda"}
    assert (losses, stopping) == ([1.0, 1.0, 0.0], False)


# ---------------------------------------------------------------------------------- parts of a batch, averages


def test_accumulated_batches_make_the_step_of_the_large_one(clip: Path) -> None:
    def trained(**options: Any) -> tuple[MPASNet, History]:
        torch.manual_seed(0)
        net = MPASNet("test_efficientnet_ln", width=8)
        for module in net.modules():  # psi's batch norm, whose statistics are of each small batch alone
            if isinstance(module, torch.nn.BatchNorm2d):
                module.train = lambda mode=True, module=module: module  # type: ignore[method-assign]
                module.training = False
        return net, fit(net, clip, epochs=1, augmentation="none", accelerator="cpu", progress=False, **options)

    # 3 and 2 pairs; 2 + 1 and 1 + 1
    (one, whole), (two, parts) = trained(batch_size=4), trained(batch_size=2, accumulate=2)
    for (name, a), b in zip(one.named_parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-6, msg=name)
    assert parts.loss == pytest.approx(whole.loss)
    assert parts.segmentation == pytest.approx(whole.segmentation)


def test_averaged_weights_are_the_moving_average_of_the_steps(clip: Path, tmp_path: Path) -> None:
    steps, plain = [], new_net()
    for epochs in (1, 2):  # one step each
        fit(plain, clip, out=tmp_path / "plain", epochs=epochs, **{**QUICK, "batch_size": 5})
        steps.append({name: weight.detach().clone() for name, weight in plain.named_parameters()})
    averaged = new_net()
    fit(averaged, clip, epochs=2, ema=0.7, **{**QUICK, "batch_size": 5})
    for name, weight in averaged.named_parameters():
        torch.testing.assert_close(weight, 0.7 * steps[0][name] + 0.3 * steps[1][name], msg=name)


def test_averages_resume_bit_for_bit(clip: Path, tmp_path: Path) -> None:
    whole, parts = new_net(), new_net()
    fit(whole, clip, epochs=2, ema=0.9, accumulate=2, **QUICK)
    while not fit(parts, clip, out=tmp_path, epochs=2, ema=0.9, accumulate=2, max_seconds=0, **QUICK).finished:
        pass
    assert weights_equal(whole, parts)


def test_channels_last_changes_the_memory_and_not_the_result(clip: Path) -> None:
    one, other, default = new_net(), new_net(), new_net()
    histories = [
        fit(net, clip, epochs=1, channels_last=last, **QUICK)
        for net, last in ((one, False), (other, True), (default, None))
    ]
    assert weights_equal(other, default)
    assert histories[0].loss == pytest.approx(histories[1].loss, rel=1e-3)
    assert all(weight.is_contiguous() for weight in other.state_dict().values())


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


# ------------------------------------------------------------------------------------------- refusals


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


def test_pairs_in_which_nothing_moves_are_refused(clip: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "still/frames/000000.png", np.zeros((40, 40, 3), np.uint8))
    write_image(tmp_path / "still/masks/000000.png", np.zeros((40, 40), bool))
    with pytest.raises(ValueError, match="Nothing moves in these pairs"):
        fit(new_net(), tmp_path / "still", **QUICK)
    fit(new_net(), [tmp_path / "still", clip], epochs=1, **QUICK)  # one still clip among others is fine


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


# ----------------------------------------------------------------------------------------- batch norm


def test_recalibrated_statistics_are_averages_over_the_batches() -> None:
    net = new_net()
    norm = net.psi[1]
    inputs = []
    handle = norm.register_forward_pre_hook(lambda _, args: inputs.append(args[0].detach().clone()))
    recalibrate_batch_norm(net, [torch.rand(2, 3, 64, 64) for _ in range(3)])
    handle.remove()
    torch.testing.assert_close(norm.running_mean, torch.stack([x.mean((0, 2, 3)) for x in inputs]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([x.var((0, 2, 3)) for x in inputs]).mean(0))
    assert norm.momentum == 0.1
    assert net.training
    assert norm.training


def test_recalibration_without_images_or_without_batch_norm() -> None:
    with pytest.raises(ValueError, match="without images"):
        recalibrate_batch_norm(new_net(), [])
    recalibrate_batch_norm(torch.nn.Conv2d(3, 3, 1), [torch.rand(1, 3, 8, 8)])


# ---------------------------------------------------------------------------------------- save and load


def test_saved_net_comes_back_equal(tmp_path: Path) -> None:
    net = new_net(siamese=False, long_side=200).eval()
    net.provenance["epochs"] = 3
    save(net, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    assert weights_equal(net, again)
    assert (again.config, again.provenance, again.training) == (net.config, net.provenance, False)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_files_that_are_no_net_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file"):
        load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load(tmp_path / "text.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not those of a net that this mpas_lite wrote"):
        load(tmp_path / "other.safetensors")
    net = new_net()
    net.width = 9  # what it says of itself is wrong
    save(net, tmp_path / "unfit.safetensors")
    with pytest.raises(ValueError, match="do not fit the architecture"):
        load(tmp_path / "unfit.safetensors")
    with pytest.raises(ValueError, match=r"should end in .safetensors"):
        save(net, tmp_path / "net.pth")
    save(new_net(), tmp_path / "cut.safetensors")
    data = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load(tmp_path / "cut.safetensors")
