"""The lecturer's kit: minutes, quiz, plans, notes and slides, each held to what the notebooks are."""

import json

import pytest

from mpas_lite.course.minutes import Pace, sections, stated, table, total
from mpas_lite.course.notebooks import notebook_paths

SLOW = Pace(words=1, formulas=1, lines=1, pictures=1, explorer=10, point=100)


def text(source):
    return {"cell_type": "markdown", "id": "a", "source": source, "metadata": {}}


def code(source, name="b", tags=()):
    return {"cell_type": "code", "id": name, "source": source, "outputs": [], "metadata": {"tags": list(tags)}}


def minutes(*cells, pace=SLOW):
    return [(part.title, part.minutes, part.bonus) for part in sections({"cells": list(cells)}, pace)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (text("## A\nTwo words."), 2),
        (text("## A\nOne $x + y$ formula, and [a link](https://somewhere.else/x y)."), 6),
        (text("## A\n$$ x\n= y $$"), 1),
        (text("## A\n$$x$$\n$$y$$"), 2),
        (text("## A\n![a picture](images/a.png)"), 3),
        (text("[![badge](https://a.b/c)](d)\n## A\nword"), 1),
        (text("## A\n### Two more"), 2),
        (text("## A\n```\n# no heading\n```"), 2),
        (code("a = 1\n\n# said\nb = 2"), 3),
        (code('show_with_alt(ax, "A.")'), 2),
        (code("explorer(a).show()"), 11),
        (code("def my_iou(a, b): ...", "exercise-04-1"), 201),
        (code("def my_iou(a, b): ...", "exercise-04-1", ["minutes-12"]), 13),
        (code("def my_iou(a, b): return 1", "solution-04-1"), 0),
        (code("### BEGIN SOLUTION\n1\n### END SOLUTION"), 0),
        ({**text("A long text."), "id": "solution-text-04-1"}, 0),
        (text("## Further reading\n- A book."), 0),
    ],
)
def test_a_thing_counts_at_its_pace(cell, expected):
    assert sum(part[1] for part in minutes(cell)) == expected


def test_the_paces_are_those_of_the_default():
    cells = [
        text("## A\n" + 130 * "word "),
        text("$$x$$ $$y$$"),
        code("\n".join(20 * ["x"])),
        code("x", "exercise-04-1"),
    ]
    assert sum(part[1] for part in minutes(*cells, pace=None)) == pytest.approx(1 + 1 + 1 + 1 / 20 + 6)


def test_bonus_lasts_to_the_next_heading_of_its_level_or_above():
    cells = [
        text("# All\nin"),
        text("## A (bonus)\nb b\n### still\nb"),
        code("b"),
        text("## B\none\n### Two (bonus)\nb b\n#### deeper\nb\n### Three\none"),
    ]
    assert minutes(*cells) == [("All", 1, 0), ("A", 0, 5), ("B", 3, 6)]
    assert total({"cells": cells}, SLOW) == (4, 11)


def test_the_stated_time_is_read():
    for written in ("**Time:** 35 minutes.", "**Time: 35 minutes**", "**Time:** 35 minutes, and 10 for the bonus"):
        assert stated({"cells": [text(f"# A\n{written}")]}) == 35
    assert stated({"cells": [text("# A")]}) is None


def test_the_table_adds_up():
    shown = table()
    for path in notebook_paths():
        way, bonus = total(json.loads(path.read_text(encoding="utf-8")))
        assert 10 < way < 120
        assert f"| **{path.stem}** | **{way:.0f}** | **{bonus:.0f}** |" in shown
