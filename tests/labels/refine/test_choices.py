"""What each choice of the refinement does to a clip made by hand, and that frames and particles must match."""

import cv2
import numpy as np
import pytest

from mpas_lite.labels.refine.pipeline import refine_clip
from mpas_lite.labels.refine.settings import Refinement
from tests.labels.refine.hand_made import HEIGHT, WIDTH, refined, walk


def test_doubt_leaves_out_the_border_of_a_label_and_nothing_within_or_far_away():
    frames, masks, found = walk()
    sure = refined(frames, found)[1]
    assert all(label.valid.all() for label in sure)
    for label, plain, mask in zip(refined(frames, found, doubt=True)[1], sure, masks, strict=True):
        np.testing.assert_array_equal(label.mask, plain.mask)
        border = cv2.morphologyEx(label.mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        assert not label.valid[border].any()
        far = cv2.dilate((label.mask | mask).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
        assert label.valid[far].mean() > 0.999
        inside = cv2.erode(label.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert inside.any()
        assert label.valid[inside].all()


@pytest.mark.parametrize("background", [True, False])
def test_each_frame_has_its_particles(background):
    frames, _, found = walk()
    settings = Refinement(background=background)
    for short in ((frames[:-1], found), (frames, found[:-1])):
        with pytest.raises(ValueError, match=r"zip\(\) argument 2 is (shorter|longer)"):
            list(refine_clip(enumerate(short[0]), short[1], list(frames), radius=5, settings=settings)[1])


@pytest.mark.parametrize("background", [True, False])
def test_labels_have_the_numbers_of_their_frames(background):
    frames, _, found = walk()
    numbered = ((20 * k + 7, frame) for k, frame in enumerate(frames))
    settings = Refinement(background=background)
    labels = list(refine_clip(numbered, found, list(frames), radius=5, settings=settings)[1])
    assert [label.index for label in labels] == [20 * k + 7 for k in range(len(frames))]
    assert {label.mask.shape for label in labels} == {label.valid.shape for label in labels} == {(HEIGHT, WIDTH)}


@pytest.mark.slow
def test_what_stands_beyond_the_reach_of_particles_is_not_labelled():
    frames, masks, found = walk()
    upper = [(p, np.where(p.position[:, 1] < 68, g, 0)) for p, g in found]  # only his head moves with the crowd
    whole = refined(frames, upper, standing=False)[1]
    head = refined(frames, upper, standing=False, reach=0.2)[1]
    for label, part, mask in zip(whole[2:], head[2:], masks[2:], strict=True):
        assert (label.mask & mask)[:80].sum() > 0.8 * mask[:80].sum()
        assert not part.mask[75:].any()
        assert (part.mask & mask)[60:66].any()


def test_only_particles_in_groups_are_a_crowd():
    frames, _, found = walk()
    nobody = [(p, np.zeros_like(g)) for p, g in found]
    survey, labels = refined(frames, nobody)
    assert survey.speed == 0
    assert not any(label.mask.any() for label in labels)
    assert not any(label.mask.any() for label in refined(frames, nobody, background=False)[1])
