"""The lecturer's kit: minutes, quiz, plans, notes and slides, each held to what the notebooks are."""

import html
import importlib
import json
import math
import re
import shlex
import shutil

import networkx as nx
import numpy as np
import pytest
from click.testing import CliRunner

from mpas_lite.cli import cli
from mpas_lite.course.checks.exercises import ROOMS
from mpas_lite.course.grading import instructor_copy
from mpas_lite.course.minutes import Pace, sections, stated, table, total
from mpas_lite.course.notebooks import notebook_paths
from mpas_lite.course.notes import read_notes, reading
from mpas_lite.course.teaching import moodle, pages
from mpas_lite.scenes.samples import sample_path
from tests.helpers import ROOT

NUMBERS = [path.name[:2] for path in notebook_paths()]
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


@pytest.mark.slow
def test_the_table_adds_up():
    shown = table()
    for path in notebook_paths():
        way, bonus = total(json.loads(path.read_text(encoding="utf-8")))
        assert 10 < way < 120
        assert f"| **{path.stem}** | **{way:.0f}** | **{bonus:.0f}** |" in shown


def test_each_notebook_has_its_notes():
    for number in NUMBERS:
        notes = read_notes(number)
        assert len(notes.objectives) >= 4
        assert len(notes.quiz) == 10
        assert len(notes.discussion) >= 3
        assert len(notes.misconceptions) >= 4
    with pytest.raises(ValueError, match="no teaching notes for a notebook '09'"):
        read_notes("09")


@pytest.mark.parametrize("number", NUMBERS)
def test_each_question_has_one_right_answer_and_three_reasons(number):
    quiz = read_notes(number).quiz
    assert len({one.question for one in quiz}) == 10
    for one in quiz:
        assert one.why.endswith((".", "?"))
        assert len(one.distractors) == 3
        answers = [one.answer, *(wrong for wrong, _ in one.distractors)]
        assert len(set(answers)) == 4, one.question
        for _, reason in one.distractors:
            assert len(reason) > 10
            assert reason.endswith((".", "?")), reason


@pytest.mark.parametrize("path", notebook_paths(), ids=NUMBERS)
def test_numbers_are_right(path):
    """A number as the answer has a check, and every check is true; what was measured is what the notebook prints."""
    lines = list(printed_lines(path))

    def printed(begin):
        """The numbers that follow in the first line with this beginning."""
        line = next(line for line in lines if line.startswith(begin))
        return [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", line.removeprefix(begin))]

    for one in read_notes(path.name[:2]).quiz:
        if one.check:
            assert eval(one.check, {"np": np, "nx": nx, "math": math, "printed": printed}), one.question
        else:
            assert not re.search(r"\d", one.answer.replace("MOG2", "")), f"{path.stem}: {one.question} needs a check"


def printed_lines(path):
    """What a notebook prints, line by line, with single spaces."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            for line in "".join(output.get("text", "")).splitlines():
                yield " ".join(line.split())


@pytest.mark.parametrize("number", NUMBERS)
def test_misconceptions_are_those_of_wrong_answers(number):
    """What is quoted holds a part of the sentence that `test_checks` sees a wrong answer get."""
    answers = importlib.import_module(f"tests.course.answers.{ROOMS[number]}").ANSWERS
    for one in read_notes(number).misconceptions:
        assert any(said in one.says for _, said in answers[one.exercise][1]), one.says
    assert {one.exercise for one in read_notes(number).misconceptions} == set(answers)


@pytest.mark.parametrize("path", notebook_paths(), ids=NUMBERS)
def test_what_is_to_be_tried_has_an_answer(path):
    """Each question of a paragraph that begins with "Try this." is asked word for word in the notes."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    asked = " ".join(plain(one.asked) for one in read_notes(path.name[:2]).discussion)
    for cell in cells:
        for paragraph in "".join(cell["source"]).split("\n\n"):
            if cell["cell_type"] == "markdown" and paragraph.startswith("**Try this.**"):
                for question in re.findall(r"[^.?]+\?", paragraph.removeprefix("**Try this.**")):
                    assert plain(question) in asked, question


def plain(text):
    """Words alone."""
    return " ".join(re.findall(r"\w+", text.replace('" "', "")))


def test_a_key_too_many_or_too_few_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    rest = "quiz = []\nmisconceptions = []\n"
    (tmp_path / "00.toml").write_text("objectives = []\n" + rest + 'discussion = [{asked = "a", answers = "b"}]')
    with pytest.raises(ValueError, match=r"00.toml: Discussion has no answers"):
        read_notes("00")
    (tmp_path / "00.toml").write_text("objectives = []\n" + rest + 'discussion = [{asked = "a"}]')
    with pytest.raises(ValueError, match=r"00.toml: .*'answer'"):
        read_notes("00")


def from_gift(text):
    """Questions of a GIFT text: what is asked, and the answers with their feedback; its signs are those of Moodle."""
    hidden = re.sub(r"\\([\\~=#{}:])", lambda found: f"&&{ord(found[1]):03d};", text)
    for title, asked, answers in re.findall(r"::(.*?)::\[html\](.*?)\{(.*?)\}", hidden, re.DOTALL):
        found = [
            (sign, *(shown(part) for part in line.split("#"))) for sign, line in re.findall(r"\n\t([=~])(.*)", answers)
        ]
        yield shown(title), shown(asked), found


def shown(text):
    return html.unescape(re.sub(r"&&(\d{3});", lambda found: chr(int(found[1])), text))


@pytest.mark.parametrize("number", NUMBERS)
def test_moodle_reads_the_quiz_as_it_is(number):
    quiz = read_notes(number).quiz
    found = list(from_gift(moodle.gift(read_notes(number))))
    assert len(found) == 10
    for (_, asked, answers), one in zip(found, quiz, strict=True):
        assert plain(re.sub("<.*?>", "", asked)) == plain(one.question)
        assert [sign for sign, *_ in answers] == ["=", "~", "~", "~"]
        assert [plain(re.sub("</?code>", "", answer)) for _, answer, _ in answers] == [
            plain(text) for text in (one.answer, *(wrong for wrong, _ in one.distractors))
        ]
        assert all(len(feedback) > 5 for *_, feedback in answers)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_instructors_copy_has_the_notes_where_students_do_not_see_them(number):
    path = next(path for path in notebook_paths() if path.name.startswith(number))
    cell = instructor_copy(json.loads(path.read_text(encoding="utf-8")))["cells"][1]
    assert cell["metadata"]["nbgrader"] | {"grade": True, "locked": True, "points": 0} == cell["metadata"]["nbgrader"]
    seen, _, hidden = cell["source"].partition("### BEGIN HIDDEN TESTS\n")
    assert seen == "# Notes on this notebook will be here when you get your feedback.\n"
    assert all(line.startswith("#") for line in hidden.splitlines())
    told = plain(hidden)
    for one in read_notes(number).discussion:
        assert plain(one.answer) in told


PAGES = ROOT / "docs" / "teaching"
in_the_source_tree = pytest.mark.skipif(not PAGES.is_dir(), reason="the lecturer's pages are not here")


@in_the_source_tree
def test_made_pages_are_up_to_date():
    for path, text in pages.made(PAGES).items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m mpas_lite.course.teaching.pages"


@in_the_source_tree
def test_every_page_is_in_the_contents_and_short_enough():
    contents = (PAGES / "index.md").read_text(encoding="utf-8")
    for path in PAGES.glob("*.md"):
        assert path.stem == "index" or f"\n{path.stem}\n" in contents
        words = len(path.read_text(encoding="utf-8").split())
        assert words < (2500 if path.stem.startswith("notebook") else 1300), f"{path.name}: {words} words"


@in_the_source_tree
@pytest.mark.slow
def test_the_projects_commands_and_cell_work_on_a_bundled_clip(tmp_path, monkeypatch, capsys):
    """As the page has them; outlines are left as the machine drew them, and no network is trained."""
    page = (PAGES / "project.md").read_text(encoding="utf-8")
    shutil.copy(sample_path("crossing") / "video.mp4", tmp_path / "my_clip.mp4")
    monkeypatch.chdir(tmp_path)
    for line in re.findall(r"^mpas-lite (.*?) *(?:#.*)?$", page, re.MULTILINE):
        if not line.startswith("run "):
            result = CliRunner().invoke(cli, shlex.split(line))
            assert result.exit_code == 0, result.output
    (cell,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(cell, {})
    said = capsys.readouterr().out
    assert re.search(r"refined  IoU 0\.9\d+ over 5 frames: 0: 0\.9", said), said
    assert "circles  IoU 0." in said
    assert "network  not made yet: there is no folder result/masks" in said
