"""Overlays against colours mixed by hand."""

import numpy as np
import pytest

from mpas_lite.plots.overlays import fade_to_white, mask_errors, overlay, overlay_errors, overlay_parts
from mpas_lite.plots.palette import ERROR_COLORS, PALETTE, rgb

FRAME = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)


def block(top, left):
    mask = np.zeros(FRAME.shape[:2], bool)
    mask[top : top + 8, left : left + 8] = True
    return mask


def test_okabe_and_itos_colours():
    """As their page prints them, in red, green and blue from 0 to 255."""
    assert {name: rgb(name) for name in PALETTE} == {
        "orange": (230, 159, 0),
        "sky": (86, 180, 233),
        "green": (0, 158, 115),
        "yellow": (240, 228, 66),
        "blue": (0, 114, 178),
        "vermillion": (213, 94, 0),
        "purple": (204, 121, 167),
        "black": (0, 0, 0),
        "grey": (153, 153, 153),
    }


def test_a_fade_is_grey_and_on_its_way_to_white():
    assert fade_to_white(FRAME, 0) is FRAME
    faded = fade_to_white(FRAME, 0.25)
    np.testing.assert_allclose(faded[..., 0], 0.75 * FRAME.mean(axis=2) + 0.25 * 255, atol=1)
    assert (faded == faded[..., :1]).all()
    assert (fade_to_white(FRAME, 1) == 255).all()


@pytest.mark.parametrize("opacity", [0.0, 0.4, 1.0])
def test_a_tint_is_as_strong_as_said_and_its_outline_is_opaque(opacity):
    drawn = overlay(FRAME, block(10, 10), (200, 100, 50), opacity=opacity)
    mixed = FRAME[13, 13] * (1 - opacity) + np.array([200, 100, 50]) * opacity
    np.testing.assert_allclose(drawn[13, 13], mixed, atol=0.51)
    assert drawn[10, 10].tolist() == [200, 100, 50]
    assert np.array_equal(drawn[~block(10, 10)], FRAME[~block(10, 10)])


def test_outlines_are_as_wide_as_the_frame_asks():
    large = np.zeros((480, 640, 3), np.uint8)
    mask = np.zeros((480, 640), bool)
    mask[100:300, 100:300] = True
    drawn = overlay(large, mask, (200, 0, 0), opacity=0)
    assert 2 <= (drawn[200, :, 0] > 0)[:200].sum() <= 3
    with pytest.raises(ValueError, match="must be of one size"):
        overlay(FRAME, mask)


def test_a_later_part_covers_an_earlier_one():
    parts = {"a": block(5, 5), "b": block(9, 9), "other": block(20, 25)}
    drawn = overlay_parts(np.zeros_like(FRAME), parts, {"a": "blue", "b": "green"})
    for pixel, colour, under in (((7, 7), "blue", 0), ((11, 11), "green", "blue"), ((23, 28), "orange", 0)):
        below = 0.6 * np.array(rgb(under)) if under else np.zeros(3)
        np.testing.assert_allclose(drawn[pixel], 0.4 * below + 0.6 * np.array(rgb(colour)), atol=1)


def test_errors_are_each_pixels_own():
    rng = np.random.default_rng(1)
    pred, target, valid = rng.random((3, 30, 40)) < 0.5
    parts = mask_errors(pred, target, valid)
    assert set(parts) == set(ERROR_COLORS)
    kind = {(True, True): "hit", (False, True): "miss", (True, False): "false alarm"}
    for row, column in np.ndindex(30, 40):
        of = [name for name, part in parts.items() if part[row, column]]
        expected = kind.get((bool(pred[row, column]), bool(target[row, column])))
        assert of == ([expected] if expected and valid[row, column] else [])


def test_errors_are_drawn_on_the_paler_frame():
    drawn = overlay_errors(FRAME, block(5, 5), block(5, 9))
    np.testing.assert_array_equal(drawn[20, 30], fade_to_white(FRAME, 0.25)[20, 30])
    np.testing.assert_allclose(
        drawn[9, 7], 0.4 * fade_to_white(FRAME, 0.25)[9, 7] + 0.6 * np.array(rgb("vermillion")), atol=1
    )
