from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mpas_lite.network.losses import air_loss, cross_entropy_loss, dice_loss


def monai_dice(prob: np.ndarray, target: np.ndarray) -> float:
    """monai.losses.DiceLoss(smooth_nr=1, smooth_dr=1), batch=False, written out for one image at a time."""
    values = []
    for p, y in zip(prob.astype(np.float64), target.astype(np.float64), strict=True):
        intersection, denominator = (p * y).sum(), p.sum() + y.sum()
        values.append(1 - (2 * intersection + 1) / (denominator + 1))
    return float(np.mean(values))


def random_pair(seed: int, shape: tuple[int, ...] = (3, 1, 8, 10)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator), torch.rand(shape, generator=generator) > 0.6


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_dice_equals_the_bracket_of_eq_6(seed: int) -> None:
    prob, target = random_pair(seed)
    assert float(dice_loss(prob, target)) == pytest.approx(monai_dice(prob.numpy(), target.numpy()), abs=1e-6)


def test_literal_dice_is_the_bracket_over_the_number_of_pixels() -> None:
    prob, target = random_pair(1)
    assert float(dice_loss(prob, target, literal=True)) == pytest.approx(float(dice_loss(prob, target)) / 80)


def test_literal_dice_of_a_single_pixel_is_the_bracket() -> None:
    prob, target = random_pair(1)
    valid = torch.zeros_like(target)
    valid[..., 2, 3] = True
    literal, plain = (dice_loss(prob, target, valid=valid, literal=literal) for literal in (True, False))
    assert float(literal) == float(plain)


@pytest.mark.parametrize("loss", [dice_loss, cross_entropy_loss])
def test_invalid_pixels_count_as_if_they_were_not_there(loss) -> None:
    prob, target = random_pair(2)
    valid = torch.zeros_like(target)
    valid[..., :5, :6] = True
    cropped = loss(prob[..., :5, :6], target[..., :5, :6])
    assert float(loss(prob, target, valid=valid)) == pytest.approx(float(cropped), abs=1e-6)
    literal = dice_loss(prob, target, valid=valid, literal=True)
    assert float(literal) == pytest.approx(
        float(dice_loss(prob[..., :5, :6], target[..., :5, :6], literal=True)), abs=1e-7
    )


@pytest.mark.parametrize("loss", [dice_loss, cross_entropy_loss])
@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("label", [False, True])
def test_loss_and_gradient_are_finite_at_the_extremes(loss, value: float, label: bool) -> None:
    prob = torch.full((2, 1, 4, 4), value, requires_grad=True)
    target = torch.full((2, 1, 4, 4), label)
    for valid in (None, torch.zeros_like(target)):
        result = loss(prob, target, valid=valid)
        result.backward()
        assert torch.isfinite(result)
        assert torch.isfinite(prob.grad).all()


def test_empty_label_is_best_answered_with_nothing() -> None:
    nothing, target = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    assert float(dice_loss(nothing, target)) == 0
    assert float(dice_loss(nothing + 0.5, target)) == pytest.approx(1 - 1 / 9)


def test_half_precision_does_not_overflow() -> None:
    prob = torch.ones(1, 1, 512, 512, dtype=torch.float16)
    target = torch.ones(1, 1, 512, 512, dtype=torch.bool)
    assert not torch.isfinite(prob.sum())  # what would happen
    for loss in (dice_loss, cross_entropy_loss):
        assert loss(prob, target).dtype == torch.float32
        assert float(loss(prob, target)) < 1e-3
    features = torch.full((1, 1, 512, 512), 200.0, dtype=torch.float16)
    assert float(air_loss(features, -features)) == 160_000


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_cross_entropy_and_air_equal_torchs_own(seed: int) -> None:
    prob, target = random_pair(seed)
    expected = torch.nn.functional.binary_cross_entropy(prob, target.float())
    torch.testing.assert_close(cross_entropy_loss(prob, target), expected)
    torch.testing.assert_close(air_loss(prob, prob**2), torch.nn.functional.mse_loss(prob, prob**2))


def test_gradients_agree_with_finite_differences() -> None:
    prob, target = random_pair(3, (2, 1, 2, 3))
    valid = torch.ones_like(target)
    valid[0, 0, 0, 0] = False
    prob = (0.2 + 0.6 * prob).requires_grad_()
    for loss in (dice_loss, cross_entropy_loss):
        loss(prob, target, valid=valid).backward()
        step = torch.zeros_like(prob)
        step[1, 0, 1, 1] = 1e-2
        with torch.no_grad():
            up, down = (loss(prob + sign * step, target, valid=valid) for sign in (1, -1))
        assert float(prob.grad[1, 0, 1, 1]) == pytest.approx(float(up - down) / 2e-2, rel=1e-2)
        assert prob.grad[0, 0, 0, 0] == 0  # not valid
        prob.grad = None


def test_air_sends_its_gradient_into_both_views() -> None:
    f, f_hat = torch.rand(1, 2, 3, 3, requires_grad=True), torch.rand(1, 2, 3, 3, requires_grad=True)
    air_loss(f, f_hat).backward()
    torch.testing.assert_close(f.grad, -f_hat.grad)


@pytest.mark.parametrize("loss", [dice_loss, cross_entropy_loss])
@pytest.mark.parametrize("value", [255, 2, -1, 1.001, -0.001, float("nan")])
def test_targets_outside_0_and_1_are_refused_whatever_their_type(loss, value: float) -> None:
    prob = torch.rand(1, 1, 4, 4)
    types = [torch.float32, torch.float64, torch.bfloat16, torch.uint8, torch.int16, torch.int64]
    for dtype in types if value in (255, 2) else types[1:] if value == -1 else types[:2]:
        if value == -1 and dtype == torch.uint8:
            continue
        target = torch.zeros(1, 1, 4, 4, dtype=dtype)
        target[0, 0, 3, 1] = value
        with pytest.raises(ValueError, match=r"target has values outside \[0, 1\] \(a mask of 0 and 255\?\)"):
            loss(prob, target)
        target[0, 0, 3, 1] = 1
        assert torch.isfinite(loss(prob, target))
    soft = torch.full((1, 1, 4, 4), 0.3)
    assert torch.isfinite(loss(prob, soft))


@pytest.mark.parametrize("loss", [dice_loss, cross_entropy_loss])
def test_logits_are_no_probabilities(loss) -> None:
    target = torch.ones(1, 1, 2, 2, dtype=torch.bool)
    for value in (-0.1, 1.1):
        prob = torch.rand(1, 1, 2, 2)
        prob[0, 0, 1, 1] = value
        with pytest.raises(ValueError, match=r"probability has values outside \[0, 1\] \(logits\?\)"):
            loss(prob, target)
    prob[0, 0, 1, 1] = float("nan")  # training has diverged, and says so
    assert torch.isnan(loss(prob, target))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"probability is \(B, 1, H, W\); this is \(4, 4\)"):
        dice_loss(torch.rand(4, 4), torch.rand(4, 4))
    with pytest.raises(ValueError, match="The target has shape"):
        dice_loss(torch.rand(1, 1, 4, 4), torch.rand(1, 4, 4))
    with pytest.raises(ValueError, match="The valid has shape"):
        cross_entropy_loss(torch.rand(1, 1, 4, 4), torch.rand(1, 1, 4, 4), valid=torch.ones(1, 1, 4, 5))
    with pytest.raises(ValueError, match="0 and 255"):
        dice_loss(torch.rand(1, 1, 4, 4), torch.full((1, 1, 4, 4), 255, dtype=torch.uint8))
    with pytest.raises(ValueError, match="batch is empty"):
        dice_loss(torch.rand(0, 1, 4, 4), torch.rand(0, 1, 4, 4))
    with pytest.raises(ValueError, match="differ in shape"):
        air_loss(torch.rand(1, 1, 4, 4), torch.rand(1, 1, 4, 5))


def test_a_sure_mistake_costs_what_is_said() -> None:
    """Probabilities are held 2**-23 away from 0 and 1: -log of that is 15.94, on either side."""
    yes, no = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    for prob, target in ((no, yes), (yes, no)):
        assert float(cross_entropy_loss(prob, target)) == pytest.approx(23 * np.log(2), abs=1e-3)
        assert float(cross_entropy_loss(prob, 1 - target)) == pytest.approx(0, abs=1e-6)
    # Of four pixels one is a mistake, of another image two: the mean of the images' means.
    prob = torch.tensor([[0.5, 1, 1, 1], [0.5, 0.5, 1, 1]]).reshape(2, 1, 2, 2)
    assert float(cross_entropy_loss(prob, torch.ones(2, 1, 2, 2))) == pytest.approx(np.log(2) * (1 / 4 + 2 / 4) / 2)


def test_each_image_of_a_batch_counts_alike_whatever_its_size_of_crowd() -> None:
    prob = torch.tensor([[1.0, 0, 0, 0], [1, 1, 1, 1]]).reshape(2, 1, 2, 2)
    target = torch.tensor([[1.0, 1, 0, 0], [1, 1, 1, 1]]).reshape(2, 1, 2, 2)
    assert float(dice_loss(prob, target)) == pytest.approx((1 - 3 / 4) / 2)
    valid = torch.tensor([[True, False, True, True], [True] * 4]).reshape(2, 1, 2, 2)
    assert float(dice_loss(prob, target, valid=valid)) == 0  # the one mistake does not count
    nothing = torch.zeros(2, 1, 2, 2, dtype=torch.bool)
    assert float(dice_loss(prob, target, valid=nothing, literal=True)) == 0
    assert float(cross_entropy_loss(prob, target, valid=nothing)) == 0


@pytest.mark.parametrize("shape", [(2, 2, 4, 4), (2, 4, 4), (1, 1, 4, 4, 1), (2, 0, 4, 4)])
def test_a_probability_has_one_channel_and_four_dimensions(shape: tuple[int, ...]) -> None:
    for loss in (dice_loss, cross_entropy_loss):
        with pytest.raises(ValueError, match=r"probability is \(B, 1, H, W\)"):
            loss(torch.rand(shape), torch.rand(shape))
