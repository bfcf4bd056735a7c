"""Teaching notes of a notebook, as its TOML file has them."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Question:
    """A question of the quiz, with one right answer and three that tempt.

    Attributes
    ----------
    question, answer : str
        In Markdown, with formulas between dollars.
    why : str
        Why the answer is right.
    distractors : tuple of (str, str)
        A wrong answer, and why one takes it.
    check : str
        A Python expression that is true if the answer's number is right; empty for answers without a number.
    """

    question: str
    answer: str
    why: str
    distractors: tuple[tuple[str, str], ...]
    check: str = ""


@dataclass(frozen=True)
class Discussion:
    """A question to talk about, and what there is to say.

    Attributes
    ----------
    asked : str
        The question; as the notebook asks it, where it does.
    answer : str
        With what we measured.
    """

    asked: str
    answer: str


@dataclass(frozen=True)
class Misconception:
    """What one may believe, how it shows in an exercise, and what to reply.

    Attributes
    ----------
    exercise : str
        ``"02.1"``.
    belief : str
        What the student thinks.
    says : str
        A part of the sentence that the exercise's check has for it.
    reply : str
        What to say or to show.
    """

    exercise: str
    belief: str
    says: str
    reply: str


@dataclass(frozen=True)
class Notes:
    """All notes of a notebook.

    Attributes
    ----------
    number : str
        Of the notebook, ``"02"``.
    objectives : tuple of str
        What students can do afterwards; each goes on from "You can".
    quiz : tuple of Question
    discussion : tuple of Discussion
    misconceptions : tuple of Misconception
    """

    number: str
    objectives: tuple[str, ...]
    quiz: tuple[Question, ...]
    discussion: tuple[Discussion, ...]
    misconceptions: tuple[Misconception, ...]


def read_notes(number: str) -> Notes:
    """The notes of the notebook of that number.

    Raises
    ------
    ValueError
        If there are none, or a part of them has a key that it should not have, or lacks one.

    Examples
    --------
    >>> len(read_notes("02").quiz)
    10
    """
    if not (FOLDER / f"{number}.toml").is_file():
        raise ValueError(f"There are no teaching notes for a notebook {number!r}; there are 00 to 07.")
    content = read_toml(number)
    return Notes(
        number,
        tuple(content["objectives"]),
        tuple(_part(Question, item, number) for item in content["quiz"]),
        tuple(_part(Discussion, item, number) for item in content["discussion"]),
        tuple(_part(Misconception, item, number) for item in content["misconceptions"]),
    )


def as_lines(notes: Notes, width: int = 110) -> list[str]:
    """The notes without the quiz, as lines of plain text."""
    text = [f"Notes on notebook {notes.number}", "", "What one can do afterwards"]
    text += [f"- {one}" for one in notes.objectives]
    text += ["", "To talk about"]
    text += [line for one in notes.discussion for line in (f"- {one.asked}", f"  {one.answer}")]
    text += ["", "What many believe, what the check says to that, and what there is to reply"]
    for one in notes.misconceptions:
        text += [f"- {one.exercise}: {one.belief}", f"  It says: {one.says}", f"  {one.reply}"]
    return [part for line in text for part in textwrap.wrap(line, width, subsequent_indent="  ") or [""]]


def read_toml(name: str) -> dict[str, Any]:
    """A file of this folder."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _part(kind: type[_Part], item: dict[str, Any], number: str) -> _Part:
    """A part from its table in TOML; lines of text are joined, lists become tuples."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := set(item) - known:
        raise ValueError(f"{number}.toml: {kind.__name__} has no {', '.join(sorted(unknown))}.")
    try:
        return kind(**{name: _plain(value) for name, value in item.items()})
    except TypeError as error:
        raise ValueError(f"{number}.toml: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(one) for one in value)
    return " ".join(value.split()) if isinstance(value, str) else value
