"""Options of the command line that are settings: made of their declarations, and read back into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from click.core import ParameterSource

from mpas_lite.options import UNNAMED, Option, own_options, read_value

F = Callable[..., Any]


class Section(click.Option):
    """An option that stands under a heading of its own in the help."""

    def __init__(self, *args: Any, section: str, **others: Any) -> None:
        super().__init__(*args, **others)
        self.section = section


class Command(click.Command):
    """A command whose help shows its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those without a heading first."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row:
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(row)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


class _Value(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.2 only
    """A value as a setting takes it; what it may not be is said in the setting's own sentence."""

    def __init__(self, declared: Option) -> None:
        self.declared = declared
        word = "INTEGER" if int in declared.types else "FLOAT" if float in declared.types else "TEXT"
        self.name = f"{word}|none" if declared.optional and word != "TEXT" else word

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of a text."""
        for kind in (int, float):
            if kind in self.declared.types and isinstance(value, str):
                try:
                    value = kind(value)
                except (ValueError, OverflowError):
                    continue
        try:
            return read_value(self.declared, value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def settings_options(cls: type, section: str, *, usual: Any = None, without: Sequence[str] = ()) -> Callable[[F], F]:
    """Options of a command for all that a class declares itself, under one heading.

    Parameters
    ----------
    cls : type
        Its parts have options of their own.
    section : str
        The heading.
    usual : object, optional
        Settings whose values the help shows as defaults; by default those of the class.
    without : sequence of str
        Settings that the command has no option for.

    Returns
    -------
    decorator
        :func:`given` tells what a user has set.
    """
    usual = cls() if usual is None else usual

    def decorate(command: F) -> F:
        for declared in reversed(list(own_options(cls).values())):
            if declared.names and declared.name not in without:
                command = _option(declared, getattr(usual, declared.name), section)(command)
        return command

    return decorate


def given(*classes: type) -> dict[str, Any]:
    """What was given on the command line of the settings that these classes declare themselves."""
    ctx = click.get_current_context()
    names = [name for cls in classes for name in own_options(cls) if name in ctx.params]
    return {name: ctx.params[name] for name in names if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}


def _option(declared: Option, usual: Any, section: str) -> Callable[[F], F]:
    names: tuple[str, ...] = declared.names
    if declared.choices:
        kind: Any = click.Choice(declared.choices)
    elif bool in declared.types:
        kind = None
        names = tuple(f"{name}/--no-{name.removeprefix('--')}" for name in names)
    else:
        kind = _Value(declared)
    text = f"{declared.sentence}{_usual(declared, usual)}"
    return click.option(declared.name, *names, type=kind, default=None, help=text, cls=Section, section=section)


def _usual(declared: Option, usual: Any) -> str:
    """The default and what the paper names, in a few words; where the sentence says what is done by default, none."""
    if "by default" in declared.help:
        return ""
    if declared.paper is UNNAMED:
        return f"  [default: {_word(usual)}]"
    if declared.paper == usual:
        return f"  [default and paper: {_word(usual)}]"
    return f"  [default: {_word(usual)}; paper: {_word(declared.paper)}]"


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)
