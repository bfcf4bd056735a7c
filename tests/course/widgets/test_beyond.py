"""The controls of notebook 07: both ends draw and differ, and the picture is the method's own."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import mpas_lite as mp
from mpas_lite.course.widgets.beyond import GROUND, fusion_explorer, place_explorer, place_samples, refinement_explorer
from mpas_lite.course.widgets.explorer import png
from mpas_lite.evaluation.ground_truth import read_ground_truth
from mpas_lite.labels.refine.survey import FrameSampler
from tests.helpers import ends, texture, values

CLIP = mp.sample_path("crossing")
AT = 40
TRUTH, _ = read_ground_truth(CLIP / "truth" / "crowd" / f"{AT:06d}.png")


@pytest.fixture(scope="module")
def explorer():
    return refinement_explorer(CLIP, CLIP / "truth" / "crowd", index=AT)


@pytest.fixture(scope="module")
def labelled():
    """The clip's frames, and what its kept frames say."""
    video = mp.read_video(CLIP)
    spread = FrameSampler()
    for _, frame in video:
        spread.add(frame)
    settings = mp.LabelSettings.ours(every=10)
    return list(mp.label_frames(video, settings)), spread.frames


@pytest.mark.slow
@pytest.mark.parametrize("name", ["low", "reach", "closing", "shadows", "standing", "perspective", "not_crowd"])
def test_both_ends_of_every_control_draw_and_differ(explorer, name):
    pictures = set()
    for value in ends(explorer.controls[name]):
        figure, line = explorer.callback(**values(explorer, **{name: value}))
        assert isinstance(figure, Figure)
        assert "IoU" in line
        pictures.add(png(figure))
    assert len(pictures) == 2


@pytest.mark.parametrize("extreme", [0, 1])
def test_all_controls_at_one_end_draw(explorer, extreme):
    figure, line = explorer.callback(**{name: ends(control)[extreme] for name, control in explorer.controls.items()})
    assert png(figure)
    assert "IoU" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shadows": False},
        {"standing": False},
        {"perspective": False},
        {"not_crowd": False},
        {"reach": 2.0, "closing": 0.3},
    ],
)
def test_the_label_is_that_of_the_method_itself(explorer, labelled, changes):
    found, samples = labelled
    _, refined = mp.refine_clip(
        ((one.index, one.frame) for one in found),
        [(one.particles, one.labels) for one in found],
        samples,
        radius=1 / 60,
        settings=mp.Refinement(**changes),
    )
    mask = {one.index: one.mask for one in refined}[AT]
    _, line = explorer.callback(**values(explorer, **changes))
    assert f"IoU with the ground truth: <b>{mp.iou(mask, TRUTH):.3f}</b>" in line
    assert f"<b>{100 * mask.mean():.1f} %</b>" in line


def test_the_callbacks_are_pure(explorer):
    for one in (explorer, place_explorer()):
        first, second = (one.callback(**values(one)) for _ in range(2))
        assert png(first[0]) == png(second[0])
        assert first[1] == second[1]


@pytest.mark.slow
def test_without_truth_there_is_no_iou():
    explorer = refinement_explorer(CLIP, index=AT)
    assert "IoU" not in explorer.callback(**values(explorer))[1]


@pytest.mark.slow
def test_what_cannot_be_shown_is_told():
    with pytest.raises(ValueError, match="Frame 41 is not kept; choose one of 0, 10, 20"):
        refinement_explorer(CLIP, index=41)
    with pytest.raises(ValueError, match="too large to follow"):
        refinement_explorer(np.zeros((8, 300, 500, 3), np.uint8))
    wide = np.repeat(texture(120, 600)[..., None], 3, axis=2)
    with pytest.raises(ValueError, match="The camera moves"):
        refinement_explorer(np.stack([wide[:, 8 * t : 8 * t + 160] for t in range(40)]))


@pytest.mark.parametrize("name", ["covered", "variety", "samples", "part"])
def test_both_ends_of_the_place_draw_and_differ(name):
    explorer = place_explorer()
    pictures = set()
    for value in ends(explorer.controls[name]):
        figure, line = explorer.callback(**values(explorer, **{name: value}))
        assert "densest value" in line
        pictures.add(png(figure))
    assert len(pictures) == 2


def test_the_place_is_covered_as_often_as_asked():
    for covered in (0, 0.5, 0.95):
        value, person = place_samples(covered, 50, 40)
        assert person.sum() == round(covered * 40)
        assert np.abs(value[~person].astype(int) - GROUND).max() < 8


def test_every_control_says_what_it_is(explorer):
    for one in (explorer, place_explorer()):
        for control in one.controls.values():
            assert len(control.description.split()) >= 3


# ------------------------------------------------------------------------------------------------- fusion


@pytest.fixture(scope="module")
def fusion():
    return fusion_explorer(mp.load("general"), CLIP, CLIP / "truth", index=AT)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["weight", "masks", "asked"])
def test_both_ends_of_every_control_of_the_fusion_draw_and_differ(fusion, name):
    lines = set()
    for value in ends(fusion.controls[name]):
        figure, line = fusion.callback(**values(fusion, **{name: value}))
        assert png(figure)
        assert "IoU with the ground truth of " in line
        lines.add(line)
    assert len(lines) == 2


@pytest.mark.slow
def test_the_fused_mask_is_that_of_segment(fusion):
    net, frames = mp.load("general"), np.stack([frame for _, frame in mp.read_video(CLIP)])
    for kind in ("crowd", "person"):
        masks = mp.segment(net, frames, every=AT, background=True, masks=kind, device="cpu")
        mask = dict(masks)[AT]
        truth, _ = read_ground_truth(CLIP / "truth" / kind / f"{AT:06d}.png")
        _, line = fusion.callback(**values(fusion, masks=kind))
        assert f"<b>{100 * mask.mean():.1f} %</b>" in line
        assert f"<b>{mp.iou(mask, truth):.3f}</b>" in line


@pytest.mark.slow
def test_the_fusion_says_what_it_cannot_show():
    net = mp.load("general")
    with pytest.raises(ValueError, match="no frame 900"):
        fusion_explorer(net, CLIP, index=900)
    with pytest.raises(ValueError, match="too large to follow a slider"):
        fusion_explorer(net, np.zeros((9, 10, 500, 3), np.uint8))
    with pytest.warns(UserWarning, match="too few"), pytest.raises(ValueError, match="cannot be told"):
        fusion_explorer(net, np.zeros((3, 40, 60, 3), np.uint8))
