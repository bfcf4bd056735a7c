"""A setting, declared once as a field of a dataclass, and the check of a value against its declaration."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from functools import cache
from numbers import Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

UNNAMED = "(not named)"  # what stands for the paper's value where the paper names none


@dataclasses.dataclass(frozen=True)
class Option:
    """One setting: everything that is said of it, in one place.

    Attributes
    ----------
    name : str
    default : object
    hint : object
        Its type hint.
    types : tuple of types
        What a value may be: of int, float, bool, str and NoneType.
    choices : tuple of str
        The words that it may be; empty where any value of its types will do.
    help : str
        One line of meaning.
    unit : str
        Of a number: ``"px"``, say.
    least, most : float, optional
        Bounds that it may reach.
    above, below : float, optional
        Bounds that it may not reach.
    paper : object
        What the paper names; ``UNNAMED`` where it names nothing.
    names : tuple of str
        On the command line; by default ``--name``. None at all: it is no option there.
    """

    name: str
    default: Any
    types: tuple[type, ...]
    choices: tuple[str, ...] = ()
    help: str = ""
    unit: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    paper: Any = UNNAMED
    names: tuple[str, ...] = ()
    hint: Any = None

    @property
    def kind(self) -> str:
        """What it must be, by its type: ``"a number or none"``."""
        return _either(self.choices) if self.choices else " or ".join(_WORDS[each] for each in self.types)

    @property
    def type_names(self) -> str:
        """The same in Python's words, for a docstring: ``"float or None"``."""
        if self.choices:
            return "{" + ", ".join(map(repr, self.choices)) + "}" + (" or None" if self.optional else "")
        return " or ".join("None" if each is type(None) else each.__name__ for each in self.types)

    @property
    def sentence(self) -> str:
        """Its meaning, with the unit behind it."""
        return f"{self.help.rstrip('.')}, {self.unit}." if self.unit else self.help

    @property
    def optional(self) -> bool:
        """Whether it may be None."""
        return type(None) in self.types

    @property
    def allowed(self) -> str:
        """What it may be, in words: ``"1 or more, 256 at most"``, ``"constant or cosine"``."""
        if self.choices:
            return _either(self.choices)
        bounds = ((self.least, "{:,} or more"), (self.above, "above {:,}"), (self.most, "{:,} at most"),
                  (self.below, "below {:,}"))  # fmt: skip
        return ", ".join(words.format(bound) for bound, words in bounds if bound is not None)


def option(
    default: Any,
    help: str,
    *,
    unit: str = "",
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    paper: Any = UNNAMED,
    names: str | tuple[str, ...] | None = None,
) -> Any:
    """A field of a dataclass that is a setting; its type hint says what it may be.

    Parameters
    ----------
    default : object
    help, unit, least, most, above, below, paper
        See :class:`Option`.
    names : str or tuple of str, optional
        Names on the command line, where ``--its-name`` will not do; an empty tuple keeps it out of there.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Walk:
    ...     speed: float = option(1.3, "How fast people walk.", unit="m/s", above=0)
    ...     way: Literal["left", "right"] = option("left", "Where they turn.")
    ...     def __post_init__(self) -> None:
    ...         check(self)
    >>> Walk(speed=2)
    Walk(speed=2, way='left')
    >>> Walk(speed=-2)
    Traceback (most recent call last):
    ValueError: speed=-2: it must be above 0.
    >>> Walk(way="up")
    Traceback (most recent call last):
    ValueError: way='up': choose left or right.
    """
    said = {"help": help, "unit": unit, "least": least, "most": most, "above": above, "below": below, "paper": paper}
    said["names"] = (names,) if isinstance(names, str) else names
    return dataclasses.field(default=default, metadata={"option": said})


@cache
def own_options(cls: Any) -> Mapping[str, Option]:
    """The settings that a dataclass itself declares, by name and in order; not those of its parts."""
    hints = get_type_hints(cls)
    found = {}
    for field in dataclasses.fields(cls):
        if "option" in field.metadata:
            said = dict(field.metadata["option"])
            if said["names"] is None:
                said["names"] = ("--" + field.name.replace("_", "-"),)
            kinds, choices = _allowed(hints[field.name])
            found[field.name] = Option(field.name, field.default, kinds, choices, hint=hints[field.name], **said)
    return types.MappingProxyType(found)


def check(settings: Any) -> None:
    """Refuse a dataclass of which a setting is not what its declaration allows; for its ``__post_init__``."""
    cls: Any = type(settings)
    for each in own_options(cls).values():
        check_value(each, getattr(settings, each.name))


def check_value(declared: Option, value: Any) -> None:
    """Refuse a value in one sentence that names the setting, the value and what is allowed.

    Examples
    --------
    >>> width = Option("width", 64, (int, type(None)), least=1, most=16_384)
    >>> check_value(width, 64); check_value(width, None)
    >>> check_value(width, 0)
    Traceback (most recent call last):
    ValueError: width=0: it must be 1 or more.
    >>> check_value(width, 10**9)
    Traceback (most recent call last):
    ValueError: width=1000000000: it must be 16384 at most.
    """
    name = declared.name
    if value is None and declared.optional:
        return
    if declared.choices:
        if value not in declared.choices:
            raise ValueError(f"{name}={value!r}: choose {_either(declared.choices)}.")
        return
    if {int, float} & set(declared.types):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ValueError(f"{name}={value!r}: it must be {declared.kind}.")
        _check_bounds(declared, value)


def _check_bounds(declared: Option, value: Any) -> None:
    name = declared.name
    least, most, above, below = declared.least, declared.most, declared.above, declared.below
    inside = (above is None or value > above) and (below is None or value < below)
    if above is not None and below is not None and not inside:
        raise ValueError(f"{name}={value}: it must lie between {above} and {below}.")
    if math.isnan(value) or (least is not None and value < least):
        raise ValueError(f"{name}={value}: it must be {'a number' if least is None else f'{least} or more'}.")
    if most is not None and value > most:
        raise ValueError(f"{name}={value}: it must be {most} at most.")
    if not inside:
        raise ValueError(f"{name}={value}: it must be {f'above {above}' if above is not None else f'below {below}'}.")


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "none"}


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(words) if len(words) == 2 else ", ".join(words)


def _allowed(hint: Any) -> tuple[tuple[type, ...], tuple[str, ...]]:
    """Types and choices of a type hint: a type, a Literal of words, or one of them or None."""
    if get_origin(hint) in (types.UnionType, Union):
        parts = [_allowed(each) for each in get_args(hint)]
        return tuple(kind for kinds, _ in parts for kind in kinds), tuple(word for _, words in parts for word in words)
    if get_origin(hint) is Literal:
        return (str,), get_args(hint)
    return (hint,), ()
