"""Slides of a notebook: its questions, formulas, pictures and findings; its prose goes to the speaker's notes.

``python -m mpas_lite.course.teaching.slides FOLDER 02 04 05`` writes a page of reveal.js for each, by nbconvert, with
reveal.js and the formulas in it: no network is needed to show it. It takes ``pip install nbconvert latex2mathml
sphinx-revealjs`` (the last one for the copy of reveal.js that it brings).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpas_lite.course.grading import role
from mpas_lite.course.notebooks import notebook_paths
from mpas_lite.course.teaching.formulas import TAG, mathml
from mpas_lite.course.teaching.layout import ROOM, TEMPLATE, fitted, height_of_output, height_of_text, room_for_output
from mpas_lite.files.atomic import atomic_write

Cell = dict[str, Any]
Notebook = dict[str, Any]

_HEADING = re.compile(r"^(#{1,6}) +(.*)$", re.DOTALL)
_SKIPPED = re.compile(r"^(Exercise|Further reading|Solution|.*\(bonus\)$)")
_SHOWN = re.compile(r"^(- |\d\. |\||\*)|\*\*|\$\$")
_TIME = re.compile(r"^\*\*Time:")
_SAW = re.compile(r"^\*+What we saw")
_DISPLAYED = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
_INLINE = re.compile(r"\$([^$]+)\$")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\.ipynb[^)]*\)")


@dataclass
class Slide:
    """One slide while it fills: its heading, what is on it, what the speaker says, and the height that is taken."""

    title: str
    shown: list[Cell] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    taken: float = 0.0


def slide_copy(notebook: Notebook) -> Notebook:
    r"""Return a notebook (parsed JSON) of slides, with the metadata that ``jupyter nbconvert --to slides`` reads.

    A heading starts a slide, and so does what has no room left. Shown are formulas, lists, tables, paragraphs with
    something in bold, findings, printed lines and pictures; findings come at the next click. Other paragraphs are
    notes (press S). Left out are code, exercises, solutions, what is bonus and further reading. Code in a cell with
    the tag ``slide-code`` is shown.

    Examples
    --------
    >>> text = {"cell_type": "markdown", "source": "## Why?\n\nThis is said.\n\n**This** is shown."}
    >>> cells = slide_copy({"cells": [text]})["cells"]
    >>> [(cell["metadata"]["slideshow"]["slide_type"], cell["source"]) for cell in cells]
    [('slide', '## Why?'), ('-', '**This** is shown.'), ('notes', 'This is said.')]
    """
    slides: list[Slide] = []
    for kind, content in _things(notebook):
        if kind == "heading":
            slides.append(Slide(content))
        elif kind == "said":
            slides[-1].said.append(content)
        else:
            height = height_of_text(content) if kind == "text" else height_of_output(content)
            room = height if kind == "text" else room_for_output(content)
            if slides[-1].shown and slides[-1].taken + room > ROOM:
                slides.append(Slide(slides[-1].title))
            slides[-1].taken += height
            slides[-1].shown.append(_text(content) if kind == "text" else content)
    cells = [cell for slide in slides if slide.shown for cell in _cells(slide)]
    return {**notebook, "cells": cells}


def _things(notebook: Notebook) -> Iterator[tuple[str, Any]]:
    """What a notebook holds in its order: ("heading", text), ("text" to show, or "said", text), ("output", cell)."""
    skipped = 0  # the level of the heading under which all is left out
    for cell in notebook["cells"]:
        if role(cell)[0]:
            continue
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            if "slide-code" in cell.get("metadata", {}).get("tags", []) and not skipped:
                yield "text", f"```python\n{source}\n```"
            for output in cell.get("outputs", []) if not skipped else []:
                yield "output", _output(joined(output))
            continue
        for paragraph in _paragraphs(source):
            heading = _HEADING.match(paragraph)
            if heading and (not skipped or len(heading[1]) <= skipped):
                skipped = len(heading[1]) if _SKIPPED.match(heading[2]) else 0
            if skipped or paragraph.startswith("[![") or _TIME.match(paragraph):
                continue
            if heading:
                yield "heading", paragraph
            else:
                yield ("text" if _SHOWN.search(paragraph) else "said"), paragraph


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a Markdown text; a heading is one, a formula stays with the words around it."""
    text = re.sub(r"^(#+ .*)\n(?!\n)", r"\1\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"([:,])\n\s*\n(?=\$\$)", r"\1\n", text)
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _text(source: str, kind: str = "-") -> Cell:
    kind = "fragment" if _SAW.match(source) else kind
    return {"cell_type": "markdown", "id": "", "metadata": {"slideshow": {"slide_type": kind}}, "source": source}


def joined(output: Any) -> Any:
    """An output whose texts are one string each; in the file they are lists of lines."""
    whole = {key: "".join(value) if isinstance(value, list) else value for key, value in output.items()}
    if "data" in output:
        whole["data"] = {
            key: "".join(value) if isinstance(value, list) else value for key, value in output["data"].items()
        }
    return whole


def _output(output: Any) -> Cell:
    return {
        "cell_type": "code",
        "id": "",
        "metadata": {"slideshow": {"slide_type": "-"}},
        "source": "",
        "execution_count": None,
        "outputs": [output],
    }


def _cells(slide: Slide) -> list[Cell]:
    level, title = slide.title.split(" ", 1)
    cells = [_text(f"{'#' if len(level) == 1 else '##'} {title}", "slide"), *fitted(slide.shown, slide.taken)]
    if slide.said:
        cells.append(_text("\n\n".join(slide.said), "notes"))
    return cells


def with_mathml(text: str) -> str:
    """A Markdown text whose formulas are MathML, which browsers draw without a script.

    Raises
    ------
    ModuleNotFoundError
        If latex2mathml is not installed.
    """

    def displayed(found: re.Match[str]) -> str:
        tag = TAG.search(found[1])
        number = f'<span class="number">({tag[1]})</span>' if tag else ""
        return f'\n\n<div class="formula">{mathml(TAG.sub("", found[1]), block=True)}{number}</div>\n\n'

    return _INLINE.sub(lambda found: mathml(found[1]), _DISPLAYED.sub(displayed, text))


def slides_page(notebook: Notebook, title: str, *, reveal: str) -> str:
    """The page of a notebook's slides; ``reveal`` is the address of the folder of reveal.js."""
    import nbformat
    from nbconvert import SlidesExporter

    copy = slide_copy(notebook)
    for number, cell in enumerate(copy["cells"]):
        cell["id"] = f"slide-{number:03d}"
        if cell["cell_type"] == "markdown":
            cell["source"] = with_mathml(_LINK.sub(r"\1", cell["source"]))  # no notebooks lie beside the slides
    exporter = SlidesExporter(
        raw_template=TEMPLATE, reveal_url_prefix=reveal, exclude_input=True, exclude_output_prompt=True
    )
    exporter.reveal_theme = "white"
    exporter.reveal_width, exporter.reveal_height = "1280", "720"
    page: str = exporter.from_notebook_node(nbformat.from_dict(copy), {"metadata": {"name": title}})[0]
    return page


def reveal_folder() -> Path | None:
    """The folder of reveal.js that the package sphinx-revealjs brings, or None where it is not installed."""
    found = importlib.util.find_spec("sphinx_revealjs")
    folder = Path(found.origin).parent / "_static" / "revealjs" if found and found.origin else None
    return folder if folder and folder.is_dir() else None


def write_slides(folder: Path, numbers: list[str]) -> list[Path]:
    """Write slides of these notebooks into a folder, with reveal.js beside them; return the pages."""
    source, prefix = reveal_folder(), "https://unpkg.com/reveal.js@5"
    if source is None:
        print(f"sphinx-revealjs is not installed: the slides take reveal.js from {prefix}, so a network is needed.")
    else:
        prefix = "reveal"
        for part in ("dist", "plugin/notes"):
            shutil.copytree(source / part, folder / prefix / part, dirs_exist_ok=True)
    written = []
    for path in (path for path in notebook_paths() if path.name.startswith(tuple(numbers))):
        page = slides_page(json.loads(path.read_text(encoding="utf-8")), path.stem, reveal=prefix)
        target = folder / f"{path.stem}.slides.html"
        with atomic_write(target, ours=lambda path: b"reveal" in path.read_bytes()) as temporary:
            temporary.write_text(page, encoding="utf-8")
        written.append(target)
    return written


def main() -> None:
    """Write slides of the notebooks that the command line names."""
    parser = argparse.ArgumentParser("python -m mpas_lite.course.teaching.slides", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; made if need be")
    parser.add_argument("numbers", nargs="+", metavar="NN", help="notebooks, as 02 04 05")
    options = parser.parse_args()
    for path in write_slides(options.folder, options.numbers):
        print(path)


if __name__ == "__main__":
    main()
