"""How many minutes a notebook takes a student who meets it for the first time, section by section.

An estimate from what is on the page: words, formulas, lines of code, pictures, explorers and exercises, each at a pace
of its own (`Pace`). Parts under a heading that ends in ``(bonus)`` are counted apart. ``python -m
mpas_lite.course.minutes`` prints a table of the course.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mpas_lite.course.checks.exercises import exercise
from mpas_lite.course.grading import role
from mpas_lite.course.notebooks import notebook_paths

Cell = dict[str, Any]
Notebook = dict[str, Any]

_HEADING = re.compile(r"^(#{1,6}) +(.*?) *$")
_DISPLAYED = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_INLINE = re.compile(r"\$[^$]+\$")
_ADDRESS = re.compile(r"\]\([^)]*\)")
_STATED = re.compile(r"\*\*Time:(?:\*\*)? *(\d+) minutes")


@dataclass(frozen=True)
class Pace:
    """How fast a student goes on.

    Adults read prose for understanding at about 240 words a minute (Brysbaert, J. Memory and Language 109, 2019), and
    at about 140 to 200 when they are to learn and remember it (Carver, J. Reading 36, 1992). These pages are dense
    and each paragraph points at a picture or a formula, so we take the slow end. The other paces are our judgement.

    Attributes
    ----------
    words : float
        Words a minute; a formula within a line is a word.
    formulas : float
        Displayed formulas a minute.
    lines : float
        Lines of code a minute: read, not studied.
    pictures : float
        Pictures a minute.
    explorer : float
        Minutes with an explorer, its sliders tried.
    point : float
        Minutes for a point of an exercise; a tag ``minutes-12`` on the exercise's cell says otherwise.
    """

    words: float = 130.0
    formulas: float = 2.0
    lines: float = 20.0
    pictures: float = 2.0
    explorer: float = 2.0
    point: float = 3.0


@dataclass(frozen=True)
class Section:
    """One section (``##``) of a notebook, and what there is in it to do.

    Attributes
    ----------
    title : str
        Of its heading, without the marks; of the notebook, for what comes before the first section.
    minutes : float
        On the way through, without what is marked as bonus.
    bonus : float
        Minutes of what is.
    """

    title: str
    minutes: float
    bonus: float


def sections(notebook: Notebook, pace: Pace | None = None) -> list[Section]:
    r"""The sections of a notebook (parsed JSON) with their minutes, in order.

    Solutions and the list of further reading count nothing.

    Examples
    --------
    >>> text = {"cell_type": "markdown", "source": "## One\nFour words are here.\n## Two (bonus)\nThree more words."}
    >>> [(part.title, part.minutes, part.bonus) for part in sections({"cells": [text]}, Pace(words=1))]
    [('One', 4.0, 0.0), ('Two', 0.0, 3.0)]
    """
    pace = pace or Pace()
    found: list[Section] = []
    bonus = 0  # the level of the heading under which all is bonus, 0 outside

    def add(minutes: float) -> None:
        if not found:
            found.append(Section("", 0.0, 0.0))
        last = found[-1]
        plus = (0.0, minutes) if bonus else (minutes, 0.0)
        found[-1] = Section(last.title, last.minutes + plus[0], last.bonus + plus[1])

    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if role(cell)[0].startswith("solution") or "### BEGIN SOLUTION" in text:
            continue
        if cell["cell_type"] == "code":
            add(_of_code(cell, text, pace))
        elif cell["cell_type"] == "markdown":
            for level, title, body in _parts(text):
                if level and (not bonus or level <= bonus):
                    bonus = level if title.endswith("(bonus)") else 0
                if level in (1, 2):
                    found.append(Section(title.removesuffix("(bonus)").strip(), 0.0, 0.0))
                if title.lower() != "further reading":
                    add(_of_text(body, pace))
    return [part for part in found if part.minutes or part.bonus]


def total(notebook: Notebook, pace: Pace | None = None) -> tuple[float, float]:
    """Minutes of a whole notebook: of the way through, and of what is bonus."""
    parts = sections(notebook, pace)
    return sum(part.minutes for part in parts), sum(part.bonus for part in parts)


def stated(notebook: Notebook) -> int | None:
    """The minutes that the notebook's first cell states, or None."""
    found = _STATED.search("".join(notebook["cells"][0]["source"]))
    return int(found[1]) if found else None


def table() -> str:
    """A table in Markdown: each notebook's sections with their minutes, and what the notebook states."""
    lines = ["| notebook, section | minutes | bonus | stated |", "|:--|--:|--:|--:|"]
    for path in notebook_paths():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        way, bonus = total(notebook)
        lines.append(f"| **{path.stem}** | **{way:.0f}** | **{bonus:.0f}** | **{stated(notebook)}** |")
        lines += [f"| {part.title} | {part.minutes:.1f} | {part.bonus:.1f} | |" for part in sections(notebook)]
    return "\n".join(lines)


def _parts(text: str) -> list[tuple[int, str, str]]:
    """Level and title of each heading of a Markdown cell with what follows it; level 0 for what comes before."""
    parts: list[tuple[int, str, list[str]]] = [(0, "", [])]
    fenced = False
    for line in text.splitlines():
        if line.startswith("[!["):  # a badge
            continue
        fenced ^= line.startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading:
            parts.append((len(heading[1]), heading[2], [heading[2]] if len(heading[1]) > 2 else []))
        else:
            parts[-1][2].append(line)
    return [(level, title, "\n".join(body)) for level, title, body in parts if level or "".join(body).strip()]


def _of_text(text: str, pace: Pace) -> float:
    formulas = len(_DISPLAYED.findall(text))
    plain = _ADDRESS.sub("]", _INLINE.sub(" formula ", _DISPLAYED.sub(" ", text)))
    pictures = plain.count("![")
    words = sum(any(sign.isalnum() for sign in word) for word in plain.split())
    return words / pace.words + formulas / pace.formulas + pictures / pace.pictures


def _of_code(cell: Cell, text: str, pace: Pace) -> float:
    lines = sum(bool(line.strip()) for line in text.splitlines())
    pictures = text.count("show_with_alt(")
    explorers = len(re.findall(r"\.show\(", text))
    minutes = lines / pace.lines + pictures / pace.pictures + explorers * pace.explorer
    kind, number = role(cell)
    if kind == "exercise":
        tags = cell.get("metadata", {}).get("tags", [])
        own = [float(tag.removeprefix("minutes-")) for tag in tags if re.fullmatch(r"minutes-\d+", tag)]
        minutes += own[0] if own else pace.point * exercise(number).points
    return minutes


if __name__ == "__main__":
    print(table())
