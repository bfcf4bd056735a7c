"""Settings as people write and read them: TOML, single assignments, and a table for the documentation."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

from mpas_lite.options.declaration import UNNAMED, Option, check_value, own_options
from mpas_lite.options.tree import changed, options_of, refuse_unknown, tables_of, to_record

S = TypeVar("S")
_MOST_BYTES = 1 << 20
_LONGEST = 4096  # of a text, as a path may be


def read_value(declared: Option, value: Any) -> Any:
    """The value as the setting takes it: of its type, a whole number for a fraction, the word none for None.

    Raises
    ------
    ValueError
        If it is of another type or not allowed; the sentence names the setting.
    """
    if declared.optional and isinstance(value, str) and value.lower() == "none":
        return None
    if type(value) is int and value.bit_length() > 64:
        raise ValueError(f"{declared.name}: a number of {value.bit_length()} bits is too large.")
    if float in declared.types and type(value) is int:
        value = float(value)
    if type(value) not in declared.types:  # not isinstance: True is an int to Python, but no number of epochs
        raise ValueError(f"{declared.name} = {_shown(value)}: it must be {declared.kind}.")
    if isinstance(value, str) and (len(value) > _LONGEST or not value.isprintable()):
        raise ValueError(
            f"{declared.name} = {_shown(value)}: it must be a printable text of {_LONGEST} characters at most."
        )
    check_value(declared, value)
    return value


def read_toml(path: str | Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises
    ------
    ValueError
        If it is no valid TOML, or larger or nested deeper than any settings are.
    """
    path = Path(path)
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} is larger than any configuration. Give a .toml file as `mpas-lite train` writes.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"{path} is not valid TOML that can be used: it is nested too deep.") from None
    except ValueError as error:  # of TOML, of UTF-8, of numbers with thousands of digits
        raise ValueError(f"{path} is not valid TOML ({error}).") from error


def with_values(settings: S, content: Mapping[str, Any]) -> S:
    """The settings with others, as a file or a user has them, in place of some.

    Raises
    ------
    ValueError
        If a name is unknown, or a value of another type or not allowed; one sentence names it.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> from mpas_lite.options import option
    >>> Disc = make_dataclass("Disc", [("radius", float, option(20.0, "Of the disc.", unit="px"))], frozen=True)
    >>> with_values(Disc(), {"radius": 8})
    Disc(radius=8.0)
    """
    cls = type(settings)
    known, tables = options_of(cls), tables_of(cls)
    refuse_unknown(content, [*known, *tables])
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name in known:
            values[name] = read_value(known[name], value)
        elif isinstance(value, str) and value.lower() == "none":
            values[name] = None
        elif isinstance(value, Mapping):
            values[name] = with_values(getattr(settings, name) or tables[name](), value)
        else:
            raise ValueError(f"{name} = {_shown(value)}: it must be a table, [{name}].")
    return changed(settings, **values)


def to_toml(settings: Any) -> str:
    """TOML from which equal settings can be read; what is None by default is left out."""
    return "\n".join(_lines(to_record(settings), to_record(type(settings)()))) + "\n"


def parse_changes(assignments: Iterable[str]) -> dict[str, Any]:
    """Settings from texts such as ``lr=0.01``; the value is read as TOML, else as a word, ``none`` as None.

    Examples
    --------
    >>> parse_changes(["lr=0.01", "loss=dice", "siamese=false", "ema=none"])
    {'lr': 0.01, 'loss': 'dice', 'siamese': False, 'ema': None}
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, sign, text = (part.strip() for part in assignment.partition("="))
        if not (name and sign and text):
            raise ValueError(f"--set {assignment!r}: write it as key=value, for example --set lr=0.01.")
        try:
            values[name] = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            values[name] = None if text.lower() == "none" else text
    return values


def to_markdown(cls: type, *, own: bool = False) -> str:
    """A table of a class's settings for the documentation: default, what is allowed, the paper's value, meaning.

    Parameters
    ----------
    cls : type
    own : bool
        Those that it declares itself, without those of its parts.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> from mpas_lite.options import option
    >>> Disc = make_dataclass("Disc", [("radius", float, option(9.0, "Of discs.", unit="px", above=0, paper=20.0))])
    >>> print(to_markdown(Disc))
    | setting | default | allowed | paper | meaning |
    |:--|:--|:--|:--|:--|
    | `radius` | 9.0 px | above 0 | 20.0 | Of discs. |
    <BLANKLINE>
    """
    lines = ["| setting | default | allowed | paper | meaning |", "|:--|:--|:--|:--|:--|"]
    for each in (own_options if own else options_of)(cls).values():
        paper = "" if each.paper is UNNAMED else _value(each.paper)
        unit = f" {each.unit}" if each.unit else ""
        lines.append(f"| `{each.name}` | {_value(each.default)}{unit} | {each.allowed} | {paper} | {each.help} |")
    return "\n".join(lines) + "\n"


def _lines(record: Mapping[str, Any], usual: Mapping[str, Any], table: str = "") -> Iterable[str]:
    """Lines of TOML: a table's own settings, then the tables in it."""
    for name, value in record.items():
        if not isinstance(value, Mapping) and (value is not None or usual.get(name) is not None):
            yield f"{name} = {json.dumps('none' if value is None else value)}"
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield f"\n[{table}{name}]"
            yield from _lines(value, usual.get(name) or {}, f"{table}{name}.")


def _value(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"


def _shown(value: Any) -> str:
    """A value for a message: as it is written, cut; of tables and lists only that they are such."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
