"""The light of a frame against that of the background: lines that are known are found, and only where they may be."""

import numpy as np
import pytest

from mpas_lite.labels.refine.light import apply_illumination, light_change, match_light


def ground(shape=(40, 50), low=30, high=120, seed=0):
    return np.random.default_rng(seed).integers(low, high, (*shape, 3), dtype=np.uint8)


def test_each_channel_has_a_line_of_its_own():
    background = ground() // 10 * 10
    frame = (background * [1.5, 0.8, 1.0] + [-7, 12, 20]).astype(np.uint8)  # all of them whole numbers
    gain, offset = light_change(frame, background)
    np.testing.assert_allclose(gain, [1.5, 0.8, 1.0], atol=1e-5)
    np.testing.assert_allclose(offset, [-7, 12, 20], atol=1e-3)
    assert gain.dtype == offset.dtype == np.float64


@pytest.mark.parametrize(("share", "found"), [(0.28, 1.0), (0.34, 1.2)])
def test_three_in_ten_pixels_must_agree(share, found):
    background = ground((40, 50)) // 10 * 10
    frame = np.empty_like(background)
    # Of the others half are far brighter and half far darker, so that the median of all ratios is still 1.2.
    kind = np.random.default_rng(1).permutation(np.linspace(0, 1, 2000)).reshape(40, 50, 1)
    frame[:] = np.where(kind < share, background * 1.2, np.where(kind < (1 + share) / 2, 249, 6))
    gain, offset = light_change(frame, background)
    np.testing.assert_allclose(gain, found, atol=0.01)
    np.testing.assert_allclose(offset, 0, atol=0.5)


@pytest.mark.parametrize(("gain", "found"), [(0.4, 1), (0.6, 0.6), (1.8, 1.8), (2.05, 1)])
def test_light_may_halve_or_double(gain, found):
    background = ground() // 10 * 10
    measured, offset = light_change(np.rint(background * gain).astype(np.uint8), background)
    np.testing.assert_allclose(measured, found, atol=0.01)
    np.testing.assert_allclose(offset, 0, atol=1)


@pytest.mark.parametrize(("shape", "found"), [((7, 7), 1.0), ((5, 10), 1.2)])
def test_fifty_pixels_must_be_looked_at(shape, found):
    background = ground(shape) // 10 * 10
    gain, _ = light_change((background * 1.2).astype(np.uint8), background)
    np.testing.assert_allclose(gain, found, atol=1e-5)


def test_what_is_clipped_is_not_looked_at():
    background = ground((50, 50), 5, 255)
    frame = (background.astype(float) * 1.5 - 20).clip(0, 255).round().astype(np.uint8)
    gain, offset = light_change(frame, background)
    np.testing.assert_allclose(gain, 1.5, atol=0.02)
    np.testing.assert_allclose(offset, -20, atol=2)
    assert light_change(np.full_like(background, 255), background)[0].tolist() == [1, 1, 1]
    assert light_change(np.zeros_like(background), background)[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("scatter", "found"), [(4.0, 1.0), (6.5, 1.3)])
def test_a_wall_of_one_colour_tells_nothing(scatter, found):
    grey = 100 + scatter * np.where(np.random.default_rng(0).random((40, 40, 1)) < 0.5, -1, 1)
    background = np.repeat(grey.astype(np.uint8), 3, axis=2)
    gain, _ = light_change((background * 1.3).round().astype(np.uint8), background)
    np.testing.assert_allclose(gain, found, atol=0.05)


def test_about_so_many_pixels_are_looked_at():
    background = ground((120, 120)) // 10 * 10
    frame = np.full_like(background, 249)
    frame[1::2, ::2] = frame[1::4, 1::2] = 6  # as many far darker as far brighter, and a stride of two sees none of it
    frame[::2, ::2] = background[::2, ::2] * 1.2
    np.testing.assert_allclose(light_change(frame, background, pixels=3600)[0], 1.2, atol=1e-5)
    np.testing.assert_array_equal(light_change(frame, background, pixels=14_400)[0], 1)


def test_a_change_that_nobody_sees_leaves_the_picture_alone():
    image = ground()
    for gain, offset in ((1.0, 0.9), (0.99, 0.5), (1.015, -1.9)):
        assert apply_illumination(image, np.full(3, gain), np.full(3, offset)) is image
    np.testing.assert_array_equal(apply_illumination(image, np.ones(3), np.full(3, 3.0)), image + 3)
    np.testing.assert_array_equal(apply_illumination(image, np.ones(3), np.array([0, 0, -2.0])), image - [0, 0, 2])
    # Without change at 128, but not elsewhere.
    tilted = apply_illumination(image, np.full(3, 1.5), np.full(3, -64.0))
    np.testing.assert_allclose(tilted, (image * 1.5 - 64).clip(0, 255), atol=0.51)
    slightly = apply_illumination(image, np.full(3, 1.03), np.full(3, -3.84))
    np.testing.assert_allclose(slightly, image * 1.03 - 3.84, atol=0.51)


def test_a_frame_is_brought_into_the_light_of_the_reference():
    reference = ground() // 10 * 10
    frame = (reference * 1.5 + 10).astype(np.uint8)
    np.testing.assert_allclose(match_light(frame, reference).astype(int), reference, atol=1)


@pytest.mark.parametrize(
    ("dark", "light", "change", "found"),
    [
        ((6, 9), (36, 54), None, 1.5),  # background and frame at two kinds of place
        ((5, 8), (36, 54), None, 1.0),  # too dark in the background: one kind is left, which tells nothing
        ((60, 6), (120, 12), None, 1.0),  # a tenth is no change of light
        ((12, 6), (60, 36), None, 0.625),
        ((12, 5), (60, 36), None, 1.0),  # too dark in the frame
        ((100, 150), (166, 249), None, 1.5),
        ((120, 150), (200, 250), None, 1.0),  # too bright in the frame
        ((120, 90), (249, 219), -30, 1.0),
        ((121, 90), (250, 219), 0, 1.0),  # too bright in the background
        ((95, 114), (105, 126), None, 1.2),  # a scatter of five levels is enough
        ((96, 114), (105, 125), None, 1.0),
    ],
)
def test_two_kinds_of_place_make_a_line_if_both_may_be_looked_at(dark, light, change, found):
    kind = np.indices((20, 20)).sum(axis=0) % 2 > 0
    background, frame = (
        np.repeat(np.where(kind, *pair)[..., None], 3, axis=2) for pair in zip(light, dark, strict=True)
    )
    gain, offset = light_change(frame.astype(np.uint8), background.astype(np.uint8))
    np.testing.assert_allclose(gain, found, atol=1e-3)
    if change is not None:
        np.testing.assert_allclose(offset, change, atol=0.1)


def test_a_channel_that_is_dark_all_over_says_nothing_of_the_others():
    background = ground() // 10 * 10
    frame = (background * 1.2).astype(np.uint8)
    frame[..., 0] = 0
    gain, offset = light_change(frame, background)
    np.testing.assert_allclose(gain, [1, 1.2, 1.2], atol=1e-5)
    np.testing.assert_allclose(offset, 0, atol=1e-3)
