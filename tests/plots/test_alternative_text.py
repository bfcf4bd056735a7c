"""A figure in a notebook says in words what it shows: in the page, and in the output's metadata."""

import base64
from html.parser import HTMLParser
from io import BytesIO

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from PIL import Image

from mpas_lite.plots import DescribedPicture, describe, plot_mask, show_with_alt

ALT = 'Two <groups> cross; "left" & right.'


class Images(HTMLParser):
    """Attributes of the img elements of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def picture_in(page: str) -> tuple[str | None, np.ndarray]:
    (image,) = Images(page).found
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    return image["alt"], np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("RGB"))


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    yield
    plt.close("all")


def test_the_page_has_the_picture_and_its_text():
    frame = np.full((20, 40, 3), (200, 30, 30), np.uint8)
    alt, picture = picture_in(describe(plot_mask(frame, np.zeros((20, 40), bool)), ALT).html)
    assert alt == ALT
    assert (picture == (200, 30, 30)).all(axis=2).mean() > 0.3
    assert picture.shape[1] > picture.shape[0]


def test_the_output_of_a_cell_is_valid_and_keeps_the_text_in_its_metadata():
    data, metadata = describe(Figure(figsize=(1, 1)), ALT)._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])]))
    assert picture_in(output.data["text/html"])[0] == ALT
    assert output.metadata["text/html"]["alt"] == output.data["text/plain"] == ALT


def test_a_cell_shows_the_figure_once():
    """The figure is closed: at the end of a cell Jupyter shows every figure that pyplot still knows."""
    shell = InteractiveShell.instance()
    with capture_output() as shown:
        shell.run_cell(
            "from mpas_lite.plots import show_with_alt\n"
            "import matplotlib.pyplot as plt\n"
            "show_with_alt(plt.subplots()[1], 'Empty axes.')"
        )
    (output,) = shown.outputs
    assert output.metadata["text/html"]["alt"] == "Empty axes."
    assert not plt.get_fignums()


def test_other_figures_stay_open():
    plt.figure(7)
    describe(plt.figure(8), ALT)
    describe(Figure(figsize=(1, 1)), ALT)
    assert plt.get_fignums() == [7]


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 2)])
def test_figure_axes_and_rows_of_axes_are_the_same_picture(shape):
    figure = Figure(figsize=(2, 2))
    axes = figure.subplots(*shape)
    pictures = {describe(what, ALT).png for what in (figure, axes, np.ravel(axes)[0], list(np.ravel(axes)))}
    assert len(pictures) == 1


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_an_empty_text_is_refused(alt):
    with pytest.raises(ValueError, match="alternative text is empty"):
        show_with_alt(Figure(), alt)


def test_line_breaks_become_spaces():
    assert repr(DescribedPicture(b"", "Two groups\n    cross.")) == "Two groups cross."
