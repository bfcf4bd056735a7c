"""Explorer and try_exercise: what every explorer of the notebooks relies on."""

import ast
import base64
import re
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import mpas_lite.course.widgets
from mpas_lite.course.widgets.exercises import try_exercise
from mpas_lite.course.widgets.explorer import Explorer, slider, value_slider
from mpas_lite.course.widgets.pictures import add_picture, backdrop
from tests.helpers import ROOT

PNG = b"\x89PNG"


def shown(picture):
    """Alternative text and file of a picture in the page."""
    alt, data = re.fullmatch(r'<img alt="([^"]*)" src="data:image/png;base64,([^"]*)"[^>]*>', picture.value).groups()
    return alt, base64.b64decode(data)


def bars(height, name="a"):
    if height == 9:
        raise ValueError("9 is < too high; choose less.")
    if height == 8:
        return 1 / 0
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.subplots().bar([0, 1], [height, 10])
    return figure, f"<b>{name}</b> {height}"


@pytest.fixture
def controls():
    return {
        "height": ipywidgets.IntSlider(3, 0, 9),
        "name": ipywidgets.Dropdown(options=["a", "b"]),
    }


def test_controls_then_line_then_picture(controls):
    box, line, picture = Explorer(controls, bars).show().children
    assert box.children == tuple(controls.values())
    assert isinstance(line, ipywidgets.HTML)
    assert line.value == "<b>a</b> 3"
    assert isinstance(picture, ipywidgets.HTML)
    _, file = shown(picture)
    assert file.startswith(PNG)
    assert int.from_bytes(file[16:20], "big") == 100  # 2 inches of 50 dots


def test_the_picture_says_what_it_shows_and_what_the_line_says(controls):
    *_, picture = Explorer(controls, bars, "Two <bars>.").show().children
    assert shown(picture)[0] == "Two &lt;bars&gt;. a 3"
    controls["height"].value = 4
    assert shown(picture)[0] == "Two &lt;bars&gt;. a 4"


def test_every_control_redraws_with_all_values(controls):
    _, line, picture = Explorer(controls, bars).show().children
    before = picture.value
    controls["height"].value = 5
    assert line.value == "<b>a</b> 5"
    assert picture.value != before
    controls["name"].value = "b"
    assert line.value == "<b>b</b> 5"


def test_the_same_values_give_the_same_picture(controls):
    explorer = Explorer(controls, bars)
    assert explorer.draw() == explorer.draw()


def test_an_error_is_told_in_words_and_the_picture_stays(controls):
    _, line, picture = Explorer(controls, bars).show().children
    before = picture.value
    controls["height"].value = 9
    assert line.value == "<b>This cannot be drawn.</b> 9 is &lt; too high; choose less."
    assert picture.value == before
    controls["height"].value = 8
    assert "ZeroDivisionError: division by zero" in line.value
    controls["height"].value = 4
    assert line.value == "<b>a</b> 4"
    assert picture.value != before


def test_an_error_in_the_first_picture_is_raised(controls):
    controls["height"].value = 9
    with pytest.raises(ValueError, match="choose less"):
        Explorer(controls, bars).show()


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def test_a_backdrop_is_the_figure_itself_and_takes_the_same_marks():
    still, whole = Figure(figsize=(3, 2), dpi=60), Figure(figsize=(3, 2), dpi=60)
    for figure in (still, whole):
        ax = figure.add_axes((0.3, 0.2, 0.6, 0.7), xlim=(0, 9), ylim=(1, 100), yscale="log", xlabel="x")
        ax.set_aspect(2)
    fresh = backdrop(still, still.axes)
    assert np.array_equal(pixels(fresh()[0]), pixels(still))
    figure, (bare,) = fresh()
    for ax in (bare, whole.axes[0]):
        ax.plot([2, 7], [3, 30], "o", color="red")
    assert np.array_equal(pixels(figure), pixels(whole))
    assert np.array_equal(pixels(fresh()[0]), pixels(still))


def test_a_picture_lies_in_its_place_as_large_as_fits():
    figure = Figure(figsize=(2, 1), dpi=50)
    add_picture(figure, np.full((10, 10, 3), (200, 0, 0), np.uint8), (0.5, 0.2, 0.5, 0.8))
    rows, columns = np.nonzero((pixels(figure) != 255).any(axis=2))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (55, 94, 0, 39)  # 40 x 40 of 50 x 40 px
    assert pixels(figure)[20, 75].tolist() == [200, 0, 0]
    assert pixels(figure)[0, 55].tolist() == [0, 0, 0]


def check_square(square):
    """What the test's exercise asks for."""
    assert square(3) is not None, "square returns nothing yet."
    assert square(3) == 9, f"square(3) is 9, not {square(3)}."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: None, "Not yet: square returns nothing yet.\n"),
        (lambda x: 2 * x, "Not yet: square(3) is 9, not 6.\n"),
        (lambda x: x**2, "Right!\n"),
        (None, "Not yet: the code stopped with TypeError: 'NoneType' object is not callable"),
        (lambda x: x.undefined, "Not yet: the code stopped with AttributeError: 'int' object has no attribute"),
    ],
)
def test_try_exercise_says_how_it_went(capsys, answer, said):
    try_exercise(check_square, answer)
    captured = capsys.readouterr()
    assert captured.out.startswith(said)
    assert captured.err == ""


def test_a_check_without_a_sentence_still_fails(capsys):
    def silent(_):
        raise AssertionError

    try_exercise(silent, 0)
    assert capsys.readouterr().out == "Not yet.\n"


def test_no_widget_file_uses_output_or_interact():
    """Output widgets flicker, and what `interact` raises is lost."""
    folder = mpas_lite.course.widgets.__path__[0]
    for path in Path(folder).rglob("*.py"):
        names = {n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)}
        assert not names & {"Output", "interact", "interactive_output"}, path.name


@pytest.mark.parametrize("kind", ["IntSlider", "FloatSlider", "Dropdown"])
def test_a_control_says_its_name_to_who_does_not_see_it(kind):
    options = {"options": [1, 2]} if kind == "Dropdown" else {"min": 0, "max": 3}
    control = slider(getattr(ipywidgets, kind), "r  radius [px]", **options)
    assert control.description == "r  radius [px]"
    assert getattr(control, "tooltip", None) or control.description_tooltip == "r  radius [px]"


def test_values_are_told_and_not_their_places_in_a_list():
    even = value_slider("t  time [steps]", [0, 10, 20], 20)
    assert (even.min, even.max, even.step, even.value) == (0, 20, 10, 20)
    assert isinstance(value_slider("η  noise [1]", [0.0, 0.05, 0.1], 0.05), ipywidgets.FloatSlider)
    menu = value_slider("s  share [%]", [0.01, 0.02, 0.1], 0.02, "{:.0%}")
    assert [label for label, _ in menu.options] == ["1%", "2%", "10%"]
    assert menu.value == 0.02
    for path in (ROOT / "mpas_lite" / "course").rglob("*.py"):
        assert "ipywidgets.SelectionSlider" not in path.read_text(encoding="utf-8"), path


def test_every_slider_says_its_unit():
    """In brackets, as each slider is made; menus offer words."""
    unnamed = []
    for path in (ROOT / "mpas_lite" / "course" / "widgets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("slider", "value_slider"):
                kind, *words = [ast.unparse(one) for one in node.args]
                text = words[0] if ast.unparse(node.func) == "slider" and words else kind
                menu = "Dropdown" in kind or kind in ("menu", "kind")
                if not menu and not re.search(r"\[[^\]]+\]", text) and text != "text":
                    unnamed.append(f"{path.name}: {text}")
    assert not unnamed
