"""Those who stand: labels passed on through time, as long as nothing changes where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mpas_lite.files.spill import Spill
from mpas_lite.labels.refine.pixels import largest, smooth
from mpas_lite.video.arrays import Frame, Mask


@dataclass(frozen=True)
class Look:
    """What one frame says by itself; three masks, (H, W) bool, or all three of them packed to bits.

    Attributes
    ----------
    seed : array
        What is labelled without regard to other frames.
    foreground : array
        What differs from the background.
    same : array
        What looks as in the frame before, see :func:`unchanged`; of the first frame it does not matter.
    """

    seed: np.ndarray
    foreground: np.ndarray
    same: np.ndarray


def propagate_static(looks: Sequence[Look]) -> Iterator[np.ndarray]:
    """Labels with those who stand: from the frame before and the frame after, as long as nothing changes there.

    A pixel that was labelled, still differs from the background and looks as it did belongs to someone who
    stopped; seen backward in time, to someone who has not started yet.

    Parameters
    ----------
    looks : sequence of Look
        Of all frames, in order.

    Yields
    ------
    array
        The label of each frame, of the form that the looks have.

    Examples
    --------
    He walks from the first place to the second, stops there, and goes; a poster at the third was never labelled:

    >>> seeds = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]], bool)
    >>> there = np.array([[1, 0, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1]], bool)
    >>> same = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 1], [1, 0, 1]], bool)
    >>> for label in propagate_static([Look(*each) for each in zip(seeds, there, same)]):
    ...     print(label.astype(int))
    [1 0 0]
    [0 1 0]
    [0 1 0]
    [0 0 0]
    """
    if not looks:
        return
    backward: Spill[np.ndarray] = Spill()  # last frame first
    later, after = looks[-1].seed, looks[-1]
    backward.append(later)
    for number in range(len(looks) - 2, -1, -1):
        look = looks[number]
        later = look.seed | (later & after.same & look.foreground)
        backward.append(later)
        after = look
    earlier = looks[0].seed
    for number, look in enumerate(looks):
        earlier = look.seed | (earlier & look.same & look.foreground)
        yield earlier | backward[len(looks) - 1 - number]


def unchanged(frame: Frame, before: Frame, tolerance: np.ndarray) -> Mask:
    """Where two frames look the same: no channel differs by more than the tolerance after a 3x3 mean."""
    return largest(cv2.absdiff(smooth(frame), smooth(before))) <= tolerance
