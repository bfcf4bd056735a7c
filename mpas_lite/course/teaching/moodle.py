"""The quiz as a question bank for Moodle, in its GIFT format: ``python -m mpas_lite.course.teaching.moodle FOLDER``.

In Moodle: Question bank, Import, GIFT format. Each notebook is a category; answers are shuffled; whoever takes a wrong
answer reads why it tempts.
"""

from __future__ import annotations

import argparse
import html
import re
from pathlib import Path

from mpas_lite.course.checks.exercises import ROOMS
from mpas_lite.course.notes.reading import Notes, Question, read_notes
from mpas_lite.files.atomic import atomic_write

HEAD = "// mpas_lite, quiz of notebook"
_SPECIAL = re.compile(r"([\\~=#{}:])")


def gift(notes: Notes) -> str:
    """The quiz of a notebook in GIFT."""
    questions = [_question(f"{notes.number}.{n:02d}", one) for n, one in enumerate(notes.quiz, start=1)]
    return f"{HEAD} {notes.number}\n\n$CATEGORY: mpas_lite/{notes.number}\n\n" + "\n\n".join(questions) + "\n"


def _question(name: str, one: Question) -> str:
    lines = [f"::{_SPECIAL.sub(_escaped, name)}::[html]{as_gift(one.question)}{{"]
    lines.append(f"\t={as_gift(one.answer)}#{as_gift(one.why)}")
    lines += [f"\t~{as_gift(wrong)}#{as_gift(reason)}" for wrong, reason in one.distractors]
    return "\n".join([*lines, "}"])


def as_gift(text: str) -> str:
    r"""A Markdown text as HTML in which what GIFT would read as its own signs is escaped.

    Examples
    --------
    >>> print(as_gift("Is $a = 1$ in `f`?"))
    Is \\(a \= 1\\) in <code>f</code>?
    """
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\$([^$]+)\$", r"\\(\1\\)", text)
    return _SPECIAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[1]}"


def main() -> None:
    """Write a file for each notebook."""
    parser = argparse.ArgumentParser("python -m mpas_lite.course.teaching.moodle", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; made if need be")
    folder = parser.parse_args().folder
    for number in ROOMS:
        target = folder / f"quiz_{number}.gift.txt"
        with atomic_write(target, ours=lambda path: path.read_bytes().startswith(HEAD.encode())) as temporary:
            temporary.write_text(gift(read_notes(number)), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
