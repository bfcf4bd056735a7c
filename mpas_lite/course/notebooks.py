"""The course's notebooks: where they lie, and copies of them for teachers and students.

A student's copy has no outputs and no solutions; an instructor's has them where nbgrader wants them (`course.grading`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mpas_lite.course.grading import instructor_copy, student_copy
from mpas_lite.files.atomic import atomic_write


def notebook_paths() -> list[Path]:
    """Return the notebooks of the course, in order: of the installed package, or of the source tree.

    Raises
    ------
    FileNotFoundError
        If the package was installed without them.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        if found:
            return found
    raise FileNotFoundError("The notebooks are not part of this installation. Install mpas_lite again, from its wheel.")


def copy_notebooks(folder: str | Path, *, student: bool = False, instructor: bool = False) -> list[Path]:
    """Copy the course into a folder, with the pictures in its text.

    Parameters
    ----------
    folder : path
        Made if need be.
    student : bool
        Without outputs and without solutions.
    instructor : bool
        As nbgrader's source: solutions in their places, hidden tests, points.

    Returns
    -------
    list of paths
        The copied notebooks, in the order of the course.

    Raises
    ------
    ValueError
        If a file of such a name is there already and differs: nothing is then copied, nobody's work is lost.
        If both copies are asked for.
    """
    if student and instructor:
        raise ValueError("One folder holds one kind of copy: ask for the students' or for the instructor's.")
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file. Choose a folder for the notebooks.")
    copies = {}
    for path in notebook_paths():
        content = path.read_bytes()
        copies[folder / path.name] = _made(content, student=student, instructor=instructor)
    pictures = {folder / "images" / path.name: path.read_bytes() for path in _pictures()}
    wanted = copies | pictures
    changed = [path for path, content in wanted.items() if os.path.lexists(path) and not _holds(path, content)]
    if changed:
        names = ", ".join(path.name for path in changed)
        raise ValueError(f"{folder} holds other versions of {names}. Choose another folder; nothing was copied.")
    for path, content in wanted.items():
        if not path.exists():
            with atomic_write(path) as temporary:
                temporary.write_bytes(content)
    return list(copies)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


def _made(content: bytes, *, student: bool, instructor: bool) -> bytes:
    """What a notebook is in the kind of copy that is asked for."""
    if student:
        return _as_json(student_copy(json.loads(content)))
    return _as_json(instructor_copy(json.loads(content))) if instructor else content


def _pictures() -> list[Path]:
    """Return the pictures that the notebooks' text shows."""
    return sorted((notebook_paths()[0].parent / "images").glob("*.png"))


def _as_json(notebook: dict[str, Any]) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
