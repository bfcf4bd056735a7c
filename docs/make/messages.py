"""Every sentence with which the library or a command refuses something, read out of the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SILENT = {
    "option",
    "part",
    "slider",
    "help",
    "short_help",
    "epilog",
    "alt",
    "description",
    "Argument",
    "text",
    "annotate",
}
LEFT_OUT = ("course/checks/", "notebooks/", "course/static.py", "experiments/table_text.py", "experiments/report")
HOLE = "\N{HORIZONTAL ELLIPSIS}"  # where a value stands in a message


@dataclass(frozen=True)
class Message:
    """What an error says.

    Attributes
    ----------
    file : str
        Within the package, "crowd/graph.py".
    text : str
        With ``HOLE`` where values stand.
    """

    file: str
    text: str


def messages_of(package: Path) -> list[Message]:
    """Collect what is raised or said, in the order of files and lines.

    A message is often put together before it is raised: so every sentence in the code counts that is no docstring, no
    help of an option and no text of a picture. What exercises answer is left out: their checks say it.
    """
    found: dict[Message, None] = {}
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        if not file.startswith(LEFT_OUT):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
            nodes = raised if file.startswith("course/") else [tree]  # what explorers say of a picture is no error
            for text in (text for node in nodes for text in _sentences(node)):
                found.setdefault(Message(file, text))
    return list(found)


def _sentences(node: ast.AST, *, said: bool = False) -> Iterator[str]:
    """Texts under a node, whole ones only; ``said`` is whether an error is being made of them."""
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
        text = template(node)
        if _is_sentence(text) and (said or text.endswith((".", "?", ". ", "? "))):
            yield text.strip()
            return
    if isinstance(node, ast.arguments) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return  # a default, a docstring
    if isinstance(node, ast.Call):
        name = _name(node.func)
        if name in SILENT:
            return
        said = said or name.endswith(("Error", "Exception", "NotOurs", "warn"))
    said = said or isinstance(node, ast.Raise)
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.keyword) and child.arg in SILENT):
            yield from _sentences(child, said=said)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def template(node: ast.AST) -> str:
    """Return the text of an expression, with a hole for every value in it.

    Examples
    --------
    >>> template(ast.parse("f'K is {k}; ' + 'give a whole number.'", mode="eval").body)
    'K is …; give a whole number.'
    """
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else HOLE
    if isinstance(node, ast.JoinedStr):
        return re.sub(f"{HOLE}+", HOLE, "".join(template(part) for part in node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    if isinstance(node, ast.IfExp):
        return template(node.body) if _is_sentence(template(node.body)) else template(node.orelse)
    return HOLE


def _is_sentence(text: str) -> bool:
    return len(re.findall(r"[A-Za-z]{2,}", text)) >= 3 and not re.search(r"^\^|</|\| *:?-", text)


def patterns_of(tests: Path) -> list[tuple[str, str]]:
    """Collect what tests expect of errors: file, and the regular expression of each ``pytest.raises(match=...)``."""
    found = []
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) == "raises":
                found += [
                    (path.relative_to(tests).as_posix(), keyword.value.value)
                    for keyword in node.keywords
                    if keyword.arg == "match" and isinstance(keyword.value, ast.Constant)
                ]
    return found
