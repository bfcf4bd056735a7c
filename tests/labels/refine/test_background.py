"""The background of a clip, and what is known of it."""

import numpy as np
import pytest

from mpas_lite.labels.refine.background import densest_value, estimate_background, moves
from mpas_lite.labels.refine.background_model import DARKEST_SHADOW, Background
from tests.labels.refine.hand_made import HEIGHT, WIDTH, floor

COUNT = 32


def test_the_densest_value_is_the_median_of_the_shorth():
    samples = np.random.default_rng(0).integers(0, 255, (21, 40), dtype=np.uint8)
    found = densest_value(samples, part=0.5)
    for column, value in zip(np.sort(samples, axis=0).T.astype(int), found, strict=True):
        size = max(3, round(0.5 * 21))
        widths = [column[i + size - 1] - column[i] for i in range(21 - size + 1)]
        first = int(np.argmin(widths))
        assert value == column[first + size // 2]


def test_three_samples_at_least_must_agree():
    assert densest_value(np.uint8([51, 10, 50, 12])) == 50  # two would say 51


def test_a_place_covered_more_than_half_of_the_time_keeps_its_background():
    rng = np.random.default_rng(0)
    samples = rng.integers(90, 110, (30, 20, 20, 3)).astype(np.uint8)  # ground
    samples[:17] = rng.integers(0, 80, (17, 1, 1, 3))  # 17 of 30 samples: each time someone else
    assert np.abs(densest_value(samples).astype(int) - 100).max() <= 12
    assert np.abs(np.median(samples, axis=0) - 100).max() > 12


# ------------------------------------------------------------------------------------------------- of a whole clip


def clip(count=COUNT, *, sigma=0.0, light=1.0, seed=0):
    """A floor with noise, in a light for each frame, (count, H, W, 3) float; nobody is there."""
    rng = np.random.default_rng(seed)
    gains = np.broadcast_to(light, count)[:, None, None, None]
    return floor() * gains + rng.normal(0, 1, (count, HEIGHT, WIDTH, 3)) * sigma


def estimated(frames):
    return estimate_background(list(np.rint(frames).clip(0, 255).astype(np.uint8)))


def test_the_background_is_seen_in_the_light_of_the_middle_frame():
    light = np.linspace(0.8, 1.2, COUNT)
    image = estimated(clip(light=light)).image
    np.testing.assert_allclose(image, floor() * light[COUNT // 2], atol=2)


def test_a_place_that_half_of_the_frames_show_is_found():
    frames = clip()
    covered = np.arange(COUNT) % 2 == 0
    frames[covered, 40:80, 40:80] = np.random.default_rng(1).uniform(0, 255, (covered.sum(), 1, 1, 3))
    background = estimated(frames)
    np.testing.assert_allclose(background.image[41:79, 41:79], floor()[41:79, 41:79], atol=2)
    assert background.known.all()


NEAR = 4.0 * np.arange(1, 6)  # grey levels: too far off to be the same, and nearer than any others


@pytest.mark.parametrize(
    ("times", "others", "known"),
    [
        (5, np.linspace(1, 70, 17), False),  # 5 of 32
        (7, np.linspace(1, 70, 15), True),
        (2, np.float64([10, 40, 118, 138, 210, 250]), False),  # a quarter of 8 frames, but two
        (3, np.float64([10, 40, 80, 170, 210]), True),
    ],
)
def test_a_place_is_known_where_a_fifth_of_the_frames_and_three_show_it(times, others, known):
    """In the others something else is there each time."""
    near = [128 - NEAR, 128 + NEAR] if len(others) > 10 else []
    greys = np.concatenate([np.full(times, 128.0), others, *near])
    frames = clip(len(greys))
    frames[:, 40:80, 40:80] = np.random.default_rng(0).permutation(greys)[:, None, None, None]
    background = estimated(frames)
    assert (background.image[42:78, 42:78] == 128).all()
    assert (background.known[42:78, 42:78] == known).all()
    assert background.known[:35].all()


def test_noise_is_measured_between_bounds():
    assert (estimated(clip()).noise == 0.5).all()
    assert (estimated(clip(sigma=30)).noise == 1.5 * 3).all()
    usual = estimated(clip(sigma=6)).noise
    assert 6 / 3 * 0.85 < usual.min() < 6 / 3 * 1.15


def test_a_louder_place_has_more_noise_up_to_half_as_much_again():
    frames = clip(sigma=3)
    frames[:, :, 110:] += np.random.default_rng(1).normal(0, 9, frames[:, :, 110:].shape)
    noise = estimated(frames).noise
    quiet, loud = np.median(noise[5:-5, 5:100]), np.median(noise[5:-5, 115:-5])
    assert 0.8 * 3 / 3 < quiet < 1.4 * 3 / 3
    assert loud > 1.3 * quiet
    assert loud == noise.max()
    assert noise.min() * 1.5 >= noise.max()


# ------------------------------------------------------------------------------------------------- where it is calm


def talkers():
    """Two people in the same coats stand three fifths of the time in one place, and move; where each frame moves."""
    frames = np.rint(clip(30)).astype(np.uint8)
    there = np.arange(30) % 5 < 3
    frames[there, 40:80, 40:80] = 30
    moving = np.zeros((30, HEIGHT, WIDTH), bool)
    moving[there, 40:80, 40:80] = True
    return frames, moving


def test_where_people_move_most_of_the_time_the_calm_frames_tell_the_background():
    frames, moving = talkers()
    inside = np.s_[41:79, 41:79]
    assert (estimate_background(list(frames)).image[inside] == 30).all()
    background = estimate_background(list(frames), list(moving))
    np.testing.assert_allclose(background.image, np.rint(floor()), atol=1)
    assert background.known.all()


@pytest.mark.parametrize(("times", "known"), [(5, True), (3, False)])
def test_a_place_is_known_where_a_tenth_of_its_calm_frames_show_it(times, known):
    """In the other calm frames something else is there each time; and half of the frames are not calm."""
    others = [*np.linspace(1, 70, 17), *(128 - NEAR), *(128 + NEAR), *(104, 152)[: 5 - times]]
    greys = np.concatenate([np.full(times, 128.0), others])
    frames, moving = clip(64), np.zeros((64, HEIGHT, WIDTH), bool)
    frames[::2, 40:80, 40:80] = np.random.default_rng(0).permutation(greys)[:, None, None, None]
    moving[1::2, 30:90, 30:90] = True
    background = estimate_background(list(np.rint(frames).astype(np.uint8)), list(moving))
    assert (background.image[42:78, 42:78] == 128).all()
    assert (background.known[42:78, 42:78] == known).all()


def test_the_calmest_sixth_tells_more_where_the_calmer_half_moves():
    frames, moving = talkers()
    rest = np.flatnonzero(~moving[:, 60, 60])
    for number in rest[8:]:  # eight calm frames are left of 30
        frames[number, 40:80, 40:80], moving[number, 40:80, 40:80] = 30, True
    background = estimate_background(list(frames), list(moving))
    np.testing.assert_allclose(background.image[41:79, 41:79], floor()[41:79, 41:79], atol=1)


def test_of_equally_calm_frames_those_are_taken_that_are_spread_over_the_clip():
    frames = np.rint(clip(30)).astype(np.uint8)
    frames[:10, 40:80, 40:80] = 30  # somebody stands there at first, without a movement
    background = estimate_background(list(frames), list(np.zeros((30, HEIGHT, WIDTH), bool)))
    np.testing.assert_allclose(background.image, np.rint(floor()), atol=1)


def test_what_moves_is_what_differs_a_little_later_whatever_the_light():
    frame, other = clip(2).round().astype(np.uint8)
    other[40:80, 40:80, 1] += 12
    still = np.ones((HEIGHT, WIDTH), bool)
    still[38:82, 38:82] = False
    for light in (1.0, 1.2):
        moving = moves(frame, (other * light).astype(np.uint8))
        assert moving[42:78, 42:78].all()
        assert not moving[still].any()
    other[40:80, 40:80, 1] -= 4
    assert not moves(frame, other).any()


# ------------------------------------------------------------------------------------------------- its shadows


@pytest.mark.parametrize(("gain", "found"), [(0.6, 0.56), (0.8, 0.76), (0.42, 0.4)])
def test_the_clip_itself_tells_how_deep_its_shadows_are(gain, found):
    frames = clip(sigma=0.5)
    for t, frame in enumerate(frames):
        frame[40:80, 4 * t : 4 * t + 30] *= gain
    background = estimated(frames)
    assert background.min_shadow_gain == pytest.approx(found, abs=0.02)
    assert background.umbra == background.min_shadow_gain  # its old name


def test_without_shadows_a_usual_depth_is_taken():
    assert estimated(clip(sigma=0.5)).min_shadow_gain == DARKEST_SHADOW


@pytest.mark.parametrize(("spread", "colourless"), [(0, True), (2, True), (4, False)])
def test_a_clip_is_colourless_whose_channels_hardly_differ(spread, colourless):
    image = np.full((20, 30, 3), 100, np.uint8) + np.uint8([0, spread // 2, spread])
    assert Background(image, np.ones((20, 30), np.float32), np.ones((20, 30), bool)).colourless == colourless


def test_a_background_tolerates_little_more_where_there_is_more_noise():
    noise = np.float32([[0.5, 4 / 3, 4.5]])
    background = Background(np.zeros((1, 3, 3), np.uint8), noise, np.ones((1, 3), bool))
    np.testing.assert_allclose(background.tolerance, [[1.0, 4 / 3, 2.6]], rtol=1e-6)
