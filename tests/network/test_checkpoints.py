"""Weights, checkpoints, logs and configurations: the same bytes for one seed, and no damage that goes unnoticed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save as serialize
from safetensors.torch import save_file

from mpas_lite.network.checkpoints import read_checkpoint
from mpas_lite.network.encoders import make_encoder
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import load, save
from mpas_lite.options import parse_changes
from mpas_lite.training.config import TrainingConfig, read_config
from mpas_lite.training.fitting import fit
from mpas_lite.training.records import TrainingLog, read_log
from tests.helpers import ROOT, TINY, new_net, weights_equal

QUICK: dict[str, Any] = {"accelerator": "cpu", "progress": False, "batch_size": 2, "long_side": 64}
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def run_folder(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint and log of an epoch, with averaged weights."""
    out = tmp_path_factory.mktemp("run")
    fit(new_net(), clip, out=out, epochs=1, ema=0.9, **QUICK)
    return out


# ------------------------------------------------------------------------------------------------- same bytes


@pytest.mark.slow
def test_equal_nets_give_equal_bytes_in_every_process(tmp_path: Path) -> None:
    code = (
        "import sys, torch; from mpas_lite.network import MPASNet, save\n"
        "torch.manual_seed(0); net = MPASNet('test_resnet', width=8); net.provenance['pairs'] = 3\n"
        "save(net, sys.argv[1])"
    )
    files = [tmp_path / f"{seed}.safetensors" for seed in "012"]
    for seed, file in enumerate(files):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", code, str(file)], env=environment, check=True)
    assert len({hashlib.sha256(file.read_bytes()).hexdigest() for file in files}) == 1
    data = files[0].read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    header = json.loads(data[8 : 8 + length])
    assert list(header) == sorted(header)


@pytest.mark.slow
def test_workers_do_not_change_the_bytes(clip: Path, tmp_path: Path) -> None:
    sums = set()
    for workers in (0, 2):
        net = new_net()
        fit(net, clip, epochs=1, workers=workers, checkpoint_every=workers + 1, **QUICK)
        net.provenance["config"] = TrainingConfig(workers=workers, accelerator="cpu", checkpoint_every=9).deciding()
        save(net, tmp_path / f"{workers}.safetensors")
        sums.add(hashlib.sha256((tmp_path / f"{workers}.safetensors").read_bytes()).hexdigest())
    assert len(sums) == 1
    assert {"workers", "accelerator"}.isdisjoint(net.provenance["config"])
    assert {"lr", "seed", "devices", "precision"} <= set(net.provenance["config"])


def test_files_of_the_first_version_still_load(tmp_path: Path) -> None:
    net = new_net(long_side=64).eval()
    metadata = {"format": "mpas_lite net 1", "mpas_lite": "0.1.0", "config": json.dumps(net.config)}
    metadata["provenance"] = json.dumps({"encoder_weights": None, "pairs": 3})
    (tmp_path / "old.safetensors").write_bytes(serialize(net.state_dict(), metadata))  # no checksum, any order
    again = load(tmp_path / "old.safetensors")
    assert weights_equal(again, net)
    assert again.provenance["pairs"] == 3
    save(net, tmp_path / "old.safetensors")  # a net of ours may be replaced


def test_what_is_no_net_of_ours_is_not_written_over(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "theirs.safetensors")
    before = (tmp_path / "theirs.safetensors").read_bytes()
    with pytest.raises(ValueError, match="did not write it"):
        save(new_net(), tmp_path / "theirs.safetensors")
    assert (tmp_path / "theirs.safetensors").read_bytes() == before


# ------------------------------------------------------------------------------------------------- hostile weights


def write_net(path: Path, *, config: Any = None, tensors: Any = None, **metadata: Any) -> Path:
    """A file in the first version's format, which has no checksum, changed as asked; None leaves a key out."""
    net = new_net()
    about = {
        "format": "mpas_lite net 1",
        "config": config if isinstance(config, str) else json.dumps({**net.config, **(config or {})}),
        "provenance": json.dumps(net.provenance),
        **metadata,
    }
    state = {**net.state_dict(), **(tensors or {})}
    path.write_bytes(serialize(state, {name: text for name, text in about.items() if text is not None}))
    return path


NAN = torch.tensor([float("nan")])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"provenance": None}, "does not say what net it holds: its 'provenance'"),
        ({"config": "[" * 100_000}, "its 'config' is missing or damaged"),
        ({"config": "1" * 5000}, "its 'config' is missing or damaged"),
        ({"config": "[]"}, "must be object"),
        ({"config": "3"}, "must be object"),
        ({"config": {"a": 1}}, "must not contain"),
        ({"config": {"encoder": 3}}, "encoder must be string"),
        ({"config": {"encoder": "no_such"}}, "cannot be made here: timm has no encoder"),
        ({"config": {"width": 10**9}}, "width must be smaller"),
        ({"config": {"width": 16_000}}, "do not fit the architecture"),
        ({"config": {"width": 0}}, "width must be bigger"),
        ({"config": {"width": True}}, "width must be integer"),
        ({"config": {"long_side": -5}}, "long_side must be bigger"),
        ({"config": {"encoder": "convnext_xxlarge"}}, "do not fit the architecture"),
        ({"provenance": "3"}, "must be object"),
        ({"provenance": '{"skipped": 3}'}, "skipped must be array"),
        ({"tensors": {"head.bias": NAN}}, r"in head.bias there are values that no training gives"),
        ({"tensors": {"head.bias": -NAN / 0}}, r"in head.bias there are"),
        ({"tensors": {"psi.1.running_var": torch.full((8,), -1.0)}}, r"in psi.1.running_var"),
        ({"tensors": {"head.bias": torch.zeros(1, dtype=torch.float16)}}, r"head.bias is torch.float16"),
        ({"tensors": {"head.bias": torch.zeros(2)}}, "do not fit the architecture"),
        ({"tensors": {"more": torch.zeros(2)}}, "do not fit the architecture"),
        ({"sha256": "0" * 64}, "its checksum is wrong"),
    ],
)
def test_hostile_weights_are_one_sentence(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = write_net(tmp_path / "net.safetensors", **changes)
    with pytest.raises(ValueError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.slow
def test_every_flipped_bit_of_a_saved_net_is_noticed(tmp_path: Path) -> None:
    save(new_net(), tmp_path / "net.safetensors")
    whole = (tmp_path / "net.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    dice = random.Random(0)
    for place in [*dice.sample(range(8 + length, len(whole)), 30), *dice.sample(range(length), 60)]:
        data = bytearray(whole)
        data[place] ^= 1 << dice.randrange(8)
        path = tmp_path / "flipped.safetensors"
        path.write_bytes(data)
        try:
            net = load(path)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:  # a bit of what only tells: the version, the checksum's own name
            assert weights_equal(net, new_net())
            assert place < 8 + length


@pytest.mark.parametrize("damage", ["cut", "claims", "nan", "half", "words"])
def test_hostile_encoder_weights_are_one_sentence(tmp_path: Path, damage: str) -> None:
    state = make_encoder(TINY).state_dict()
    path = tmp_path / "weights.pth"
    if damage == "nan":
        state[next(iter(state))].view(-1)[0] = float("nan")
    torch.save(state if damage != "words" else {"a": "b"}, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    elif damage == "claims":
        rewrite(path, lambda name, data: data[:-4] if name.endswith("data/0") else data)
    elif damage == "half":
        with open(path, "r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"\xff" * 8)
    with pytest.raises(ValueError, match=r"weights\.pth"):
        MPASNet(TINY, encoder_weights=path)


# ------------------------------------------------------------------------------------------------- checkpoints


def rewrite(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Change records of a zip archive; the checksums are right afterwards."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in records.items():
            archive.writestr(name, change(name, data))


def mutants() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Ways in which a readable checkpoint can be wrong."""
    found: dict[str, Callable[[dict[str, Any]], Any]] = {}
    for key in ("weights", "averaged", "optimizer", "scaling", "run", "step", "sums", "history", "validation"):
        found[f"without {key}"] = lambda c, key=key: c.pop(key)
        for bad in (None, 3, "x", [], {}, [[1]], float("nan"), {"a": 1}, torch.zeros(1)):
            if (key, bad) not in (("scaling", {}), ("step", 3)):  # these are right
                kind = "tensor" if isinstance(bad, torch.Tensor) else bad
                found[f"{key} = {kind}"] = lambda c, key=key, bad=bad: c.update({key: bad})
    found |= {
        "more": lambda c: c.update(more=1),
        "negative step": lambda c: c.update(step=-1),
        "huge step": lambda c: c.update(step=10**400),
        "other step": lambda c: c.update(step=10**6),
        "step is true": lambda c: c.update(step=True),
        "sums": lambda c: c.update(sums=[0.0, 0.0]),
        "sums inf": lambda c: c.update(sums=[0.0, 0.0, float("inf")]),
        "history nan": lambda c: c["history"].__setitem__(0, [0.1, float("nan"), 0.1]),
        "history two": lambda c: c["history"].append([0.1, 0.1, 0.1]),
        "validation text": lambda c: c.update(validation=["x"]),
        "run with a number for a name": lambda c: c["run"].update({7: 1}),
        "no weight": lambda c: c["weights"].pop("head.bias"),
        "weight is a list": lambda c: c["weights"].update({"head.bias": [1.0]}),
        "weight of another shape": lambda c: c["weights"].update({"head.bias": torch.zeros(2)}),
        "weight of another type": lambda c: c["weights"].update({"head.bias": torch.zeros(1, dtype=torch.float64)}),
        "weight nan": lambda c: c["weights"].update({"head.bias": NAN}),
        "one weight more": lambda c: c["weights"].update({"x": torch.zeros(2)}),
        "no average": lambda c: c["averaged"].pop("module.head.bias"),
        "momentum of another shape": lambda c: c["optimizer"]["state"][0].update(momentum_buffer=torch.zeros(1)),
        "momentum nan": lambda c: c["optimizer"]["state"][0]["momentum_buffer"].fill_(float("nan")),
        "momentum text": lambda c: c["optimizer"]["state"].update({0: "x"}),
        "momentum of no weight": lambda c: c["optimizer"]["state"].update({10**6: {"momentum_buffer": None}}),
        "other state": lambda c: c["optimizer"]["state"].update({0: {"other": torch.zeros(1)}}),
        "no groups": lambda c: c["optimizer"].pop("param_groups"),
        "run deep": lambda c: c["run"].update(seed=[[[]]]),
        "scaling text": lambda c: c.update(scaling={"scale": "x"}),
    }
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", mutants())
def test_a_readable_checkpoint_that_is_wrong_is_one_sentence(run_folder: Path, clip: Path, tmp_path: Path, name: str):
    path = tmp_path / "checkpoint.pt"
    content = torch.load(run_folder / "checkpoint.pt", weights_only=True)
    mutants()[name](content)
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"checkpoint\.pt .*resume=False") as caught:
        fit(new_net(), clip, out=tmp_path, epochs=2, ema=0.9, **QUICK)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_every_flipped_bit_of_a_checkpoint_is_noticed(run_folder: Path, tmp_path: Path) -> None:
    whole = (run_folder / "checkpoint.pt").read_bytes()
    before = torch.load(run_folder / "checkpoint.pt", weights_only=True)
    net, path, dice = new_net(), tmp_path / "checkpoint.pt", random.Random(0)
    path.write_bytes(whole)
    assert read_checkpoint(path, before["run"], net) is not None
    noticed = 0
    for place in dice.sample(range(len(whole)), 150):
        data = bytearray(whole)
        data[place] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        try:
            content = read_checkpoint(path, before["run"], net)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
            noticed += 1
        else:  # padding between the records
            for part in ("weights", "averaged"):
                assert all(torch.equal(content[part][key], tensor) for key, tensor in before[part].items())
    assert noticed > 60


def test_claims_of_values_that_are_not_there_are_refused(run_folder: Path, tmp_path: Path) -> None:
    """torch would take the number from the file, and read whatever lies behind in memory."""
    path = tmp_path / "checkpoint.pt"
    run = torch.load(run_folder / "checkpoint.pt", weights_only=True)["run"]
    path.write_bytes((run_folder / "checkpoint.pt").read_bytes())
    rewrite(path, lambda name, data: data[:-4] if name.endswith("data/0") else data)
    with pytest.raises(ValueError, match=r"claims \d+ values, which are not there"):
        read_checkpoint(path, run, new_net())
    path.write_bytes((run_folder / "checkpoint.pt").read_bytes())
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match="packed in a way that torch does not use"):
        read_checkpoint(path, run, new_net())


def test_the_format_of_checkpoints_stays(run_folder: Path) -> None:
    """What one version wrote the next must go on with: who changes these keys must read the old ones, too."""
    content = torch.load(run_folder / "checkpoint.pt", weights_only=True)
    assert set(content) == {
        "weights", "averaged", "optimizer", "scaling", "run", "step", "sums", "history", "validation",
    }  # fmt: skip
    assert set(content["run"]) == {
        "the net's encoder", "the net's siamese", "the net's width", "the net's long_side", "encoder_weights", "pairs",
        "precision", "batch_size", "lr", "momentum", "weight_decay", "schedule", "loss", "literal_dice", "air_weight",
        "augmentation", "view", "seed", "accumulate", "ema", "sizes", "paste", "keep", "freeze", "empty",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["checkpoint.pt", "log.csv"])
def test_files_of_others_in_the_output_folder_stay(clip: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("step,my,own\n1,2,3\n")
    with pytest.raises(ValueError, match=rf"{name} is there already, and mpas_lite did not write it"):
        fit(new_net(), clip, out=tmp_path, epochs=1, resume=False, **QUICK)
    assert (tmp_path / name).read_text() == "step,my,own\n1,2,3\n"


# ------------------------------------------------------------------------------------------------- logs


@pytest.mark.parametrize("content", [b"1," + b"x" * 200_000 + b"\n", b"\xff\xfe\n", b"\x80abc\n"])
def test_a_damaged_log_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.csv"
    TrainingLog(path, step=0)
    with open(path, "ab") as file:
        file.write(content)
    with pytest.raises(ValueError, match=r"log\.csv is not a log that can be read"):
        read_log(path)


def test_rows_whose_step_is_no_number_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = TrainingLog(path, step=0)
    log.add(step=1)
    log.write()
    with open(path, "a", encoding="utf-8") as file:
        file.write("²,1,,,,,,\n" + "9" * 5000 + ",1,,,,,,\n-1,\n")
    assert [row["step"] for row in read_log(path)] == ["1"]


# ------------------------------------------------------------------------------------------------- configurations


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr = " + "[" * 5000, "nested too deep"),
        ("lr = " + "1" * 5000, "not valid TOML|too large"),
        ("lr = 0x" + "f" * 5000, "a number of 20000 bits is too large"),
        ("epochs = 0x" + "f" * 5000, "a number of 20000 bits is too large"),
        ("lr = [[[1]]]", "lr = a list: it must be a number"),
        ("lr = {a = 1}", "lr = a table"),
        ("lr = 2021-13-45", "not valid TOML"),
        ("lr = nan", "lr=nan: it must be 0 or more"),
        ("lr = inf", "it must be 1000000 at most"),
        ("width = 0", "width=0: it must be 1 or more"),
        ("width = -1", "width=-1: it must be 1 or more"),
        ("width = 1000000000", "it must be 16384 at most"),
        ("workers = 1000000", "it must be 256 at most"),
        ("devices = 1000000", "it must be 256 at most"),
        ("accumulate = 1000000000", "it must be 4096 at most"),
        ("ema = 2", "it must lie between 0 and 1"),
        ("encoder = '" + "x" * 5000 + "'", "a printable text of 4096"),
        ('encoder = "a\\u0000b"', "a printable text"),
    ],
)
def test_odd_configurations_are_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        read_config(tmp_path / "mine.toml")
    assert len(str(caught.value)) < 1000
    key, _, value = text.partition(" = ")
    with pytest.raises(ValueError, match=r"."):
        read_config(changes=parse_changes([f"{key}={value}"]))


def test_binary_and_huge_configurations_are_named(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"\x00" * 100, b"lr = 1 # " + b"x" * (2 << 20)):
        (tmp_path / "mine.toml").write_bytes(content)
        with pytest.raises(ValueError, match=r"mine\.toml is "):
            read_config(tmp_path / "mine.toml")


def test_a_tensor_that_is_not_plain_is_no_weight():
    from mpas_lite.network.tensorfiles import differing

    like = {"a": torch.ones(3)}
    assert differing({"a": torch.zeros(3)}, like) is None
    assert "not a plain tensor" in str(differing({"a": torch.ones(3).to_sparse()}, like))
