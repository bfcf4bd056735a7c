"""A net in a file comes back as it was, and what is no such file is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mpas_lite import cli
from mpas_lite.evaluation.scores import evaluate, iou
from mpas_lite.network.encoders import check_weights
from mpas_lite.network.general import ENCODER, FILE, net_file
from mpas_lite.network.inference import segment
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import load, save
from mpas_lite.scenes.benchmark import write_scene
from mpas_lite.scenes.renderer import render_scene
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


def test_half_a_file_comes_back_whole(tmp_path: Path) -> None:
    net = new_net(siamese=False, long_side=200).eval()
    save(net, tmp_path / "whole.safetensors")
    save(net, tmp_path / "half.safetensors", half=True)
    sizes = {path.stem: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes["half"] < 0.6 * sizes["whole"]
    again = load(tmp_path / "half.safetensors")
    assert (again.config, again.provenance) == (net.config, net.provenance)
    for name, value in net.state_dict().items():
        assert again.state_dict()[name].dtype == value.dtype
        torch.testing.assert_close(again.state_dict()[name], value, atol=1e-7, rtol=1e-3)
    x = torch.rand(1, 3, 64, 96)
    torch.testing.assert_close(again(x), net(x), atol=5e-3, rtol=0)


def test_the_network_that_comes_along_is_where_others_begin() -> None:
    general = load("general")
    assert FILE.stat().st_size < 8e6
    assert (general.config["encoder"], general.siamese, general.width) == (ENCODER, False, 64)
    begun = MPASNet(ENCODER, encoder_weights="general")
    own = begun.eval().state_dict()
    assert all(torch.equal(value, own[name]) for name, value in general.state_dict().items())
    assert begun.siamese
    assert begun.provenance == {"encoder_weights": "general"}
    narrow = MPASNet(ENCODER, encoder_weights="general", width=8).state_dict()  # the encoder's alone
    assert all(torch.equal(value, narrow[name]) for name, value in own.items() if name.startswith("encoder."))
    with pytest.raises(ValueError, match="'general' exists for tf_efficientnet_lite0 only"):
        MPASNet("test_resnet", encoder_weights="general")
    with pytest.raises(ValueError, match="'general' exists for tf_efficientnet_lite0 only"):
        check_weights("test_resnet", "general")
    check_weights(ENCODER, "general")


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert net_file("general") == FILE
    (tmp_path / "general").mkdir()  # somebody's folder of results, say
    assert net_file("general") == FILE
    (tmp_path / "general").rmdir()
    (tmp_path / "general").write_text("mine")
    assert net_file("general") == Path("general")
    with pytest.raises(ValueError, match="general is not a whole safetensors file"):
        load("general")


@pytest.mark.slow
def test_the_network_that_comes_along_finds_people_of_a_scene_it_never_saw() -> None:
    scene = render_scene("sparse_square", seed=2005, frames=1)
    ((_, mask),) = segment(load("general"), scene.frames, device="cpu")
    assert iou(mask, scene.person[0]) > 0.3


@pytest.mark.slow
def test_segment_needs_no_weights_of_ones_own(tmp_path: Path, monkeypatch) -> None:
    write_scene(render_scene("sparse_square", seed=2005, frames=2), tmp_path / "clip")
    arguments = ("segment", tmp_path / "clip" / "video.mp4", "--out", tmp_path / "out", "--device", "cpu", "--quiet")
    monkeypatch.setattr(sys, "argv", ["mpas-lite", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert evaluate(tmp_path / "out" / "masks", tmp_path / "clip" / "truth" / "person").pooled > 0.3
