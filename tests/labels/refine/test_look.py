"""What one frame says by itself: each step gets what it should, at the size that is worked on."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mpas_lite.labels.refine import pipeline
from mpas_lite.labels.refine.pipeline import refine_clip, seed_mask
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import survey_clip, working_frame, working_scale
from mpas_lite.motion.klt import Particles
from tests.labels.refine.hand_made import discs, refined, walk

ALONE = {"standing": False, "closing": 0.0}


def test_where_the_background_is_not_known_the_circle_stays():
    cases = np.array(list(np.ndindex(2, 2, 2, 2)), bool)
    expected = [bool(f and n) if k else bool(c) for f, n, k, c in cases]
    assert seed_mask(*cases.T[:, None])[0].tolist() == expected


@pytest.fixture
def judged(monkeypatch):
    """What is asked whether it is no crowd: position and velocity in each frame; the answer is settable."""
    seen = {"given": [], "answer": False}
    real = pipeline.not_crowd

    def asking(foreground, position, velocity, *rest):
        seen["given"].append((position, velocity))
        return np.ones(foreground.shape, bool) if seen["answer"] else real(foreground, position, velocity, *rest)

    monkeypatch.setattr(pipeline, "not_crowd", asking)
    return seen


def test_what_is_no_crowd_is_left_out_where_that_is_asked_for(judged):
    frames, _, found = walk()
    judged["answer"] = True
    assert not any(label.mask.any() for label in refined(frames, found)[1])
    assert len(judged["given"]) == len(frames)
    assert any(label.mask.any() for label in refined(frames, found, not_crowd=False)[1])
    assert len(judged["given"]) == len(frames)


@pytest.mark.slow
def test_particles_are_brought_to_the_working_size(judged):
    frames, _, found = walk()
    large = [cv2.resize(frame, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST) for frame in frames]
    many = [(Particles(p.position * 6, p.velocity * 6, p.frame), g) for p, g in found]
    scale = working_scale(large[0].shape[:2])
    list(refine_clip(enumerate(large), many, [working_frame(f) for f in large], radius=30, scale=scale)[1])
    for (position, velocity), (particles, _) in zip(judged["given"], found, strict=True):
        np.testing.assert_allclose(position, particles.position * 3, rtol=1e-6)
        np.testing.assert_allclose(velocity, particles.velocity * 3, rtol=1e-6)


def shaken(pictures, jumps):
    return np.stack([np.roll(p, tuple(j[::-1]), (0, 1)) for p, j in zip(pictures, jumps, strict=True)])


def shaken_clip():
    frames, masks, found = walk()
    jumps = np.random.default_rng(3).integers(-3, 4, (len(frames), 2))
    jumps[len(frames) // 2] = 0
    moved = [
        (Particles(p.position + j.astype(np.float32), p.velocity, p.frame), g)
        for (p, g), j in zip(found, jumps, strict=True)
    ]
    return shaken(frames, jumps), shaken(masks, jumps), moved, found


def test_particles_are_steadied_with_their_frame(judged):
    frames, _, moved, still = shaken_clip()
    assert refined(frames, moved)[0].shakes
    for (position, _), (particles, _) in zip(judged["given"], still, strict=True):
        assert np.abs(position - particles.position).max() < 0.5


@pytest.mark.slow
def test_doubt_lies_where_the_border_is_in_the_shaken_frame():
    frames, _, moved, _ = shaken_clip()
    for label in refined(frames, moved, doubt=True)[1][1:]:
        inner = cv2.erode(label.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert not label.valid[label.mask & ~inner].any()
    assert all(label.valid.all() for label in refined(frames, moved)[1])


def test_a_shaking_frame_that_cannot_be_steadied_keeps_its_circles(monkeypatch):
    frames, _, found = walk()
    survey = replace(survey_clip(list(frames), found, Refinement()), shakes=True)
    monkeypatch.setattr(pipeline, "survey_clip", lambda *_, **__: survey)
    monkeypatch.setattr(pipeline, "steadying", lambda *_: None)
    labels = refined(frames, found, **ALONE)[1]
    np.testing.assert_array_equal(np.stack([label.mask for label in labels]), discs(found))


def two_walkers():
    """A second one walks along the lower border, 40 px below the first; nobody knows his particles."""
    frames, masks, found = walk()
    other = np.roll(masks, 29, axis=1)
    frames[other] = (40, 150, 60)
    return frames, masks, other, found


def test_only_who_is_within_reach_of_a_group_is_labelled():
    frames, masks, other, found = two_walkers()
    labels = refined(frames, found, reach=0.3, perspective=False, **ALONE)[1]
    there, reached = (
        np.mean([label.mask[m].mean() for label, m in zip(labels, who, strict=True)]) for who in (masks, other)
    )
    assert there > 0.8
    assert reached < 0.3
    wide = refined(frames, found, reach=3.0, perspective=False, **ALONE)[1]
    assert np.mean([label.mask[m].mean() for label, m in zip(wide, other, strict=True)]) > 0.8


def test_who_belongs_to_no_group_is_out_of_reach():
    frames, _, other, found = two_walkers()
    known = []
    for particles, groups in found:
        lower = particles.position + np.float32([0, 29])
        everyone = Particles(
            np.concatenate([particles.position, lower]), np.tile(particles.velocity, (2, 1)), particles.frame
        )
        known.append((everyone, np.concatenate([groups, 0 * groups])))
    labels = refined(frames, known, reach=0.3, perspective=False, **ALONE)[1]
    assert np.mean([label.mask[m].mean() for label, m in zip(labels, other, strict=True)]) < 0.3


def test_gaps_are_closed_as_wide_as_is_asked():
    frames, masks, found = walk()
    other = np.roll(masks, 14, axis=2)  # 6 px of ground between the two, of people 15 px high everywhere
    frames[other] = (40, 150, 60)
    gap = np.roll(masks, 8, axis=2) & np.roll(masks, 6, axis=2) & ~np.roll(masks, 14, axis=2)
    middle = slice(5, 25)
    for closing, expected in ((0.0, False), (1.0, True)):
        labels = refined(frames, found, closing=closing, reach=3.0, perspective=False, standing=False)[1]
        share = np.mean([label.mask[g].mean() for label, g in zip(labels[middle], gap[middle], strict=True)])
        assert (share > 0.8) == expected
