"""The arrays that pass from step to step, by what they hold."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Frame: TypeAlias = NDArray[np.uint8]  # (H, W, 3) RGB
Grey: TypeAlias = NDArray[np.uint8]  # (H, W)
Mask: TypeAlias = NDArray[np.bool_]  # (H, W)
Points: TypeAlias = NDArray[np.floating[Any]]  # (N, 2): x (right) and y (down), in px or px/frame
