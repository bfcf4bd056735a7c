"""Rounds of self-training: votes by hand, pairs held out, rounds that help and rounds that do not."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training import self_training as module
from mpas_lite.training.fitting import fit
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.self_training import Rounds, correct, fit_in_rounds, hold_out, outvoted
from mpas_lite.training.validation import pair_iou
from mpas_lite.video.images import read_image, write_image
from tests.helpers import new_net, weights_equal, write_pairs

pytestmark = pytest.mark.slow

QUICK = {"accelerator": "cpu", "progress": False, "batch_size": 2, "long_side": 64, "say": str}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "clip", 8)


@pytest.mark.parametrize(("trust", "lost", "won"), [(0.6, 1 / 6, 5 / 6), (0.75, 1 / 3, 2 / 3), (0.9, 4 / 9, 5 / 9)])
def test_a_label_is_lost_and_won_where_the_teacher_is_as_sure_as_it_must_be(trust: float, lost: float, won: float):
    """By hand: a label of 1 is lost below (trust - 1/2) / trust, one of 0 won above 1 / (2 trust)."""
    probability = np.array([0, lost - 0.001, lost + 0.001, won - 0.001, won + 0.001, 1])
    assert outvoted(np.ones(6, bool), probability, trust).tolist() == [False, False, True, True, True, True]
    assert outvoted(np.zeros(6, bool), probability, trust).tolist() == [False, False, False, False, True, True]


@given(st.booleans(), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.99))
def test_a_vote_is_fair(label: bool, probability: float, more: float, trust: float):
    def got(label: bool, probability: float) -> bool:
        return bool(outvoted(np.array([label]), np.array([probability]), trust)[0])

    assert got(label, max(probability, more)) >= got(label, min(probability, more))
    assert got(True, probability) >= got(False, probability)
    if trust < 0.5:
        assert got(label, probability) == label  # who has less than half of the votes never wins
    if trust > 0.5:
        assert [got(label, 0.0), got(label, 1.0)] == [False, True]


@pytest.mark.parametrize(("rounds", "first"), [(Rounds(most=0), 300), (Rounds(), 200), (Rounds(most=2, share=1), 100)])
def test_the_first_training_leaves_steps_for_the_rounds(rounds: Rounds, first: float):
    assert rounds.first(300) == first


def test_where_the_label_is_in_doubt_the_teacher_decides():
    label, valid = np.array([True, True]), np.array([True, False])
    assert outvoted(label, np.array([0.4, 0.4]), 0.6, valid).tolist() == [True, False]


def test_pairs_held_out_are_in_neither_training(clip: Path):
    pairs = PairDataset(clip, long_side=64)
    train, held = hold_out(pairs, 4)
    assert [len(train), len(held)] == [6, 2]
    assert set(train.paths) | set(held.paths) == set(pairs.paths)
    assert not set(train.paths) & set(held.paths)
    assert len(pairs) == 8
    assert [len(part) for part in hold_out(pairs, 100)] == [7, 1]
    train.paths = train.paths[:1]
    with pytest.raises(ValueError, match="label more frames"):
        hold_out(train, 9)


def test_corrected_masks_are_votes_of_label_and_teacher(clip: Path, tmp_path: Path):
    class Teacher(MPASNet):
        """Sure that the left half is crowd, sure that the right is not."""

        def forward(self, x, x_hat=None):
            prob = torch.zeros_like(x[:, :1])
            prob[..., : x.shape[-1] // 2] = 1
            return prob

    teacher = Teacher("test_resnet", width=8)
    pairs = PairDataset(clip, long_side=64)
    corrected = correct(teacher, pairs, tmp_path, trust=0.6)
    assert [frame for frame, _ in corrected.paths] == [frame for frame, _ in pairs.paths]
    for _, mask in corrected.paths:
        found = read_image(mask, grey=True) > 127
        middle = found.shape[1] // 2
        assert found[:, : middle - 1].all()
        assert not found[:, middle + 1 :].any()
    kept = correct(teacher, pairs, tmp_path / "labels", trust=0.4)
    for (_, before), (_, after) in zip(pairs.paths, kept.paths, strict=True):
        assert np.array_equal(read_image(before), read_image(after))


def test_without_rounds_it_is_plain_training(clip: Path, tmp_path: Path):
    plain, other = new_net(), new_net()
    fit(plain, PairDataset(clip, long_side=64), epochs=2, batch_size=2, accelerator="cpu", progress=False)
    taught = fit_in_rounds(other, clip, tmp_path, rounds=Rounds(most=0), epochs=2, **QUICK)
    assert (taught.kept, taught.agreement) == (0, [])
    assert weights_equal(plain, other)


def test_a_round_that_does_not_help_is_dropped_and_one_that_helps_is_kept(clip: Path, tmp_path: Path, monkeypatch):
    judged: list[MPASNet] = []

    def verdicts(*values: float):
        judged.clear()
        left = list(values)
        monkeypatch.setattr(module, "pair_iou", lambda net, _: judged.append(copy.deepcopy(net)) or left.pop(0))

    verdicts(0.5, 0.5)
    net, said = new_net(), []
    options = {**QUICK, "say": said.append}
    taught = fit_in_rounds(net, clip, tmp_path / "a", rounds=Rounds(most=2, held_out=4), epochs=2, **options)
    assert (taught.kept, taught.agreement) == (0, [0.5, 0.5])
    assert weights_equal(net, judged[0])
    assert "dropped" in said[0]
    assert (net.provenance["epochs"], net.provenance["settings"]["ema"]) == (2, Rounds.average)

    verdicts(0.5, 0.6, 0.55)
    net = new_net()
    taught = fit_in_rounds(net, clip, tmp_path / "b", rounds=Rounds(most=3, held_out=4), epochs=2, **QUICK)
    assert taught.kept == 1
    assert weights_equal(net, judged[1])
    assert net.provenance["epochs"] == 1  # of the round, which is half as long
    assert not weights_equal(net, judged[0])


def test_run_again_gives_the_same(clip: Path, tmp_path: Path):
    rounds = Rounds(most=1, held_out=4)
    nets = [new_net(), new_net(), new_net()]
    outs = [tmp_path / "a", tmp_path / "a", tmp_path / "b"]
    done = [
        fit_in_rounds(net, clip, out, rounds=rounds, epochs=2, **QUICK) for net, out in zip(nets, outs, strict=True)
    ]
    assert done[0].agreement == done[1].agreement == done[2].agreement
    assert weights_equal(nets[0], nets[1])
    assert weights_equal(nets[0], nets[2])
    held = hold_out(PairDataset(clip, long_side=64), 4)[1]
    assert max(done[0].agreement[: done[0].kept + 1]) == pytest.approx(pair_iou(nets[0], held))


@pytest.mark.slow
def test_labels_with_holes_are_mended_by_a_teacher_who_saw_many(tmp_path: Path):
    """Every third label misses its square; the network learns what a square looks like, and gives it back."""
    clip = write_pairs(tmp_path / "pairs" / "clip", 12)
    pairs = PairDataset(clip, long_side=64)
    whole = [read_image(mask, grey=True) for _, mask in pairs.paths]
    for _, mask in pairs.paths[::3]:
        mask.unlink()  # nothing that is there is written over
        write_image(mask, np.zeros_like(whole[0]))
    net = new_net()
    fit(net, pairs, epochs=40, batch_size=4, lr=0.05, accelerator="cpu", progress=False)
    corrected = correct(net, pairs, tmp_path / "corrected", trust=0.6)
    missing = list(range(0, 12, 3))
    found = [(read_image(corrected.paths[i][1], grey=True) > 127)[whole[i] > 127].mean() for i in missing]
    assert np.mean(found) > 0.5


@pytest.mark.parametrize("options", [{"most": -1}, {"held_out": 1}, {"trust": 1.0}, {"share": 0}])
def test_nonsense_is_refused(options):
    with pytest.raises(ValueError, match=r"rounds|trust"):
        Rounds(**options)


@pytest.mark.parametrize("options", [{"most": 0}, {"held_out": 2}, {"trust": 0.99}, {"share": 0.01}])
def test_what_lies_just_within_is_taken(options):
    assert Rounds(**options) == Rounds(**{"most": 1, **options})
