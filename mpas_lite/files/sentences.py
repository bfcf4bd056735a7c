"""Pieces of the sentences that errors are: texts cut short, reasons in one line, what differs between two settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shortened(value: object, longest: int = 60, *, end: int = 0) -> str:
    """A value's text, or of a long one its start and so many characters of its end.

    Examples
    --------
    >>> shortened("as it is"), shortened("a text that goes on and on", 20)
    ('as it is', 'a text that goes ...')
    >>> shortened("/a/long/path/to/clip.mp4", 20, end=8)
    '/a/long/p...clip.mp4'
    """
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 3 - end]}...{text[len(text) - end :]}"


def one_line(error: Exception, longest: int = 200) -> str:
    r"""What an error says, its first so many characters, in one line.

    Examples
    --------
    >>> one_line(ValueError("first\n   second"))
    'first second'
    """
    return " ".join(str(error).split())[:longest]


def reason_of(error: Exception) -> str:
    """What went wrong, in the system's words where it has any."""
    return getattr(error, "strerror", None) or str(error)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two sets of settings, a text each; long values are cut.

    Examples
    --------
    >>> changes({"every": 20, "radius": 5}, {"every": 5, "radius": 5, "k": 20})
    ['every 20 -> 5', 'k None -> 20']
    """
    return [
        f"{name} {shortened(before.get(name))} -> {shortened(now.get(name))}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
