"""Whether the camera stands still though nearly everything before it moves: parts of the picture rest exactly."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mpas_lite.video.arrays import Frame

GRID = 8  # the picture is cut into 8 x 8 cells
SAME_EDGES = 0.65  # correlation of a cell's edges with those behind
OTHER_EDGES = 0.75  # and what it must be below with those of the same cell, moved a little
EDGES = 10.0  # standard deviation of a cell's gradient, grey levels: plain ground and sky look the same in any pan,
SHIFT = 4  # px, either way: as do lines along it, so a cell counts whose edges so far on are others


def camera_rests(frames: Sequence[Frame], background: Frame) -> bool:
    """Whether some place or other is always to be seen just where it was.

    Close people, or leaves in the wind, hide all that corners could agree on, and
    :func:`~mpas_lite.labels.refine.camera.camera_motion` finds nothing. A cell rests in a frame if its edges are those
    of the background at the same place. The camera stands still if four in five frames have cells at rest (one in
    twenty of those with edges), and if a fifth of the cells rest now and then (in a quarter of the frames). A pan and a
    zoom fail the second, a cut to another view the first.

    Parameters
    ----------
    frames : sequence of (H, W, 3) uint8
        Spread over the clip.
    background : (H, W, 3) uint8
        What stands behind if the camera does, see :func:`~mpas_lite.labels.refine.background.estimate_background`.
    """
    edges = _edges(background)
    behind = _cells(edges)
    tells = behind.std(axis=1) >= EDGES
    for axis in (0, 1):
        tells &= _correlation(behind, _cells(np.roll(edges, SHIFT, axis))) < OTHER_EDGES
    if not tells.any():
        return False
    rests = np.stack([_correlation(behind[tells], _cells(_edges(frame))[tells]) > SAME_EDGES for frame in frames])
    frames_with_cells = (rests.mean(axis=1) >= 0.05).mean()
    cells_now_and_then = (rests.mean(axis=0) >= 0.25).mean()
    return bool(frames_with_cells >= 0.8 and cells_now_and_then >= 0.2)


def _edges(frame: Frame) -> np.ndarray:
    """How strong the edges are, (H, W) float32."""
    grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (0, 0), 1).astype(np.float32)
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


def _cells(edges: np.ndarray) -> np.ndarray:
    """Cut into cells, (GRID * GRID, pixels of one) float32."""
    height, width = edges.shape[0] // GRID, edges.shape[1] // GRID
    whole = edges[: height * GRID, : width * GRID].reshape(GRID, height, GRID, width)
    return whole.swapaxes(1, 2).reshape(GRID * GRID, height * width)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each row of one with the same row of the other; 0 where one of them is constant."""
    a, b = (rows - rows.mean(axis=1, keepdims=True) for rows in (a, b))
    product = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return (a * b).sum(axis=1) / np.maximum(product, 1e-6)
