"""Single steps of the refinement, on small pictures."""

import numpy as np
import pytest

from mpas_lite.labels.refine.background import estimate_background
from mpas_lite.labels.refine.foreground import foreground_mask, shadows
from mpas_lite.labels.refine.light import apply_illumination, light_change
from mpas_lite.labels.refine.other_movers import swaying, vehicles
from mpas_lite.labels.refine.outline import close_gaps, distance_to, doubtful
from mpas_lite.labels.refine.person_size import person_size
from tests.labels.refine.hand_made import HEIGHT, PERSON, WIDTH, floor, walk


@pytest.mark.parametrize(("gain", "offset"), [(1.3, 0), (0.7, 10), (1.0, -15)])
def test_a_change_of_light_is_measured_although_people_cover_a_quarter(gain, offset):
    background = floor().astype(np.uint8)
    frame = (background * gain + offset).clip(0, 255).astype(np.uint8)
    frame[:, :40] = (200, 30, 90)
    lit = apply_illumination(background, *light_change(frame, background))
    assert np.abs(lit[:, 45:].astype(int) - frame[:, 45:]).max() <= 3


def test_a_frame_with_another_picture_changes_no_light():
    rng = np.random.default_rng(0)
    background, other = rng.integers(6, 250, (2, 60, 80, 3), dtype=np.uint8)
    gain, offset = light_change(other, background)
    assert gain.tolist() == [1, 1, 1]
    assert offset.tolist() == [0, 0, 0]


def test_noise_alone_differs_nowhere():
    rng = np.random.default_rng(0)
    for sigma in (1, 4, 12):
        frames = (floor() + rng.normal(0, sigma, (24, HEIGHT, WIDTH, 3))).clip(0, 255).astype(np.uint8)
        background = estimate_background(frames)
        assert foreground_mask(frames[3], background, low=10, high=20).mean() < 1e-3
        assert background.known.all()
        assert 0.15 * sigma < background.noise.min() < 0.8 * sigma + 0.6  # sigma / 3 after a mean of nine


def test_shadows_are_dark_ground_and_a_coat_is_not():
    frames, masks, _ = walk(shadow=True)
    background = estimate_background(frames)
    differs = foreground_mask(frames[10], background, low=10, high=20)
    shadow = shadows(frames[10], background)
    x = 4 + 40 + 8
    assert differs[85:89, x + 2 : x + 22].mean() > 0.95
    assert shadow[85:89, x + 2 : x + 22].mean() > 0.95
    assert shadow[masks[10]].mean() < 0.2


def test_the_size_of_people_is_found_from_slender_regions():
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(20):
        mask = np.zeros((240, 320), bool)
        foot = int(rng.integers(80, 230))
        tall = round(0.2 * foot + 10)
        x = int(rng.integers(20, 280))
        mask[foot - tall : foot, x : x + tall // 3] = True
        mask[20:30, 100:160] = True  # a car is no person
        frames.append(mask)
    person = person_size(frames)
    assert person.reason is None
    assert np.allclose(person.height(np.array([100, 200])), [30, 50], rtol=0.08)


def test_without_slender_regions_the_size_is_the_same_everywhere():
    person = person_size([np.zeros((240, 320), bool)] * 10)
    assert person.reason
    assert person.height(np.array([10, 200])).tolist() == [30, 30]


@pytest.mark.parametrize(("wide", "pace", "expected"), [(40, 5.0, True), (40, 1.0, False), (10, 5.0, False)])
def test_a_vehicle_is_wide_and_fast(wide, pace, expected):
    foreground = np.zeros((HEIGHT, WIDTH), bool)
    foreground[50:65, 30 : 30 + wide] = True
    position = np.array([[30 + f * wide, y] for f in (0.2, 0.4, 0.6, 0.8) for y in (52, 57, 62)])
    velocity = np.tile([pace, 0.0], (len(position), 1))
    found = vehicles(foreground, position, velocity, PERSON, speed=1.0 / 30)
    assert found[57, 30 + wide // 2] == expected


def test_what_sways_is_told_from_people_who_come_and_go():
    rng = np.random.default_rng(0)
    tree, walkers = np.array([[20.0, 20.0]]), np.array([[100.0, 60.0]])
    clip = []
    for t in range(30):
        to_and_fro = np.array([[0.4 * np.sin(t), 0.0]])
        people = np.array([[1.0 if rng.random() < 0.5 else -1.0, 0.0]])
        clip.append((np.concatenate([tree, walkers]), np.concatenate([to_and_fro, people])))
    found = swaying(clip, PERSON, 1.0 / 30, (HEIGHT, WIDTH))
    assert found[20, 20]
    assert not found[60, 100]


def test_closing_joins_over_gaps_narrower_than_asked():
    mask = np.zeros((60, 80), bool)
    mask[20:40, 10:30] = mask[20:40, 36:60] = True  # a gap of 6 px
    tall = np.full((60, 1), 40.0)
    assert close_gaps(mask, tall, 0.25)[30, 30:36].all()
    assert not close_gaps(mask, tall, 0.1)[30, 33]
    assert np.array_equal(close_gaps(mask, tall, 0.0), mask)


def test_closing_never_loses_more_than_specks():
    mask = np.random.default_rng(0).random((60, 80)) < 0.02
    mask[10:40, 10:20] = True
    clean = close_gaps(mask, np.full((60, 1), 40.0), 0.0)
    assert clean[10:40, 10:20].all()
    assert not clean[:, 30:].any()
    everything = np.ones((60, 80), bool)
    assert close_gaps(everything, np.full((60, 1), 40.0), 0.2).all()


def test_doubt_lies_along_the_border_and_on_unlabelled_things():
    mask, foreground = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    mask[20:40, 20:40] = True
    foreground[20:40, 60:70] = True
    doubt = doubtful(mask, foreground | mask, np.full((60, 1), 30.0))
    assert doubt[30, 20]
    assert doubt[30, 19]
    assert doubt[30, 65]
    assert not doubt[30, 30]
    assert not doubt[5, 5]


def test_distances_are_euclidean_to_a_few_percent():
    position = np.random.default_rng(0).uniform(0, 60, (7, 2))
    y, x = np.mgrid[:60, :60]
    exact = np.min([np.hypot(x - np.rint(px), y - np.rint(py)) for px, py in position], axis=0)
    assert np.allclose(distance_to(position, (60, 60)), exact, rtol=0.03, atol=0.1)
    assert np.isinf(distance_to(np.zeros((0, 2)), (5, 5))).all()
