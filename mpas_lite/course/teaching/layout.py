"""How large things are on a slide of 1280x720 px, and the template of the page."""

from __future__ import annotations

import math
import re
from typing import Any

ROOM = 570.0  # px beneath a heading
_LEAST, _MOST = 300.0, 560.0  # px, heights of a picture
_WIDTH, _LINE, _GAP = 92, 36.0, 16.0  # letters of a line of text, px of a line, px between two paragraphs
_PRINTED, _PRINTED_LINE = 96, 26.0

# Left out is what nbconvert's page loads from the network: formulas are MathML, and nothing else needs it.
TEMPLATE = """
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
.reveal .slides { text-align: left; }
.reveal .slides section { padding: 0 30px; box-sizing: border-box; }
.reveal .slides h1, .reveal .slides h2 { font-size: 40px; text-transform: none; margin: 10px 0 18px; }
.reveal .slides p, .reveal .slides li { font-size: 26px; line-height: 36px; margin: 0 0 12px; }
.reveal .slides table { font-size: 22px; line-height: 28px; margin: 0; }
.reveal .slides .formula { font-size: 28px; text-align: center; margin: 6px 0 14px; }
.reveal .slides .formula .number { float: right; }
.reveal .slides .formula math { display: inline-block; max-width: 1120px; }
.reveal .slides pre { font-size: 20px; line-height: 26px; width: 100%; box-shadow: none; margin: 0 0 12px; }
.reveal .slides .picture img { width: 1200px; height: 100%; max-height: none; margin: 0; display: block;
  object-fit: contain; object-position: left; }
.reveal .slides .anchor-link, .reveal .jp-OutputPrompt, .reveal .jp-InputPrompt { display: none; }
.reveal .slides .jp-Cell { padding: 0; }
.reveal .slides .jp-OutputArea-output { overflow: visible; }
</style>
{%- endblock -%}
{%- block footer_js -%}
<script src="{{ reveal_url_prefix }}/dist/reveal.js"></script>
<script src="{{ reveal_url_prefix }}/plugin/notes/notes.js"></script>
<script>
Reveal.initialize({ width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t",
                    transition: "none", plugins: [RevealNotes] });
</script>
</html>
{%- endblock -%}
"""


def height_of_text(text: str) -> float:
    """The height of a Markdown paragraph, list, table, formula or block of code, px."""
    if text.startswith("```"):
        return text.count("\n") * _PRINTED_LINE + _GAP
    if text.startswith("|"):
        return len(text.splitlines()) * 32.0 + _GAP
    formulas = re.findall(r"\$\$.*?\$\$", text, re.DOTALL)
    rest = re.sub(r"\$\$.*?\$\$", "\n\n", text, flags=re.DOTALL)
    height = sum(66.0 + 44.0 * (formula.count("\\\\")) + 24.0 * ("\\frac" in formula) for formula in formulas)
    for part in re.split(r"\n\s*\n|\n(?=[-\d])", rest):
        if part.strip():
            height += math.ceil(len(part) / _WIDTH) * _LINE + _GAP
    return height


def height_of_output(cell: dict[str, Any]) -> float:
    """The height of what a cell has printed or drawn, px."""
    output = cell["outputs"][0]
    if output["output_type"] == "stream":
        lines = output["text"].splitlines()
        return sum(max(1, math.ceil(len(line) / _PRINTED)) for line in lines) * _PRINTED_LINE + _GAP
    data = output.get("data", {})
    if has_picture(cell):
        return _LEAST + _GAP
    if "text/html" in data:
        return 2 * _LINE
    return (1 + data.get("text/plain", "").count("\n")) * _PRINTED_LINE + _GAP


def room_for_output(cell: dict[str, Any]) -> float:
    """The room that it takes to begin with an output: the line of an explorer stands with its picture."""
    line = "text/html" in cell["outputs"][0].get("data", {}) and not has_picture(cell)
    return height_of_output(cell) + (_LEAST + _GAP if line else 0.0)


def has_picture(cell: dict[str, Any]) -> bool:
    """Whether a cell of a slide shows a picture."""
    return any("<img" in output.get("data", {}).get("text/html", "") for output in cell.get("outputs", []))


def fitted(cells: list[dict[str, Any]], taken: float) -> list[dict[str, Any]]:
    """The cells of a slide with their pictures as high as there is room, once all else has its own."""
    pictures = sum(map(has_picture, cells))
    if not pictures:
        return cells
    height = min(_MOST, _LEAST + (ROOM - taken) / pictures)
    found = []
    for cell in cells:
        if has_picture(cell):
            (output,) = cell["outputs"]
            page = f'<div class="picture" style="height: {height:.0f}px">{output["data"]["text/html"]}</div>'
            cell = {**cell, "outputs": [{**output, "data": {**output["data"], "text/html": page}}]}
        found.append(cell)
    return found
