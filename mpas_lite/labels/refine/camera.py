"""A camera that shakes: how it moved, from what stands still, and pictures laid over each other again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from mpas_lite.video.arrays import Frame, Grey, Mask


def camera_motion(frames: Sequence[Frame]) -> np.ndarray | None:
    """How the camera moved, from what stands still: for each frame the map that steadies it.

    Corners of the middle frame are looked for in each other one; the shift, turn and zoom that most of them agree
    on (RANSAC) is the camera's. People do not agree, so a tenth of the corners is enough.

    Parameters
    ----------
    frames : sequence of (H, W, 3) uint8

    Returns
    -------
    (S, 2, 3) float64, or None
        For :func:`warp`: each frame laid over the middle one. None where half of the frames cannot be laid
        over it, or only by more than a twentieth of the picture: a camera that pans, zooms, or is cut.
    """
    reference = cv2.cvtColor(frames[len(frames) // 2], cv2.COLOR_RGB2GRAY)
    corners = spread_corners(reference)
    if len(corners) < 10:
        return np.repeat(np.eye(2, 3)[None], len(frames), axis=0)  # nothing to see: nothing is seen to move
    moves, lost = [], 0
    for frame in frames:
        move = steadying(frame, reference, corners)
        lost += move is None
        moves.append(np.eye(2, 3) if move is None else move)
    motion = np.stack(moves)
    far = shift_of(motion, reference.shape) > max(reference.shape) / 20
    return None if lost + far.sum() >= len(frames) / 2 else motion


def shift_of(motion: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How far the picture's corners and centre are moved at most, px, for each of (S, 2, 3) maps."""
    height, width = shape
    points = np.array([(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)], np.float64)
    moved = points @ motion[:, :, :2].transpose(0, 2, 1) + motion[:, None, :, 2]
    return np.linalg.norm(moved - points, axis=2).max(axis=1)


def steadying(frame: Frame, reference: Grey, corners: np.ndarray) -> np.ndarray | None:
    """The map that lays a frame over a reference picture.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    reference : (H, W) uint8
        In grey.
    corners : (N, 1, 2) float32
        Of the reference, see :func:`spread_corners`.

    Returns
    -------
    (2, 3) float64, or None
        For :func:`warp`; None where the corners do not agree.
    """
    if len(corners) < 8:
        return None
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    # Lucas-Kanade takes brightness for constant: bring the frame to the reference's light first.
    gain = float(reference.std()) / max(float(grey.std()), 1.0)
    levels = gain * (np.arange(256) - float(grey.mean())) + float(reference.mean())
    grey = cv2.LUT(grey, np.clip(levels, 0, 255).astype(np.uint8))
    there, seen, _ = cv2.calcOpticalFlowPyrLK(reference, grey, corners, None, winSize=(15, 15), maxLevel=3)
    seen = seen[:, 0] == 1
    if seen.sum() < 8:
        return None
    move, agree = cv2.estimateAffinePartial2D(
        there[seen], corners[seen], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=500
    )
    # In front of a plain wall people have more corners than the wall: that as many as 1 in 20 came to rest where
    # they were is no accident.
    rests = int((np.linalg.norm(there[seen] - corners[seen], axis=(1, 2)) < 0.7).sum())
    agreed = 0 if move is None else int(agree.sum())
    if rests >= max(8, len(corners) / 20, agreed / 2):
        return np.eye(2, 3)
    if agreed < max(8, len(corners) / 10):
        return None
    return np.asarray(move, np.float64)


def spread_corners(grey: Grey) -> np.ndarray:
    """Some corners of each of 5x5 cells, (N, 1, 2) float32: the strongest of all would lie in the crowd alone."""
    found = [np.zeros((0, 1, 2), np.float32)]
    height, width = grey.shape
    rows, columns = (np.linspace(0, side, 6).astype(int) for side in (height, width))
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            corners = cv2.goodFeaturesToTrack(grey[top:bottom, left:right], 8, 0.05, 6)
            if corners is not None:
                found.append(corners + np.array([left, top], np.float32))
    return np.concatenate(found)


def warp(picture: Frame, move: np.ndarray) -> Frame:
    """The picture moved by a map (2, 3), at its own size; its border is drawn out."""
    return cv2.warpAffine(picture, move, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def unwarp_mask(mask: Mask, move: np.ndarray | None, shape: tuple[int, int]) -> Mask:
    """A mask of the steadied working frame as one of the frame itself."""
    if move is not None:
        size = mask.shape[1::-1]
        back = cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
        mask = cv2.warpAffine(mask.astype(np.uint8), move, size, flags=back, borderMode=cv2.BORDER_REPLICATE) > 0
    if mask.shape == shape:
        return mask
    large = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(large >= 0.5)
