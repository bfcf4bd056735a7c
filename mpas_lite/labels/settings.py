"""How labels are made: the settings of the paper's steps."""

from __future__ import annotations

from dataclasses import dataclass

from mpas_lite.labels.refine.pipeline import Refinement


@dataclass(frozen=True)
class LabelSettings:
    """Every parameter of the way from frames to pseudo-labels; the defaults are the paper's where it names one.

    Attributes
    ----------
    every : int
        One frame in so many is kept (paper: 20).
    interval, max_corners, quality, min_distance, min_speed, max_drift
        Of the particles, see :func:`mpas_lite.track`. The paper names none of them.
    k : int
        Neighbours in the crowd graph, K (paper: 20).
    z : float, optional
        Damping of Eq. 3; 1/(2K) if not given (Zhou et al.'s choice; the paper: 0 < z < 1/K).
    threshold : float
        Of collective merging, in units of kappa (paper: 0.6).
    min_size : int
        Groups of fewer particles are outliers (10 in Zhou et al.'s code).
    radius : float
        Of the circles in px, or below 1 as a fraction of the frame's height (paper: 20 px).
    refine : Refinement, optional
        Beyond the paper: labels that use the still camera too. None: the paper's circles.
    """

    every: int = 20
    interval: int = 5
    max_corners: int = 3000
    quality: float = 0.01
    min_distance: float = 3.0
    min_speed: float = 0.2
    max_drift: float = 1.0
    k: int = 20
    z: float | None = None
    threshold: float = 0.6
    min_size: int = 10
    radius: float = 20.0
    refine: Refinement | None = None
