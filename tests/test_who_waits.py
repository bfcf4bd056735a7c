"""Who of the marked people is found in a mask, how much of the mask is elsewhere, and the picture of it."""

import json
import sys

import numpy as np
import pytest

from mpas_lite.video.images import write_image
from tests.helpers import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="runs in a source tree only")
PEOPLE = {
    "frame": 3,
    "width": 80,
    "height": 40,
    "waits": [[0, 0, 10, 20], [20, 0, 30, 20]],
    "walks": [[40, 10, 50, 40]],
}


@pytest.fixture(autouse=True)
def _source_tree(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def masked(*boxes):
    mask = np.zeros((40, 80), bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def test_half_of_somebodys_ellipse_is_enough_and_less_is_not():
    from benchmarks.who_waits import inside, look_for

    assert inside([0, 0, 10, 20], (40, 80)).sum() == pytest.approx(np.pi * 5 * 10, rel=0.03)
    assert look_for(PEOPLE, masked((0, 0, 10, 10), (40, 0, 50, 24))).found == {"waits": [True, False], "walks": [False]}
    assert look_for(PEOPLE, masked((0, 0, 10, 9), (40, 0, 50, 25))).found == {"waits": [False, False], "walks": [True]}
    assert look_for(PEOPLE, masked((0, 0, 10, 20), (60, 0, 70, 5))).elsewhere == 0.2
    assert look_for(PEOPLE, masked()).elsewhere == 0


def test_the_picture_crosses_out_who_is_not_found_and_its_words_do_not_touch():
    from benchmarks.who_waits import draw

    some, none = masked((0, 0, 10, 20), (60, 0, 70, 20)), masked()
    figure = draw(PEOPLE, {"some of it": some, "nothing": none, "some again": some})
    figure.draw_without_rendering()
    assert [len(ax.lines) for ax in figure.axes] == [2, 3, 2]
    assert [ax.get_title() for ax in figure.axes[:2]] == [
        "some of it\n1/2 who wait, 0/1 who walk; 50% in no box",
        "nothing\n0/2 who wait, 0/1 who walk; 0% in no box",
    ]
    words = [ax.title.get_window_extent() for ax in figure.axes] + [figure.subfigs[1].legends[0].get_window_extent()]
    words += [ax.xaxis.label.get_window_extent() for ax in figure.axes if ax.get_xlabel()]
    assert len(words) == 6
    assert all(figure.bbox.y0 <= word.y0 and word.y1 <= figure.bbox.y1 for word in words)
    assert not [1 for i, one in enumerate(words) for other in words[:i] if one.overlaps(other)]


def test_a_command_counts_and_draws(tmp_path, monkeypatch, capsys):
    from benchmarks.who_waits import main

    (tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    write_image(tmp_path / "masks/000003.png", masked((0, 0, 10, 20), (60, 0, 70, 20)))
    write_image(tmp_path / "masks/000004.png", masked((0, 0, 30, 20)))
    asked = [f"{tmp_path}/x.png", f"a = b={tmp_path}/masks", f"--people={tmp_path}/people.json"]
    monkeypatch.setattr(sys, "argv", ["who_waits", *asked])
    assert main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "| a = b | 12% | 1 of 2 | 0 of 1 | 50% | 1.5 |"
    assert (tmp_path / "x.png").stat().st_size > 5000


def test_boxes_that_were_marked_lie_in_the_frame():
    from benchmarks.who_waits import PEOPLE as FILE

    people = json.loads(FILE.read_text())
    assert (len(people["waits"]), len(people["walks"])) == (8, 10)
    for left, top, right, bottom in people["waits"] + people["walks"]:
        assert 0 <= left < right <= people["width"]
        assert 0 <= top < bottom <= people["height"]
