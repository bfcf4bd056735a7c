"""Sliders for the notebooks: each explorer is a dict of controls and one pure function that draws.

An explorer (`course.widgets.graph`, `.merging`, `.losses`, ...) computes and draws once what no slider changes
(`.pictures`), and redraws the rest in well under 100 ms. Only core ipywidgets are used, of versions 7.7 (Colab) and 8.
"""

from __future__ import annotations

import gc
import html
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mpas_lite.plots.alternative_text import DescribedPicture

if TYPE_CHECKING:
    import ipywidgets
    from matplotlib.figure import Figure

PICTURE_CLASS = "explorer-picture"  # of the widget that holds the picture


@dataclass(frozen=True)
class Explorer:
    """A picture and a line of text that follow their controls.

    Attributes
    ----------
    controls : dict of ipywidgets controls
        By the keyword that the callback knows them by; shown in this order.
    callback : function
        Gets the value of every control as a keyword, returns a Figure and a line of HTML. It must be pure: the
        same values, the same picture. So it can be tested, and timed, without a browser.
    alt : str
        What the picture shows, for those who do not see it; the line's words follow it.

    Examples
    --------
    >>> import ipywidgets
    >>> from matplotlib.figure import Figure
    >>> slider = ipywidgets.IntSlider(3, 0, 9, description="K neighbours")
    >>> explorer = Explorer({"k": slider}, lambda k: (Figure(figsize=(1, 1)), f"K = {k}"))
    >>> box = explorer.show()
    >>> slider.value = 7
    >>> box.children[1].value
    'K = 7'
    """

    controls: Mapping[str, Any]
    callback: Callable[..., tuple[Figure, str]]
    alt: str = "A picture that follows the controls."

    def draw(self) -> tuple[bytes, str]:
        """PNG picture and line of HTML for the values that the controls have now."""
        figure, line = self.callback(**{name: control.value for name, control in self.controls.items()})
        return png(figure), line

    def show(self) -> ipywidgets.VBox:
        """Controls, line and picture, one below the other; every change of a control redraws.

        The first picture is drawn at once, and an error in it is raised. An error later, when a control has
        moved, takes the place of the line, in words; the last good picture stays.
        """
        import ipywidgets

        first_picture, first_line = self._described()
        line = ipywidgets.HTML(first_line)
        picture = ipywidgets.HTML(first_picture)  # an Image would have no alternative text
        picture.add_class(PICTURE_CLASS)

        def redraw(_: Any) -> None:
            try:
                with _collecting_later():
                    picture.value, line.value = self._described()
            except Exception as error:  # whatever it is: Jupyter would lose it
                line.value = f"<b>This cannot be drawn.</b> {html.escape(_in_words(error))}"

        for control in self.controls.values():
            control.observe(redraw, names="value")
        return ipywidgets.VBox([ipywidgets.VBox(list(self.controls.values())), line, picture])

    def _described(self) -> tuple[str, str]:
        """Picture with its alternative text, and line, both HTML."""
        picture, line = self.draw()
        words = html.unescape(re.sub(r"<[^>]+>", "", line))
        return DescribedPicture(picture, f"{self.alt} {words}").html, line


def slider(kind: type[Any], description: str, **options: Any) -> Any:
    """Return a control in the course's style; a slider answers when it is let go.

    Parameters
    ----------
    kind : class of ipywidgets
        A slider, or a `Dropdown`.
    description : str
        Symbol, meaning and unit.
    **options
        What the class takes.
    """
    if hasattr(kind, "continuous_update"):
        options["continuous_update"] = False
    tip = "tooltip" if "tooltip" in kind.class_trait_names() else "description_tooltip"  # of ipywidgets 7
    style = {"description_width": "initial"}
    return kind(description=description, style=style, layout={"width": "95%"}, **{tip: description}, **options)


def value_slider(description: str, values: Sequence[float], value: float, words: str = "{}") -> Any:
    """Return a control for one of some values: a slider where they are evenly spaced, else a menu.

    A `SelectionSlider` would tell a screen reader the value's place in the list, "3 of 7", and not the value.

    Parameters
    ----------
    description : str
        Symbol, meaning and unit.
    values : sequence of numbers
        Increasing.
    value : number
        The first.
    words : str
        How a menu writes a value.

    Examples
    --------
    >>> value_slider("t time [steps]", [0, 10, 20], 10).step
    10
    >>> value_slider("s share [%]", [1, 2, 5], 2, "{} %").options
    (('1 %', 1), ('2 %', 2), ('5 %', 5))
    """
    import ipywidgets

    gaps = [after - before for before, after in pairwise(values)]
    if not gaps or max(gaps) - min(gaps) > 1e-9:
        return slider(
            ipywidgets.Dropdown, description, options=[(words.format(one), one) for one in values], value=value
        )
    whole = all(isinstance(one, int) for one in values)
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return slider(kind, description, min=values[0], max=values[-1], step=gaps[0], value=value)


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file, at its own size and dpi; lightly packed, as that is faster."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=figure.dpi, pil_kwargs={"compress_level": 1})
    return file.getvalue()


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Hold back the garbage collection: with torch loaded a full one takes longer than a picture."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _in_words(error: Exception) -> str:
    """Return the message of our own errors, which are sentences; of others with the kind in front."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
