"""A wide square with a fountain and only a few people."""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.facade import facade
from mpas_lite.scenes.furniture import bench, lamp, litter_bin
from mpas_lite.scenes.ground import Ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.variation import CARS, GREENS, HOUSES, STONES, chatting, daylight, mounted_camera, pick
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.solids import Solid, cylinder, together
from mpas_lite.scenes.trees import tree
from mpas_lite.scenes.vehicles import Drive, car


def sparse_square(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Lay out the square with its fountain, pigeons and parked cars."""
    camera, light = mounted_camera(rng, shape, 8.6, 26.5, 318), daylight(rng)
    ground = Ground(camera, rng, reach=46)
    basin = _paint_square(ground, rng)
    view = ground.view()
    wall = facade(view, camera, light, rng, (-70, 46), (70, 46), 15, style="shops", colour=pick(rng, HOUSES))
    solids = _furniture(camera, light, basin)
    for x in (-13.5, -5.0, 9.0):
        solids.append(car(camera, light, (x, 37.3), pick(rng, CARS), van=bool(rng.random() < 0.3)))
    trees = [
        tree(camera, light, (x, 30.5), rng, height=6.2, spread=2.1, green=pick(rng, GREENS)) for x in (-11.8, 12.4)
    ]
    drives = [Drive((28, 40), (-8.0, 0), pick(rng, CARS), when=rng.uniform(-1, 2.5))]
    plan = _plan(rng, basin)
    pigeons = int(rng.integers(5, 10))
    return Place(camera, light, view, wall, plan, solids, trees, drives, pigeons=pigeons, pause_fraction=0.3)


def _paint_square(ground: Ground, rng: np.random.Generator) -> tuple[float, float]:
    """Slabs set diagonally between bands of darker stone, a ring for the fountain, a road; where the fountain is."""
    stone = pick(rng, STONES)
    ground.paving(ground.everywhere(), (0.6, 0.6), stone, vary=6, angle=np.pi / 4, bond=False, gap=0.84)
    for y in np.arange(2, 40, 6.0):
        ground.paving(ground.band([(-40, y), (40, y)], 0.45), (0.45, 0.45), np.array(stone) * 0.74, vary=6)
    for x in np.arange(-24, 25, 6.0):
        ground.paving(ground.band([(x, -4), (x, 60)], 0.45), (0.45, 0.45), np.array(stone) * 0.74, vary=6)
    basin = (rng.uniform(-2.5, 2.5), rng.uniform(20.5, 22.5))
    ground.paving(ground.disc(basin, 4.2), (0.4, 0.4), np.array(stone) * 0.85, vary=9, angle=0.3)
    ground.asphalt(ground.area([(-60, 36), (60, 36), (60, 42), (-60, 42)]))
    ground.kerb([(-60, 36), (60, 36)])
    return basin


def _furniture(camera: Camera, light: Light, basin: tuple[float, float]) -> list[Solid]:
    return [
        _fountain(camera, light, basin),
        *(bench(camera, light, (x, 27.5), 0.0) for x in (-8.5, 8.0)),
        *(lamp(camera, light, at) for at in ((-9.5, 24), (9.5, 24.5), (-3.2, 33), (4.0, 33.5))),
        litter_bin(camera, light, (6.3, 27.3)),
    ]


def _fountain(camera: Camera, light: Light, basin: tuple[float, float]) -> Solid:
    """A basin with water, and a bowl on a column."""
    rim, water = (158, 152, 142), (110, 134, 142)
    return together(
        cylinder(camera, light, basin, 2.3, 0.5, rim),
        cylinder(camera, light, basin, 2.0, 0.02, water, base=0.5),
        cylinder(camera, light, basin, 0.35, 1.5, rim),
        cylinder(camera, light, basin, 0.9, 0.14, rim, base=1.2),
        cylinder(camera, light, basin, 0.16, 0.9, rim, base=1.34),
    )


def _plan(rng: np.random.Generator, basin: tuple[float, float]) -> Plan:
    """Three thin flows, and one or two who stand beside the fountain."""
    routes = [
        Route(np.array([(-15, 13), (-2, 14), (13, 11)]), 5.0, 0.4, start=(0.1, 0.8)),
        Route(np.array([(17, 28), (5, 24), (4, 12), (2, -3)]), 3.0, 0.35, start=(0.2, 0.85)),
        Route(np.array([(-5, -3), (-5.5, 14), (-7, 25), (-17, 32)]), 3.0, 0.25, start=(0.2, 0.85)),
    ]
    walkers = int(rng.integers(6, 9))
    beside = (basin[0] + rng.choice([-4.2, 4.2]), basin[1] - rng.uniform(1.5, 4))
    standing = chatting(rng, beside, int(rng.integers(1, 3)))
    obstacles = [(*basin, 2.5), (-9.5, 24, 0.3), (9.5, 24.5, 0.3), (-8.5, 27.5, 1.0), (8.0, 27.5, 1.0)]
    return Plan(routes, walkers, standing, np.array(obstacles))
