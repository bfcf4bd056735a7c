"""Options of the command line are made of declarations: a setting more is one edit, and its use."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import mpas_lite
from mpas_lite.cli.program import cli
from mpas_lite.cli.settings import Command, given, settings_options
from mpas_lite.experiments.settings import ReproduceSettings, RunSettings
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.settings import NetConfig
from mpas_lite.options import (
    flat,
    from_record,
    option,
    options_of,
    own_options,
    part,
    read_toml,
    takes_options,
    to_markdown,
    to_record,
    to_toml,
    with_values,
)
from mpas_lite.training.config import Runtime, TrainConfig, Upkeep


@dataclass(frozen=True)
class MoreTraining(TrainConfig):
    """One field more than there is: all else in these tests follows from this line."""

    warmup: int = option(3, "The rate rises first.", unit="steps", least=0, most=1000)


@flat
@dataclass(frozen=True)
class Config:
    net: NetConfig = part(NetConfig)
    train: MoreTraining = part(MoreTraining)


@click.command(cls=Command)
@settings_options(MoreTraining, "Training", usual=MoreTraining(warmup=5))
def learn(**_: Any) -> None:
    """Learn."""
    click.echo(json.dumps(given(MoreTraining)))


def helped(command: click.Command) -> str:
    """The help of a command, its lines joined where they were wrapped."""
    return " ".join(CliRunner().invoke(command, ["--help"], terminal_width=100).output.split())


def test_a_field_more_is_an_option_of_the_command_line() -> None:
    assert "--warmup INTEGER The rate rises first, steps. [default: 5]" in helped(learn)
    assert json.loads(CliRunner().invoke(learn, ["--warmup", "7", "--ema", "none"]).output) == {
        "ema": None,
        "warmup": 7,
    }
    for value, said in (
        ("-1", "warmup=-1: it must be 0 or more."),
        ("few", "warmup = 'few': it must be a whole number."),
    ):
        result = CliRunner().invoke(learn, ["--warmup", value])
        assert result.exit_code == 2
        assert said in result.output


def test_a_field_more_is_checked_recorded_read_and_documented(tmp_path: Path) -> None:
    config = Config(warmup=7, encoder="resnet18")
    with pytest.raises(ValueError, match="warmup=-1: it must be 0 or more"):
        replace(config, warmup=-1)
    (tmp_path / "config.toml").write_text(to_toml(config))
    assert "warmup = 7" in (tmp_path / "config.toml").read_text()
    assert with_values(Config(), read_toml(tmp_path / "config.toml")) == config
    assert from_record(Config, to_record(config)) == config
    before = to_record(config)
    del before["warmup"]
    assert from_record(Config, before) == Config(encoder="resnet18")  # a record from before there was one
    assert "| `warmup` | 3 steps | 0 or more, 1,000 at most |  | The rate rises first. |" in to_markdown(MoreTraining)


def test_a_field_more_is_an_argument_where_settings_are_taken_by_name() -> None:
    @takes_options(config=MoreTraining)
    def fit(net: str, *, config: MoreTraining) -> int:
        return config.warmup

    assert (fit("net"), fit("net", warmup=7, lr=0.1)) == (3, 7)
    assert inspect.signature(fit).parameters["warmup"].default == 3
    assert "The rate rises first, steps." in fit.__doc__


SOURCE = Path(mpas_lite.__file__).parent


def test_one_line_more_in_the_source_is_enough(tmp_path: Path) -> None:
    """In a copy of the package: a training option and a label option, a line each."""
    copy = tmp_path / "mpas_lite"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "data_samples", "*.ipynb", "*.json"))
    for file, first, line in (
        ("training/config.py", "    epochs: int", '    warmup: int = option(3, "The rate rises first.", least=0)\n'),
        (
            "labels/settings.py",
            "    every: int",
            '    patience: float = option(1.5, "Of who waits.", unit="s", least=0)\n',
        ),
    ):
        text = (copy / file).read_text(encoding="utf-8")
        assert text.count(first) == 1
        (copy / file).write_text(text.replace(first, line + first), encoding="utf-8")
    program = """if True:
        import sys

        import mpas_lite
        from click.testing import CliRunner
        from mpas_lite.cli.program import cli
        from mpas_lite.experiments.settings import RunSettings
        from mpas_lite.options import to_record
        from mpas_lite.training.config import read_config, write_config

        assert mpas_lite.__file__.startswith(sys.argv[1])
        for command in ("label", "train", "run", "reproduce"):
            print(command, *CliRunner().invoke(cli, [command, "--help"]).output.split())
        print(write_config(read_config("small", {"warmup": 7})))
        record = to_record(RunSettings(warmup=9))
        print(record["warmup"], record["label"]["patience"])
        """
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(tmp_path)})  # fmt: skip
    assert done.returncode == 0, done.stderr
    commands = dict(
        zip(*[iter(re.split(r"^(label|train|run|reproduce) Usage", done.stdout, flags=re.M)[1:])] * 2, strict=True)
    )
    assert {name for name, text in commands.items() if "--warmup INTEGER" in text} == {"train", "run", "reproduce"}
    assert {name for name, text in commands.items() if "--patience FLOAT" in text} == {"label", "run"}
    assert "warmup = 7" in done.stdout
    assert "\n9 1.5\n" in done.stdout


# ----------------------------------------------------------------------------------------- the commands as they are

WITHOUT = {  # what a command says itself, or leaves to each row of a table
    "label": (LabelSettings, set()),
    "train": ((NetConfig, TrainConfig, Runtime, Upkeep), {"accelerator"}),
    "run": (
        (RunSettings, LabelSettings, NetConfig, TrainConfig, Runtime),
        {"epochs", "accelerator", "devices", "num_nodes", "strategy"},
    ),
    "reproduce": (
        (ReproduceSettings, NetConfig, TrainConfig, Runtime),
        {"siamese", "fusion", "epochs", "loss", "seed", "accelerator", "devices", "num_nodes", "strategy"},
    ),
}


@pytest.mark.parametrize("command", WITHOUT)
def test_a_command_has_an_option_for_every_setting(command: str) -> None:
    classes, without = WITHOUT[command]
    declared = {name for cls in (classes if isinstance(classes, tuple) else (classes,)) for name in own_options(cls)}
    found = {parameter.name for parameter in cli.commands[command].params}
    assert declared - without <= found
    assert not without & found - {"seed"}


def test_names_of_settings_are_unique_where_they_meet() -> None:
    for classes in ((NetConfig, TrainConfig, Runtime, Upkeep), (LabelSettings, NetConfig, TrainConfig, Runtime)):
        names = [name for cls in classes for name in options_of(cls)]
        assert len(set(names)) == len(names)


def test_help_shows_options_under_their_headings_with_default_and_paper() -> None:
    result = CliRunner().invoke(cli, ["run", "--help"], terminal_width=100)
    headings = re.findall(r"^(\w+):$", result.output, flags=re.M)
    assert headings == ["Options", "Labels", "Network", "Training", "Machine"]
    text = " ".join(result.output.split())
    assert "--air-weight FLOAT Weight of Eq. 7; 0 leaves SFA without AIR. [default: 0.1; paper: 1]" in text
    assert "--lr FLOAT Learning rate of stochastic gradient descent. [default: 0.01; paper: 0.02]" in text
    assert "--width INTEGER|NONE Maps of psi; none: as many as F has. [default: 64; paper: none]" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", ".", "--out", "x", "--epochs", "0"], "epochs=0: it must be 1 or more."),
        (["train", ".", "--out", "x", "--lr", "fast"], "lr = 'fast': it must be a number."),
        (["train", ".", "--out", "x", "--lr", "nan"], "lr=nan: it must be 0 or more."),
        (["train", ".", "--out", "x", "--width", "0"], "width=0: it must be 1 or more."),
        (["train", ".", "--out", "x", "--schedule", "step"], "'step' is not one of 'constant', 'cosine'."),
        (["run", ".", "--out", "x", "--ema", "1"], "ema=1.0: it must lie between 0 and 1."),
        (["label", ".", "--out", "x", "-k", "0"], "k=0: it must be 1 or more."),
        (["label", ".", "--out", "x", "--min-speed", "-1"], "min_speed=-1.0: it must be 0 or more."),
        (["reproduce", "table1", "--out", "x", "--steps", "0"], "steps=0: it must be 1 or more."),
    ],
)
def test_a_value_that_is_not_allowed_is_named(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        ([], {}),
        (["--lr", "0.5", "--siamese", "--no-fusion"], {"lr": 0.5, "siamese": True, "fusion": False}),
        (["--width", "none", "--ema", "None", "--workers", "3"], {"width": None, "ema": None, "workers": 3}),
        (["--encoder-weights", "none", "--augmentation", "none"], {"encoder_weights": None, "augmentation": "none"}),
    ],
)
def test_what_is_given_is_told_from_what_is_not(arguments: list[str], changes: dict) -> None:
    seen = []

    @click.command(cls=Command)
    @settings_options(NetConfig, "Network")
    @settings_options(TrainConfig, "Training")
    @settings_options(Runtime, "Machine")
    def command(**_: Any) -> None:
        seen.append(given(NetConfig, TrainConfig, Runtime, Upkeep))

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert seen == [changes]
