"""Figures with alternative text: what a screen reader says in the place of a picture.

Matplotlib's own figures have none in a notebook: JupyterLab draws an output of type image/png as an ``img`` without
``alt``, whatever its metadata say. So a figure is shown as HTML, ``<img alt="..." src="data:image/png;base64,...">``,
and the text stands a second time in the output's metadata, where a test or a converter finds it.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class DescribedPicture:
    """A picture with its alternative text, which Jupyter shows as HTML.

    Attributes
    ----------
    png : bytes
        The file.
    alt : str
        What is to be seen, in a sentence or two.

    Examples
    --------
    >>> picture = DescribedPicture(b"...", "Two groups cross.")
    >>> picture
    Two groups cross.
    >>> print(picture.html)
    <img alt="Two groups cross." src="data:image/png;base64,Li4u" style="max-width: 100%">
    """

    png: bytes
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError("The alternative text is empty: say in a sentence what the picture shows.")

    @property
    def html(self) -> str:
        """An ``img`` element that holds the picture."""
        data = base64.b64encode(self.png).decode()
        alt = html.escape(" ".join(self.alt.split()))
        return f'<img alt="{alt}" src="data:image/png;base64,{data}" style="max-width: 100%">'

    def __repr__(self) -> str:
        return " ".join(self.alt.split())

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """What Jupyter asks for: the data by type, and their metadata."""
        return {"text/html": self.html, "text/plain": repr(self)}, {"text/html": {"alt": repr(self)}}


def describe(figure: Figure | Axes | Iterable[Axes], alt: str) -> DescribedPicture:
    """A figure as a picture with alternative text; pyplot forgets it, so that it is not shown a second time.

    Parameters
    ----------
    figure : Figure, Axes, or several Axes of one Figure
        As the plots return them.
    alt : str
        What is to be seen, in a sentence or two.

    Returns
    -------
    DescribedPicture

    Raises
    ------
    ValueError
        If the text is empty.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> describe(Figure(figsize=(1, 1)).subplots(), "An empty square.")
    An empty square.
    """
    whole = _figure_of(figure)
    file = io.BytesIO()
    whole.savefig(file, format="png", dpi=whole.dpi, bbox_inches="tight")  # as a notebook shows figures
    _forget(whole)
    return DescribedPicture(file.getvalue(), alt)


def show_with_alt(figure: Figure | Axes | Iterable[Axes], alt: str) -> None:
    """Show a figure in a notebook, with alternative text.

    Parameters
    ----------
    figure : Figure, Axes, or several Axes of one Figure
        As the plots return them.
    alt : str
        What is to be seen, in a sentence or two.

    Raises
    ------
    ValueError
        If the text is empty.
    """
    from IPython.display import display

    display(describe(figure, alt))


def _figure_of(figure: Any) -> Figure:
    from matplotlib.figure import Figure

    if isinstance(figure, Figure):
        return figure
    first = figure if hasattr(figure, "figure") else next(iter(getattr(figure, "flat", figure)))
    whole: Figure = first.figure
    return whole


def _forget(figure: Figure) -> None:
    """Close a figure of pyplot; others are not known to it."""
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
