"""A crop scaled up again: where it lies and how large it is, told by a picture that knows its own places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mpas_lite.training.augmentation import literal_colours, paste_people, rescale, zoom


class Draws:
    """A generator of which is known what it draws."""

    def __init__(self, share: float, top: int, left: int) -> None:
        self.share, self.places, self.bounds = share, [top, left], []

    def uniform(self, low: float, high: float) -> float:
        assert (low, high) == (0.7, 1.0)
        return self.share

    def integers(self, end: int) -> int:
        self.bounds.append(end)
        return self.places.pop(0)


@pytest.mark.parametrize(("share", "top", "left"), [(0.8, 5, 12), (0.7, 0, 0), (0.75, 10, 20), (1.0, 0, 0)])
def test_the_window_that_was_drawn_fills_the_picture(share: float, top: int, left: int) -> None:
    y, x = np.mgrid[:40, :80]
    image = np.dstack([3 * x, 6 * y, 0 * x]).astype(np.uint8)
    mask = (x >= 40) & (y >= 20)
    draws = Draws(share, top, left)
    zoomed, moved = zoom(image, mask, draws)  # type: ignore[arg-type]
    height, width = round(40 * share), round(80 * share)
    assert draws.bounds == [40 - height + 1, 80 - width + 1]
    assert (zoomed.shape, moved.shape, moved.dtype) == (image.shape, mask.shape, np.bool_)
    # The middle of a pixel of the new picture, in the old one.
    rows = (np.arange(40) + 0.5) * height / 40 - 0.5 + top
    columns = (np.arange(80) + 0.5) * width / 80 - 0.5 + left
    inner = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(zoomed[..., 0][inner], np.tile(3 * columns, (40, 1))[inner], atol=1)
    np.testing.assert_allclose(zoomed[..., 1][inner], np.tile(6 * rows[:, None], (1, 80))[inner], atol=1)
    expected = (columns > 39.5) & (rows[:, None] > 19.5)
    edge = (np.abs(columns - 39.5) < 0.1) | (np.abs(rows[:, None] - 19.5) < 0.1)  # where half belongs to either
    assert np.array_equal(moved | edge, expected | edge)


def test_several_masks_stay_together_and_a_picture_of_one_pixel_is_one() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((30, 40, 2)) < 0.5
    image = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    _, both = zoom(image, masks, np.random.default_rng(1))
    for k in range(2):
        np.testing.assert_array_equal(both[..., k], zoom(image, masks[..., k], np.random.default_rng(1))[1])
    one, mask = zoom(np.full((1, 1, 3), 77, np.uint8), np.ones((1, 1), bool), rng)
    assert (one.tolist(), mask.tolist()) == ([[[77, 77, 77]]], [[True]])


def test_the_papers_colours_draw_from_their_generator_alone() -> None:
    x = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    seen = [literal_colours(x, np.random.default_rng(seed)) for seed in range(60)]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert all(torch.equal(literal_colours(x, np.random.default_rng(k)), seen[k]) for k in range(60))
    grey = [not torch.equal(view, x) for view in seen]
    assert 1 <= sum(grey) <= 15  # one in ten
    assert all(torch.equal(view[0], view[1]) for view, is_grey in zip(seen, grey, strict=True) if is_grey)


@pytest.mark.parametrize(("scale", "window"), [(2.0, (20, 40)), (0.5, (40, 80)), (1.0, (40, 80))])
def test_a_picture_of_another_scale_fills_the_window(scale: float, window: tuple[int, int]) -> None:
    y, x = np.mgrid[:40, :80]
    image = np.dstack([3 * x, 6 * y, 0 * x]).astype(np.uint8)
    seen, masks = rescale(image, np.dstack([x >= 40, y >= 20]), (40, 80), scale, np.random.default_rng(0))
    assert (seen.shape, masks.shape, masks.dtype) == ((40, 80, 3), (40, 80, 2), np.bool_)
    height, width = round(window[0] * scale), round(window[1] * scale)
    one = seen[:height, :width].astype(int)
    steps = np.diff(one[..., 0], axis=1)[:, 2:-2].mean(), np.diff(one[..., 1], axis=0)[2:-2].mean()
    np.testing.assert_allclose(steps, (3 / scale, 6 / scale), atol=0.05)
    for k, column in enumerate((one[..., 0] > 3 * 39.5, one[..., 1] > 6 * 19.5)):
        assert (masks[:height, :width, k] == column).mean() > 0.95
    for far in (np.s_[height:], np.s_[:, width:]):  # a small picture stands there again
        assert seen[far].size == 0 or seen[far].any()
    if scale < 1:
        np.testing.assert_array_equal(seen[height:, width:], seen[:height, :width])
        np.testing.assert_array_equal(masks[height:, width:], masks[:height, :width])


def test_windows_lie_everywhere() -> None:
    image = np.dstack([np.mgrid[:40, :80][1]] * 3).astype(np.uint8)
    rng = np.random.default_rng(0)
    left = [int(rescale(image, image > 200, (40, 80), 4.0, rng)[0][..., 0].min()) for _ in range(40)]
    assert min(left) < 10
    assert max(left) > 50


def test_people_are_put_before_another_picture() -> None:
    image, other = np.full((40, 60, 3), 50, np.uint8), np.full((40, 60, 3), 210, np.uint8)
    mask, people = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    mask[:10, :10] = True
    people[20:30, 20:40] = True
    pasted, now = paste_people(image, mask, other, people)
    np.testing.assert_array_equal(now, mask | people)
    assert (pasted[24:26, 24:36] == 210).all()
    assert (pasted[:15] == 50).all()
    assert 120 < pasted[25, 20, 0] < 210  # the outline is blended
    assert (image == 50).all()
