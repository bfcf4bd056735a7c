"""Settings by their own names where a function or a class takes them as whole parts: ``fit(net, pairs, lr=0.01)``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mpas_lite.options.tree import changed, options_of, parts_of

T = TypeVar("T")
R = TypeVar("R")


def takes_options(**parts: type) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Let a function be called with settings by name; it gets them as the parts that they make up.

    The signature and the docstring (its section "Other Parameters") name every setting, so that nothing need be
    written twice. A whole part may be given too, and single settings on top of it.

    Parameters
    ----------
    **parts
        The class of each part, by the argument that takes it. Any of these may be given as a whole, too.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> from mpas_lite.options import option
    >>> Walk = make_dataclass("Walk", [("speed", float, option(1.3, "How fast.", unit="m/s"))], frozen=True)
    >>> @takes_options(walk=Walk)
    ... def go(where, *, walk):
    ...     return f"{where} at {walk.speed}"
    >>> go("home"), go("home", speed=2), go("home", walk=Walk(3))
    ('home at 1.3', 'home at 2', 'home at 3')
    >>> list(inspect.signature(go).parameters)
    ['where', 'speed', 'walk']
    """

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        usual = {name: kind() for name, kind in parts.items()}
        signature = _unfolded(inspect.signature(function), usual)
        rest = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), None)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> R:
            given = _folded(dict(signature.bind(*args, **kwargs).arguments), usual)
            others = given.pop(rest, {}) if rest else {}
            return function(**given, **others)

        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__doc__ = _documented(function.__doc__, usual)
        return call

    return decorate


def flat(cls: type[T]) -> type[T]:
    """Let a dataclass be made, changed and read by the names of its parts' settings.

    Examples
    --------
    >>> from dataclasses import make_dataclass, replace
    >>> from mpas_lite.options import option, part
    >>> Walk = make_dataclass("Walk", [("speed", float, option(1.3, "How fast.", unit="m/s"))])
    >>> Trip = flat(make_dataclass("Trip", [("where", str, option("home", "Where to.")), ("walk", Walk, part(Walk))]))
    >>> Trip(speed=2)
    Trip(where='home', walk=Walk(speed=2))
    >>> replace(Trip("out"), speed=3).speed
    3
    """
    made, hints = cls.__init__, parts_of(cls)
    usual: Mapping[str, Any] = {
        field.name: field.default_factory()
        for field in cls.__dataclass_fields__.values()  # type: ignore[attr-defined]
        if field.name in hints
    }
    signature = _unfolded(inspect.signature(cls), usual)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, **_folded(dict(signature.bind(*args, **kwargs).arguments), usual))

    def getattr_(self: Any, name: str) -> Any:
        for part, kind in hints.items():
            if name in options_of(kind):
                return getattr(getattr(self, part), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    cls.__init__ = init  # type: ignore[method-assign]
    cls.__getattr__ = getattr_  # type: ignore[attr-defined]
    cls.__signature__ = signature  # type: ignore[attr-defined]
    return cls


def _unfolded(signature: inspect.Signature, usual: Mapping[str, Any]) -> inspect.Signature:
    """The signature with the settings of each part in its place, and the parts themselves behind, by keyword."""
    before, behind = [], []
    for name, parameter in signature.parameters.items():
        if name not in usual:
            before.append(parameter)
            continue
        for option in options_of(type(usual[name])).values():
            default = getattr(usual[name], option.name)
            before.append(inspect.Parameter(option.name, parameter.kind, default=default, annotation=option.hint))
        whole = type(usual[name]) | None
        behind.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=whole))
    rest = [before.pop()] if before[-1].kind is inspect.Parameter.VAR_KEYWORD else []
    return signature.replace(parameters=[*before, *behind, *rest])


def _folded(given: dict[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, single settings put into their parts; a part of which nothing was given is the usual one."""
    for name, whole in usual.items():
        its = {key: given.pop(key) for key in options_of(type(whole)) if key in given}
        part = given.pop(name, None) or whole
        given[name] = changed(part, **its) if its else part
    return given


def _documented(doc: str | None, usual: Mapping[str, Any]) -> str:
    """The docstring with a section that tells what each setting means."""
    lines = ["Other Parameters", "----------------"]
    for whole in usual.values():
        for option in options_of(type(whole)).values():
            default = getattr(whole, option.name)
            lines += [f"{option.name} : {option.type_names}, default {default!r}", f"    {option.sentence}"]
    head, line, tail = inspect.cleandoc(doc or "").partition("\nRaises\n------\n")
    return f"{head.rstrip()}\n\n" + "\n".join(lines) + f"\n{line}{tail}"
