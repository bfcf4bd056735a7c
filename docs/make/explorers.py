"""The explorers of notebooks, drawn without a kernel: a notebook's own cells make them, so they are the same."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

import mpas_lite
from mpas_lite.course.notebooks import notebook_paths
from mpas_lite.course.static import write_static
from mpas_lite.course.widgets.explorer import Explorer

ROOMS = ("course/widgets", "course/static.py", "crowd", "motion", "labels", "evaluation", "network", "plots", "video")
MOVING = ("02", "03", "04", "05")  # notebooks whose explorers move: those of the others need a trained network
MORE = {"02_crowd_graph-1": 200}  # states of explorers that deserve more than the others: here L takes every step


def static_explorers(name: str, notebook: NotebookNode, cache: Path, most: int) -> dict[str, list[str]]:
    """Draw all explorers of a notebook, or take them from the cache.

    Parameters
    ----------
    name : str
        Of the notebook, without suffix.
    notebook : NotebookNode
    cache : path
        A folder for each notebook; what was drawn from other sources is deleted.
    most : int
        States of an explorer.

    Returns
    -------
    dict
        For each cell that shows explorers, by its id, their HTML; pictures lie in ``cache/name``.
    """
    if not name.startswith(MOVING):
        return {}
    folder, record = cache / name, cache / name / "explorers.json"
    digest = digest_of(notebook, most)
    if record.is_file():
        known = json.loads(record.read_text(encoding="utf-8"))
        if known["digest"] == digest:
            return known["pages"]
    shutil.rmtree(folder, ignore_errors=True)
    pages: dict[str, list[str]] = {}
    for number, (cell, explorer) in enumerate(shown_explorers(notebook), start=1):
        one = f"{name}-{number}"
        states = MORE.get(one, most) if most >= 100 else most
        page = write_static(explorer, folder / one, name=one, address=f"../_static/explorers/{name}/{one}", most=states)
        pages.setdefault(cell, []).append(page)
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"digest": digest, "pages": pages}), encoding="utf-8")
    return pages


def digest_of(notebook: NotebookNode, most: int) -> str:
    """Return what changes when the explorers may: the notebook's code, the library's, and the number of states."""
    package = Path(mpas_lite.__file__).parent
    places = (package / room for room in ROOMS)
    files = sorted(file for place in places for file in ([place] if place.is_file() else place.rglob("*.py")))
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    parts = [file.read_text(encoding="utf-8") for file in files] + code + [str(most), str(MORE)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def shown_explorers(notebook: NotebookNode) -> Iterator[tuple[str, Explorer]]:
    """Run a notebook's code here, and give each explorer that it shows, with the id of its cell.

    Only the cells run that an explorer needs, and none of an exercise.
    """
    import matplotlib

    matplotlib.use("agg")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    names: dict = {"__name__": "__main__"}
    shown: list[tuple[str, Explorer]] = []
    at = ""
    whole = Explorer.show
    Explorer.show = lambda self: shown.append((at, self))
    try:
        with working_in(notebook_paths()[0].parent), contextlib.redirect_stdout(io.StringIO()):
            for cell in needed(cells):
                at = cell.id
                exec(compile(as_python(cell), cell.id, "exec"), names)
    finally:
        Explorer.show = whole
        import matplotlib.pyplot as plt

        plt.close("all")
    yield from shown


def needed(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Return the cells that show explorers, and those that bind a name that these need, or those before them need."""
    wanted: set[str] = set()
    kept = []
    for cell in reversed(cells):
        if cell.id.startswith(("exercise-", "check-", "solution-")):
            continue
        nodes = list(ast.walk(ast.parse(as_python(cell))))
        bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        bound |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        bound |= {(node.asname or node.name).split(".")[0] for node in nodes if isinstance(node, ast.alias)}
        if ".show()" in cell.source or bound & wanted:
            used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
            wanted = (wanted - bound) | used
            kept.append(cell)
    return kept[::-1]


def as_python(cell: NotebookNode) -> str:
    """Return a cell's code with magics as calls."""
    return TransformerManager().transform_cell(cell.source)


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Work in another folder for a while; `contextlib.chdir` is of Python 3.11."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
