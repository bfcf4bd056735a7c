"""A net in a file comes back as it was, and what is no such file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mpas_lite.network.weights import load, save
from tests.helpers import new_net, weights_equal

pytestmark = pytest.mark.usefixtures("one_thread")


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
