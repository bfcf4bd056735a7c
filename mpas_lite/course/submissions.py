"""Points for a folder of submitted notebooks, for teachers without nbgrader."""

from __future__ import annotations

import copy
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from mpas_lite.course.checks.exercises import Exercise, of_notebook

_MARK = "mpas_lite points:"


@dataclass(frozen=True)
class Points:
    """What one student has for one exercise.

    Attributes
    ----------
    student : str
        The submission's folder, or its file's name where it lies in none.
    notebook : str
        The file.
    exercise : str
        ``"02.1"``.
    points, of : int
        What it got, and what it is worth.
    said : str
        ``Right!``, or what is off.
    """

    student: str
    notebook: str
    exercise: str
    points: int
    of: int
    said: str


def check_submissions(folder: str | Path, *, timeout: int = 600) -> Iterator[Points]:
    """Run the notebooks of a folder, one after the other, and grade their exercises.

    **This runs what students wrote**, as whoever calls it: on a machine where that does no harm.

    Parameters
    ----------
    folder : path
        A folder for each student with notebooks of the course in it, or notebooks side by side.
    timeout : int
        Seconds that a cell may take.

    Yields
    ------
    Points
        One for each exercise of each notebook.

    Raises
    ------
    ValueError
        If there is no notebook of the course in the folder.
    ModuleNotFoundError
        If nbclient is not installed, which runs notebooks.
    """
    import nbformat

    folder = Path(folder)
    found = 0
    for path in sorted(folder.rglob("*.ipynb")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # what Jupyter saves beside
        try:
            notebook = nbformat.read(path, as_version=4)
        except Exception:  # not a notebook, whatever its name is: nbformat raises many things
            continue
        asked = exercises_in(notebook)
        found += bool(asked)
        student, *rest = path.relative_to(folder).parts
        if asked:
            said = _said(notebook, asked, path.parent, timeout)
            for one in asked:
                points = one.points if said[one.number] == "Right!" else 0
                name = student if rest else path.stem
                yield Points(name, path.name, one.number, points, one.points, said[one.number])
    if not found:
        raise ValueError(f"{folder} holds no notebook with exercises of the course.")


def exercises_in(notebook: Any) -> list[Exercise]:
    """The exercises that a notebook (of nbformat) asks for, told by its calls of ``mp.check``; none may be left out."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    numbers = dict.fromkeys(re.findall(r'\bmp\.check\("(\d\d)\.\d"', text))
    return [one for number in numbers for one in of_notebook(number)]


def as_csv(rows: Iterable[Points]) -> str:
    """The rows as CSV, with a first line of names."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([field.name for field in fields(Points)])
    writer.writerows(astuple(row) for row in rows)
    return file.getvalue()


def _said(notebook: Any, asked: list[Exercise], place: Path, timeout: int) -> dict[str, str]:
    """What there is to say of each exercise, after a run in which no error stops the cells that follow."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    graded = with_verdicts(notebook, asked)
    client = NotebookClient(
        graded, timeout=timeout, allow_errors=True, resources={"metadata": {"path": str(place)}}, kernel_name="python3"
    )
    stopped = ""
    try:
        client.execute()
    except CellTimeoutError:
        stopped = f"a cell before it took longer than {timeout} seconds, and the run was stopped."
    except DeadKernelError:
        stopped = "the notebook's process died on the way, perhaps for want of memory."
    return {one.number: _verdict(graded, one, stopped) for one in asked}


def with_verdicts(notebook: Any, asked: list[Exercise]) -> Any:
    """A copy of a notebook with a cell behind each function that is asked for, which says how good it is."""
    from nbformat.v4 import new_code_cell

    graded = copy.deepcopy(notebook)
    for one in asked:
        source = (
            "from mpas_lite.course.checks import verdict\n"
            f'print("{_MARK}", verdict("{one.number}", {one.name}), sep="")'
        )
        cell = new_code_cell(source, metadata={"mpas_lite": one.number})
        definition = re.compile(rf"^(?:def {one.name}\(|{one.name}\s*=)", re.MULTILINE)
        places = [i for i, c in enumerate(graded.cells) if c.cell_type == "code" and definition.search(c.source)]
        graded.cells.insert(places[-1] + 1 if places else len(graded.cells), cell)
    return graded


def _verdict(graded: Any, one: Exercise, stopped: str) -> str:
    cell = next(cell for cell in graded.cells if cell.metadata.get("mpas_lite") == one.number)
    text = "".join(out.text for out in cell.get("outputs", []) if out.get("name") == "stdout")
    if _MARK in text:
        return text.rpartition(_MARK)[2].strip()
    errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
    if errors and errors[0].ename == "NameError":
        return f"Not yet: there is no function {one.name}, or its cell stopped."
    return f"Not yet: {stopped or 'its check could not be run.'}"
