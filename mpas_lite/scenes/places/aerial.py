"""A small crowd on a square, from a mast or a drone: heads and shoulders, long shadows."""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.furniture import bench, lamp, litter_bin, planter
from mpas_lite.scenes.ground import Ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.variation import CARS, GREENS, LAWNS, STONES, chatting, daylight, mounted_camera, pick
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.solids import Solid, box
from mpas_lite.scenes.trees import tree
from mpas_lite.scenes.vehicles import Drive, car


def aerial(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Lay out the square, the road behind it, and a few groups of people."""
    camera, light = mounted_camera(rng, shape, 18.5, 63, 340), daylight(rng)
    middle = camera.ground(np.array([shape[1] / 2, shape[0] / 2]))[1]
    ground = Ground(camera, rng, reach=60)
    stone = _paint_square(ground, rng, middle)
    road = middle + rng.uniform(5.6, 6.4)
    _paint_road(ground, road)
    ring = (rng.uniform(3.5, 5.5), middle - rng.uniform(3.0, 4.5))
    ground.paving(ground.disc(ring, 2.3), (0.3, 0.3), np.array(stone) * 0.88, vary=9, angle=0.6)
    view = ground.view()

    solids = _furniture(camera, light, middle, road)
    trees = [tree(camera, light, (-9.4, middle - 4.6), rng, height=5.5, spread=2.0, green=pick(rng, GREENS))]
    pot, bush = planter(camera, light, ring, rng, 1.1, pick(rng, GREENS))
    parked = car(camera, light, (rng.uniform(-8, 6), road + 1.0), pick(rng, CARS), angle=0.0)
    drives = [Drive((-16, road + 4.6), (7.5, 0), pick(rng, CARS), when=rng.uniform(-0.5, 2.5))]
    plan = _plan(rng, middle, ring)
    wall = np.zeros(view.shape[:2], bool)
    return Place(camera, light, view, wall, plan, [*solids, pot, parked], [*trees, bush], drives, pause_fraction=0.2)


def _paint_square(ground: Ground, rng: np.random.Generator, middle: float) -> tuple[float, float, float]:
    """Paving with bands of darker stone, and a lawn; the paving's colour."""
    stone = pick(rng, STONES)
    ground.paving(ground.everywhere(), (0.9, 0.6), stone, vary=5, angle=float(rng.choice([0, 0.5, np.pi / 4])))
    for x in (-7.5, 0.0, 7.5):
        ground.paving(ground.band([(x, -9), (x, 50)], 0.6), (0.3, 0.3), np.array(stone) * 0.78, vary=6)
    lawn = [(-20, middle - 9), (-6.2, middle - 9), (-5.0, middle - 3.2), (-20, middle - 1.6)]
    ground.fill(ground.area(np.add(lawn, (0.15, 0.18))), (150, 146, 138))
    ground.grass(ground.area(lawn), pick(rng, LAWNS))
    return stone


def _paint_road(ground: Ground, road: float) -> None:
    ground.asphalt(ground.area([(-40, road), (40, road), (40, road + 7), (-40, road + 7)]))
    ground.paving(ground.area([(-40, road + 7), (40, road + 7), (40, 60), (-40, 60)]), (0.6, 0.6), (150, 148, 146))
    ground.kerb([(-40, road), (40, road)])
    ground.dashes((-40, road + 3.2), (40, road + 3.2), 0.14, 2.0, 2.0, (214, 212, 204))


def _furniture(camera: Camera, light: Light, middle: float, road: float) -> list[Solid]:
    bollards = [box(camera, light, (x, road - 0.5), (0.3, 0.3, 0.8), (120, 118, 114)) for x in np.arange(-10.5, 11, 3)]
    return [
        lamp(camera, light, (-6.5, middle + 3.9)),
        lamp(camera, light, (7.2, middle + 4.4)),
        bench(camera, light, (-3.6, middle - 4.4), 1.2),
        bench(camera, light, (8.8, middle - 1.0), 1.5),
        litter_bin(camera, light, (-3.1, middle - 5.9)),
        *bollards,
    ]


def _plan(rng: np.random.Generator, middle: float, ring: tuple[float, float]) -> Plan:
    """A broad flow to the right, smaller ones back and up the square, and some who chat."""
    tilt = rng.uniform(-1.5, 1.5)
    across = np.array([(-13, middle + 2.2 + tilt), (0, middle + 0.2), (13, middle + 1.0 - tilt)])
    routes = [
        Route(across, 4.8, 0.64, start=(0.1, 0.85)),
        Route(np.array([(13, middle + 3.2), (2, middle + 2.6), (-13, middle + 4.2)]), 1.8, 0.2),
        Route(np.array([(-1, -9), (0, middle - 4), (-2, middle + 2), (-13, middle + 3)]), 2.0, 0.18),
    ]
    obstacles = [
        (*ring, 1.1),
        (-6.5, middle + 3.9, 0.2),
        (7.2, middle + 4.4, 0.2),
        (-3.6, middle - 4.4, 0.8),
        (-3.1, middle - 5.9, 0.3),
    ]
    walkers = int(rng.integers(32, 40))
    return Plan(routes, walkers, chatting(rng, (1.0, middle - 4.2), int(rng.integers(3, 6))), np.array(obstacles))
