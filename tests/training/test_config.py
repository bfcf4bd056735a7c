from __future__ import annotations

import inspect
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mpas_lite import cli
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import load
from mpas_lite.options import options_of, parse_changes, to_record
from mpas_lite.training.config import TrainingConfig, Upkeep, config_names, read_config, write_config
from mpas_lite.training.fitting import fit
from tests.helpers import ROOT, write_pairs


def test_every_setting_is_an_argument_with_the_same_default() -> None:
    config = TrainingConfig()
    of_fit = {**to_record(config.train), **to_record(config.runtime), **to_record(config.upkeep)}
    for options, function in ((to_record(config.net), MPASNet), (of_fit, fit)):
        parameters = inspect.signature(function).parameters
        assert {name: parameters[name].default for name in options} == options
    assert len(to_record(config.net)) + len(of_fit) == len(to_record(config))


def test_the_configurations_that_come_along_are_sound() -> None:
    assert config_names() == ["general", "main_job", "paper", "small"]
    paper = read_config("paper")
    assert (paper.encoder, paper.lr, paper.momentum, paper.weight_decay) == ("hrnet_w48", 0.02, 0.9, 1e-4)
    assert (paper.encoder_weights, paper.siamese, paper.fusion, paper.width) == ("imagenet", True, True, None)
    assert (paper.schedule, paper.loss, paper.air_weight, paper.augmentation) == ("constant", "dice", 1.0, "literal")
    for name in config_names():
        assert read_config(name) != TrainingConfig()


def test_changes_win_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("lr = 1\nepochs = 7\nencoder = 'resnet18'\n")
    config = read_config(tmp_path / "mine.toml", parse_changes(["epochs=9", "ema = 0.99", "encoder=resnet34"]))
    assert config == TrainingConfig(lr=1.0, epochs=9, ema=0.99, encoder="resnet34")
    assert type(config.lr) is float
    assert read_config() == TrainingConfig()


@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(),
        TrainingConfig(width=None, fusion=False, encoder_weights="imagenet"),
        TrainingConfig(ema=0.9, lr=1e-5, encoder='a "b" \\ c', workers=2),
    ],
)
def test_what_is_written_reads_back_equal(tmp_path: Path, config: TrainingConfig) -> None:
    (tmp_path / "config.toml").write_text(write_config(config))
    assert asdict(read_config(tmp_path / "config.toml")) == asdict(config)


def test_none_is_a_word(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'width = "none"\nencoder_weights = "None"\nema = "none"\naugmentation = "none"\n'
    )
    config = read_config(tmp_path / "mine.toml")
    assert config == TrainingConfig(width=None, encoder_weights=None, ema=None, augmentation="none")
    assert read_config("paper", {"encoder_weights": "none"}).encoder_weights is None
    assert read_config("paper", parse_changes(["encoder_weights=none", "width=64"])).width == 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", r"mine.toml: There is no setting 'epoch'\. Did you mean epochs"),
        ("learning_rte = 3", r"There is no setting 'learning_rte'"),
        ("xyzzy = 3", r"There is no setting 'xyzzy'\. There are encoder, "),
        ("epochs = '3'", r"epochs = '3': it must be a whole number\."),
        ("epochs = 3.5", r"it must be a whole number"),
        ("epochs = true", r"it must be a whole number"),
        ("siamese = 1", r"it must be true or false"),
        ("ema = 'much'", r"it must be a number or none"),
        ("encoder = 3", r"it must be a text"),
        ("[fit]\nlr = 1", r"There is no setting 'fit'"),
        ("lr = ", r"not valid TOML"),
    ],
)
def test_a_typo_is_named_with_its_nearest_match(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_config(tmp_path / "mine.toml")


def test_unknown_names_and_bad_assignments_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"no configuration 'papr'\. Did you mean paper\? Give a .toml file or one of general, main"
    ):
        read_config("papr")
    for bad in ("lr", "=3", "lr="):
        with pytest.raises(ValueError, match="write it as key=value"):
            parse_changes([bad])


# ------------------------------------------------------------------------------------------- the paper's settings


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network and without a copy of the hub's files."""

    def no_network(*_args: object, **_options: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", no_network)
    monkeypatch.setattr("mpas_lite.network.encoders.getproxies", dict)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)


def call(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> tuple[object, str]:
    """Run ``mpas-lite ARGUMENTS`` in this process: exit code and stderr."""
    monkeypatch.setattr(sys, "argv", ["mpas-lite", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code, capsys.readouterr().err


def test_the_main_job_and_the_configuration_take_the_same_from_the_paper() -> None:
    config, run = to_record(read_config("paper")), to_record(RunSettings.paper())
    everything = set(config) - set(options_of(Upkeep))
    assert {name: run[name] for name in everything} == {name: config[name] for name in everything}
    assert run["steps"] is None
    assert run["augmentation"] == config["augmentation"] == "literal"
    label = run["label"]
    assert (label["every"], label["radius"], label["k"], label["z"], label["threshold"]) == (20, 20, 20, None, 0.6)


ACCOUNT = ROOT / "benchmarks" / "PAPER.md"


@pytest.mark.skipif(not ACCOUNT.exists(), reason="runs in a source tree only")
def test_the_account_line_by_line_names_what_is_set() -> None:
    """Every `name=value` in the table of settings is what `--paper` takes."""
    text = ACCOUNT.read_text(encoding="utf-8").split("## Settings and network")[1].split("## ")[0]
    stated = dict(re.findall(r"`(\w+)=([^`]+)`", text))
    run, train = to_record(RunSettings.paper()), to_record(read_config("paper"))
    taken = {**train, **run.pop("label"), **run}
    assert stated == {name: repr(taken[name]) for name in stated}
    assert {"encoder_weights", "width", "air_weight", "augmentation", "radius", "every", "k", "z", "lr"} <= set(stated)
    assert {"epochs", "batch_size", "long_side", "precision"} <= set(stated)
    assert (train["epochs"], train["batch_size"], train["long_side"], train["precision"]) == (20, 8, 512, "auto")


def test_another_encoder_of_the_papers_settings_starts_from_the_hub_too() -> None:
    assert RunSettings.paper().with_encoder("resnet18").encoder_weights == "imagenet"
    assert RunSettings.paper().with_encoder("resnet18", "none").encoder_weights is None
    assert RunSettings.paper().with_encoder("resnet18", "a.pth").encoder_weights == "a.pth"
    assert RunSettings().with_encoder("resnet18").encoder_weights is None  # "offline" fits one encoder only


def test_who_does_not_go_on_from_the_general_network_trains_as_from_pictures() -> None:
    ours = RunSettings()
    assert (ours.encoder_weights, ours.siamese, ours.empty, ours.batch_size) == ("general", False, False, 2)
    before = {"siamese": False, "long_side": 320, "freeze": 0, "sizes": 1.0, "keep": None, "batch_size": 4, "lr": 0.02}
    for encoder, weights in (("resnet18", None), ("tf_efficientnet_lite0", "offline"), ("resnet18", "a.pth")):
        record = to_record(ours.with_encoder(encoder, weights))
        assert {name: record[name] for name in before} == before
        assert record["steps"] == 150
        assert RunSettings.fast().with_encoder(encoder, weights).steps == 75
    assert ours.with_encoder("tf_efficientnet_lite0", "general") == ours
    assert RunSettings.paper().with_encoder("resnet18", "none").long_side == 512


@pytest.mark.usefixtures("no_hub")
def test_without_the_hub_nothing_is_begun(tmp_path: Path, capsys, monkeypatch) -> None:
    """One sentence that says how to bring the file and how to go on without, exit code 2, and nothing else instead."""
    pairs = write_pairs(tmp_path / "pairs" / "clip")
    for arguments in (
        ("run", pairs / "frames", "--paper", "--quiet"),
        ("train", tmp_path / "pairs", "--config", "paper", "--quiet"),
        ("reproduce", "table2", "--encoder-weights", "imagenet", "--quiet"),
    ):
        out = tmp_path / arguments[0]
        code, said = call(capsys, monkeypatch, *arguments, "--out", out)
        assert code == 2
        assert said.count("\n") == 1
        assert "cannot be downloaded" in said
        assert "--encoder-weights FILE" in said
        assert "--encoder-weights none" in said
        assert not [path for path in out.rglob("*.*") if path.suffix in (".png", ".safetensors", ".pt", ".mp4")]


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("width", [None, 16])
def test_none_goes_on_without_the_hub(tmp_path: Path, capsys, monkeypatch, width: int | None) -> None:
    pairs = write_pairs(tmp_path / "pairs" / "clip")
    options = ["--encoder", "test_resnet", "--encoder-weights", "none", "--no-fusion", "--epochs", 1]
    options += ["--width", width] if width else []
    call_it = ("train", tmp_path / "pairs", "--out", tmp_path / "out", "--config", "paper", "--precision", "32-true")
    code, said = call(capsys, monkeypatch, *call_it, *options, "--device", "cpu", "--quiet")
    assert (code, said) == (None, "")
    net = load(tmp_path / "out" / "model.safetensors")
    channels = sum(net.encoder.feature_info.channels())
    assert net.config == {
        "encoder": "test_resnet", "siamese": True, "width": width or channels, "long_side": 512, "fusion": False
    }  # fmt: skip
    assert net.provenance["encoder_weights"] is None
    assert net.provenance["config"]["width"] == width
    assert read_config(tmp_path / "out" / "config.toml").width == width
    assert pairs.exists()


def test_none_goes_on_in_run(tmp_path: Path, capsys, monkeypatch) -> None:
    """`run --paper --encoder-weights none` is the paper's in all else."""
    made = []
    monkeypatch.setattr(
        "mpas_lite.experiments.main_job.run", lambda *_, settings, **__: made.append(settings) or NOTHING
    )
    frames = write_pairs(tmp_path / "pairs" / "clip") / "frames"
    for options in (["--paper"], ["--encoder", "tf_efficientnet_lite0", "--width", "none", "--augmentation", "none"]):
        code, _ = call(
            capsys, monkeypatch, "run", frames, "--out", tmp_path / "out", "--encoder-weights", "none", *options
        )
        assert code is None
    paper, ours = made
    assert paper == replace(RunSettings.paper(), encoder_weights=None)
    assert (ours.encoder, ours.encoder_weights, ours.width, ours.augmentation) == (
        "tf_efficientnet_lite0", None, None, "none"
    )  # fmt: skip


def test_fast_is_ours_with_less_of_it(tmp_path: Path, capsys, monkeypatch) -> None:
    made = []
    monkeypatch.setattr(
        "mpas_lite.experiments.main_job.run", lambda *_, settings, **__: made.append(settings) or NOTHING
    )
    arguments = ("run", tmp_path, "--out", tmp_path / "out", "--fast")
    assert call(capsys, monkeypatch, *arguments)[0] is None
    assert call(capsys, monkeypatch, *arguments, "--steps", 40, "--encoder", "hrnet_w18_small")[0] is None
    fast, changed = made
    assert fast == RunSettings.fast()
    ours = to_record(RunSettings())
    assert {name for name, value in to_record(fast).items() if value != ours[name]} == {
        "pairs", "steps", "long_side", "lr"
    }  # fmt: skip
    assert (fast.steps < RunSettings().steps, fast.pairs < RunSettings().pairs) == (True, True)
    assert (changed.steps, changed.encoder_weights, changed.freeze) == (40, None, 0)  # random weights are not frozen
    code, said = call(capsys, monkeypatch, *arguments, "--paper")
    assert code == 2
    assert "give one of them" in said


NOTHING = {"iou": {}, "iou_unseen": {}}
