"""The sliders of notebook 04: every end of every slider draws, what moves changes the picture, the numbers fit."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import mpas_lite as mp
from mpas_lite.course.widgets.explorer import png
from mpas_lite.course.widgets.merging import merging_explorer, plot_parts
from tests.helpers import texture, values

TRUTH = np.zeros((120, 160), bool)
TRUTH[40:80, 10:50] = True  # where the moving square is in frame 0


@pytest.fixture(scope="module")
def explorer(moving_square):
    return merging_explorer(moving_square, TRUTH)


@pytest.mark.parametrize("name", ["k", "z_times_k", "threshold", "radius", "min_size"])
def test_both_ends_of_every_slider_draw_and_differ(explorer, name):
    control = explorer.controls[name]
    pictures = set()
    for value in (control.min, control.max):
        figure, line = explorer.callback(**values(explorer, **{name: value}))
        assert isinstance(figure, Figure)
        assert "IoU" in line
        pictures.add(png(figure))
    assert len(pictures) == 2 or name == "min_size"  # the square alone has more than 60 particles


def test_the_line_tells_the_iou_of_the_method_itself(explorer, moving_square):
    _, line = explorer.callback(**values(explorer, radius=6))
    settings = mp.LabelSettings(radius=6, max_corners=1000)
    labelled = next(mp.label_frames(moving_square, settings))
    assert f"IoU with the ground truth: {mp.iou(labelled.mask, TRUTH):.3f}" in line
    assert f"{len(labelled.particles)} particles, {(labelled.labels > 0).sum()} kept" in line


def test_the_callback_is_pure(explorer):
    one, other = (explorer.callback(**values(explorer)) for _ in range(2))
    assert png(one[0]) == png(other[0])
    assert one[1] == other[1]


def test_labels_have_symbol_meaning_and_unit(explorer):
    for control in explorer.controls.values():
        assert len(control.description.split()) >= 3
    assert "px" in explorer.controls["radius"].description


def test_without_truth_there_is_no_iou(moving_square):
    explorer = merging_explorer(moving_square, index=10)
    _, line = explorer.callback(**values(explorer))
    assert "IoU" not in line
    assert "covers" in line


def test_truth_is_found_in_a_folder_by_the_frame():
    clip = mp.sample_path("group_split")
    explorer = merging_explorer(clip, clip / "truth" / "crowd", index=20)
    assert "IoU" in explorer.callback(**values(explorer))[1]
    with pytest.raises(ValueError, match=r"no ground truth of frame 22; the nearest it has: \[15, 20, 25, 30\]"):
        merging_explorer(clip, clip / "truth" / "crowd", index=22)


def test_a_still_video_and_a_lone_particle_draw():
    still = np.repeat(texture(60, 80)[None], 8, axis=0)
    explorer = merging_explorer(still)
    assert "0 particles, 0 kept in 0 groups" in explorer.callback(**values(explorer))[1]


def test_bad_input_is_told(moving_square):
    with pytest.raises(ValueError, match="ends before frame 33; choose an index from 0 to 24"):
        merging_explorer(moving_square, index=28)
    with pytest.raises(ValueError, match="of one size"):
        merging_explorer(moving_square, TRUTH[:50])


def test_parts_need_a_colour_each(moving_square):
    ax = Figure().subplots()
    assert plot_parts(moving_square[0], {"square": TRUTH, "rest": ~TRUTH}, ax) is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["square", "rest"]
    with pytest.raises(ValueError, match="as many colours"):
        plot_parts(moving_square[0], {"square": TRUTH}, ax, colors=["sky", "blue"])


def test_sliders_may_be_few_and_begin_elsewhere():
    frames = mp.read_video(mp.sample_path("group_split"))
    explorer = merging_explorer(frames, index=50, radius=5, sliders=["radius"])
    assert list(explorer.controls) == ["radius"]
    assert explorer.controls["radius"].value == 5
    whole = merging_explorer(frames, index=50)
    usual = {name: control.value for name, control in whole.controls.items()}
    assert explorer.callback(radius=8)[1] == whole.callback(**{**usual, "radius": 8})[1]
