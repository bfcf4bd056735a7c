"""Pages that are derived: the names of each folder, error messages, and the gallery."""

from __future__ import annotations

import html
import importlib
import inspect
import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

import mpas_lite
from docs.make.messages import Message
from docs.make.notebooks import Figure
from mpas_lite.course.minutes import stated

ROOMS = (
    *("video", "motion", "crowd", "labels", "labels.refine", "network", "training", "evaluation", "scenes", "datasets"),
    *("plots", "course", "course.widgets", "experiments", "options", "files", "runtime"),
)
PUBLIC = set(mpas_lite.__all__)


def folder_page(room: str, introduction: str) -> str:
    """Return the page of a folder: what is written by hand, and each of its public names with its docstring."""
    module = importlib.import_module(f"mpas_lite.{room}")
    described = inspect.cleandoc(module.__doc__ or "")
    first, _, rest = described.partition("\n\n")
    blocks = [f"# {room.replace('.', '/')}", " ".join(first.split()), introduction]
    rest = f"{rest.rstrip()}\n\n" if rest else ""
    names = "\n".join(
        f"{_directive(room, name)}\n" for name in module.__all__ if _lives_in(room, getattr(module, name))
    )
    return "\n\n".join([*blocks, f"```{{eval-rst}}\n{rest}{names}```\n"])


def _directive(room: str, name: str) -> str:
    thing = getattr(importlib.import_module(f"mpas_lite.{room}"), name)
    place = f"mpas_lite.{name}" if is_public(name, thing) else f"mpas_lite.{room}.{name}"
    if inspect.isclass(thing):
        return f".. autoclass:: {place}\n   :members:\n"
    if callable(thing):
        return f".. autofunction:: {place}\n"
    holds = ", ".join(map(str, thing)) if isinstance(thing, (dict, tuple, list)) else type(thing).__name__
    return f".. py:data:: {place}\n\n   {type(thing).__name__}: {holds}\n"


def _lives_in(room: str, thing: object) -> bool:
    """Whether this folder is the one to describe a thing, rather than one within it."""
    module = str(getattr(thing, "__module__", None) or f"mpas_lite.{room}")
    inside = [other for other in ROOMS if f"{module}.".startswith(f"mpas_lite.{other}.")]
    return not inside or max(inside, key=len) == room


def is_public(name: str, thing: object) -> bool:
    """Whether a thing has this name in `mpas_lite` itself."""
    return name in PUBLIC and getattr(mpas_lite, name) is thing


def names_of_rooms() -> dict[int, str]:
    """Return the name that each documented thing has on the site, by its identity."""
    names: dict[int, str] = {}
    for room in ROOMS:
        module = importlib.import_module(f"mpas_lite.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            names[id(thing)] = f"mpas_lite.{name}" if is_public(name, thing) else f"mpas_lite.{room}.{name}"
    return names


def message_list(messages: Iterable[Message]) -> str:
    """Return the messages in Markdown, by folder and file."""
    lines = []
    by_room = groupby(sorted(messages, key=lambda one: one.file.split("/")[0]), key=lambda one: one.file.split("/")[0])
    for room, of_room in by_room:
        lines.append(f"## {room.removesuffix('.py')}\n")
        for file, of_file in groupby(sorted(of_room, key=lambda one: one.file), key=lambda one: one.file):
            lines.append(f"**`{file}`**\n")
            lines += [f"- {_plain(one.text)}" for one in of_file]
            lines.append("")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """A text as Markdown that shows just this, options as code."""
    escaped = re.sub(r"([\\`*_\[\]{}<>$#|~])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<![\w-])--[a-z][\w-]*", r"`\g<0>`", escaped)


def gallery(figures: Iterable[Figure], titles: Mapping[str, str]) -> str:
    """Return the figures of the notebooks in Markdown, each with its words and the way to its notebook."""
    blocks = []
    for notebook, mine in groupby(figures, key=lambda one: one.notebook):
        items = "\n".join(
            f'<figure><a href="_static/figures/{one.file}"><img src="_static/figures/{one.file}" '
            f'alt="{html.escape(one.alt)}" loading="lazy"></a>'
            f"<figcaption>{html.escape(_short(one.alt))}</figcaption></figure>"
            for one in mine
        )
        blocks.append(
            f'## [{titles[notebook]}](notebooks/{notebook}.ipynb)\n\n<div class="gallery">\n{items}\n</div>\n'
        )
    return "\n".join(blocks)


def _short(text: str) -> str:
    """The first sentence."""
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def title_of(path: Path) -> str:
    """Return a notebook's first heading."""
    return next(line[2:].strip() for line in _first_text(path).splitlines() if line.startswith("# "))


def course_table(paths: Iterable[Path]) -> str:
    """Return the notebooks in Markdown: title, minutes, and what their reader will do, as they say it."""
    lines = ["| notebook | you will | minutes |", "|:--|:--|--:|"]
    for path in paths:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        minutes = stated(notebook)
        told = re.search(r"\*\*You will\*\* (.+?)(?:\n\n|$)", _first_text(path), re.DOTALL)
        does = " ".join(told[1].split()) if told else ""
        lines.append(f"| [{title_of(path)}](notebooks/{path.name}) | {does} | {minutes or ''} |")
    return "\n".join(lines) + "\n"


def _first_text(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
