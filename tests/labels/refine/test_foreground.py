"""What differs from a background, and what is its shadow, on pictures of plain patches whose values are known."""

import numpy as np
import pytest

from mpas_lite.labels.refine.background_model import DARKEST_SHADOW, Background
from mpas_lite.labels.refine.foreground import (
    deepest_shadow,
    foreground_mask,
    foreground_score,
    shadows,
    without_shadows,
)
from mpas_lite.labels.refine.settings import Refinement
from tests.helpers import texture

SHAPE = (60, 80)


def plain(colour=(100, 100, 100), noise=3.0, **known):  # a tolerance of 2
    image = np.full((*SHAPE, 3), colour, np.uint8)
    return Background(image, np.full(SHAPE, noise, np.float32), np.ones(SHAPE, bool), **known)


def coloured_texture():
    grey = texture(*SHAPE).astype(float) * 0.4 + 100
    return np.uint8(np.stack([grey * 1.2, grey, grey * 0.7], axis=-1))


def test_weak_differences_count_only_where_they_hang_together_with_a_strong_one():
    frame = plain().image.copy()
    frame[5:25, 5:25] += 7  # 3.5 standard deviations; inside it a core of 15
    frame[10:20, 10:20] += 23
    frame[35:55, 5:25] += 7  # the same without a core
    frame[35:55, 40:60] += 30  # strong throughout
    mask = foreground_mask(frame, plain(), low=3, high=10)
    inner = np.zeros(SHAPE, bool)
    inner[6:24, 6:24] = inner[36:54, 41:59] = True
    assert mask[inner].all()
    outer = np.zeros(SHAPE, bool)
    outer[4:26, 4:26] = outer[34:56, 39:61] = True
    assert not mask[~outer].any()


def test_a_difference_equal_to_the_threshold_is_noise():
    frame = plain().image.copy()
    frame[10:30, 10:30] += 20  # ten standard deviations
    assert not foreground_mask(frame, plain(), low=10, high=10).any()
    assert not foreground_mask(frame, plain(), low=1, high=10).any()
    assert foreground_mask(frame, plain(), low=9.9, high=9.9)[15, 15]


def test_one_channel_is_enough_and_darker_is_as_different_as_brighter():
    for channel in range(3):
        frame = plain().image.copy()
        frame[10:30, 10:30, channel] -= 40
        assert foreground_mask(frame, plain(), low=3, high=10)[20, 20]


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ((0.6, 0.6, 0.6), True),
        ((0.52, 0.52, 0.52), True),
        ((0.46, 0.46, 0.46), False),  # darker than any shadow
        ((1.05, 1.05, 1.05), True),
        ((1.15, 1.15, 1.15), False),
        ((0.7, 0.7, 0.75), True),
        ((0.7, 0.7, 0.82), False),  # of another colour: 0.12 of 0.74
        ((0.6, 0.9, 0.6), False),
    ],
)
def test_a_shadow_is_darker_ground_of_the_same_colour(gains, expected):
    background = plain((200, 150, 100))
    frame = background.image.copy()
    frame[20:40, 20:40] = np.rint(background.image[20:40, 20:40] * gains)
    assert shadows(frame, background)[25:35, 25:35].all() == expected
    assert shadows(frame, background)[25:35, 25:35].any() == expected


def test_how_dark_a_shadow_may_be_and_of_what_colour_is_said():
    frame = plain((200, 150, 100)).image.copy()
    frame[20:40, 20:40] = frame[20:40, 20:40] * [0.5, 0.8, 0.5]
    assert not shadows(frame, plain((200, 150, 100)))[30, 30]
    assert shadows(frame, plain((200, 150, 100)), colour=0.6)[30, 30]
    assert not shadows(frame, plain((200, 150, 100), min_shadow_gain=0.65), colour=0.6)[30, 30]


def test_without_colours_the_texture_of_the_ground_must_be_seen_in_a_shadow():
    grey = np.repeat(texture(*SHAPE)[..., None], 3, axis=2)
    background = Background(grey, np.full(SHAPE, 2, np.float32), np.ones(SHAPE, bool))
    assert background.colourless
    frame = grey.copy()
    frame[20:50, 5:35] = np.rint(grey[20:50, 5:35] * 0.7)  # ground in shadow
    frame[20:50, 45:75] = 80  # a grey coat, which hides the texture
    shadow = shadows(frame, background)
    assert shadow[25:45, 10:30].mean() > 0.95
    assert shadow[25:45, 50:70].mean() < 0.1
    # With colours the same coat is told by its chromaticity alone.
    assert not plain((120, 110, 100)).colourless
    assert plain((102, 101, 100)).colourless
    assert not plain((103, 101, 100)).colourless  # 3 levels apart on average


def test_the_score_is_one_at_the_threshold_and_none_in_shadow():
    background = plain((200, 150, 100))
    frame = background.image.copy()
    frame[5:25, 5:25] = (140, 105, 70)
    frame[30:50, 5:25] = (200, 170, 60)
    score = foreground_score(frame, background, threshold=20.0)
    assert score.dtype == np.float32
    assert score[15, 15] == score[55, 70] == 0
    assert score[40, 15] == 1.0
    assert foreground_score(frame, background, threshold=10.0)[40, 15] == 2.0


def test_shadows_are_taken_out_or_left():
    background = plain((200, 150, 100))
    frame = background.image.copy()
    frame[5:25, 5:25] = (140, 105, 70)
    frame[30:50, 5:25] = (20, 40, 160)
    without = without_shadows(frame, background, Refinement(shadows=True))
    with_them = without_shadows(frame, background, Refinement(shadows=False))
    assert not without[10:20, 10:20].any()
    assert with_them[10:20, 10:20].all()
    assert without[35:45, 10:20].all()
    assert with_them[35:45, 10:20].all()
    thresholds = Refinement(shadows=False, low=20.0, high=31.0)  # the coat differs by 180, the shadow by 60
    assert not without_shadows(frame, background, thresholds)[10:20, 10:20].any()


@pytest.mark.parametrize(("light", "expected"), [(0.8, 0.76), (0.6, 0.56), (0.46, 0.42), (0.42, 0.40)])
def test_the_clip_tells_how_deep_its_shadows_are(light, expected):
    image = coloured_texture()
    background = Background(image, np.full(SHAPE, 1.0, np.float32), np.ones(SHAPE, bool))
    stack = []
    for t in range(3):
        frame = image.copy()
        frame[10:50, 10 + 10 * t : 40 + 10 * t] = np.rint(image[10:50, 10 + 10 * t : 40 + 10 * t] * light)
        frame[:8, :8] = (10, 200, 10)  # somebody in green
        stack.append(frame)
    assert deepest_shadow(background, stack) == pytest.approx(expected, abs=0.02)
    # Without shadows, or with so little that it may be anything, it is as deep as can be.
    assert deepest_shadow(background, [image]) == DARKEST_SHADOW == 0.5
    small = image.copy()
    small[10:22, 10:22] = np.rint(image[10:22, 10:22] * light)
    assert deepest_shadow(background, [small]) == 0.5


def test_deep_shadow_is_that_of_nineteen_in_twenty_pixels():
    image = coloured_texture()
    background = Background(image, np.full(SHAPE, 1.0, np.float32), np.ones(SHAPE, bool))
    frame = np.rint(image * 0.8).astype(np.uint8)
    frame[:, :24] = np.rint(image[:, :24] * 0.6)  # three in ten are darker
    assert deepest_shadow(background, [frame]) == pytest.approx(0.56, abs=0.02)
    frame[:, 1:24] = np.rint(image[:, 1:24] * 0.8)
    assert deepest_shadow(background, [frame]) == pytest.approx(0.76, abs=0.03)


def test_a_background_knows_its_grey_picture_and_its_old_name_of_the_umbra():
    background = plain((200, 100, 50), min_shadow_gain=0.7)
    np.testing.assert_array_equal(background.grey, np.full(SHAPE, round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)))
    assert background.umbra == background.min_shadow_gain == 0.7
    assert plain().umbra == 0.5
