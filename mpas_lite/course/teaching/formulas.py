"""Formulas as MathML, which browsers draw themselves: no script, no network, and screen readers know it."""

from __future__ import annotations

import re

TAG = re.compile(r"\\tag\{([^}]*)\}")
_BOLD = re.compile(r'<mn mathvariant="bold">(\d+)</mn>')  # browsers want other characters, not an attribute


def mathml(latex: str, *, block: bool = False) -> str:
    r"""A formula as a ``math`` element on one line.

    Raises
    ------
    ModuleNotFoundError
        If latex2mathml is not installed.

    Examples
    --------
    >>> "𝟏" in mathml(r"\mathbf{1}")
    True
    """
    from latex2mathml.converter import convert

    element = convert(" ".join(latex.split()), display="block" if block else "inline")
    return _BOLD.sub(lambda found: f"<mn>{''.join(chr(0x1D7CE + int(digit)) for digit in found[1])}</mn>", element)
