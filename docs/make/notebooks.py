"""The course's notebooks as pages: as they were executed, with pictures in files and explorers that move."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from docs.make.explorers import static_explorers

PICTURE = re.compile(r'<img alt="([^"]*)" src="data:image/png;base64,([^"]+)"[^>]*>')


@dataclass(frozen=True)
class Figure:
    """A figure of a notebook: its notebook, its file among the site's figures, and its alternative text."""

    notebook: str
    file: str
    alt: str


@dataclass(frozen=True)
class Place:
    """Where a notebook's page, its figures and its explorers go; ``most`` is the number of states of an explorer."""

    pages: Path
    static: Path
    cache: Path
    most: int


def write_page(path: Path, place: Place, relink: Callable[[str], str]) -> list[Figure]:
    """Write the page of a notebook, and return its figures.

    Parameters
    ----------
    path : path
        The executed notebook; it is not run again, but for what draws explorers.
    place : Place
    relink : function
        Makes the links in a text those of the site.
    """
    notebook = nbformat.read(path, as_version=4)
    explorers = static_explorers(path.stem, notebook, place.cache, place.most)
    figures: list[Figure] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relink(cell.source)
            continue
        if cell.id.startswith("solution-"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-cell"]
        if cell.id in explorers:
            pages = [nbformat.v4.new_output("display_data", {"text/html": page}) for page in explorers[cell.id]]
            kept = [output for output in cell.outputs if output.output_type == "stream"]
            cell.outputs = kept + pages
            continue
        for output in cell.outputs:
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = _in_files(output.data["text/html"], path.stem, place.static, figures)
    place.pages.mkdir(parents=True, exist_ok=True)
    nbformat.write(_without_picture_metadata(notebook), place.pages / path.name)
    return figures


def _in_files(page: str, notebook: str, static: Path, figures: list[Figure]) -> str:
    """HTML whose pictures lie in files of their own."""

    def filed(found: re.Match[str]) -> str:
        alt, data = html.unescape(found[1]), base64.b64decode(found[2])
        file, (width, height) = write_figure(data, static / "figures")
        figures.append(Figure(notebook, file, alt))
        address = f"../_static/figures/{file}"
        size = f'width="{width}" height="{height}" loading="lazy"'
        return f'<img alt="{html.escape(alt)}" src="{address}" {size}>'

    return PICTURE.sub(filed, page)


def write_figure(data: bytes, folder: Path) -> tuple[str, tuple[int, int]]:
    """Write a PNG picture as WebP, named by what it holds; return the file's name, and width and height."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    name = f"{hashlib.sha256(data).hexdigest()[:16]}.webp"
    if not (folder / name).is_file():
        packed = []
        for options in ({"lossless": True, "method": 1}, {"quality": 85, "method": 2}):
            file = io.BytesIO()
            image.save(file, "webp", **options)
            packed.append(file.getvalue())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(min(packed, key=len))
    return name, image.size


def _without_picture_metadata(notebook: NotebookNode) -> NotebookNode:
    """The same, without what the outputs' metadata say: myst-nb takes those for options of its own."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    return notebook
