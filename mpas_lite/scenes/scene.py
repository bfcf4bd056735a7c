"""What a rendered scene is: its frames, and all that is true about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scene:
    """A rendered scene and all that is true about it. T frames of H rows and W columns.

    Attributes
    ----------
    name : str
        Which scene, of ``SCENE_NAMES``.
    seed : int
        Which of its endless variations.
    fps : float
        Frames per second.
    frames : (T, H, W, 3) uint8 RGB
    instance : (T, H, W) uint8
        Whom each pixel shows: 0 nobody, 1 + the index into this frame's ``ids``, and numbers above ``len(ids)`` for
        walkers whose position lies outside the picture.
    crowd : (T, H, W) bool
        The region a person would outline.
    ids : T arrays (N_t,) int
        One number a walker, never reused; of walkers whose position is in the picture.
    position : T arrays (N_t, 2) float32
        px (x, y): the image of the middle of the body, hidden or not; whole numbers are pixel centres.
    velocity : T arrays (N_t, 2) float32
        px/frame: position at the next frame minus position.
    paused : T arrays (N_t,) bool
        Slower than 0.1 m/s on the ground.
    """

    name: str
    seed: int
    fps: float
    frames: np.ndarray
    instance: np.ndarray
    crowd: np.ndarray
    ids: tuple[np.ndarray, ...]
    position: tuple[np.ndarray, ...]
    velocity: tuple[np.ndarray, ...]
    paused: tuple[np.ndarray, ...]

    @property
    def person(self) -> np.ndarray:
        """(T, H, W) bool, the visible pixels of people, covered by at least one half."""
        return self.instance > 0

    def __len__(self) -> int:
        return len(self.frames)
