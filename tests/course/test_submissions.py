"""Copies for students and instructors, and points for a folder of submissions without nbgrader."""

import csv
import io
import json

import nbformat
import pytest
from click.testing import CliRunner

from mpas_lite.cli import cli
from mpas_lite.course.checks import of_notebook
from mpas_lite.course.grading import instructor_copy, role, student_copy
from mpas_lite.course.notebooks import copy_notebooks, notebook_paths
from mpas_lite.course.submissions import Points, as_csv, check_submissions, exercises_in, with_verdicts

pytestmark = pytest.mark.slow

PATHS = {path.name[:2]: path for path in notebook_paths()}
every_notebook = pytest.mark.parametrize("number", PATHS)


def parsed(number):
    return json.loads(PATHS[number].read_text(encoding="utf-8"))


def sources(notebook):
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"])


@every_notebook
def test_each_exercise_has_its_four_cells(number):
    found = [role(cell) for cell in parsed(number)["cells"] if role(cell)[0]]
    kinds = ("exercise", "check", "solution-text", "solution")
    assert found == [(kind, one.number) for one in of_notebook(number) for kind in kinds]


@every_notebook
def test_the_students_copy_tells_no_solution(number):
    notebook = parsed(number)
    copy = student_copy(notebook)
    text = sources(copy)
    for cell in notebook["cells"]:
        if role(cell)[0].startswith("solution"):
            assert "".join(cell["source"]) not in text
    for word in ("SOLUTION", "HIDDEN", "solution of", "Solution", "teacher's copy", "grade("):
        assert word not in text
    graded = [cell for cell in copy["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    assert [cell["metadata"]["nbgrader"]["points"] for cell in graded] == [one.points for one in of_notebook(number)]
    assert all(cell["metadata"]["nbgrader"]["locked"] for cell in graded)
    nbformat.validate(nbformat.from_dict(copy))


@every_notebook
def test_the_instructors_copy_has_solutions_within_the_stubs(number):
    notebook = parsed(number)
    before = json.dumps(notebook)
    copy = instructor_copy(notebook)
    assert json.dumps(notebook) == before
    cells = {cell["id"]: cell for cell in copy["cells"]}
    for one in of_notebook(number):
        place = one.number.replace(".", "-")
        stub, tests = cells[f"exercise-{place}"], cells[f"points-{place}"]
        assert stub["metadata"]["nbgrader"]["solution"]
        assert f"def {one.name}(" in stub["source"].partition("### BEGIN SOLUTION")[0]
        compile(stub["source"], one.number, "exec")
        assert (
            tests["metadata"]["nbgrader"] | {"points": one.points, "grade": True, "locked": True}
            == (tests["metadata"]["nbgrader"])
        )
        assert f'grade("{one.number}", {one.name})' in tests["source"]
    assert not [name for name in cells if name.startswith("solution")]
    nbformat.validate(nbformat.from_dict(copy))


def test_the_text_of_a_solution_is_a_comment_in_the_instructors_copy():
    text = sources(instructor_copy(parsed("03")))
    assert "    # Four groups at the corners of a large square, each with its own direction." in text


def test_the_command_line_makes_either_copy(tmp_path):
    for option in ("--student", "--instructor"):
        result = CliRunner().invoke(cli, ["notebooks", str(tmp_path / option), option])
        assert result.exit_code == 0, result.output
        assert len(list((tmp_path / option).glob("*.ipynb"))) == len(PATHS)
    with pytest.raises(ValueError, match="One folder holds one kind of copy"):
        copy_notebooks(tmp_path, student=True, instructor=True)
    wrong = CliRunner().invoke(cli, ["notebooks", str(tmp_path), "--student", "--check"])
    assert wrong.exit_code == 2
    assert "--check grades a folder that is there" in wrong.output


def submission(**bodies):
    """A short notebook that asks for the exercises of 04, with these answers."""
    cells = [nbformat.v4.new_code_cell("import numpy as np\nimport mpas_lite as mp")]
    for one in of_notebook("04"):
        if one.name in bodies:
            cells.append(nbformat.v4.new_code_cell(bodies[one.name]))
        cells.append(nbformat.v4.new_code_cell(f'mp.check("{one.number}", {one.name})'))
    return nbformat.v4.new_notebook(cells=cells)


IOU = "def my_iou(a, b):\n    return mp.iou(a, b)"
ACCURACY = "def my_iou(a, b):\n    return (a == b).mean()"
CHEAT = "def my_iou(a, b):\n    print('mpas_lite points:Right!')\n    return 0.0"


def test_a_folder_of_submissions_is_graded(tmp_path):
    for name, bodies in {
        "ada": {"my_iou": IOU, "merge": "def merge(position, radius, shape):\n    ...", "best_radius": "1 / 0"},
        "bob": {"my_iou": ACCURACY},
        "eve": {"my_iou": CHEAT},
    }.items():
        (tmp_path / name).mkdir()
        nbformat.write(submission(**bodies), tmp_path / name / "homework.ipynb")
    (tmp_path / "ada" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "ada" / ".ipynb_checkpoints" / "homework.ipynb").write_bytes(
        (tmp_path / "ada" / "homework.ipynb").read_bytes()
    )
    (tmp_path / "notes.ipynb").write_text("no notebook")
    result = CliRunner().invoke(cli, ["notebooks", "--check", str(tmp_path)])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.output)))
    points = {(row["student"], row["exercise"]): (int(row["points"]), int(row["of"])) for row in rows}
    assert len(rows) == len(points) == 9
    assert points["ada", "04.1"] == (2, 2)
    assert sum(got for got, _ in points.values()) == 2
    said = {(row["student"], row["exercise"]): row["said"] for row in rows}
    assert said["ada", "04.1"] == "Right!"
    assert "merge returns nothing yet" in said["ada", "04.2"]
    assert said["ada", "04.3"] == "Not yet: there is no function best_radius, or its cell stopped."
    assert "share of pixels on which the masks agree" in said["bob", "04.1"]
    assert said["eve", "04.1"].startswith("Not yet: ")


def test_a_cell_that_never_ends_costs_its_notebook_only(tmp_path):
    nbformat.write(submission(my_iou=IOU + "\nwhile True:\n    pass"), tmp_path / "ada.ipynb")
    rows = list(check_submissions(tmp_path, timeout=3))
    assert [row.points for row in rows] == [0, 0, 0]
    assert {row.student for row in rows} == {"ada"}
    assert "took longer than 3 seconds" in rows[0].said


def test_no_submissions_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="holds no notebook with exercises of the course"):
        list(check_submissions(tmp_path))


def test_an_exercise_that_was_deleted_still_counts():
    notebook = submission()
    notebook.cells = notebook.cells[:2]
    assert [one.number for one in exercises_in(notebook)] == ["04.1", "04.2", "04.3"]
    assert len(with_verdicts(notebook, list(of_notebook("04"))).cells) == 5
    assert len(notebook.cells) == 2


def test_the_csv_quotes_what_needs_it():
    row = Points("Lovelace, Ada", "a.ipynb", "04.1", 0, 2, 'Not yet: "no", it is not.')
    assert next(csv.DictReader(io.StringIO(as_csv([row]))))["student"] == "Lovelace, Ada"
