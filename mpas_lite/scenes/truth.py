"""What is true of one frame: whom each pixel shows, where the crowd is, where everybody is and goes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class FrameTruth:
    """The truth of one frame, with N people.

    Attributes
    ----------
    instance : (H, W) uint8
        Whom each pixel shows: 0 nobody, or 1 + an index into the people.
    crowd : (H, W) bool
        The region a person would outline.
    ids : (N,) int
    position : (N, 2) float
        px (x, y), whole numbers are pixel centres.
    velocity : (N, 2) float
        px/frame.
    paused : (N,) bool
    """

    instance: np.ndarray
    crowd: np.ndarray
    ids: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    paused: np.ndarray

    def mirrored(self) -> FrameTruth:
        """The truth of the frame with left and right exchanged."""
        width = self.instance.shape[1]
        return replace(
            self,
            instance=self.instance[:, ::-1],
            crowd=self.crowd[:, ::-1],
            position=np.stack([width - 1 - self.position[:, 0], self.position[:, 1]], axis=1),
            velocity=self.velocity * [-1, 1],
        )

    def of_those_inside(self) -> FrameTruth:
        """The truth with people whose position is in the picture only; the numbers of others are above theirs."""
        height, width = self.instance.shape
        inside = ((self.position > -0.5) & (self.position < [width - 0.5, height - 0.5])).all(1)
        order = np.r_[np.flatnonzero(inside), np.flatnonzero(~inside)]
        number = np.zeros(256, np.uint8)
        number[order + 1] = np.arange(1, len(order) + 1)
        return replace(
            self,
            instance=number[self.instance],
            ids=self.ids[inside],
            position=self.position[inside].astype(np.float32),
            velocity=self.velocity[inside].astype(np.float32),
            paused=self.paused[inside],
        )
