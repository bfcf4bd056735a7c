"""The device that computes: what is asked for is there, or one sentence says that it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mpas_lite.runtime.devices import check_devices, pick_device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that the machine has so many CUDA GPUs, and an Apple GPU or not."""

    def pretend(cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: cuda > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: cuda)
        monkeypatch.setattr("torch.backends.mps.is_available", lambda: mps)

    return pretend


def test_auto_is_the_best_there_is(machine: Callable[..., None]) -> None:
    for cuda, mps, best in ((0, False, "cpu"), (0, True, "mps"), (2, False, "cuda")):
        machine(cuda, mps)
        assert pick_device() == pick_device("auto") == torch.device(best)
        if best != "cpu":
            assert pick_device("gpu") == torch.device(best)


@pytest.mark.parametrize(("name", "said"), [("cuda", "no CUDA GPU"), ("mps", "no Apple GPU"), ("gpu", "no GPU"),
                                            ("cuda:1", "no CUDA GPU")])  # fmt: skip
def test_what_is_not_there_is_one_sentence(machine: Callable[..., None], name: str, said: str) -> None:
    machine()
    with pytest.raises(ValueError, match=rf"{said}.* Choose the device cpu"):
        pick_device(name)
    with pytest.raises(ValueError, match="There is no"):
        check_devices(name if ":" not in name else "cuda", 1)


@pytest.mark.parametrize("name", ["", "abacus", "cuda:", "cuda:-1", "cuda:²", "cpu:x", "xla", "meta"])
def test_unknown_names_are_named(machine: Callable[..., None], name: str) -> None:
    machine(2)
    with pytest.raises(ValueError, match=r"There is no device .*Choose auto"):
        pick_device(name)


def test_devices_are_counted(machine: Callable[..., None]) -> None:
    machine(2)
    assert pick_device("cuda:0") == torch.device("cuda", 0)
    assert pick_device(torch.device("cuda", 1)) == torch.device("cuda", 1)
    check_devices("cuda", 2)
    with pytest.raises(ValueError, match="torch finds 2, counted from 0"):
        pick_device("cuda:2")
    with pytest.raises(ValueError, match="devices=3, but torch finds 2"):
        check_devices("auto", 3)
    check_devices("cpu", 100)
    check_devices("tpu", 1)  # for lightning-fabric to judge
