"""nbgrader's whole circle: the instructor's copy, the students' version made of it, submissions, points, feedback.

With notebook 02 as it is, and with the others cut down to their exercises: whole, some would train networks thrice.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from mpas_lite.course.checks import of_notebook
from mpas_lite.course.grading import instructor_copy, role
from mpas_lite.course.notebooks import notebook_paths

pytest.importorskip("nbgrader")
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

PATHS = {path.name[:2]: path for path in notebook_paths()}
ASSIGNMENT = "crowds"
MISTAKES = {  # of each notebook's first exercise: what went through before there were checks
    "00": "return 0.2028125",
    "01": "return np.linalg.norm(velocity, axis=1) * 25 * metres_per_px * 3.6",
    "02": "return sum(product(graph, walk) for walk in walks(graph, start, length))",
    "03": "return z * k * c / (1 - z * k)",
    "04": "return (a == b).mean()",
    "05": "return 0.0",
    "06": 'return torch.einsum("mn,bmhw->bnhw", matrix, f)',
    "07": "values.sort()\n    return values[len(values) // 2]",
}

GIVEN = {  # what the exercises of a notebook take from its other cells, which train a network
    "00": """
video = mp.read_video(mp.sample_path("group_split"))
labels_of = mp.LabelSettings(every=5, radius=5, quality=0.02, min_distance=2.0)
truth = truth_of(video, mp.sample_path("group_split") / "truth" / "crowd")
""",
}


@pytest.fixture(autouse=True)
def _programs(monkeypatch):
    """Nbgrader calls alembic by its name, which lies beside Python where no environment is activated."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)


def source_of(number, *, short):
    """The instructor's copy of a notebook; short: what its exercises need and nothing else."""
    notebook = instructor_copy(json.loads(PATHS[number].read_text(encoding="utf-8")))
    if short:
        imports = [cell for cell in notebook["cells"] if "import mpas_lite as mp" in "".join(cell["source"])]
        kept = [cell for cell in notebook["cells"] if role(cell)[0] or cell["id"].startswith("points")]
        given = [nbformat.v4.new_code_cell(GIVEN[number])] if number in GIVEN else []
        notebook = {**notebook, "cells": imports + given + kept}
    return nbformat.reads(json.dumps(notebook), as_version=4)


def filled(released, source, numbers, mistake=None):
    """A submission: the students' version with these exercises solved, and the first one answered wrongly."""
    submission = nbformat.reads(nbformat.writes(released), as_version=4)
    solutions = {role(cell)[1]: cell.source for cell in source.cells if role(cell)[0] == "exercise"}
    for cell in submission.cells:
        kind, number = role(cell)
        if kind == "exercise" and number in numbers:
            cell.source = solutions[number]
        elif kind == "exercise" and mistake and number.endswith(".1"):
            assert "raise NotImplementedError()" in cell.source
            cell.source = cell.source.replace("raise NotImplementedError()", mistake)
    return submission


def go_round(root, number, *, short):
    """Make, release, hand in, grade and give feedback; return the points of three students, and their notebooks."""
    root.mkdir(exist_ok=True)
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = "course"
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.Execute.timeout = 600
    name, source = PATHS[number].stem, source_of(number, short=short)
    write(source, root / "source" / ASSIGNMENT / f"{name}.ipynb")
    api = NbGraderAPI(config=config)
    done(api.generate_assignment(ASSIGNMENT))
    released = nbformat.read(root / "release" / ASSIGNMENT / f"{name}.ipynb", as_version=4)
    asked = [one.number for one in of_notebook(number)]
    submissions = {
        "ada": filled(released, source, asked),
        "bob": released,
        "cleo": filled(released, source, asked[-1:], MISTAKES[number]),
    }
    graded, points = {}, {}
    for student, submission in submissions.items():
        write(submission, root / "submitted" / student / ASSIGNMENT / f"{name}.ipynb")
        done(api.autograde(ASSIGNMENT, student))
        done(api.generate_feedback(ASSIGNMENT, student))
        assert (root / "feedback" / student / ASSIGNMENT / f"{name}.html").stat().st_size > 10_000
        graded[student] = nbformat.read(root / "autograded" / student / ASSIGNMENT / f"{name}.ipynb", as_version=4)
    with Gradebook(config.CourseDirectory.db_url) as book:
        for student in submissions:
            points[student] = book.find_submission_notebook(name, ASSIGNMENT, student).score
    return released, graded, points


def write(notebook, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def done(result):
    assert result["success"], (result.get("error"), result.get("log"))


def hold_to_account(number, released, graded, points):
    asked = of_notebook(number)
    assert points == {"ada": sum(one.points for one in asked), "bob": 0, "cleo": asked[-1].points}
    text = "\n".join(cell.source for cell in released.cells)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    assert "grade(" not in text
    for student, notebook in graded.items():
        for cell in notebook.cells:
            errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
            if errors:  # nothing else stops: Run All goes through
                assert cell.metadata.nbgrader.grade, f"{student}: {cell.source}"
                assert errors[0].ename == "NotYet"
    said = "\n".join(out.text for cell in graded["bob"].cells for out in cell.get("outputs", []) if "text" in out)
    assert said.count("returns nothing yet; ") == len(asked)


@pytest.mark.slow
@pytest.mark.parametrize("number", [number for number in PATHS if number != "02"])
def test_the_circle_with_the_exercises_alone(number, tmp_path):
    hold_to_account(number, *go_round(tmp_path / "course", number, short=True))


@pytest.mark.slow
@pytest.mark.parametrize("number", ["02"])
def test_the_circle_with_the_whole_notebook(number, tmp_path):
    hold_to_account(number, *go_round(tmp_path / "course", number, short=False))
    shutil.rmtree(tmp_path)


def test_ids_and_points_are_unique_and_stable():
    names = []
    for number in PATHS:
        for cell in source_of(number, short=False).cells:
            if "nbgrader" in cell.metadata:
                names.append(cell.metadata.nbgrader.grade_id)
                assert cell.id == cell.metadata.nbgrader.grade_id
    assert len(set(names)) == len(names)
    assert {"exercise-02-1", "points-02-1", "exercise-07-3", "points-07-3"} <= set(names)
