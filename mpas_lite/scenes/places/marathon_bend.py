"""A marathon round a bend, spectators behind the barriers."""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.camera import Camera
from mpas_lite.scenes.facade import facade
from mpas_lite.scenes.furniture import barriers, lamp
from mpas_lite.scenes.ground import Ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.variation import GREENS, HOUSES, LAWNS, daylight, mounted_camera, pick
from mpas_lite.scenes.routes import Plan, Route, left_of, round_corners
from mpas_lite.scenes.solids import Solid
from mpas_lite.scenes.trees import Tree, tree

BEND = np.array([(-46, 28), (-20, 28.5), (-7, 27), (0.5, 22.5), (3.2, 15), (3.2, 6), (2.5, -6.0)])
BOARDS = [(44, 92, 160), (196, 60, 50), (228, 186, 60), (60, 130, 96)]
TREES = ((-9.0, 38.0), (3.0, 37.0), (13.5, 33.0), (17.5, 40.5), (-18, 40.5), (-6.5, 15.5))


def marathon_bend(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Lay out the road through a park, with barriers and spectators on both sides."""
    camera, light = mounted_camera(rng, shape, 8.3, 28, 292), daylight(rng)
    ground = Ground(camera, rng, reach=52)
    curve = round_corners(BEND)  # the same curve that the runners follow
    tangent = np.gradient(curve, axis=0)
    normal = left_of(tangent / np.linalg.norm(tangent, axis=1, keepdims=True))
    _paint_road(ground, rng, curve, normal)
    view = ground.view((170, 184, 186))
    wall = facade(view, camera, light, rng, (-90, 62), (90, 62), 16, style="house", colour=pick(rng, HOUSES))
    wall |= facade(view, camera, light, rng, (-70, 44), (70, 44), 2.0, style="hedge", colour=(70, 92, 52))

    solids: list[Solid] = []
    spectators = []
    tones = [pick(rng, BOARDS), (222, 222, 218)]
    for side in (-4.7, 4.7):
        line, out = _barrier_line(curve, normal, side)
        for k in range(0, len(line) - 1):
            solids += barriers(camera, light, line[k : k + 2], tones[(k // 2) % 2])
        spectators += _spectators(rng, line, out)
    standing = _apart(_in_view(np.array(spectators), camera))
    trees: list[Tree] = []
    for at in TREES:
        height, spread = rng.uniform(4.5, 6.5), rng.uniform(1.5, 2.2)
        trees.append(tree(camera, light, at, rng, height=height, spread=spread, green=pick(rng, GREENS)))
    solids.append(lamp(camera, light, (9.3, 21), 6.0))
    race = Route(BEND, 5.6, 1.0, (2.65, 0.35), start=(0.02, 0.98), group_share=0.25)
    plan = Plan([race], int(rng.integers(128, 158)), standing, warm_up=4.0)
    return Place(camera, light, view, wall, plan, solids, trees, pause_fraction=0.02, runners=True)


def _paint_road(ground: Ground, rng: np.random.Generator, curve: np.ndarray, normal: np.ndarray) -> None:
    """Grass, the road with its kerbs and edge lines, and the blue line of the course."""
    ground.grass(ground.everywhere(), pick(rng, LAWNS))
    ground.paving(ground.band(curve, 12.0), (0.5, 0.5), (158, 152, 146), vary=6)
    ground.asphalt(ground.band(curve, 8.0), (100, 100, 103))
    for side in (-4.0, 4.0):
        ground.kerb(curve + side * normal)
    for side, colour in ((-3.6, (210, 208, 200)), (3.6, (210, 208, 200)), (0.0, (60, 108, 176))):
        ground.fill(ground.band(curve + side * normal, 0.13), colour, 0.75)


def _barrier_line(curve: np.ndarray, normal: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (M, 2) every two metres along a side of the road, and the directions away from the road."""
    edge = curve + side * normal
    arc = np.r_[0, np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))]
    steps = np.arange(6, arc[-1] - 4, 2.0)
    line = np.stack([np.interp(steps, arc, edge[:, a]) for a in (0, 1)], 1)
    return line, np.stack([np.interp(steps, arc, (np.sign(side) * normal)[:, a]) for a in (0, 1)], 1)


def _spectators(rng: np.random.Generator, line: np.ndarray, out: np.ndarray) -> list[list[float]]:
    """People behind the barriers, x, y and facing: none, one or two at each, looking at the race."""
    found = []
    for p, n in zip(line, out, strict=True):
        for _ in range(int(rng.choice([0, 0, 1, 2], p=[0.3, 0.2, 0.35, 0.15]))):
            spot = p + n * rng.uniform(0.5, 1.2) + rng.uniform(-0.9, 0.9) * np.array([-n[1], n[0]])
            found.append([*spot, np.arctan2(-n[1], -n[0]) + rng.normal(0, 0.35)])
    return found


def _in_view(standing: np.ndarray, camera: Camera) -> np.ndarray:
    """Those of the people (N, 3) who are in the picture or near it."""
    uv, _ = camera.project(np.c_[standing[:, :2], np.ones(len(standing))])
    height, width = camera.shape
    seen = (np.abs(uv[:, 0] / width - 0.5) < 0.56) & (np.abs(uv[:, 1] / height - 0.5) < 0.6)
    return standing[seen]


def _apart(standing: np.ndarray) -> np.ndarray:
    """Those of the people (N, 3) who have half a metre to all before them in the list."""
    room = [np.linalg.norm(standing[:i, :2] - standing[i, :2], axis=1) > 0.5 for i in range(len(standing))]
    return standing[[i for i, free in enumerate(room) if free.all()]]
