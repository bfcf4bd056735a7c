"""What a place is: all that a scene needs besides its people's clothes and the sensor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.routes import Plan
from mpas_lite.scenes.solids import Solid
from mpas_lite.scenes.trees import Tree
from mpas_lite.scenes.vehicles import Drive


@dataclass(frozen=True)
class Place:
    """A place, seen by its camera.

    Attributes
    ----------
    camera : Camera
    light : Light
    view : (3H, 3W, 3) uint8
        The background without cast shadows.
    wall : (3H, 3W) bool
        Where the view shows no ground.
    plan : Plan
        Who walks where.
    solids : list of Solid
        What stands about.
    trees : list of Tree
    drives : list of Drive
        The vehicles that pass.
    occluders : list of (float, (3H, 3W) bool)
        Depth, m, and mask of walls that hide what is farther.
    pigeons : int
    pause_fraction : float
        The part of the walkers that stands at any time.
    runners : bool
        Whether the walkers run a race.
    """

    camera: Camera
    light: Light
    view: np.ndarray
    wall: np.ndarray
    plan: Plan
    solids: list[Solid] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    occluders: list[tuple[float, np.ndarray]] = field(default_factory=list)
    pigeons: int = 0
    pause_fraction: float = 0.15
    runners: bool = False
