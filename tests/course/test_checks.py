"""The checks of the exercises cannot be fooled: right answers are accepted, wrong ones hear what is wrong with them.

The answers are in ``tests/course/answers``, at least six wrong ones and three right ones for each exercise.
"""

import importlib
import inspect

import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.course.checks import Exercise, NotYet, exercise, grade, judging, of_notebook, verdict
from mpas_lite.course.checks.exercises import ROOMS
from mpas_lite.course.checks.judging import Answer
from tests.course.answers.merging import discs

pytestmark = pytest.mark.slow

NUMBERS = [one.number for notebook in ROOMS for one in of_notebook(notebook)]
ANSWERS = {
    number: answers
    for room in ROOMS.values()
    for number, answers in importlib.import_module(f"tests.course.answers.{room}").ANSWERS.items()
}
RIGHT = [(number, answer) for number, (right, _) in ANSWERS.items() for answer in right]
WRONG = [(number, answer, said) for number, (_, wrong) in ANSWERS.items() for answer, said in wrong]
every_exercise = pytest.mark.parametrize("number", NUMBERS)


@every_exercise
def test_there_are_answers_enough(number):
    right, wrong = ANSWERS[number]
    assert len(right) >= 3
    assert len(wrong) >= 6


@pytest.mark.parametrize(("number", "answer"), RIGHT, ids=[number for number, _ in RIGHT])
def test_a_right_answer_is_accepted_however_it_is_written(number, answer):
    assert verdict(number, answer) == "Right!"


@pytest.mark.parametrize(("number", "answer", "said"), WRONG, ids=[f"{number} {said}" for number, _, said in WRONG])
def test_a_wrong_answer_hears_what_is_wrong_with_it(number, answer, said):
    text = verdict(number, answer)
    assert text.startswith("Not yet: ")
    assert said in text
    assert "\n" not in text
    assert len(text) < 300


def mistakes_of(number, monkeypatch):
    """The usual mistakes that a check knows, as it hands them to `compare`."""
    seen = {}
    asked = exercise(number)
    room = inspect.getmodule(asked.check)
    if not hasattr(room, "compare"):
        return seen
    monkeypatch.setattr(room, "compare", lambda *_, mistakes, **__: seen.update(mistakes))
    try:
        asked.check(Answer(lambda *_: 0, asked.name, asked.hint))
    except NotYet:
        pass  # what is judged after the comparison
    finally:
        monkeypatch.undo()
    return seen


@every_exercise
def test_every_mistake_that_a_check_knows_is_told_from_the_right_answer(number, monkeypatch):
    """So the cases of a check tell them all apart."""
    for sentence, wrong in mistakes_of(number, monkeypatch).items():
        with np.errstate(all="ignore"):
            assert verdict(number, wrong) != "Right!", sentence


@every_exercise
@pytest.mark.parametrize("nothing", [None, ...])
def test_an_untouched_stub_hears_what_to_do_first(number, nothing):
    asked = exercise(number)
    said = verdict(number, lambda *_, **__: nothing)
    assert said == f"Not yet: {asked.name} returns nothing yet; {asked.hint}"


def unwritten(*_, **__):
    raise NotImplementedError  # as nbgrader leaves it


@every_exercise
def test_a_stub_of_nbgrader_is_no_crash(number):
    assert "returns nothing yet" in verdict(number, unwritten)


@every_exercise
def test_what_is_no_function_and_what_takes_other_arguments_is_told(number):
    assert verdict(number, 7) == f"Not yet: {exercise(number).name} should be a function, not int."
    assert "the code stopped with TypeError" in verdict(number, lambda a, b, c, d, e, f, g: 0)


def helper(values):
    return values.no_such_thing


def fails_deep_down(values, size):
    ordered = helper(values)
    return ordered


def fails_in_a_library(values, size):
    return np.stack([])


@pytest.mark.parametrize(
    ("answer", "line"), [(fails_deep_down, "values.no_such_thing"), (fails_in_a_library, "np.stack([])")]
)
def test_an_error_names_the_line_of_the_student_not_of_a_library(answer, line):
    said = verdict("07.1", answer)
    assert f"return {line})" in said
    number = inspect.getsourcelines(helper if answer is fails_deep_down else answer)[1] + 1
    assert f"(line {number} of " in said


def test_an_error_has_no_lines_of_the_check_in_its_trace():
    with pytest.raises(NotYet, match="the code stopped with ValueError") as caught:
        grade("07.1", fails_in_a_library)
    assert caught.value.__suppress_context__
    assert caught.traceback[-1].name == "grade"


def leaves(values, size):
    raise SystemExit(3)


def test_an_answer_that_leaves_is_no_end_of_the_notebook():
    assert "the code stopped with SystemExit: 3" in verdict("07.1", leaves)


def test_check_prints_and_grade_gives_the_points(capsys):
    mp.check("04.1", mp.iou)
    mp.check("04.1", lambda a, b: None)
    assert capsys.readouterr().out == (
        "Right!\nNot yet: my_iou returns nothing yet; count the pixels that the masks share, and go on.\n"
    )
    assert grade("04.1", mp.iou) == exercise("04.1").points == 2


@pytest.mark.parametrize("number", ["04.9", "nonsense", "99.1"])
def test_an_unknown_exercise_is_a_mistake_of_the_notebook(number):
    with pytest.raises(ValueError, match=f"There is no exercise '{number}'; there are 0"):
        mp.check(number, mp.iou)


def test_each_notebook_asks_what_the_checks_know():
    for notebook in ROOMS:
        assert [one.number for one in of_notebook(notebook)] == sorted(n for n in NUMBERS if n[:2] == notebook)
    assert all(isinstance(exercise(number), Exercise) and exercise(number).points > 0 for number in NUMBERS)


@pytest.mark.parametrize(
    "form", [judging.number, judging.whole_number, judging.yes_or_no, judging.numbers, judging.mask]
)
def test_what_has_no_such_form_gets_a_sentence(form):
    for nonsense in ("text", {1, 2}, [1, "a"], [[1], [1, 2]], object()):
        with pytest.raises(NotYet, match=r"asked for|should hold"):
            form(nonsense)


def test_radii_that_grow_towards_the_camera_help_hardly_on_the_street():
    """As the text behind exercise 04.2 says."""
    scene = mp.render_scene("street_flow", seed=2, frames=26, noise=1.0)
    crowd = scene.crowd[20]
    particles = next(p for p in mp.track(scene.frames, every=20) if p.frame == 20)
    labels = mp.collective_merging(mp.crowd_graph(particles.position, particles.velocity))
    position = particles.position[labels > 0]
    growing = [
        mp.iou(discs(position, start + slope * position[:, 1], crowd.shape), crowd)
        for start in (1, 2, 3, 4)
        for slope in (0.01, 0.02, 0.04)
    ]
    single = [mp.iou(mp.circular_region_merging(position, r, crowd.shape), crowd) for r in range(2, 25)]
    assert max(growing) < max(single) + 0.02
