"""Explorer and try_exercise: what every explorer of the notebooks relies on."""

import ast
from pathlib import Path

import ipywidgets
import pytest
from matplotlib.figure import Figure

import mpas_lite.widgets
from mpas_lite.widgets import Explorer, try_exercise

PNG = b"\x89PNG"


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
    assert isinstance(picture, ipywidgets.Image)
    assert bytes(picture.value).startswith(PNG)
    assert int.from_bytes(bytes(picture.value[16:20]), "big") == 100  # 2 inches of 50 dots


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
    folder = mpas_lite.widgets.__path__[0]
    for path in Path(folder).glob("*.py"):
        names = {n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)}
        assert not names & {"Output", "interact", "interactive_output"}, path.name
