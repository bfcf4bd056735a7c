"""The exercises of the course by their numbers, and what is said of an answer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpas_lite.course.checks.judging import Answer, NotYet

ROOMS = {
    "00": "quickstart",
    "01": "particles",
    "02": "crowd_graph",
    "03": "collectiveness",
    "04": "merging",
    "05": "losses",
    "06": "siamese",
    "07": "beyond",
}  # the file in this folder that knows the exercises of a notebook


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    Attributes
    ----------
    number : str
        Notebook and place in it: ``"02.1"``.
    name : str
        Of the function that is asked for.
    check : callable
        Takes an `Answer`; raises `NotYet` if it is wrong.
    hint : str
        What to do first.
    points : int
        What it is worth.
    """

    number: str
    name: str
    check: Callable[[Answer], None]
    hint: str
    points: int = 2


def exercise(number: str) -> Exercise:
    """The exercise of that number.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = {one.number: one for one in of_notebook(number[:2])}
    if number not in found:
        known = ", ".join(found) or "00.1 ... 07.3"
        raise ValueError(f"There is no exercise {number!r}; there are {known}.")
    return found[number]


def of_notebook(number: str) -> tuple[Exercise, ...]:
    """The exercises of a notebook (``"02"``), in their order; none for one that is not of the course."""
    if number not in ROOMS:
        return ()
    room = importlib.import_module(f"mpas_lite.course.checks.{ROOMS[number]}")
    exercises: tuple[Exercise, ...] = room.EXERCISES
    return exercises


def grade(number: str, answer: Callable[..., Any]) -> int:
    """The points of a right answer; a wrong one raises.

    Parameters
    ----------
    number : str
        Of the exercise, ``"02.1"``.
    answer : callable
        The function that the exercise asks for.

    Raises
    ------
    NotYet
        With one sentence that says what is off.

    Examples
    --------
    >>> grade("04.1", lambda a, b: (a & b).sum() / (a | b).sum() if (a | b).any() else 1)
    2
    """
    asked = exercise(number)
    if not callable(answer):
        raise NotYet(f"{asked.name} should be a function, not {type(answer).__name__}.")
    try:
        asked.check(Answer(answer, asked.name, asked.hint))
    except NotYet as wrong:
        raise NotYet(str(wrong)) from None  # no lines of the check in what a student reads
    return asked.points


def check(number: str, answer: Callable[..., Any]) -> None:
    """Print what there is to say of an answer to an exercise of the notebooks: ``Right!``, or ``Not yet:`` and why.

    Parameters
    ----------
    number : str
        Of the exercise, notebook and place: ``"02.1"``.
    answer : callable
        The function that the exercise asks for.

    Examples
    --------
    >>> check("04.1", lambda a, b: (a == b).mean())
    Not yet: this is the share of pixels on which the masks agree; pixels in neither mask should not count.
    >>> check("04.1", lambda a, b: (a & b).sum() / (a | b).sum() if (a | b).any() else 1)
    Right!
    """
    print(verdict(number, answer))


def verdict(number: str, answer: Callable[..., Any]) -> str:
    """What `check` prints."""
    try:
        grade(number, answer)
    except NotYet as wrong:
        return f"Not yet: {wrong}"
    return "Right!"
