"""What is known of a clip's background: its picture, its noise, where it can be trusted, how deep its shadows are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mpas_lite.labels.refine.camera import spread_corners
from mpas_lite.labels.refine.pixels import largest, smallest, smooth
from mpas_lite.video.arrays import Frame, Grey, Mask

DARKEST_SHADOW = 0.5  # of the light; where the clip's own shadows are too few to tell


@dataclass(frozen=True)
class Background:
    """A clip's background and how far to trust it.

    Attributes
    ----------
    image : (H, W, 3) uint8 RGB
    noise : (H, W) float32
        Standard deviation of what is left of a still pixel after a 3x3 mean, in grey levels.
    known : (H, W) bool
        Where the clip shows the background often enough; elsewhere nothing can be said.
    min_shadow_gain : float
        How much of the light the deepest shadow lets through, 0 ... 1.
    """

    image: Frame
    noise: np.ndarray
    known: Mask
    min_shadow_gain: float = DARKEST_SHADOW

    @property
    def umbra(self) -> float:
        """What ``min_shadow_gain`` was called once."""
        return self.min_shadow_gain

    @cached_property
    def tolerance(self) -> np.ndarray:
        """What a difference is measured by, in grey levels, (H, W) float32.

        Light that comes back from walls and clothes, and compression, change any clip's still pixels, noise or no
        noise. So it does not grow in proportion to the noise.
        """
        return np.float32(0.8) + np.float32(0.4) * self.noise

    @cached_property
    def flat(self) -> Frame:
        """The image after a 3x3 mean, (H, W, 3) uint8."""
        return smooth(self.image)

    @cached_property
    def corners(self) -> np.ndarray:
        """Corners by which frames are laid over the image, (N, 1, 2) float32."""
        return spread_corners(self.grey)

    @cached_property
    def grey(self) -> Grey:
        """The image in grey, (H, W) uint8."""
        return cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY)

    @cached_property
    def colourless(self) -> bool:
        """Whether the clip has no colours to tell shadows by."""
        return float(np.mean(largest(self.image) - smallest(self.image))) < 3
