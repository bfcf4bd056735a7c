"""A shopping street with people both ways, a road beside it."""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.facade import facade
from mpas_lite.scenes.furniture import bench, lamp, litter_bin
from mpas_lite.scenes.ground import Ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.variation import CARS, GREENS, HOUSES, STONES, chatting, daylight, mounted_camera, pick
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.solids import Solid, box
from mpas_lite.scenes.trees import tree
from mpas_lite.scenes.vehicles import Drive, car


def street_flow(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Lay out the pavement between shops and road, with people both ways."""
    camera, light = mounted_camera(rng, shape, 5.6, 21.5, 330), daylight(rng)
    ground = Ground(camera, rng, reach=44)
    _paint_street(ground, rng)
    view = ground.view()
    wall = facade(view, camera, light, rng, (-60, 44), (60, 44), 15, style="house", colour=pick(rng, HOUSES))
    left = facade(view, camera, light, rng, (-6.6, 2), (-6.6, 29), 13, style="shops", colour=pick(rng, HOUSES))
    right = facade(view, camera, light, rng, (14.0, 32), (14.0, 2), 13, style="shops", colour=pick(rng, HOUSES))
    occluders = [(camera.depth((0, 29)), left), (camera.depth((0, 32)), right)]

    solids = _furniture(camera, light)
    solids += [car(camera, light, (12.6, y), pick(rng, CARS), angle=-np.pi / 2) for y in (23.5, 29.5)]
    trees = [tree(camera, light, (4.7, y), rng, height=5.0, spread=1.3, green=pick(rng, GREENS)) for y in (17.5, 26.5)]
    drives = [
        Drive((9.9, 36), (0.0, -6.5), pick(rng, CARS), van=rng.random() < 0.5, when=rng.uniform(-1.5, 1.5)),
        Drive((-32, 38.3), (8.0, 0.0), pick(rng, CARS), when=rng.uniform(0, 2)),
    ]
    return Place(camera, light, view, wall | left | right, _plan(rng), solids, trees, drives, occluders)


def _paint_street(ground: Ground, rng: np.random.Generator) -> None:
    """A paved walk between two bands, a road beside it, and one across behind."""
    ground.paving(ground.everywhere(), (0.8, 0.5), pick(rng, STONES), vary=6, gap=0.78)
    ground.paving(ground.band([(4.6, -3), (4.6, 60)], 0.8), (0.4, 0.4), (122, 116, 112), vary=7)
    ground.paving(ground.band([(-4.4, -3), (-4.4, 60)], 0.5), (0.4, 0.4), (122, 116, 112), vary=7)
    ground.asphalt(ground.area([(5.2, -5), (11.4, -5), (11.4, 60), (5.2, 60)]), (92, 92, 95))
    ground.asphalt(ground.area([(-60, 36), (60, 36), (60, 41), (-60, 41)]), (92, 92, 95))
    ground.kerb([(5.2, -5), (5.2, 36)])
    ground.kerb([(-60, 36), (5.2, 36)])
    ground.dashes((8.3, 0), (8.3, 36), 0.14, 2, 2, (214, 212, 204))


def _furniture(camera: Camera, light: Light) -> list[Solid]:
    return [
        *(lamp(camera, light, (4.7, y), 5.0) for y in (13, 22, 31)),
        litter_bin(camera, light, (-4.9, 15.5)),
        bench(camera, light, (-5.2, 21), -1.5),
        box(camera, light, (-4.9, 27.5), (0.8, 0.1, 1.1), (52, 60, 56), angle=0.3),
    ]


def _plan(rng: np.random.Generator) -> Plan:
    """Half the people go away from the camera and half come; some lean at the shops, two chat."""
    away = [(1.8, -3), (1.8, 26), (1.4, 33.6), (-8, 34.2), (-20, 34.2)]
    here = [(-20, 31), (-8, 31), (-2.2, 30), (-1.9, 22), (-1.9, -3)]
    routes = [
        Route(np.array(away, float), 3.4, 0.5, start=(0.05, 0.8)),
        Route(np.array(here, float), 3.4, 0.5, start=(0.25, 0.97)),
    ]
    lean = np.array([[-5.6, rng.uniform(11, 13.5), rng.uniform(-1, 1)], [-5.3, rng.uniform(23.5, 25), 0.4]])
    walkers = int(rng.integers(38, 52))
    standing = np.concatenate([lean, chatting(rng, (3.9, rng.uniform(18.8, 20.6)), 2)])
    obstacles = [(4.7, y, 0.2) for y in (13, 17.5, 22, 26.5, 31)]
    obstacles += [(-4.9, 15.5, 0.3), (-5.2, 21, 0.9), (-4.9, 27.5, 0.5)]
    return Plan(routes, walkers, standing, np.array(obstacles))
