"""What users' code, notebooks and command lines rely on: names and arguments may be added, none may go.

``public_names.json`` is the record: the names of ``mpas_lite`` with their arguments, the commands with their options.
What was added since and is to be kept comes into it with ``python -m tests.test_public``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import mpas_lite
from mpas_lite.cli import cli

RECORD = Path(__file__).with_name("public_names.json")


def names() -> dict[str, list[str]]:
    """{public name: its arguments}; what cannot be called has none."""
    things = {name: getattr(mpas_lite, name) for name in mpas_lite.__all__}
    return {name: list(inspect.signature(it).parameters) if callable(it) else [] for name, it in things.items()}


def options(command: click.Command = cli, path: str = "mpas-lite") -> Iterator[tuple[str, list[str]]]:
    """Each command of the command line, with all that its ``--help`` lists."""
    context = click.Context(command, info_name=path)
    parameters = [p for p in command.get_params(context) if not getattr(p, "hidden", False)]
    yield path, sorted(name for p in parameters for name in (*p.opts, *p.secondary_opts))
    for name, child in getattr(command, "commands", {}).items():
        yield from options(child, f"{path} {name}")


def recorded(kind: str) -> dict[str, list[str]]:
    return json.loads(RECORD.read_text())[kind] if RECORD.exists() else {}


@pytest.mark.parametrize("name", recorded("names"))
def test_no_public_name_and_no_argument_went(name):
    """Arguments keep their order too, as far as they were recorded: some are given by position."""
    now = names()
    assert name in now
    known = recorded("names")[name]
    assert [argument for argument in now[name] if argument in known] == known


@pytest.mark.parametrize("command", recorded("options"))
def test_no_command_and_no_option_went(command):
    now = dict(options())
    assert command in now
    assert not set(recorded("options")[command]) - set(now[command])


def test_the_record_is_there():
    assert len(recorded("names")) >= 57
    assert len(recorded("options")) >= 14


if __name__ == "__main__":
    record = {"names": names(), "options": dict(options())}
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
