"""Copies of a notebook for teachers and students, as nbgrader wants them; and points without nbgrader.

Each exercise of a notebook has four cells, told by their ids (`notebooks/build.py` gives them): ``exercise-02-1``, the
place to write; ``check-02-1``, which says `Right!` or what is off; ``solution-text-02-1`` and ``solution-02-1``.
"""

from __future__ import annotations

import re
from typing import Any

from mpas_lite.course.checks.exercises import Exercise, exercise
from mpas_lite.course.notes.reading import as_lines, read_notes

Cell = dict[str, Any]
Notebook = dict[str, Any]

_ROLE = re.compile(r"(exercise|check|solution-text|solution)-(\d\d)-(\d)$")
_SOLUTION = re.compile(r"^### BEGIN SOLUTION\n(.*?)^### END SOLUTION$", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS$\n?", re.MULTILINE | re.DOTALL)


def role(cell: Cell) -> tuple[str, str]:
    """What a cell is to which exercise, ``("solution", "02.1")``; two empty strings if it belongs to none."""
    found = _ROLE.match(cell.get("id", ""))
    return (found[1], f"{found[2]}.{found[3]}") if found else ("", "")


def student_copy(notebook: Notebook) -> Notebook:
    r"""Return a notebook (parsed JSON) without outputs and solutions, in code and in text; the old one stays.

    Locked cells for the points are there, with nothing in them: nbgrader puts the tests back when it grades.

    Examples
    --------
    >>> stub = {"id": "exercise-04-1", "cell_type": "code", "source": "def my_iou(a, b): ...", "outputs": [1]}
    >>> text = {"id": "solution-text-04-1", "cell_type": "markdown", "source": "Count."}
    >>> [cell["id"] for cell in student_copy({"cells": [stub, text]})["cells"]]
    ['exercise-04-1']
    """
    cells = []
    for cell in notebook["cells"]:
        kind, number = role(cell)
        if kind.startswith("solution") or "### BEGIN SOLUTION" in _text(cell):  # also one of a lecturer's own
            continue
        cell = _without_output(cell)
        if kind == "exercise":
            cell = _with_grading(cell, number, solution=True)
        cells.append(cell)
        if kind == "check":
            graded = _graded(exercise(number))
            cells.append({**graded, "source": _HIDDEN.sub("", graded["source"]).rstrip()})
    return {**notebook, "cells": cells}


def instructor_copy(notebook: Notebook) -> Notebook:
    """Return a notebook (parsed JSON) as nbgrader's source: solutions in their places, hidden tests, points, notes.

    The text of a solution stands as a comment within it. ``nbgrader generate_assignment`` makes the students' version
    of it. Outputs of the other cells are kept. The second cell has the teaching notes, as a hidden test without points:
    students get them with their feedback, and not before.
    """
    solutions: dict[str, str] = {}
    texts: dict[str, str] = {}
    for cell in notebook["cells"]:
        kind, number = role(cell)
        if kind == "solution":
            solutions[number] = _text(cell)
        elif kind == "solution-text":
            texts[number] = _text(cell)
    cells = []
    for cell in notebook["cells"]:
        kind, number = role(cell)
        if kind.startswith("solution"):
            continue
        if kind == "exercise":
            source = _filled(_text(cell), solutions[number], texts.get(number, ""), exercise(number).name)
            cell = _with_grading({**_without_output(cell), "source": source}, number, solution=True)
        cells.append(_without_output(cell) if kind == "check" else cell)
        if kind == "check":
            cells.append(_graded(exercise(number)))
    numbers = sorted({number[:2] for number in solutions})
    return {**notebook, "cells": [*cells[:1], *(_notes(number) for number in numbers), *cells[1:]]}


def _text(cell: Cell) -> str:
    return "".join(cell["source"])


def _without_output(cell: Cell) -> Cell:
    return {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell


def _filled(stub: str, solution: str, text: str, name: str) -> str:
    """The stub's cell with the solution in its function, between the marks that nbgrader cuts at.

    What the stub says in comments stays with the students; other functions of the cell stay as they are.
    """
    place = re.compile(rf"^(def {name}\(.*?\):)([^\n]*\n(?:[ \t]+[^\n]*(?:\n|$)|\n(?=[ \t]))*|[^\n]*$)", re.MULTILINE)
    inner = _SOLUTION.search(solution)
    of_stub, of_solution = place.search(stub), place.search(inner[1] if inner else solution)
    if of_stub is None or of_solution is None:
        raise ValueError(f"The function {name} is not in the cells of its exercise and its solution.")
    hints = [line for line in of_stub[2].splitlines() if line.strip().startswith("#")]
    prose = [line for line in text.replace("**Solution.** ", "").splitlines() if line.strip() and line[0] != "#"]
    body = of_solution[2].strip("\n")
    lines = [of_solution[1], *hints, "    ### BEGIN SOLUTION", *(f"    # {line}" for line in prose)]
    return stub[: of_stub.start()] + "\n".join([*lines, body, "    ### END SOLUTION"]) + stub[of_stub.end() :]


def _with_grading(cell: Cell, number: str, **what: Any) -> Cell:
    nbgrader = {
        "grade": False,
        "grade_id": f"exercise-{number.replace('.', '-')}",
        "locked": False,
        "schema_version": 3,
        "solution": False,
        "task": False,
        **what,
    }
    return {**cell, "metadata": {**cell.get("metadata", {}), "nbgrader": nbgrader}}


def _graded(asked: Exercise) -> Cell:
    """A locked cell that raises for a wrong answer, and its points."""
    first = f"# Exercise {asked.number}, {asked.name}: {asked.points} points."
    tests = f'from mpas_lite.course.checks import grade\ngrade("{asked.number}", {asked.name});'
    return _locked(f"points-{asked.number.replace('.', '-')}", first, tests, asked.points)


def _notes(number: str) -> Cell:
    """A locked cell without points, whose comments are the teaching notes."""
    lines = [f"# {line}".rstrip() for line in as_lines(read_notes(number))]
    return _locked(
        f"notes-{number}", "# Notes on this notebook will be here when you get your feedback.", "\n".join(lines), 0
    )


def _locked(name: str, first: str, hidden: str, points: int) -> Cell:
    """A cell of which students see the first line until they get their feedback."""
    source = f"{first}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    cell = {"cell_type": "code", "id": name, "metadata": {}, "source": source}
    return _with_grading(_without_output(cell), "", grade=True, locked=True, grade_id=name, points=points)
