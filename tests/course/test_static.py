import json
import re

import ipywidgets
import numpy as np
import pytest
from matplotlib.figure import Figure

from mpas_lite.course.static import plan, positions_of, write_static
from mpas_lite.course.widgets.explorer import Explorer, slider


def explorer(**controls):
    def draw(**values):
        figure = Figure(figsize=(0.5, 0.5), dpi=40)
        figure.patch.set_facecolor((0, 0.2, float(np.prod(list(map(hash, values.values()))) % 97) / 97))
        return figure, "Now <b>&lt; " + ", ".join(f"{name} {value}" for name, value in values.items()) + "</b>"

    return Explorer(controls, draw, alt="A square.")


def whole(description="K", value=3, top=9):
    return slider(ipywidgets.IntSlider, description, min=0, max=top, value=value)


def read(page):
    return json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])


def test_a_slider_that_is_thinned_keeps_its_ends_and_where_it_stands():
    for first in range(20):
        whole_one = positions_of("k", whole(value=first, top=19))
        for count in range(2, 20):
            few = whole_one.thinned(count)
            assert {0, first, 19} <= set(few.values)
            assert few.values == sorted(few.values)
            assert few.values[few.first] == first
            assert len(few.values) == count or count == 2


def test_values_between_the_steps_of_a_slider_stay_what_they_are():
    one = positions_of("z", slider(ipywidgets.FloatSlider, "z", min=0.02, max=1, step=0.02, value=0.25))
    assert one.values[one.first] == 0.25
    assert one.labels[one.first] == "0.25"
    menu = positions_of("r", slider(ipywidgets.Dropdown, "r", options=[("a", 1), ("b", 2)], value=2))
    assert (menu.values, menu.labels, menu.first, menu.menu) == ([1, 2], ["a", "b"], 1, True)
    choice = positions_of("s", slider(ipywidgets.SelectionSlider, "s", options=["x", "y"], value="y"))
    assert (choice.labels, choice.first, choice.menu) == (["x", "y"], 1, False)


def test_all_combinations_where_they_fit_else_one_control_at_a_time():
    two = explorer(a=whole(), b=whole())
    positions, together = plan(two, 100)
    assert together
    assert [len(one.values) for one in positions] == [10, 10]
    positions, together = plan(two, 30)
    assert together
    assert [len(one.values) for one in positions] == [5, 6]
    assert not plan(two, 15)[1]  # four positions are a slider's fewest: 4 x 4


def test_menus_keep_all_they_offer():
    menu = slider(ipywidgets.Dropdown, "m", options=list("abcdefgh"), value="a")
    positions, together = plan(explorer(m=menu, k=whole(top=99)), 64)
    assert together
    assert [len(one.values) for one in positions] == [8, 8]


@pytest.mark.parametrize(("most", "count"), [(100, 60), (12, 11)])
def test_every_state_that_the_controls_reach_has_its_picture_line_and_words(tmp_path, most, count):
    made = explorer(a=whole("a", value=2, top=5), b=whole("b [px]", value=4))
    page = write_static(made, tmp_path / "one", name="e-1", address="../x/one", most=most)
    record = read(page)
    assert record["together"] == (most == 100)
    assert len(record["states"]) == count
    for key, state in record["states"].items():
        a, b = (labels[int(n)] for labels, n in zip(record["labels"], key.split("-"), strict=True))
        assert state["line"] == f"Now <b>&lt; a {a}, b {b}</b>"
        assert state["alt"] == f"A square. Now < a {a}, b {b}"
        assert (tmp_path / "one" / state["picture"].removeprefix("../x/one/")).is_file()
    assert page.count("<label for=") == page.count('<input type="range"') == 2
    assert '<label for="e-1-b">b [px]</label>' in page
    assert 'aria-valuetext="2"' in page
    assert '<div class="static-line" aria-live="polite">Now <b>&lt; a 2, b 4</b></div>' in page
    assert 'alt="A square. Now &lt; a 2, b 4"' in page


def test_the_page_says_what_is_less_than_in_the_notebook(tmp_path):
    made = explorer(a=whole("a", top=5), b=whole("b"))
    notes = [write_static(made, tmp_path, name="e", address=".", most=most) for most in (100, 20, 12)]
    for page, words in zip(
        notes, ("every state", "some of their positions", "one control moves at a time"), strict=True
    ):
        assert words in page


def test_a_line_cannot_end_the_script_that_holds_it(tmp_path):
    made = Explorer({"a": whole(top=1, value=0)}, lambda a: (Figure(figsize=(1, 1)), "</script>"), alt="A.")
    page = write_static(made, tmp_path, name="e", address=".")
    assert read(page)["states"]["1"]["line"] == "</script>"
    assert page.count("</script>") == 2  # the line that is shown, and the end
