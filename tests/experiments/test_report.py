"""The report: scores on the frames that all have, and a page that one bad clip does not end."""

import html
import re
import warnings
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from mpas_lite.evaluation.background_subtraction import mog2_masks
from mpas_lite.evaluation.ground_truth import truth_of
from mpas_lite.evaluation.scores import iou, score_masks
from mpas_lite.experiments import report
from mpas_lite.experiments.clip_scores import NETWORKS, ClipResult, clip_scores, format_scores, score_tables
from mpas_lite.experiments.report import write_report
from mpas_lite.experiments.table_text import format_table
from mpas_lite.files.atomic import write_json
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.video.clip import Clip
from mpas_lite.video.images import write_image
from mpas_lite.video.reader import read_video

pytestmark = pytest.mark.slow

METHODS = {"CM+CRM", "MOG2", "MOG2 closed", "MPASNET"}
TRAINING = {"loss": [0.5], "segmentation": [0.4], "air": [0.1], "steps": 3}
LABEL = LabelSettings(every=5, radius=8.0, interval=3)


def square(index, shape=(120, 160)):
    """Where the moving square of conftest.py is."""
    mask = np.zeros(shape, bool)
    mask[40:80, 10 + 2 * index : 50 + 2 * index] = True
    return mask


@pytest.fixture
def result(tmp_path, moving_square):
    """Makes a clip of a run: labels for every fifth frame, a network's mask for every frame, truth for some."""

    def make(name="square", truth=(0, 5, 10), labelled=range(0, 25, 5), size=(120, 160), people=True):
        folder = tmp_path / f"clip-{len(list(tmp_path.iterdir()))}"
        for index in range(25):
            write_image(folder / "masks" / f"{index:06d}.png", square(index + 1))
        for index in labelled:
            write_image(folder / "pairs/masks" / f"{index:06d}.png", square(index + 2))
        for index in truth:
            mask = square(index, size) if people else np.zeros(size, bool)
            write_image(folder / "truth" / f"{index:06d}.png", mask)
        clip = Clip.at(read_video(moving_square, name=name))
        return ClipResult(clip, folder, folder / "pairs", {"truth": folder / "truth"} if truth else {})

    return make


def metrics_of(clips):
    scores = {name: clip_scores(clip) for name, clip in clips.items() if clip.truth}
    return {
        "training": TRAINING,
        "iou": {name: score.iou for name, score in scores.items()},
        "iou_unseen": {},
        "frames": {name: score.frames for name, score in scores.items()},
    }


def test_methods_are_scored_on_the_frames_that_all_have(result):
    clip = result(truth=(0, 5, 7, 10, 24))  # frame 7 and 24 have no label
    scores = clip_scores(clip)
    assert scores.frames == {"truth": 3}
    assert set(scores.iou["truth"]) == METHODS
    assert scores.iou["truth"]["MPASNET"] == pytest.approx(iou(square(1), square(0)))
    assert scores.iou["truth"]["CM+CRM"] == pytest.approx(iou(square(2), square(0)))


def test_a_network_without_the_branch_has_a_column_of_its_own_name(result):
    clip = replace(result(), network=NETWORKS[False])
    scores = clip_scores(clip)
    assert set(scores.iou["truth"]) == {*METHODS - {"MPASNET"}, "MPASNET*"}
    (row, _), *_ = score_tables({"square": scores.iou}).values()
    assert "MPASNET*" in row


def test_a_frame_without_a_mask_of_the_network_is_compared_by_no_method(result):
    clip = result()
    (clip.folder / "masks/000005.png").unlink()
    assert clip_scores(clip).frames == {"truth": 2}  # 0 and 10


def test_refined_labels_stand_beside_the_papers_circles(result):
    clip = result()
    for index in range(0, 25, 5):
        write_image(clip.pairs / "circles" / f"{index:06d}.png", square(index + 3))
    scores = clip_scores(clip).iou["truth"]
    assert scores["CM+CRM"] == pytest.approx(iou(square(3), square(0)))
    assert scores["refined labels"] == pytest.approx(iou(square(2), square(0)))


def test_background_subtraction_stands_beside_raw_and_closed(result):
    clip = result(truth=(10, 15, 20))
    truth = truth_of(clip.clip.video(), clip.truth["truth"])
    for method, closed in (("MOG2", False), ("MOG2 closed", True)):
        masks = mog2_masks(clip.clip.video(), indices=truth, closed=closed)
        assert clip_scores(clip).iou["truth"][method] == score_masks(masks, truth).pooled
    raw, closed = (clip_scores(clip).iou["truth"][method] for method in ("MOG2", "MOG2 closed"))
    assert raw != closed


def test_truth_that_fits_no_frame_is_said_and_not_passed_over_in_silence(result):
    clip = result(truth=(300, 305))
    with pytest.warns(
        UserWarning, match=r"square is not scored against the given ground truth: .* has no mask for any"
    ):
        assert clip_scores(clip).iou == {}
    clip = result(truth=(3, 4))
    with pytest.warns(UserWarning, match="for any of the 5 frames with a label and a mask .it has frames 3 to 4"):
        assert clip_scores(clip).iou == {}


def test_truth_of_another_size_or_damaged_costs_its_own_score_alone(result):
    clip = result(size=(60, 80))
    with pytest.warns(UserWarning, match=r"not scored against .*000000\.png is 80x60"):
        assert clip_scores(clip).iou == {}
    clip = result()
    crowd = clip.folder / "crowd"
    crowd.mkdir()
    (crowd / "000000.png").write_bytes(b"no image")
    both = ClipResult(clip.clip, clip.folder, clip.pairs, {"crowd": crowd, **clip.truth})
    with pytest.warns(UserWarning, match="is not scored against crowd masks.*000000.png is not an image"):
        assert set(clip_scores(both).iou) == {"truth"}


def test_ground_truth_is_compared_with_masks_of_its_own_kind_and_unknown_truth_with_both(result):
    clip = result()
    for index in (0, 5, 10):
        write_image(clip.folder / "persons" / f"{index:06d}.png", square(index + 4))
    crowd, person = iou(square(1), square(0)), iou(square(4), square(0))
    assert clip_scores(clip).iou["truth"]["MPASNET"] == pytest.approx(crowd)
    assert clip_scores(clip).iou["truth"]["MPASNET persons"] == pytest.approx(person)
    truth = clip.truth["truth"]
    scores = clip_scores(ClipResult(clip.clip, clip.folder, clip.pairs, {"crowd": truth, "person": truth})).iou
    assert [scores[kind]["MPASNET"] for kind in ("crowd", "person")] == pytest.approx([crowd, person])
    assert set(scores["person"]) == METHODS


def test_the_page_says_what_masks_are_made_of(result, tmp_path):
    clips = {"a": result("a"), "b": result("b")}
    write_json(clips["a"].folder / "segment.json", {"background": "digest", "masks": "both"})
    write_json(clips["b"].folder / "segment.json", {"background": None})
    write_report(tmp_path / "out", clips, metrics_of(clips), LABEL)
    page = html.unescape((tmp_path / "out/report.html").read_text())
    assert "Where the camera stands still (a) the masks are the network's and the background's together." in page
    assert "those in persons/ of persons alone" in page
    assert re.findall('alt="frame, particles, pseudo-label, ([a-z]+)"', page) == ["masks", "network"]
    titles = [report._panels(clip, ["truth"], LABEL).axes[3].get_title() for clip in clips.values()]
    assert [title.split(": IoU 0.")[0] for title in titles] == ["masks", "network"]


def test_truth_with_nobody_in_it_is_said_once_a_clip(result):
    clip = result(people=False)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        clip_scores(clip)
    (only,) = said
    assert "square (truth): the ground truth has nobody in any of the 3 frames" in str(only.message)


# ------------------------------------------------------------------------------------------------- tables


def test_every_table_says_how_many_frames_were_scored():
    scores = {"a": {"crowd": {"MOG2": 0.5}}, "b": {"crowd": {"MOG2": 0.7}, "person": {"MOG2": 0.1}}}
    frames = {"a": {"crowd": 19}, "b": {"crowd": 3, "person": 2}}
    tables = score_tables(scores, frames)
    assert [row["frames"] for row in tables["crowd"]] == [19, 3, 22]
    assert [row["frames"] for row in tables["person"]] == [2, 2]
    assert list(tables["crowd"][0]) == ["scene", "frames", "MOG2"]
    assert "frames" not in score_tables(scores)["crowd"][0]  # what an earlier version wrote does not say
    text = format_scores({"iou": scores, "iou_unseen": {}, "frames": frames})
    assert "| scene | frames |  MOG2 |" in text
    assert "| mIoU  |     22 | 0.600 |" in text


def test_the_papers_tables_say_it_too():
    once = {"mean": 0.4, "std": None, "seeds": {}, "scenes": {"hall": {"mean": 0.4, "std": None}}}
    settings = dict.fromkeys(("encoder", "encoder_weights", "steps", "batch_size", "long_side", "schedule"), 1)
    row = {"name": "MOG2", "paper": None, "seconds": [], "iou": {"crowd": once}, "light": {}}
    results = {
        "table": "table1", "rows": [row],
        "seeds": [0], "scenes": {"hall": ["hall-1", "hall-2"]}, "frames": 24, "scored": {"hall": 24}, "left_out": {},
        "settings": {**settings, "lr": 0.1, "air_weight": 0.1, "augmentation": "real"},
        "machine": {"device": "a CPU", "cores": 2, "threads": 1}, "versions": {},
    }  # fmt: skip
    (line,) = [line for line in format_table(results).splitlines() if "frames scored" in line]
    assert [cell.strip() for cell in line.strip("|").split("|")] == ["frames scored", "24", "–", "24"]


# ------------------------------------------------------------------------------------------------- the page


def pictures(page):
    return [unquote(urlsplit(html.unescape(source)).path) for source in re.findall(r'<img src="([^"]*)"', page)]


def test_clips_of_any_name_have_a_picture_each(tmp_path, result):
    names = ["a b", "a_b", "A_B", "training", "iou-1", "<i>x</i>&'\"", "ü", "100%41", "x#y?z", "\udce9"]
    clips = {name: result(name=name) for name in names[:2]} | {name: result(name=name, truth=()) for name in names[2:]}
    write_report(tmp_path / "out", clips, metrics_of(clips), LABEL)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    shown = pictures(page)
    assert len(shown) == len(names) + 2  # the scores, the losses
    assert len({name.casefold() for name in shown}) == len(shown)
    assert all((tmp_path / "out" / name).stat().st_size > 1000 for name in shown)
    assert "<i>" not in page
    assert "&lt;i&gt;x&lt;/i&gt;&amp;" in page


@pytest.mark.parametrize(("truth", "shown"), [((0, 5, 10), 5), ((), 10), ((300,), 10)])
def test_the_picture_is_of_the_middle_frame_with_truth_where_there_is_any(result, monkeypatch, truth, shown):
    asked = []
    real = report.label_window
    monkeypatch.setattr(report, "label_window", lambda index, *rest: asked.append(index) or real(index, *rest))
    report._panels(result(truth=truth), ["truth"], LABEL)
    assert asked == [shown]


def test_a_clip_with_nothing_to_show_does_not_end_the_report(tmp_path, result):
    good, empty, broken = result(), result(labelled=()), result(name="broken", truth=())
    for path in (broken.folder / "masks").iterdir():
        path.write_bytes(b"no image")
    clips = {"good": good, "empty": empty, "broken": broken}
    with pytest.warns(UserWarning, match="The report has no picture of") as said:
        write_report(tmp_path / "out", clips, metrics_of(clips), LABEL)
    text = " ".join(str(one.message) for one in said)
    assert "The report has no picture of empty: none of its frames has both" in text
    assert "The report has no picture of broken:" in text
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("<p>No picture:") == 2
    assert [Path(name).name for name in pictures(page)] == ["good.png", "iou-1.png", "training.png"]
    assert "<td>good</td><td>3</td>" in page
    assert re.search(r"<td>good</td><td>3</td>(<td>[01]\.\d{3}</td>){4}", page)


def test_the_caption_says_whose_labels_they_are(tmp_path, result):
    for name, refine, caption in (
        ("plain", None, "(CM+CRM)"),
        ("refined", Refinement(), "(refined: what differs from the still background"),
    ):
        clips = {"square": result(truth=())}
        settings = LabelSettings(every=5, radius=8.0, interval=3, refine=refine)
        write_report(tmp_path / name, clips, metrics_of(clips), settings)
        assert caption in (tmp_path / name / "report.html").read_text(encoding="utf-8")
