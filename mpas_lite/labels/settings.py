"""How labels are made: the settings of the paper's steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.options import changed, check, option


@dataclass(frozen=True)
class LabelSettings:
    """Every parameter of the way from frames to pseudo-labels; the defaults are the paper's where it names one.

    See the fields for what each means; those of the particles are :func:`mpas_lite.track`'s.
    ``refine`` goes beyond the paper: labels that use the still camera too. None: the paper's circles.
    """

    every: int = option(
        20, "Keep one frame in so many (0, with `run`: such that there are as many pairs as wanted).", least=0, paper=20
    )
    interval: int = option(5, "Motion is seen over so many frames.", least=1)
    max_corners: int = option(3000, "Corners that are followed, at most; 0: all.", least=0)
    quality: float = option(0.01, "Weaker corners are left out, by share of the strongest.", above=0)
    min_distance: float = option(3.0, "Corners keep so far apart.", unit="px", least=0)
    min_speed: float = option(0.2, "Slower particles are background.", unit="px/frame", least=0)
    max_drift: float = option(1.0, "Farthest that a particle tracked back may end from its start.", unit="px", least=0)
    k: int = option(20, "Neighbours in the crowd graph, K.", least=1, paper=20, names="-k")
    z: float | None = option(None, "Damping of long paths, 0 < z < 1/K; none: 1/(2K).", above=0, paper=None, names="-z")
    threshold: float = option(0.6, "Of collective merging, in units of kappa.", above=0, paper=0.6)
    min_size: int = option(10, "Smaller groups of particles are outliers.", least=0)
    radius: float = option(20.0, "Of the circles: px, or below 1 a fraction of the height.", above=0, paper=20.0)
    refine: Refinement | None = None

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def ours(cls, **others: Any) -> LabelSettings:
        """Smaller circles around more, but stronger corners: what the main job takes, with other settings on top.

        Chosen on scenes of the validation seeds; the table is in benchmarks/RESULTS.md.

        Examples
        --------
        >>> LabelSettings.ours(every=5).quality
        0.02
        """
        return changed(cls(radius=1 / 60, quality=0.02, min_distance=2.0), **others)
