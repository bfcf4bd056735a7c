"""Background subtraction (MOG2), raw and closed: what students ask for, and a baseline that is hard to beat."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from mpas_lite.video.arrays import Grey, Mask
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video


def mog2_masks(
    video: Video | str | Path | np.ndarray,
    *,
    closed: bool = False,
    indices: Collection[int] | None = None,
    history: int = 500,
    var_threshold: float = 16.0,
) -> Iterator[tuple[int, Mask]]:
    """Segment by background subtraction (OpenCV's MOG2): the baseline everybody asks for.

    A mixture of Gaussians per pixel (Zivkovic 2004) learns what the still camera sees; what departs from it
    is foreground. Shadows are detected and dropped. It needs no training. It fails on people who stand, on
    a moving camera, and while the background is still being learnt: in the very first frame it finds nothing.

    Parameters
    ----------
    video : Video, str, Path or array
        Whatever :func:`mpas_lite.read_video` takes. Every frame is looked at, in order, whatever ``indices`` says.
    closed : bool
        Close the mask morphologically with a disc as wide as a twentieth of the frame's shorter side: 13 px
        at 320x240, about a person's width. That fills the gaps between people, as an outline by hand does.
    indices : collection of int, optional
        Yield only these frames; all by default.
    history : int
        Over how many frames the background is remembered.
    var_threshold : float
        Squared Mahalanobis distance beyond which a pixel is foreground.

    Yields
    ------
    index : int
    mask : (H, W) bool
    """
    import cv2

    subtractor = cv2.createBackgroundSubtractorMOG2(history, var_threshold, detectShadows=True)
    wanted = None if indices is None else set(indices)
    last = np.inf if wanted is None else max(wanted, default=-1)
    for index, frame in read_video(video):
        if index > last:
            return
        mask = subtractor.apply(frame) == 255  # 127 is shadow
        if wanted is not None and index not in wanted:
            continue
        yield index, close_mask(mask) if closed else mask


def close_mask(mask: Mask) -> Mask:
    """A mask closed by a disc as wide as a twentieth of the frame's shorter side, (H, W) bool."""
    import cv2

    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(min(mask.shape) / 20)) > 0


def _disc(diameter: float) -> Grey:
    """A disc of an odd diameter in pixels, the least that is not under ``diameter``."""
    radius = int(np.ceil((diameter - 1) / 2))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x**2 + y**2 <= (radius + 0.5) ** 2).astype(np.uint8)
