"""Settings that hold settings: found, changed, written down and read back by name."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from mpas_lite.options.declaration import Option, own_options

S = TypeVar("S")


def part(make: Callable[[], Any]) -> Any:
    """A field that holds other settings, which go by their own names wherever settings are named.

    A field of a dataclass's type without this is a table with the field's name: ``label.radius``.
    """
    return dataclasses.field(default_factory=make, metadata={"part": True})


def options_of(cls: type) -> dict[str, Option]:
    """All settings that go by their own names: a class's own and those of its parts, in order."""
    found: dict[str, Option] = {}
    own, parts = own_options(cls), parts_of(cls)
    for field in dataclasses.fields(cls):
        if field.name in own:
            found[field.name] = own[field.name]
        elif field.name in parts:
            found |= options_of(parts[field.name])
    return found


def parts_of(cls: type) -> dict[str, type]:
    """The classes of a class's parts, by field."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.metadata.get("part")}


def tables_of(cls: type) -> dict[str, type]:
    """The classes of the tables that a class holds, by field; a table may be None where its type says so."""
    hints, parts = get_type_hints(cls), parts_of(cls)
    found: dict[str, type] = {}
    for field in dataclasses.fields(cls):
        kinds: list[Any] = [
            kind for kind in (hints[field.name], *get_args(hints[field.name])) if dataclasses.is_dataclass(kind)
        ]
        if kinds and field.name not in parts:
            found[field.name] = kinds[0]
    return found


def changed(settings: S, **values: Any) -> S:
    """The settings with others in place of some, wherever in the parts they stand.

    Raises
    ------
    ValueError
        If there is no such setting, or a value is not allowed.

    Examples
    --------
    >>> from mpas_lite.options import option
    >>> Disc = dataclasses.make_dataclass("Disc", [("radius", float, option(20.0, "Of the disc."))], frozen=True)
    >>> changed(Disc(), radius=8.0)
    Disc(radius=8.0)
    >>> changed(Disc(), radios=8.0)
    Traceback (most recent call last):
    ValueError: There is no setting 'radios'. Did you mean radius?
    """
    cls: Any = type(settings)
    fields = [field.name for field in dataclasses.fields(cls)]
    refuse_unknown(values, [*options_of(cls), *fields])
    own = {name: values[name] for name in fields if name in values}
    for name, kind in parts_of(cls).items():
        its = {key: values[key] for key in options_of(kind) if key in values}
        if its:
            own[name] = changed(own.get(name, getattr(settings, name)), **its)
    result: S = dataclasses.replace(settings, **own)  # type: ignore[type-var]
    return result


def to_record(settings: Any) -> dict[str, Any]:
    """Everything that is set, JSON-able: own settings and those of parts by name, tables as mappings."""
    cls: Any = type(settings)
    own, parts, tables = own_options(cls), parts_of(cls), tables_of(cls)
    record: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        value = getattr(settings, field.name)
        if field.name in parts:
            record |= to_record(value)
        elif field.name in tables:
            record[field.name] = None if value is None else to_record(value)
        elif field.name in own:
            record[field.name] = value
    return record


def from_record(cls: type[S], record: Mapping[str, Any]) -> S:
    """What :func:`to_record` wrote down; what it does not name, as a record from before may not, has its default.

    Raises
    ------
    ValueError
        If a name is unknown (the message says which is near), or a value is not allowed.
    """
    tables = tables_of(cls)
    refuse_unknown(record, [*options_of(cls), *tables])
    values: dict[str, Any] = {}
    for name, value in record.items():
        values[name] = from_record(tables[name], value) if name in tables and isinstance(value, Mapping) else value
    return changed(cls(), **values)


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is none of the known ones, and say which of these are near."""
    known = list(dict.fromkeys(known))
    for name in names:
        if name not in known:
            meant = did_you_mean(name, known) or f" There are {', '.join(known)}."
            raise ValueError(f"There is no setting {name!r}.{meant}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence, with a space before it, that names what is near; empty where nothing is."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(near)}?" if near else ""
