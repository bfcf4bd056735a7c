"""Equations as MathML, which browsers draw themselves: no script, no network, and screen readers know it."""

from __future__ import annotations

import html
import re
from typing import Any

from mpas_lite.course.teaching.formulas import TAG, mathml


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx of the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def to_mathml(latex: str, *, block: bool = False) -> str:
    """Return an equation as a ``math`` element; its LaTeX is kept as an annotation."""
    element = mathml(latex, block=block)
    note = f'<annotation encoding="application/x-tex">{html.escape(latex.strip())}</annotation>'
    inner = re.match(r"(<math[^>]*>)(.*)(</math>)$", element, re.DOTALL)
    assert inner, latex
    return f"{inner[1]}<semantics>{inner[2]}{note}</semantics>{inner[3]}"


def inline(writer: Any, node: Any) -> None:
    """An equation within a sentence."""
    from docutils.nodes import SkipNode

    writer.body.append(f'<span class="math">{to_mathml(node.astext())}</span>')
    raise SkipNode


def display(writer: Any, node: Any) -> None:
    r"""An equation of its own line; the number is that of ``\tag{...}``, as the paper has it."""
    from docutils.nodes import SkipNode

    latex = node.astext()
    tag = TAG.search(latex)
    number = f'<span class="eqno">({html.escape(tag[1])})</span>' if tag else ""
    identity = f' id="{node["ids"][0]}"' if node.get("ids") else ""
    writer.body.append(f'<div class="math"{identity}>{to_mathml(TAG.sub("", latex), block=True)}{number}</div>\n')
    raise SkipNode
