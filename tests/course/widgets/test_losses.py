"""Notebook 05's toy learner, against closed forms, and its sliders at both ends."""

import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.course.widgets.losses import (
    LOSSES,
    SHARES,
    imbalance_explorer,
    learn,
    noise_explorer,
    noisy_label,
    pull,
    toy_crowd,
)


@pytest.mark.parametrize("share", SHARES)
def test_toy_crowd_covers_its_share(share):
    crowd = toy_crowd(share)
    assert share <= crowd.truth.mean() < share + 0.01
    assert crowd.feature[crowd.truth].mean() > 0.8
    assert crowd.feature[~crowd.truth].mean() == pytest.approx(-1, abs=0.05)


def test_toy_crowd_refuses_a_share_of_all():
    with pytest.raises(ValueError, match="between 0 and 1; this is 1"):
        toy_crowd(1)


def test_noisy_label_drops_whole_people_and_widens_the_others():
    people = toy_crowd(0.1).people
    kept = set(np.unique(people[noisy_label(people, dropout=0.5)]))
    assert len(kept) == round(people.max() * 0.5)
    assert np.array_equal(np.isin(people, list(kept)), noisy_label(people, dropout=0.5))
    wide = noisy_label(people, dilation=2, dropout=0.5)
    assert (wide & noisy_label(people, dropout=0.5)).sum() == noisy_label(people, dropout=0.5).sum()
    assert np.array_equal(noisy_label(people), people > 0)
    assert not noisy_label(people, dropout=1.0).any()


def test_cross_entropy_learns_the_posterior():
    """For normal features of mean +-1 and variance v: w = 2 / v and b = log(share / (1 - share))."""
    crowd = toy_crowd(0.2, size=256)
    found = learn(crowd.feature, crowd.truth, mp.cross_entropy_loss, steps=150, rate=0.2)
    share = crowd.truth.mean()
    assert found.weight == pytest.approx(2 / 0.7**2, rel=0.05)
    assert found.bias == pytest.approx(np.log(share / (1 - share)), rel=0.1)


@pytest.mark.parametrize("share", SHARES)
def test_pull_follows_its_closed_form(share):
    """At p = 1/2 the crowd pulls s / (1 - s) times as hard as the ground; under Dice (1 + s) / (1 - s)."""
    s = toy_crowd(share).truth.mean()
    assert np.divide(*pull(toy_crowd(share).truth, mp.cross_entropy_loss)) == pytest.approx(s / (1 - s), rel=1e-3)
    assert np.divide(*pull(toy_crowd(share).truth, mp.dice_loss)) == pytest.approx((1 + s) / (1 - s), rel=0.05)


def test_dice_keeps_a_rare_crowd_and_one_that_labels_forget():
    rare = toy_crowd(0.02)
    found = {name: mp.iou(learn(rare.feature, rare.truth, loss).mask, rare.truth) for name, loss in LOSSES.items()}
    assert found["Dice"] > found["cross entropy"]
    crowd = toy_crowd(0.2)
    label = noisy_label(crowd.people, dropout=0.6)
    found = {name: mp.iou(learn(crowd.feature, label, loss).mask, crowd.truth) for name, loss in LOSSES.items()}
    assert found["Dice"] > 0.6 > 0.3 > found["cross entropy"]


@pytest.mark.parametrize("explorer", [imbalance_explorer(), noise_explorer()], ids=["imbalance", "noise"])
def test_every_slider_draws_at_both_ends(explorer):
    seen = {explorer.draw()}
    assert len(seen) == 1
    for control in explorer.controls.values():
        middle = control.value
        ends = (control.min, control.max) if hasattr(control, "min") else (SHARES[0], SHARES[-1])
        for value in ends:
            control.value = value
            png, line = explorer.draw()
            assert bytes(png).startswith(b"\x89PNG")
            assert (png, line) not in seen
            seen.add((png, line))
        control.value = middle
    assert explorer.draw() in seen
    assert "nan" not in "".join(line for _, line in seen)
