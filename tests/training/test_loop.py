"""The training loop against torch's own functions and the formulas as they are printed."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from mpas_lite.network.encoders import early_parameters
from mpas_lite.network.losses import air_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.config import Runtime, TrainConfig
from mpas_lite.training.fitting import History, fit
from mpas_lite.training.loop import train_step
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.plan import Plan
from mpas_lite.training.records import read_log
from mpas_lite.training.state import Learner
from mpas_lite.training.views import TrainingViews
from mpas_lite.video.images import write_image
from mpas_lite.video.masks import read_mask
from tests.helpers import TINY, new_net, weights_equal, write_pairs

QUICK: dict[str, Any] = {"accelerator": "cpu", "progress": False, "batch_size": 2}
pytestmark = pytest.mark.usefixtures("one_thread")


# ------------------------------------------------------------------------------------------- learning


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize(("levels", "free"), [(0, "conv1"), (1, "layer2"), (3, "layer4"), (4, None)])
def test_early_weights_stay_as_they_came(tmp_path: Path, levels: int, free: str | None) -> None:
    clip = write_pairs(tmp_path / "a", number=2)
    net = new_net(siamese=False)
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    fit(net, clip, epochs=1, freeze=levels, long_side=64, **QUICK)
    moved = {name.split(".")[1] for name, weight in net.named_parameters() if not torch.equal(weight, before[name])}
    order = ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    frozen = order[: order.index(free)] if free else order
    assert not moved & set(frozen)
    assert {*order[len(frozen) :], "weight"} <= moved  # the head's, too
    assert all(weight.requires_grad for weight in net.parameters())


def test_an_encoder_that_does_not_tell_its_levels_is_not_frozen() -> None:
    with pytest.raises(ValueError, match="freeze=1"):
        early_parameters(new_net("hrnet_w18_small").encoder, 1)
