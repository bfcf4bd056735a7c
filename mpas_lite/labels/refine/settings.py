"""Which steps go beyond the paper, and how far each."""

from __future__ import annotations

from dataclasses import dataclass

from mpas_lite.options import check, option


@dataclass(frozen=True)
class Refinement:
    """What to use beyond the paper, and how much; one setting for all clips, chosen on validation scenes.

    The steps are told at the top of :mod:`mpas_lite.labels.refine.pipeline`. ``doubt`` is off, as the network
    was worse with it.
    """

    background: bool = option(True, "Label only what differs from the still background, inside generous circles.")
    shadows: bool = option(True, "Take the ground in shadow for no person.")
    perspective: bool = option(True, "Measure circles and gaps in people: far ones are smaller.")
    standing: bool = option(True, "Let those who stop keep their label while they look the same.")
    not_crowd: bool = option(True, "Leave out vehicles, and what sways and gets nowhere.")
    camera: bool = option(True, "Steady a shaking camera first; with a moving one the circles stay.")
    doubt: bool = option(False, "Leave pixels that a label is not sure of out of the loss.")
    low: float = option(10.0, "Pixels that differ so much hang together with one over high.", unit="tolerances")
    high: float = option(20.0, "A pixel that differs so much from the background is somebody.", unit="tolerances")
    reach: float = option(0.9, "Radius of the generous circles.", unit="heights of a person", least=0)
    # A person is 0.29 of his height broad: crowd outlines close gaps as wide as that; outlines of persons close none.
    closing: float = option(0.16, "Gaps up to so much are closed.", unit="heights of a person", least=0)

    def __post_init__(self) -> None:
        check(self)
