"""Links of the repository's files, made those of the site: one place for each page, and none to what is no page."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_BADGE = re.compile(r"\[!\[([^\]]*)\]\(https?://[^)]*\)\]\(([^)]*)\)")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def relink(text: str, here: str, pages: Mapping[str, str]) -> str:
    """Return Markdown with its links as the site has them.

    A badge, a picture from somewhere else, becomes a plain link. A link to a file of the repository that is no page
    of the site, such as a module, becomes its text.

    Parameters
    ----------
    text : str
    here : str
        Where the text lies in the repository, "benchmarks/RESULTS.md".
    pages : mapping
        From files of the repository to where they lie in the site's source.

    Examples
    --------
    >>> relink("[a](../README.md#b) and [c](x.py)", "benchmarks/A.md", {"README.md": "r.md", "benchmarks/A.md": "A.md"})
    '[a](r.md#b) and c'
    """
    folder, home = posixpath.dirname(here), posixpath.dirname(pages.get(here, here))

    def linked(found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        path, sign, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            return found[0]
        file = posixpath.normpath(posixpath.join(folder, path)) if path else here
        if file.endswith(".ipynb"):  # Jupyter keeps capitals and signs in the names of its headings
            anchor = re.sub(r"[^\w-]", "", anchor.lower())
        if not path:
            return f"{mark}[{words}](#{anchor})"
        if file not in pages:
            return words if not mark else found[0]
        return f"{mark}[{words}]({posixpath.relpath(pages[file], home or '.')}{sign}{anchor})"

    parts, at = [], 0
    for code in [*_CODE.finditer(text), None]:
        plain = text[at : code.start() if code else None]
        parts.append(_LINK.sub(linked, _BADGE.sub(r"[\1](\2)", plain)))
        if code:
            parts.append(code[0])
            at = code.end()
    return "".join(parts)
