"""Who is found, by how long they stand: recall apart for people who walk, who pause, and who never move in the clip.

Labels from motion see those who walk. Whether a network also finds the others is what recall over all people hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mpas_lite.video.arrays import Mask

STANDING = ("never", "up to half", "longer", "always")
"""For which part of the frames that show them people stand; ``always``: in all of them."""


def standing_share(ids: Sequence[NDArray[np.integer]], paused: Sequence[NDArray[np.bool_]]) -> dict[int, float]:
    """For which part of their frames people stand, 0 to 1, by their numbers.

    Parameters
    ----------
    ids : T arrays (N_t,) int
        Who is in each frame.
    paused : T arrays (N_t,) bool
        Whether they stand.

    Examples
    --------
    >>> standing_share([np.array([4, 7]), np.array([4])], [np.array([True, False]), np.array([False])])
    {4: 0.5, 7: 0.0}
    """
    who, still = np.concatenate(list(ids)), np.concatenate(list(paused)).astype(float)
    numbers, index = np.unique(who, return_inverse=True)
    shares = np.bincount(index, still) / np.bincount(index)
    return dict(zip(numbers.tolist(), shares.tolist(), strict=True))


def standing_group(share: float) -> str:
    """The one of :data:`STANDING` that a share belongs to.

    Examples
    --------
    >>> [standing_group(share) for share in (0, 0.5, 0.6, 1)]
    ['never', 'up to half', 'longer', 'always']
    """
    return STANDING[0 if share == 0 else 1 if share <= 0.5 else 2 if share < 1 else 3]


def found_by_standing(
    masks: Mapping[int, Mask],
    instance: NDArray[np.uint8],
    ids: Sequence[NDArray[np.integer]],
    paused: Sequence[NDArray[np.bool_]],
) -> dict[str, tuple[int, int]]:
    """Pixels of people that masks have, and all that there are, by how long the people stand.

    Parameters
    ----------
    masks : mapping from int to (H, W) bool
        The frames that are looked at.
    instance : (T, H, W) uint8
        Whom each pixel shows: 0 nobody, k the person ``ids[t][k - 1]``; higher numbers are not counted.
    ids, paused : T arrays (N_t,)
        See :func:`standing_share`; of the whole clip.

    Returns
    -------
    dict from str to (int, int)
        Found and all, of each of :data:`STANDING`; ``found / all`` is the recall.
    """
    share = standing_share(ids, paused)
    counts = {group: np.zeros(2, np.int64) for group in STANDING}
    for t, mask in masks.items():
        people = len(ids[t])
        everything = np.bincount(instance[t].ravel(), minlength=256)[1 : people + 1]
        found = np.bincount(instance[t][mask], minlength=256)[1 : people + 1]
        for number, *pixels in zip(ids[t].tolist(), found, everything, strict=True):
            counts[standing_group(share[number])] += pixels
    return {group: (int(found), int(everything)) for group, (found, everything) in counts.items()}
