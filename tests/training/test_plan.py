"""Which pairs a step sees, at what rate, and what dropout draws: a function of seed, epoch and step alone."""

from __future__ import annotations

import pytest
import torch

from mpas_lite.training.config import TrainConfig
from mpas_lite.training.plan import Plan, seed_dropout


def test_every_pair_is_seen_once_an_epoch() -> None:
    config = TrainConfig(epochs=3, batch_size=4)
    plan = Plan(10, config)
    assert (plan.steps_per_epoch, plan.steps) == (3, 9)
    batches = list(plan.batches(0))
    assert [len(batch) for batch in batches[:3]] == [4, 3, 3]  # not 4, 4, 2: batch norm wants company
    for epoch in range(3):
        keys = sorted(key for batch in batches[3 * epoch : 3 * epoch + 3] for key in batch)
        assert keys == [(epoch, index) for index in range(10)]
    assert list(plan.batches(4)) == batches[4:]
    shares = [list(Plan(10, config, processes=2).batches(0, rank)) for rank in range(2)]
    assert sorted(index for share in shares for batch in share[:2] for _, index in batch) == list(range(10))
    assert all(batch for rank in range(4) for batch in Plan(1, config, processes=4).batches(0, rank))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    def order(epoch: int, seed: int = 0) -> list[int]:
        return Plan(30, TrainConfig(epochs=3, batch_size=30, seed=seed)).indices(epoch)

    assert order(0) == order(0)
    assert len({tuple(order(epoch, seed)) for epoch in range(3) for seed in range(3)}) == 9
    assert all(order(epoch) != list(range(30)) for epoch in range(3))


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_processes_and_accumulated_batches_share_the_pairs_of_a_step(processes: int, accumulate: int) -> None:
    plan = Plan(25, TrainConfig(epochs=2, batch_size=2, accumulate=accumulate), processes)
    assert plan.steps_per_epoch == -(-25 // (2 * processes * accumulate))
    queues = [plan.batches(0, rank) for rank in range(processes)]
    for step in range(plan.steps):
        parts = [next(queue) for queue in queues for _ in range(accumulate)]
        assert parts == plan.deal(step)
        assert [index for part in parts for _, index in part] == plan.indices(step)
        assert {epoch for part in parts for epoch, _ in part} == {step // plan.steps_per_epoch}
        assert all(1 <= len(part) <= 2 for part in parts)
    assert [next(queue, None) for queue in queues] == [None] * processes
    for epoch in range(2):
        steps = range(epoch * plan.steps_per_epoch, (epoch + 1) * plan.steps_per_epoch)
        assert sorted({index for step in steps for index in plan.indices(step)}) == list(range(25))


def test_the_joint_pairs_of_a_step_are_the_same_whoever_shares_them() -> None:
    parts = [Plan(7, TrainConfig(batch_size=8), processes=n).deal(0) for n in (1, 2, 4)]
    assert [len(split) for split in parts] == [1, 2, 4]
    assert [[key for part in split for key in part] for split in parts] == [parts[0][0]] * 3


def test_the_rate_is_constant_or_half_a_cosines_wave() -> None:
    plan = Plan(6, TrainConfig(epochs=1, batch_size=1, lr=0.2))
    assert [plan.learning_rate(step) for step in range(6)] == [0.2] * 6
    plan = Plan(6, TrainConfig(epochs=1, batch_size=1, lr=0.2, schedule="cosine"))
    half = 0.75**0.5
    expected = [0.2, 0.1 + 0.1 * half, 0.15, 0.1, 0.05, 0.1 - 0.1 * half]
    assert [plan.learning_rate(step) for step in range(6)] == pytest.approx(expected)


def test_dropout_draws_by_seed_step_and_process() -> None:
    def drawn(seed: int, step: int, rank: int) -> tuple[float, ...]:
        seed_dropout(seed, step, rank)
        return tuple(torch.rand(3).tolist())

    with torch.random.fork_rng(devices=[]):
        draws = {drawn(seed, step, rank) for seed in range(2) for step in range(3) for rank in range(2)}
        assert len(draws) == 12
        assert drawn(1, 2, 1) in draws
