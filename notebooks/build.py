"""Build the course: every ``NN_name.py`` (the source, py:percent) becomes an executed ``NN_name.ipynb``.

    python notebooks/build.py           # all
    python notebooks/build.py 02 05     # these
    python notebooks/build.py --links   # only write badges and install cells

Badges and install cells are made from ``Repository`` and ``Package`` in pyproject's ``[project.urls]`` and from nothing
else. While nobody owns them they are not there, and no cell installs anything: a name that we only guessed may be taken.

A notebook is written whole or not at all. The build fails, and names the cell, where a cell raises or writes to
stderr, where a claim is false, where an exercise's untouched stub does not end in ``Not yet: `` and a sentence, or
where a solution does not end in ``Right!``. Cells of exercises get the tag ``nbval-check-output``, so that the tests compare these
answers, and ids that tell what they are (``exercise-02-1``, ``check-02-1``, ``solution-text-02-1``,
``solution-02-1``): from these `mpas_lite.course.grading` makes the students' copy and nbgrader's source.

Kept out of the file: timing, versions, random cell ids, and the state of widgets. In the place of each widget
stands what it showed first, its line and its picture, so that the notebook can be read where no kernel runs.
"""

from __future__ import annotations

import argparse
import base64
import copy
import html
import io
import os
import re
import sys
import time

from pathlib import Path
from typing import NamedTuple

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from mpas_lite.files import atomic_write

BADGE = (
    "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}.ipynb)"
)
A_BADGE = r"\[!\[Open In Colab\]\(\S+\)\]\(\S+\)"
MISSING = 'if importlib.util.find_spec("mpas_lite") is None:'
SAYS_SO = """    raise SystemExit(
        "{why} Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
TRIED = re.compile(r"^\s*(?:mp\.check|try_exercise)\(", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


class BuildError(Exception):
    """A notebook is not as it must be; the message names notebook and cell."""


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", metavar="NN", help="the first digits of the names; all without them")
    parser.add_argument("--links", action="store_true", help="only write badges and install cells")
    options = parser.parse_args()
    sources = [path for path in source_paths() if not options.numbers or path.name.startswith(tuple(options.numbers))]
    if not sources:
        sys.exit(f"There is no notebook {' '.join(options.numbers)} here.")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads slow down a machine of few cores
    os.environ["MPAS_LITE_CLAIMS"] = "strict"  # a claim that is false stops the build
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    if options.links:
        readme = HERE.parent / "README.md"
        readme.write_text(linked_readme(readme.read_text(encoding="utf-8"), addresses()), encoding="utf-8")
    failed = False
    for path in sources:
        write_links(path)
        if options.links:
            continue
        start = time.perf_counter()
        try:
            notebook = build(path)
        except BuildError as error:
            failed = True
            print(f"{path.name}: NOT BUILT. {error}", flush=True)
            continue
        with atomic_write(path.with_suffix(".ipynb"), ours=is_of_the_course) as temporary:
            temporary.write_text(nbformat.writes(notebook), encoding="utf-8")
        size = path.with_suffix(".ipynb").stat().st_size / 1e6
        print(f"{path.stem}: {time.perf_counter() - start:.0f} s, {size:.1f} MB", flush=True)
    sys.exit(failed)


def source_paths() -> list[Path]:
    """Return the sources of the course."""
    return sorted(HERE.glob("[0-9][0-9]_*.py"))


def is_of_the_course(path: Path) -> bool:
    """Whether a file is a source of the course or its notebook: these, and nothing else, the build writes over."""
    return path.with_suffix(".py") in source_paths()


class Addresses(NamedTuple):
    """Where the course can be had from; an empty address is one that nobody owns yet."""

    repository: str = ""
    package: str = ""


def addresses(pyproject: str | None = None) -> Addresses:
    """Return what stands in ``[project.urls]`` of pyproject.toml, and nowhere else."""
    if pyproject is None:
        pyproject = (HERE.parent / "pyproject.toml").read_text(encoding="utf-8")  # Python 3.10 has no tomllib
    urls = re.search(r"^\[project\.urls\]\n((?:.+\n)*)", pyproject, re.MULTILINE)
    found = dict(re.findall(r'^(\w+) = "(.+?)/?"', urls[1] if urls else "", re.MULTILINE))
    return Addresses(found.get("Repository", ""), found.get("Package", ""))


def badge(name: str, at: Addresses) -> str:
    """Return the badge that opens notebook ``name`` on Colab, in Markdown; nothing without a repository."""
    repository = at.repository.removeprefix("https://github.com/")
    return BADGE.format(repository=repository, name=name) if repository else ""


def install_cell(at: Addresses) -> str:
    """Return the source of the cell that sees to it that the package is there, or says in a sentence what to do."""
    package = at.package.rstrip("/").rpartition("/")[2]
    wanted = [package] * bool(package) + [f'"mpas_lite @ git+{at.repository}"'] * bool(at.repository)
    lines = ["import importlib.util", ""]
    for source in wanted:
        lines += [f"{MISSING}  # as on Colab", f"    # %pip install -q {source}", "    importlib.invalidate_caches()"]
    why = "mpas_lite could not be installed." if wanted else "mpas_lite is not installed here."
    return "\n".join([*lines, MISSING, SAYS_SO.format(why=why)])


def linked(text: str, name: str, at: Addresses) -> str:
    """Return the source of notebook ``name`` with its badge and its install cell, which is its first cell of code."""
    text = re.sub(rf"^# {A_BADGE}\n#\n", "", text, count=1, flags=re.MULTILINE)
    if badge(name, at):
        text = text.replace("# %% [markdown]\n", f"# %% [markdown]\n# {badge(name, at)}\n#\n", 1)
    first = re.compile(r"(?<=^# %%\n).*?(?=\n\n# %%)", re.MULTILINE | re.DOTALL)
    return first.sub(lambda _: install_cell(at), text, count=1)


def linked_readme(text: str, at: Addresses) -> str:
    """Return the README with a badge behind each notebook's name in its table, or with none."""
    rows = re.compile(rf"^(\| \[(\d\d_\w+)\]\(notebooks/\2\.ipynb\))(?: {A_BADGE})?", re.MULTILINE)
    return rows.sub(lambda row: f"{row[1]} {badge(row[2], at)}".rstrip(), text)


def write_links(path: Path) -> None:
    """Bring badge and install cell of a source up to date."""
    old = path.read_text(encoding="utf-8")
    new = linked(old, path.stem, addresses())
    if new != old:
        with atomic_write(path, ours=is_of_the_course) as temporary:
            temporary.write_text(new, encoding="utf-8")


def build(path: Path) -> NotebookNode:
    """Return the executed notebook of a source.

    Raises
    ------
    BuildError
        If a cell raises, writes to stderr, or an exercise is not as it must be.
    """
    notebook = converted(path)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", record_timing=False, resources={"metadata": {"path": str(HERE)}}
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise BuildError(re.sub(r"\x1b\[[0-9;]*m", "", str(error))) from None
    tidy(notebook)
    for number, cell in enumerate(notebook.cells):
        complaint = fault(cell)
        if complaint:
            raise BuildError(f"Cell {number} {complaint}:\n{cell.source}\n--- its outputs:\n{printed(cell)}")
    return notebook


def converted(path: Path) -> NotebookNode:
    """Return the notebook of a source, not executed, with the tags and ids that it shall have."""
    notebook = jupytext.read(path)
    notebook.metadata = copy.deepcopy(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and TRIED.search(cell.source):
            tags.add("nbval-check-output")
        cell.metadata = {"tags": sorted(tags)} if tags else {}
    name_exercises(notebook.cells)
    return notebook


def name_exercises(cells: list[NotebookNode]) -> None:
    """Give the cells of each exercise ids that tell what they are.

    Raises
    ------
    BuildError
        If the check of an exercise does not follow its function, or its solution is missing.
    """
    for number, cell in enumerate(cells):
        called = re.search(r'^mp\.check\("(\d\d)\.(\d)", (\w+)\)$', cell.source, re.MULTILINE)
        if cell.cell_type != "code" or called is None or "### BEGIN SOLUTION" in cell.source:
            continue
        exercise, place = f"{called[1]}.{called[2]}", f"{called[1]}-{called[2]}"
        stub, text, solution = cells[number - 1], *cells[number + 1 : number + 3]
        if not re.search(rf"^def {called[3]}\(", stub.source, re.MULTILINE):
            raise BuildError(f"The cell before the check of exercise {exercise} has no function {called[3]}.")
        if text.cell_type != "markdown" or f"### BEGIN SOLUTION\ndef {called[3]}(" not in solution.source:
            raise BuildError(
                f"The check of exercise {exercise} is not followed by the solution, its text and its code."
            )
        stub.id, cell.id = f"exercise-{place}", f"check-{place}"
        text.id, solution.id = f"solution-text-{place}", f"solution-{place}"


def fault(cell: NotebookNode) -> str | None:
    """Return what is wrong with an executed cell, in words, or None."""
    if cell.cell_type != "code":
        return None
    for output in cell.outputs:
        if output.output_type == "error":
            return "raises"
        if output.get("name") == "stderr":
            return "writes to stderr"
    text = printed(cell)
    if re.search(r"\bat 0x[0-9a-f]{6,}", text):
        return "shows a memory address (end its last line with a semicolon)"
    tried = len(TRIED.findall(cell.source))
    if tried:
        solution = "### BEGIN SOLUTION" in cell.source
        wanted = r"Right!" if solution else r"Not yet: (?!the code stopped).{20,}"
        if len(re.findall(rf"^{wanted}$", text, re.MULTILINE)) != tried:
            return f"is {'a solution' if solution else 'a stub'}, but does not print {wanted}"
    return None


def printed(cell: NotebookNode) -> str:
    """Return all text among the outputs of a cell."""
    parts = [o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "\n".join(parts)


def tidy(notebook: NotebookNode) -> None:
    """Join streams, put the first picture of a widget in its place, and forget versions."""
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    notebook.metadata = copy.deepcopy(METADATA)
    for cell in notebook.cells:
        outputs: list[NotebookNode] = []
        for output in cell.get("outputs", []):
            streams = output.output_type == "stream" and outputs and outputs[-1].get("name") == output.name
            if streams:
                outputs[-1].text += output.text
            elif WIDGET in output.get("data", {}):
                outputs += still(output.data[WIDGET]["model_id"], state)
            else:
                outputs.append(output)
        if cell.cell_type == "code":
            cell.outputs = outputs


def still(model: str, state: dict) -> list[NotebookNode]:
    """Return what a widget shows as outputs that need no kernel: lines of HTML and pictures."""
    content = state[model]["state"]
    kind = content.get("_model_name")
    if kind == "HTMLModel":
        page, alt = content["value"], re.search(r'<img alt="([^"]*)"', content["value"])
        plain = html.unescape(alt[1] if alt else re.sub(r"<[^>]+>", "", page))
        metadata = {"text/html": {"alt": plain}} if alt else {}
        page = re.sub(r"(?<=data:image/png;base64,)[\w+/=]+", lambda data: repacked(data[0]), page)
        return [nbformat.v4.new_output("display_data", {"text/html": page, "text/plain": plain}, metadata=metadata)]
    return [out for child in content.get("children", []) for out in still(child.removeprefix("IPY_MODEL_"), state)]


def repacked(data: str) -> str:
    """Return the same picture, a PNG file in base64, in fewer bytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB").save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    main()
