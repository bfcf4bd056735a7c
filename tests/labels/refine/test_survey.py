"""What a whole clip says before its frames are labelled."""

import numpy as np
import pytest

from mpas_lite.labels.refine import survey as module
from mpas_lite.labels.refine.person_size import PersonSize
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import FrameSampler, survey_clip, working_scale
from mpas_lite.motion.klt import Particles
from tests.helpers import texture
from tests.labels.refine.hand_made import HEIGHT, WIDTH, floor, walk


def still(count=16, sigma=2.0):
    noise = np.random.default_rng(0).normal(0, sigma, (count, HEIGHT, WIDTH, 3))
    return list((floor() + noise).clip(0, 255).astype(np.uint8))


def moving(*speeds, at=(100.0, 60.0)):
    """Particles of one group at a place, one frame a speed."""
    return [
        (Particles(np.float32([at] * 4), np.float32([[speed, 0]] * 4), t), np.ones(4, int))
        for t, speed in enumerate(speeds)
    ]


def test_samples_are_spread_evenly_whatever_the_length():
    for length in (1, 20, 64, 65, 500, 3000):
        spread = FrameSampler()
        for t in range(length):
            spread.add(np.full((2, 2, 3), (t // 256, t % 256, 0), np.uint8))
        times = np.array([f[0, 0, 0] * 256 + f[0, 0, 1] for f in np.int32(spread.frames)])
        assert min(length, 32) <= len(times) <= 64
        assert times[0] == 0
        assert len(np.unique(np.diff(times))) <= 1
        assert length - times[-1] <= 2 * max(1, length // 32)


def test_with_each_sample_is_kept_where_it_moves():
    spread = FrameSampler()
    for t in range(100):
        frame = np.full((20, 20, 3), 100, np.uint8)
        other = frame.copy()
        other[:, :10] += np.uint8(t)
        spread.add(frame, other)
    times = range(0, 100, 2)
    assert len(spread.frames) == len(spread.moving) == len(times)
    for t, moving in zip(times, spread.moving, strict=True):
        assert moving[:, :8].all() == moving[:, :8].any() == (t > 10)


def test_small_frames_are_worked_on_as_they_are():
    assert working_scale((120, 160)) == 1
    assert working_scale((480, 360)) == 1
    assert working_scale((540, 960)) == 0.5


def test_eight_frames_tell_a_background_and_seven_do_not():
    few = survey_clip(still(7), [], Refinement())
    assert few.background is None
    assert few.notes == ("7 frames are too few to tell the background: discs stay.",)
    assert (few.person.slope, few.person.intercept) == (0, HEIGHT / 8)
    assert survey_clip(still(8), [], Refinement()).background is not None


def test_a_panning_camera_is_noticed_if_it_is_looked_for():
    wide = np.repeat(texture(HEIGHT, 600)[..., None], 3, axis=2)
    frames = [wide[:, 12 * t : 12 * t + WIDTH] for t in range(30)]
    assert survey_clip(frames, [], Refinement()).background is None
    assert survey_clip(frames, [], Refinement(camera=False)).background is not None


def test_a_shaken_clip_is_steadied_before_its_background_is_told():
    wide = np.repeat(texture(HEIGHT + 6, WIDTH + 6)[..., None], 3, axis=2)
    jumps = np.random.default_rng(0).integers(0, 7, (32, 2))
    frames = [wide[y : y + HEIGHT, x : x + WIDTH] for x, y in jumps]
    survey = survey_clip(frames, [], Refinement())
    assert survey.shakes
    assert survey.notes[0].startswith("The camera shakes")
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(survey.background.image[inner].astype(int) - frames[16][inner]).mean() < 3
    assert not survey_clip(still(), [], Refinement()).shakes


def test_what_is_never_seen_is_said():
    frames = still(24)
    hidden = np.random.default_rng(0).integers(0, 255, (24, HEIGHT, WIDTH - 40, 3), dtype=np.uint8)
    for frame, picture in zip(frames, hidden, strict=True):
        frame[:, 40:] = picture
    sentence = "Where people cover the ground nearly all of the time the background is not seen: discs stay."
    assert sentence in survey_clip(frames, [], Refinement(camera=False)).notes
    assert sentence not in survey_clip(still(), [], Refinement()).notes


@pytest.mark.parametrize(("shakes", "told"), [(False, True), (True, False)])
def test_where_samples_move_tells_the_background_if_the_camera_does_not_shake(monkeypatch, shakes, told):
    given = []
    real = module.estimate_background
    monkeypatch.setattr(module, "estimate_background", lambda frames, *rest: given.append(rest) or real(frames))
    monkeypatch.setattr(module, "shift_of", lambda motion, _: np.full(len(motion), 2.0 * shakes))
    moving = [np.zeros((HEIGHT, WIDTH), bool)] * 40
    survey_clip(still(40), [], Refinement(), moving=moving)
    assert given == ([(moving,)] if told else [()])


@pytest.mark.parametrize("perspective", [True, False])
def test_the_size_of_people_is_measured_where_it_is_asked_for(monkeypatch, perspective):
    monkeypatch.setattr(module, "person_size", lambda _: PersonSize(0.25, 5.0))
    survey = survey_clip(still(), [], Refinement(perspective=perspective))
    assert (survey.person.slope, survey.person.intercept) == ((0.25, 5.0) if perspective else (0.0, HEIGHT / 8))
    assert survey.notes == ()


def test_a_size_that_cannot_be_measured_is_said():
    survey = survey_clip(still(), [], Refinement())
    assert survey.notes == ("No size of people could be measured: only 0 regions look like a person standing alone.",)


def test_the_usual_speed_is_the_median_over_the_clip_in_heights_of_a_person(monkeypatch):
    monkeypatch.setattr(module, "person_size", lambda _: PersonSize(0.25, 5.0))
    found = moving(1, 9, 9, 9, 3, 3)
    for _, groups in found[1:4]:  # who belongs to no group does not count
        groups[:] = 0
    assert survey_clip(still(), found, Refinement()).speed == pytest.approx(3 / 20)
    large = [(Particles(p.position * 6, p.velocity * 6, p.frame), g) for p, g in found]
    assert survey_clip(still(), large, Refinement(), scale=1 / 6).speed == pytest.approx(3 / 20)
    assert survey_clip(still(), [], Refinement()).speed == 0


@pytest.mark.parametrize("scale", [1, 1 / 6])
def test_what_sways_is_looked_for_at_the_working_size(scale):
    tree = [
        (p.position, np.where(t % 2, 1, -1) * p.velocity) for t, (p, _) in enumerate(moving(*[0.3] * 20, at=(20, 20)))
    ]
    people = [(p.position, p.velocity) for p, _ in moving(*[2.0] * 20)]
    found = [
        (
            Particles(np.concatenate([a, b]) / np.float32(scale), np.concatenate([v, w]) / np.float32(scale), t),
            np.ones(8),
        )
        for t, ((a, v), (b, w)) in enumerate(zip(tree, people, strict=True))
    ]
    sways = survey_clip(still(), found, Refinement(), scale=scale).sways
    assert sways.shape == (HEIGHT, WIDTH)
    assert sways[20, 20]
    assert not sways[60, 100]
    assert survey_clip(still(), found, Refinement(not_crowd=False), scale=scale).sways is None


def test_a_walkers_clip_leaves_no_note_but_of_his_size():
    frames, _, found = walk()
    survey = survey_clip(list(frames), found, Refinement(camera=False))
    assert survey.background.known.all()
    assert survey.speed == pytest.approx(4 / survey.person.height(np.array(70)), rel=0.2)
