"""Inside a shopping centre: a group comes to a planter and splits to both sides of it."""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.camera import Camera, Light
from mpas_lite.scenes.facade import facade
from mpas_lite.scenes.furniture import bench, litter_bin, planter
from mpas_lite.scenes.ground import Ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.variation import CARS, GREENS, chatting, mounted_camera, pick
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.solids import box, cylinder

FLOORS = [(206, 194, 176), (198, 196, 192), (212, 200, 170), (190, 178, 164)]
PILLARS = [(x, y) for x in (-8.2, 8.2) for y in (13.0, 24.5)]


def group_split(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Lay out the mall, with the planter in the way of those who come."""
    camera = mounted_camera(rng, shape, 6.6, 27, 325)
    light = Light(np.array([0.12, -0.35, 0.93]), 0.26, 2.2, np.array([1.03, 1.0, 0.95]))
    ground = Ground(camera, rng, reach=30)
    pot_at = _paint_floor(ground, rng)
    view = ground.view((214, 206, 190))
    wall, sides = _shop_fronts(view, camera, light, rng)

    pot, bush = planter(camera, light, pot_at, rng, 1.25, pick(rng, GREENS))
    solids = [pot, *(cylinder(camera, light, at, 0.42, 8.0, (214, 206, 192)) for at in PILLARS)]
    solids += [bench(camera, light, (-5.8, 18.6), 0.2), litter_bin(camera, light, (6.9, 20.5))]
    solids.append(box(camera, light, (4.9, 24.3), (1.6, 1.0, 1.1), pick(rng, CARS)))
    occluders = [(camera.depth((0, 20)), sides)]
    return Place(camera, light, view, wall, _plan(rng, pot_at), solids, [bush], occluders=occluders)


def _paint_floor(ground: Ground, rng: np.random.Generator) -> tuple[float, float]:
    """A polished floor with two bands and rings round the planter; where the planter stands."""
    floor = pick(rng, FLOORS)
    ground.paving(ground.everywhere(), (1.2, 1.2), floor, vary=3.5, bond=False, joint=0.02, gap=0.88)
    accent = np.array(floor) * rng.uniform(0.62, 0.78) * rng.uniform(0.92, 1.05, 3)
    for x in (-6.0, 6.0):
        ground.paving(ground.band([(x, -5), (x, 40)], 1.2), (0.6, 0.6), accent, vary=4, joint=0.02)
    pot_at = (rng.uniform(-0.5, 0.5), rng.uniform(15.0, 16.5))
    for radius, tone in ((3.4, 1.0), (3.0, 1.35), (2.2, 1.0)):
        ground.fill(ground.disc(pot_at, radius), np.clip(accent * tone, 0, 235), 0.8)
    for _ in range(9):  # the lamps of the ceiling, mirrored
        spot = (rng.integers(-3, 4) * 3.0, rng.integers(2, 9) * 3.0)
        shine = np.exp(-(((ground.x - spot[0]) / 0.5) ** 2 + ((ground.y - spot[1]) / 1.3) ** 2))
        ground.image += (26 * shine)[..., None]
    return pot_at


def _shop_fronts(
    view: np.ndarray, camera: Camera, light: Light, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Shops at the end and at both sides; the masks of all of them, and of those at the sides."""
    wall = facade(view, camera, light, rng, (-24, 28.5), (24, 28.5), 9, style="mall", colour=(204, 192, 174))
    sides = facade(view, camera, light, rng, (-12.5, 6), (-12.5, 20), 7, style="mall", colour=(196, 184, 168))
    sides |= facade(view, camera, light, rng, (12.5, 20), (12.5, 6), 7, style="mall", colour=(196, 184, 168))
    return wall | sides, sides


def _plan(rng: np.random.Generator, pot_at: tuple[float, float]) -> Plan:
    """A group that splits before the planter, a few who cross behind it, and three who stand."""
    x, y = pot_at
    trunk = [(0.2, -3.0), (0.0, 4.0), (x, y - 5.5)]
    left = [*trunk, (x - 3.0, y - 0.5), (x - 3.8, y + 4.0), (-9.0, y + 6.5), (-22, y + 7.5)]
    right = [*trunk, (x + 3.0, y - 0.5), (x + 3.6, y + 4.0), (9.0, y + 6.5), (22, y + 7.0)]
    routes = [
        Route(np.array(left), 2.6, 0.42, start=(0.14, 0.34)),
        Route(np.array(right), 2.6, 0.42, start=(0.14, 0.34)),
        Route(np.array([(20, y + 9.5), (0, y + 9.0), (-20, y + 10)]), 1.2, 0.16),
    ]
    walkers = int(rng.integers(20, 24))
    standing = np.concatenate([chatting(rng, (-5.6, y - 3.0), 2), [[6.3, 18.0, rng.uniform(0, 6)]]])
    obstacles = [(*pot_at, 1.35), *((*at, 0.5) for at in ((-8.2, 13), (8.2, 13), (-8.2, 24.5), (8.2, 24.5)))]
    obstacles += [(4.9, 24.3, 1.0), (-5.8, 18.6, 0.9), (6.9, 20.5, 0.3)]
    return Plan(routes, walkers, standing, np.array(obstacles), warm_up=2.0)
