"""Two flows that cross on a junction, while the cars wait."""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.facade import facade
from mpas_lite.scenes.furniture import lamp, litter_bin
from mpas_lite.scenes.ground import Ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.variation import CARS, GREENS, HOUSES, STONES, daylight, mounted_camera, pick
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.solids import Solid, box
from mpas_lite.scenes.trees import tree
from mpas_lite.scenes.vehicles import Drive, car


def crossing(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Lay out the junction with its zebra crossings, cars that wait, and cars that drive behind."""
    camera, light = mounted_camera(rng, shape, 8.8, 30, 315), daylight(rng)
    ground = Ground(camera, rng, reach=44)
    _paint_junction(ground, rng)
    view = ground.view()
    wall = facade(view, camera, light, rng, (-70, 40), (70, 40), 14, style="shops", colour=pick(rng, HOUSES))
    solids = _waiting_cars(camera, light, rng) + _furniture(camera, light)
    trees = [tree(camera, light, (x, 28.0), rng, height=5.5, spread=1.7, green=pick(rng, GREENS)) for x in (-11, 13.5)]
    drives = [
        Drive((-26, 31.6), (9.0, 0), pick(rng, CARS), when=rng.uniform(-1.0, 0.5)),
        Drive((26, 34.5), (-8.5, 0), pick(rng, CARS), van=True, when=rng.uniform(0.5, 2.5)),
    ]
    return Place(camera, light, view, wall, _plan(rng), solids, trees, drives, pause_fraction=0.12)


def _paint_junction(ground: Ground, rng: np.random.Generator) -> None:
    """Asphalt, the pavements at three sides, zebra crossings and stop lines."""
    ground.asphalt(ground.everywhere(), (94, 94, 97))
    ground.paving(ground.area([(-60, 24), (60, 24), (60, 30), (-60, 30)]), (0.5, 0.5), pick(rng, STONES), vary=6)
    ground.paving(ground.area([(-60, 36), (60, 36), (60, 70), (-60, 70)]), (0.8, 0.5), pick(rng, STONES), vary=6)
    corner = [(-30, -4), (-5.4, -4), (-5.4, 6.2), (-6.2, 7.0), (-30, 7.0)]
    ground.paving(ground.area(corner), (0.5, 0.5), pick(rng, STONES), vary=6)
    ground.kerb(corner[1:])
    for y in (24, 30, 36):
        ground.kerb([(-60, y), (60, y)])
    ground.dashes((-60, 33), (60, 33), 0.14, 2, 2, (212, 210, 202))
    ground.zebra((-14, 11.2), (14, 13.4), 5.2)
    ground.zebra((1.5, 15.8), (2.2, 23.6), 4.4)
    ground.zebra((0.2, 2.0), (0.8, 8.9), 4.4)
    ground.fill(ground.band([(-5.2, 17.2), (-5.2, 23.4)], 0.35), (214, 212, 204), 0.8)
    ground.fill(ground.band([(7.0, 16.6), (7.0, 23.4)], 0.35), (214, 212, 204), 0.8)


def _waiting_cars(camera: Camera, light: Light, rng: np.random.Generator) -> list[Solid]:
    return [
        car(camera, light, (-8.0, 19.0), pick(rng, CARS), angle=0.0),
        car(camera, light, (9.8, 21.6), pick(rng, CARS), angle=np.pi, van=bool(rng.random() < 0.5)),
        car(camera, light, (-13.2, 19.2), pick(rng, CARS), angle=0.0),
    ]


def _furniture(camera: Camera, light: Light) -> list[Solid]:
    return [
        lamp(camera, light, (-5.9, 25.0), 5.0),
        lamp(camera, light, (-6.2, 6.0), 4.2),
        lamp(camera, light, (9.5, 25.2), 5.0),
        litter_bin(camera, light, (-7.4, 25.3)),
        *(box(camera, light, (x, 24.6), (0.2, 0.2, 0.9), (206, 150, 52)) for x in (-3.4, -4.4, 7.4, 8.4)),
    ]


def _plan(rng: np.random.Generator) -> Plan:
    """Two flows across and two along, each the stronger one way, and four who wait."""
    routes = [
        Route(np.array([(-19, 10.8), (0, 12.3), (19, 13.8)]), 4.8, 0.36, start=(0.05, 0.9)),
        Route(np.array([(19, 13.4), (0, 12.1), (-19, 10.4)]), 4.6, 0.14),
        Route(np.array([(0.0, -4), (1.2, 12), (2.2, 23), (6, 26.6), (24, 27)]), 4.0, 0.32, start=(0.05, 0.8)),
        Route(np.array([(-24, 27), (-2, 26.6), (1.6, 22), (0.8, 12), (0.2, -4)]), 3.8, 0.18, start=(0.3, 0.95)),
    ]
    waiting = [[x, rng.uniform(24.7, 25.6), -1.6 + rng.normal(0, 0.5)] for x in (-1.9, 5.2)]
    standing = np.array([*waiting, [-7.0, 5.4, 0.6], [-7.4, 4.2, 1.2]])
    obstacles = np.array([(-6.2, 6.0, 0.3), (-5.9, 25, 0.3), (9.5, 25.2, 0.3), (-7.4, 25.3, 0.3)])
    return Plan(routes, int(rng.integers(46, 58)), standing, obstacles)
