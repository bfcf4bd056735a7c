"""The course holds together: sources and notebooks, exercises, links, the address, the copies.

The convention of an exercise N of notebook NN, which `notebooks/build.py` and these tests hold every notebook to:

1. a stub, a function that returns ``...`` (or None) and runs without error;
2. a cell with ``mp.check("NN.N", stub)``, which prints ``Not yet: `` and a sentence for the untouched stub;
3. the solution's text, a markdown cell of its own;
4. a cell between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` with the function again and the same ``mp.check``,
   which prints ``Right!``.

What the checks know of right and wrong answers is tested in `test_checks`, the copies for students and nbgrader in
`test_submissions` and `test_nbgrader`.

nbval runs every notebook afresh and compares these answers, as their cells carry the tag `nbval-check-output`.
"""

import html
import re
import sys

import jupytext
import nbformat
import pytest

from mpas_lite.course.checks import of_notebook
from mpas_lite.course.grading import student_copy
from mpas_lite.course.minutes import stated, total
from mpas_lite.course.notebooks import copy_notebooks, notebook_paths
from tests.helpers import ROOT, notebooks_build

FOLDER = ROOT / "notebooks"
build = notebooks_build()
NAMES = [path.stem for path in build.source_paths()]
every_notebook = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def notebook(name):
    """The executed notebook of that name."""
    path = FOLDER / f"{name}.ipynb"
    assert path.exists(), f"run: python notebooks/build.py {name[:2]}"
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_course_is_complete_and_in_order():
    assert [path.stem for path in notebook_paths()] == NAMES
    assert [name[:2] for name in NAMES] == [f"{n:02d}" for n in range(8)]


@every_notebook
def test_source_and_notebook_are_one(name, notebook):
    expected = build.converted(FOLDER / f"{name}.py").cells
    found = notebook.cells
    rebuild = f"run: python notebooks/build.py {name[:2]}"
    assert len(found) == len(expected), rebuild
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.cell_type == other.cell_type, f"cell {number}; {rebuild}"
        assert one.source == other.source, f"cell {number}; {rebuild}"
        assert one.metadata == other.metadata, f"cell {number}; {rebuild}"


@every_notebook
def test_every_cell_ran_once_in_order_and_without_complaint(name, notebook):
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert build.fault(cell) is None, cell.source


@every_notebook
def test_nothing_volatile_is_kept(name, notebook):
    assert notebook.metadata == build.METADATA
    assert not [cell for cell in notebook.cells if set(cell.metadata) - {"tags"}]
    assert not [out for cell in code_cells(notebook) for out in cell.outputs if build.WIDGET in out.get("data", {})]
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 4_000_000


@every_notebook
def test_every_picture_has_alternative_text(name, notebook):
    """In the HTML itself, where screen readers find it, and in the metadata for whoever converts the notebook."""
    pictures = 0
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            assert not [kind for kind in data if kind.startswith("image/")], f"{cell.id}: end it with show_with_alt"
            if "<img" in data.get("text/html", ""):
                alt = output.metadata["text/html"]["alt"]
                assert len(alt) > 30, cell.id
                assert f'alt="{html.escape(alt)}"' in data["text/html"]
                assert data["text/plain"] == alt
                pictures += 1
    assert pictures >= 2


@every_notebook
def test_badge_then_what_and_for_how_long_then_guarded_install(name, notebook):
    first, *rest = notebook.cells
    badge = build.badge(name, build.addresses())
    if badge:
        assert first.source.startswith(f"{badge}\n\n# {name[:2]} ")
    else:
        assert first.source.startswith(f"# {name[:2]} ")
    for part in ("**You will**", "**You will learn**", "**You need**", "**Time:"):
        assert part in first.source
    assert re.search(r"\*\*Time:(\*\*)? \d+ minutes", first.source)
    assert rest[0].cell_type == "code"
    assert rest[0].source == build.install_cell(build.addresses()).replace("# %pip", "%pip")


@every_notebook
def test_links_resolve(name, notebook):
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    targets = re.findall(r"\]\(([^)\s]+)\)", "\n".join(markdown))
    for target in targets:
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        path = FOLDER / file if file else FOLDER / f"{name}.ipynb"
        source = path.with_suffix(".py")
        assert path.exists() or (path.suffix == ".ipynb" and source.exists()), f"{name} links to {target}"
        if heading:
            cells = jupytext.read(source).cells
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
            anchors = [line.lstrip("#").strip().replace(" ", "-") for line in text.splitlines() if line.startswith("#")]
            assert heading in anchors, f"{name} links to {target}, but there is no such heading"


@every_notebook
def test_exercises_fail_with_a_sentence_on_the_stub_and_pass_on_the_solution(name, notebook):
    """Which answer each gets is checked with every cell, by `build.fault`."""
    tried = {"stub": [], "solution": []}
    for cell in code_cells(notebook):
        kind = "solution" if "### BEGIN SOLUTION" in cell.source else "stub"
        tried[kind] += re.findall(r'^mp\.check\("([\d.]+)", \w+\)$', cell.source, re.MULTILINE)
        if "mp.check(" in cell.source:
            assert "nbval-check-output" in cell.metadata.tags
    assert tried["stub"] == tried["solution"] == [one.number for one in of_notebook(name[:2])]
    assert len(tried["stub"]) >= 2


@every_notebook
def test_sections_are_numbered_and_exercises_recap_and_further_reading_come_last(name, notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.+?)(?: \(bonus\))?$", text, re.MULTILINE)
    assert headings[-3:] == ["Exercises", "Recap", "Further reading"]
    assert [heading.split(".")[0] for heading in headings[:-3]] == [str(n + 1) for n in range(len(headings) - 3)]
    assert "**What we saw.**" in text
    assert not re.findall(r"^\*?[*_]What we saw(?!\.\*\*)", text, re.MULTILINE)


@every_notebook
def test_its_time_is_true(name, notebook):
    """Within a fifth of what `course.minutes` estimates for the way without what is marked as bonus."""
    way, bonus = total(notebook)
    time = stated(notebook)
    assert abs(way - time) <= 0.2 * time
    said = re.search(r"and (\d+) more with what is marked as bonus", notebook.cells[0].source)
    assert bool(said) == bool(bonus)
    assert not said or abs(bonus - int(said[1])) <= 5


@every_notebook
def test_the_students_copy_has_no_solution_and_no_output(name, notebook):
    before = nbformat.writes(notebook)
    copy = student_copy(notebook)
    assert nbformat.writes(notebook) == before
    text = "\n".join(cell["source"] for cell in copy["cells"])
    assert "SOLUTION" not in text
    for cell in copy["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_copies_are_the_notebooks_and_can_be_made_again(tmp_path):
    copies = copy_notebooks(tmp_path / "course")
    assert [path.read_bytes() for path in copies] == [path.read_bytes() for path in notebook_paths()]
    assert copy_notebooks(tmp_path / "course") == copies
    students = copy_notebooks(tmp_path / "students", student=True)
    assert [path.name for path in students] == [path.name for path in copies]
    for path in students:
        nbformat.validate(nbformat.read(path, as_version=4))


def test_nobodys_work_is_overwritten(tmp_path):
    first, *others = copy_notebooks(tmp_path)
    first.write_text("my notes")
    if others:
        others[-1].unlink()
    with pytest.raises(ValueError, match=f"other versions of {first.name}. Choose another folder; nothing was copied"):
        copy_notebooks(tmp_path)
    assert first.read_text() == "my notes"
    assert not others or not others[-1].exists()
    with pytest.raises(ValueError, match="is a file"):
        copy_notebooks(first)


@pytest.mark.slow
def test_the_build_tells_what_is_wrong(tmp_path):
    header = "# %% [markdown]\n# A notebook\n\n# %%\n"
    import_line = "from mpas_lite.course.widgets.exercises import try_exercise\n"
    check = import_line + "def check(x):\n    assert x == 1, 'write the number one, which is not zero.'\n"
    faults = {
        "1 / 0": "ZeroDivisionError",
        "import sys\nprint('oh', file=sys.stderr)": "Cell 1 writes to stderr",
        "object()": "memory address",
        check + "try_exercise(check, 1)": "Cell 1 is a stub, but does not print",
        check + "### BEGIN SOLUTION\ntry_exercise(check, 0)\n### END SOLUTION": "Cell 1 is a solution, but does not",
    }
    for number, (cell, complaint) in enumerate(faults.items()):
        path = tmp_path / f"{number:02d}_bad.py"
        path.write_text(header + cell + "\n")
        with pytest.raises(build.BuildError, match=complaint):
            build.build(path)


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (["x = 1", 'mp.check("04.1", my_iou)'], "before the check of exercise 04.1 has no function my_iou"),
        (["def my_iou(a, b): ...", 'mp.check("04.1", my_iou)', "1", "2"], "not followed by the solution"),
    ],
)
def test_the_build_wants_the_cells_of_an_exercise_together(cells, complaint):
    cells = [nbformat.v4.new_code_cell(source) for source in (*cells, "3", "4")]
    with pytest.raises(build.BuildError, match=complaint):
        build.name_exercises(cells)


def test_the_build_writes_over_the_course_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "00_one.py").write_text("# %%\n1 + 1\n")
    (tmp_path / "00_one.ipynb").write_text("the last build")
    monkeypatch.setattr(build, "HERE", tmp_path)
    monkeypatch.setattr(build, "write_links", lambda path: None)
    monkeypatch.setattr(build, "build", build.converted)
    monkeypatch.setattr(sys, "argv", ["build.py"])
    with pytest.raises(SystemExit) as end:
        build.main()
    assert not end.value.code
    assert nbformat.read(tmp_path / "00_one.ipynb", as_version=4).cells[0].source == "1 + 1"
    assert build.is_of_the_course(tmp_path / "00_one.py")
    assert not build.is_of_the_course(tmp_path / "00_mine.ipynb")


@pytest.mark.slow
def test_the_build_keeps_the_first_picture_of_an_explorer(tmp_path):
    path = tmp_path / "00_good.py"
    path.write_text(
        "# %%\n"
        "import ipywidgets\n"
        "from matplotlib.figure import Figure\n"
        "from mpas_lite.course.widgets.explorer import Explorer\n"
        "slider = ipywidgets.IntSlider(3, 0, 9)\n"
        "Explorer({'k': slider}, lambda k: (Figure(figsize=(1, 1)), f'<b>K</b> = {k}')).show()\n"
    )
    notebook = build.build(path)
    line, picture = notebook.cells[0].outputs
    assert line.data["text/html"] == "<b>K</b> = 3"
    assert picture.data["text/html"].startswith("<img ")
    assert picture.metadata["text/html"]["alt"] == picture.data["text/plain"]
    assert picture.data["text/plain"].endswith("K = 3")
    assert "widgets" not in notebook.metadata
    assert nbformat.writes(notebook) == nbformat.writes(build.build(path))
