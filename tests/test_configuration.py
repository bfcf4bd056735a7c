from __future__ import annotations

import inspect
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from mpas_lite.configuration import TrainingConfig, config_names, parse_changes, read_config, write_config
from mpas_lite.network import MPASNet
from mpas_lite.training import fit


def test_every_setting_is_an_argument_with_the_same_default() -> None:
    config = TrainingConfig()
    for options, function in ((config.net_options(), MPASNet), (config.fit_options(), fit)):
        parameters = inspect.signature(function).parameters
        assert {name: parameters[name].default for name in options} == options
    assert len(config.net_options()) + len(config.fit_options()) == len(fields(config))


def test_the_configurations_that_come_along_are_sound() -> None:
    assert config_names() == ["main_job", "paper", "small"]
    paper = read_config("paper")
    assert (paper.encoder, paper.lr, paper.momentum, paper.weight_decay) == ("hrnet_w48", 0.02, 0.9, 1e-4)
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
    "config", [TrainingConfig(), TrainingConfig(ema=0.9, lr=1e-5, encoder='a "b" \\ c', workers=2)]
)
def test_what_is_written_reads_back_equal(tmp_path: Path, config: TrainingConfig) -> None:
    (tmp_path / "config.toml").write_text(write_config(config))
    assert asdict(read_config(tmp_path / "config.toml")) == asdict(config)


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
        ValueError, match=r"no configuration 'papr'\. Did you mean paper\? Give a .toml file or one of main"
    ):
        read_config("papr")
    for bad in ("lr", "=3", "lr="):
        with pytest.raises(ValueError, match="write it as key=value"):
            parse_changes([bad])
