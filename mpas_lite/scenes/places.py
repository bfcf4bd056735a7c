"""The six places of the synthetic scenes: camera, light, ground, things about, and who walks where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from mpas_lite.scenes.ground import Ground, facade
from mpas_lite.scenes.social_force import Plan, Route, smooth
from mpas_lite.scenes.solids import Camera, Light, Thing, Tree, box, car, cylinder, together, tree


@dataclass(frozen=True)
class Drive:
    """A vehicle that passes: start (x, y), velocity (vx, vy) in m/s, the time in s when it is at start."""

    start: tuple[float, float]
    velocity: tuple[float, float]
    colour: tuple[float, float, float]
    van: bool = False
    when: float = 0.0


@dataclass(frozen=True)
class Place:
    """All that a scene needs besides its people's clothes and the sensor."""

    camera: Camera
    light: Light
    view: np.ndarray  # (3H, 3W, 3) uint8, the background without cast shadows
    wall: np.ndarray  # (3H, 3W) bool, where the view shows no ground
    plan: Plan
    things: list[Thing] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    curtains: list[tuple[float, np.ndarray]] = field(default_factory=list)  # walls that hide what is farther
    pigeons: int = 0
    pause_fraction: float = 0.15
    runners: bool = False


CARS = [
    (150, 34, 36),
    (206, 206, 204),
    (58, 62, 68),
    (36, 58, 92),
    (128, 132, 136),
    (222, 220, 212),
    (60, 84, 72),
]
LAWNS = [(96, 120, 62), (104, 118, 66), (84, 112, 60), (116, 122, 72)]
STONES = [(178, 170, 158), (164, 160, 156), (186, 172, 150), (160, 150, 142), (172, 164, 164)]
HOUSES = [
    (176, 152, 126),
    (158, 132, 112),
    (186, 176, 158),
    (148, 142, 136),
    (170, 126, 104),
    (196, 180, 140),
]
GREENS = [(76, 102, 50), (88, 104, 48), (64, 94, 56), (100, 106, 50)]


def _pick(rng: np.random.Generator, options: Sequence[tuple[int, ...]]) -> tuple[float, float, float]:
    chosen = np.array(options[int(rng.integers(len(options)))]) * rng.uniform(0.93, 1.07)
    r, g, b = np.clip(chosen * rng.uniform(0.975, 1.025, 3), 0, 250)
    return float(r), float(g), float(b)


def _camera(rng: np.random.Generator, shape: tuple[int, int], height: float, pitch: float, focal: float) -> Camera:
    """A camera about as said, each a little different; ``focal`` is for 240 rows, ``pitch`` in degrees."""
    return Camera(
        shape,
        height * rng.uniform(0.95, 1.06),
        float(np.deg2rad(pitch + rng.uniform(-1.2, 1.2))),
        focal * shape[0] / 240 * rng.uniform(0.96, 1.05),
    )


def _daylight(rng: np.random.Generator) -> Light:
    """Sunshine to overcast: the sun 30 to 60 degrees high, more often behind the camera than before it."""
    high, round_about = np.deg2rad(rng.uniform(32, 60)), np.deg2rad(rng.uniform(150, 390))
    sun = np.array([np.cos(high) * np.cos(round_about), np.cos(high) * np.sin(round_about), np.sin(high)])
    clear = rng.uniform(0.25, 1.0)
    warm = rng.uniform(-0.03, 0.04)
    return Light(sun, 0.16 + 0.32 * clear, 2.6 - 1.7 * clear, np.array([1 + warm, 1.0, 1 - warm]))


def _bench(camera: Camera, light: Light, at: Sequence[float], angle: float = 0.0) -> Thing:
    across = np.array([-np.sin(angle), np.cos(angle)])
    wood, iron = (134, 98, 64), (60, 60, 62)
    spot = np.asarray(at, float)
    legs = [
        box(
            camera,
            light,
            spot + s * 0.7 * np.array([np.cos(angle), np.sin(angle)]),
            (0.1, 0.42, 0.42),
            iron,
            angle=angle,
        )
        for s in (-1, 1)
    ]
    seat = box(camera, light, spot, (1.8, 0.45, 0.07), wood, angle=angle, base=0.42)
    back = box(camera, light, spot + 0.22 * across, (1.8, 0.06, 0.34), wood, angle=angle, base=0.55)
    return together(*legs, back, seat)


def _lamp(camera: Camera, light: Light, at: Sequence[float], height: float = 4.6) -> Thing:
    pole = cylinder(camera, light, at, 0.06, height, (74, 78, 80))
    foot = cylinder(camera, light, at, 0.13, 0.5, (66, 70, 72))
    head = cylinder(camera, light, at, 0.2, 0.34, (206, 204, 190), base=height)
    return together(pole, foot, head)


def _bin(camera: Camera, light: Light, at: Sequence[float]) -> Thing:
    body = cylinder(camera, light, at, 0.24, 0.8, (70, 86, 76))
    return together(body, cylinder(camera, light, at, 0.27, 0.1, (50, 56, 54), base=0.8))


def _planter(camera: Camera, light: Light, at: Sequence[float], rng: np.random.Generator, size: float = 0.9) -> list:
    pot = cylinder(camera, light, at, size, 0.5, (150, 140, 128))
    bush = tree(camera, light, at, rng, height=0.55 + 1.6 * size, spread=0.92 * size, green=_pick(rng, GREENS))
    return [pot, bush]


def _fence(camera: Camera, light: Light, line: np.ndarray, colour: Sequence[float]) -> list[Thing]:
    """A crowd barrier along a polyline of points about two metres apart, with boards as at a race."""
    things = []
    for p, q in pairwise(line):
        middle, d = (p + q) / 2, q - p
        angle, length = float(np.arctan2(d[1], d[0])), float(np.linalg.norm(d))
        board = box(camera, light, middle, (length * 0.96, 0.05, 0.72), colour, angle=angle, base=0.16)
        rail = box(camera, light, middle, (length * 0.98, 0.07, 0.06), (168, 170, 172), angle=angle, base=0.94)
        post = box(camera, light, p, (0.07, 0.07, 1.0), (150, 152, 154), angle=angle)
        things.append(together(post, board, rail))
    return things


def _obstacles(things: Sequence[Sequence[float]]) -> np.ndarray:
    return np.array(things, float).reshape(-1, 3)


def _chat(rng: np.random.Generator, centre: Sequence[float], number: int) -> np.ndarray:
    """People standing in a ring and facing each other, 1.1 to 1.5 m across (Hall's personal distance)."""
    angle = rng.uniform(0, 6.28) + np.arange(number) * 2 * np.pi / number + rng.normal(0, 0.15, number)
    radius = rng.uniform(0.5, 0.7) + 0.08 * max(number - 3, 0)
    spot = np.asarray(centre) + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.c_[spot, angle + np.pi]


def aerial(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """A small crowd on a square, from a mast or a drone: heads and shoulders, long shadows."""
    camera, light = _camera(rng, shape, 18.5, 63, 340), _daylight(rng)
    ground = Ground(camera, rng, reach=60)
    middle = camera.ground(np.array([shape[1] / 2, shape[0] / 2]))[1]
    stone = _pick(rng, STONES)
    ground.paving(ground.everywhere(), (0.9, 0.6), stone, vary=5, angle=rng.choice([0, 0.5, np.pi / 4]))
    for x in (-7.5, 0.0, 7.5):  # bands of darker stone
        ground.paving(ground.band([(x, -9), (x, 50)], 0.6), (0.3, 0.3), np.array(stone) * 0.78, vary=6)
    lawn = [(-20, middle - 9), (-6.2, middle - 9), (-5.0, middle - 3.2), (-20, middle - 1.6)]
    ground.fill(ground.area(np.add(lawn, (0.15, 0.18))), (150, 146, 138))
    ground.grass(ground.area(lawn), _pick(rng, LAWNS))
    road = middle + rng.uniform(5.6, 6.4)
    ground.asphalt(ground.area([(-40, road), (40, road), (40, road + 7), (-40, road + 7)]))
    ground.paving(ground.area([(-40, road + 7), (40, road + 7), (40, 60), (-40, 60)]), (0.6, 0.6), (150, 148, 146))
    ground.kerb([(-40, road), (40, road)])
    ground.dashes((-40, road + 3.2), (40, road + 3.2), 0.14, 2.0, 2.0, (214, 212, 204))
    ring = (rng.uniform(3.5, 5.5), middle - rng.uniform(3.0, 4.5))
    ground.paving(ground.disc(ring, 2.3), (0.3, 0.3), np.array(stone) * 0.88, vary=9, angle=0.6)
    view = ground.seen()
    things: list[Thing] = [
        _lamp(camera, light, (-6.5, middle + 3.9)),
        _lamp(camera, light, (7.2, middle + 4.4)),
    ]
    things += [
        _bench(camera, light, (-3.6, middle - 4.4), 1.2),
        _bench(camera, light, (8.8, middle - 1.0), 1.5),
    ]
    things += [
        _bin(camera, light, (-3.1, middle - 5.9)),
        *(box(camera, light, (x, road - 0.5), (0.3, 0.3, 0.8), (120, 118, 114)) for x in np.arange(-10.5, 11, 3)),
    ]
    trees = [tree(camera, light, (-9.4, middle - 4.6), rng, height=5.5, spread=2.0, green=_pick(rng, GREENS))]
    pot, bush = _planter(camera, light, ring, rng, 1.1)
    things.append(pot)
    trees.append(bush)
    things.append(car(camera, light, (rng.uniform(-8, 6), road + 1.0), _pick(rng, CARS), angle=0.0))
    drives = [Drive((-16, road + 4.6), (7.5, 0), _pick(rng, CARS), when=rng.uniform(-0.5, 2.5))]
    tilt = rng.uniform(-1.5, 1.5)
    routes = [
        Route(
            np.array([(-13, middle + 2.2 + tilt), (0, middle + 0.2), (13, middle + 1.0 - tilt)]),
            4.8,
            0.64,
            start=(0.1, 0.85),
        ),
        Route(np.array([(13, middle + 3.2), (2, middle + 2.6), (-13, middle + 4.2)]), 1.8, 0.2),
        Route(np.array([(-1, -9), (0, middle - 4), (-2, middle + 2), (-13, middle + 3)]), 2.0, 0.18),
    ]
    plan = Plan(
        routes,
        int(rng.integers(32, 40)),
        _chat(rng, (1.0, middle - 4.2), int(rng.integers(3, 6))),
        _obstacles(
            [
                (*ring, 1.1),
                (-6.5, middle + 3.9, 0.2),
                (7.2, middle + 4.4, 0.2),
                (-3.6, middle - 4.4, 0.8),
                (-3.1, middle - 5.9, 0.3),
            ]
        ),
    )
    return Place(camera, light, view, np.zeros(view.shape[:2], bool), plan, things, trees, drives, [], 0, 0.2)


def group_split(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Inside a shopping centre: a group comes to a planter and splits to both sides of it."""
    camera = _camera(rng, shape, 6.6, 27, 325)
    light = Light(np.array([0.12, -0.35, 0.93]), 0.26, 2.2, np.array([1.03, 1.0, 0.95]))
    ground = Ground(camera, rng, reach=30)
    floor = _pick(rng, [(206, 194, 176), (198, 196, 192), (212, 200, 170), (190, 178, 164)])
    ground.paving(ground.everywhere(), (1.2, 1.2), floor, vary=3.5, bond=False, joint=0.02, gap=0.88)
    accent = np.array(floor) * rng.uniform(0.62, 0.78) * rng.uniform(0.92, 1.05, 3)
    for x in (-6.0, 6.0):
        ground.paving(ground.band([(x, -5), (x, 40)], 1.2), (0.6, 0.6), accent, vary=4, joint=0.02)
    pot_at = (rng.uniform(-0.5, 0.5), rng.uniform(15.0, 16.5))
    for radius, tone in ((3.4, 1.0), (3.0, 1.35), (2.2, 1.0)):
        ground.fill(ground.disc(pot_at, radius), np.clip(accent * tone, 0, 235), 0.8)
    for _ in range(9):  # the lamps of the ceiling, mirrored in the polished floor
        spot = (rng.integers(-3, 4) * 3.0, rng.integers(2, 9) * 3.0)
        shine = np.exp(-(((ground.x - spot[0]) / 0.5) ** 2 + ((ground.y - spot[1]) / 1.3) ** 2))
        ground.image += (26 * shine)[..., None]
    view = ground.seen((214, 206, 190))
    wall = facade(view, camera, light, rng, (-24, 28.5), (24, 28.5), 9, style="mall", colour=(204, 192, 174))
    sides = facade(view, camera, light, rng, (-12.5, 6), (-12.5, 20), 7, style="mall", colour=(196, 184, 168))
    sides |= facade(view, camera, light, rng, (12.5, 20), (12.5, 6), 7, style="mall", colour=(196, 184, 168))
    wall |= sides
    things: list[Thing] = []
    trees: list[Tree] = []
    pot, bush = _planter(camera, light, pot_at, rng, 1.25)
    things.append(pot)
    trees.append(bush)
    for x in (-8.2, 8.2):
        for y in (13.0, 24.5):
            things.append(cylinder(camera, light, (x, y), 0.42, 8.0, (214, 206, 192)))
    things += [_bench(camera, light, (-5.8, 18.6), 0.2), _bin(camera, light, (6.9, 20.5))]
    things.append(box(camera, light, (4.9, 24.3), (1.6, 1.0, 1.1), _pick(rng, CARS)))
    x, y = pot_at
    trunk = [(0.2, -3.0), (0.0, 4.0), (x, y - 5.5)]
    left = [*trunk, (x - 3.0, y - 0.5), (x - 3.8, y + 4.0), (-9.0, y + 6.5), (-22, y + 7.5)]
    right = [*trunk, (x + 3.0, y - 0.5), (x + 3.6, y + 4.0), (9.0, y + 6.5), (22, y + 7.0)]
    routes = [
        Route(np.array(left), 2.6, 0.42, start=(0.14, 0.34)),
        Route(np.array(right), 2.6, 0.42, start=(0.14, 0.34)),
        Route(np.array([(20, y + 9.5), (0, y + 9.0), (-20, y + 10)]), 1.2, 0.16),
    ]
    plan = Plan(
        routes,
        int(rng.integers(20, 24)),
        np.concatenate([_chat(rng, (-5.6, y - 3.0), 2), [[6.3, 18.0, rng.uniform(0, 6)]]]),
        _obstacles(
            [
                (*pot_at, 1.35),
                (-8.2, 13, 0.5),
                (8.2, 13, 0.5),
                (-8.2, 24.5, 0.5),
                (8.2, 24.5, 0.5),
                (4.9, 24.3, 1.0),
                (-5.8, 18.6, 0.9),
                (6.9, 20.5, 0.3),
            ]
        ),
        warm_up=2.0,
    )
    return Place(camera, light, view, wall, plan, things, trees, [], [(camera.depth((0, 20)), sides)], 0, 0.15)


def street_flow(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """A shopping street with people both ways, a road beside it."""
    camera, light = _camera(rng, shape, 5.6, 21.5, 330), _daylight(rng)
    ground = Ground(camera, rng, reach=44)
    ground.paving(ground.everywhere(), (0.8, 0.5), _pick(rng, STONES), vary=6, gap=0.78)
    ground.paving(ground.band([(4.6, -3), (4.6, 60)], 0.8), (0.4, 0.4), (122, 116, 112), vary=7)
    ground.paving(ground.band([(-4.4, -3), (-4.4, 60)], 0.5), (0.4, 0.4), (122, 116, 112), vary=7)
    ground.asphalt(ground.area([(5.2, -5), (11.4, -5), (11.4, 60), (5.2, 60)]), (92, 92, 95))
    ground.asphalt(ground.area([(-60, 36), (60, 36), (60, 41), (-60, 41)]), (92, 92, 95))
    ground.kerb([(5.2, -5), (5.2, 36)])
    ground.kerb([(-60, 36), (5.2, 36)])
    ground.dashes((8.3, 0), (8.3, 36), 0.14, 2, 2, (214, 212, 204))
    view = ground.seen()
    wall = facade(view, camera, light, rng, (-60, 44), (60, 44), 15, style="house", colour=_pick(rng, HOUSES))
    left = facade(view, camera, light, rng, (-6.6, 2), (-6.6, 29), 13, style="shops", colour=_pick(rng, HOUSES))
    right = facade(view, camera, light, rng, (14.0, 32), (14.0, 2), 13, style="shops", colour=_pick(rng, HOUSES))
    wall |= left | right
    curtains = [(camera.depth((0, 29)), left), (camera.depth((0, 32)), right)]
    things = [_lamp(camera, light, (4.7, y), 5.0) for y in (13, 22, 31)]
    things += [_bin(camera, light, (-4.9, 15.5)), _bench(camera, light, (-5.2, 21), -1.5)]
    things += [box(camera, light, (-4.9, 27.5), (0.8, 0.1, 1.1), (52, 60, 56), angle=0.3)]
    things += [car(camera, light, (12.6, y), _pick(rng, CARS), angle=-np.pi / 2) for y in (23.5, 29.5)]
    trees = [tree(camera, light, (4.7, y), rng, height=5.0, spread=1.3, green=_pick(rng, GREENS)) for y in (17.5, 26.5)]
    drives = [
        Drive((9.9, 36), (0.0, -6.5), _pick(rng, CARS), van=rng.random() < 0.5, when=rng.uniform(-1.5, 1.5)),
        Drive((-32, 38.3), (8.0, 0.0), _pick(rng, CARS), when=rng.uniform(0, 2)),
    ]
    away = [(1.8, -3), (1.8, 26), (1.4, 33.6), (-8, 34.2), (-20, 34.2)]
    here = [(-20, 31), (-8, 31), (-2.2, 30), (-1.9, 22), (-1.9, -3)]
    routes = [
        Route(np.array(away, float), 3.4, 0.5, start=(0.05, 0.8)),
        Route(np.array(here, float), 3.4, 0.5, start=(0.25, 0.97)),
    ]
    lean = np.array([[-5.6, rng.uniform(11, 13.5), rng.uniform(-1, 1)], [-5.3, rng.uniform(23.5, 25), 0.4]])
    plan = Plan(
        routes,
        int(rng.integers(38, 52)),
        np.concatenate([lean, _chat(rng, (3.9, rng.uniform(18.8, 20.6)), 2)]),
        _obstacles(
            [
                *((4.7, y, 0.2) for y in (13, 17.5, 22, 26.5, 31)),
                (-4.9, 15.5, 0.3),
                (-5.2, 21, 0.9),
                (-4.9, 27.5, 0.5),
            ]
        ),
    )
    return Place(camera, light, view, wall, plan, things, trees, drives, curtains, 0, 0.15)


def marathon_bend(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """A marathon round a bend, spectators behind the barriers."""
    camera, light = _camera(rng, shape, 8.3, 28, 292), _daylight(rng)
    ground = Ground(camera, rng, reach=52)
    ground.grass(ground.everywhere(), _pick(rng, LAWNS))
    bend = np.array([(-46, 28), (-20, 28.5), (-7, 27), (0.5, 22.5), (3.2, 15), (3.2, 6), (2.5, -6.0)])
    curve = smooth(bend)  # the same curve that the runners follow
    tangent = np.gradient(curve, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    ground.paving(ground.band(curve, 12.0), (0.5, 0.5), (158, 152, 146), vary=6)
    ground.asphalt(ground.band(curve, 8.0), (100, 100, 103))
    for side in (-4.0, 4.0):
        ground.kerb(curve + side * normal)
    for side, colour in ((-3.6, (210, 208, 200)), (3.6, (210, 208, 200)), (0.0, (60, 108, 176))):
        ground.fill(ground.band(curve + side * normal, 0.13), colour, 0.75)
    view = ground.seen((170, 184, 186))
    wall = facade(view, camera, light, rng, (-90, 62), (90, 62), 16, style="house", colour=_pick(rng, HOUSES))
    wall |= facade(view, camera, light, rng, (-70, 44), (70, 44), 2.0, style="hedge", colour=(70, 92, 52))
    things: list[Thing] = []
    board = _pick(rng, [(44, 92, 160), (196, 60, 50), (228, 186, 60), (60, 130, 96)])
    spectators = []
    for side in (-4.7, 4.7):
        arc = np.r_[0, np.cumsum(np.linalg.norm(np.diff(curve + side * normal, axis=0), axis=1))]
        steps = np.arange(6, arc[-1] - 4, 2.0)
        line = np.stack([np.interp(steps, arc, (curve + side * normal)[:, a]) for a in (0, 1)], 1)
        tones = [board, (222, 222, 218)]
        for k in range(0, len(line) - 1):
            things += _fence(camera, light, line[k : k + 2], tones[(k // 2) % 2])
        out = np.stack([np.interp(steps, arc, (np.sign(side) * normal)[:, a]) for a in (0, 1)], 1)
        for p, n in zip(line, out, strict=True):
            for _ in range(int(rng.choice([0, 0, 1, 2], p=[0.3, 0.2, 0.35, 0.15]))):
                spot = p + n * rng.uniform(0.5, 1.2) + rng.uniform(-0.9, 0.9) * np.array([-n[1], n[0]])
                spectators.append([*spot, np.arctan2(-n[1], -n[0]) + rng.normal(0, 0.35)])
    stand = np.array(spectators)
    uv, _ = camera.project(np.c_[stand[:, :2], np.ones(len(stand))])
    seen = (np.abs(uv[:, 0] / shape[1] - 0.5) < 0.56) & (np.abs(uv[:, 1] / shape[0] - 0.5) < 0.6)
    stand = stand[seen]
    stand = stand[[i for i in range(len(stand)) if (np.linalg.norm(stand[:i, :2] - stand[i, :2], axis=1) > 0.5).all()]]
    trees = [
        tree(
            camera,
            light,
            at,
            rng,
            height=rng.uniform(4.5, 6.5),
            spread=rng.uniform(1.5, 2.2),
            green=_pick(rng, GREENS),
        )
        for at in ((-9.0, 38.0), (3.0, 37.0), (13.5, 33.0), (17.5, 40.5), (-18, 40.5), (-6.5, 15.5))
    ]
    things.append(_lamp(camera, light, (9.3, 21), 6.0))
    routes = [Route(bend, 5.6, 1.0, (2.65, 0.35), start=(0.02, 0.98), company=0.25)]
    plan = Plan(routes, int(rng.integers(128, 158)), stand, warm_up=4.0)
    return Place(camera, light, view, wall, plan, things, trees, [], [], 0, 0.02, True)


def crossing(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """Two flows that cross on a junction, while the cars wait."""
    camera, light = _camera(rng, shape, 8.8, 30, 315), _daylight(rng)
    ground = Ground(camera, rng, reach=44)
    ground.asphalt(ground.everywhere(), (94, 94, 97))
    ground.paving(ground.area([(-60, 24), (60, 24), (60, 30), (-60, 30)]), (0.5, 0.5), _pick(rng, STONES), vary=6)
    ground.paving(ground.area([(-60, 36), (60, 36), (60, 70), (-60, 70)]), (0.8, 0.5), _pick(rng, STONES), vary=6)
    corner = [(-30, -4), (-5.4, -4), (-5.4, 6.2), (-6.2, 7.0), (-30, 7.0)]
    ground.paving(ground.area(corner), (0.5, 0.5), _pick(rng, STONES), vary=6)
    ground.kerb(corner[1:])
    ground.kerb([(-60, 24), (60, 24)])
    ground.kerb([(-60, 30), (60, 30)])
    ground.kerb([(-60, 36), (60, 36)])
    ground.dashes((-60, 33), (60, 33), 0.14, 2, 2, (212, 210, 202))
    ground.zebra((-14, 11.2), (14, 13.4), 5.2)
    ground.zebra((1.5, 15.8), (2.2, 23.6), 4.4)
    ground.zebra((0.2, 2.0), (0.8, 8.9), 4.4)
    ground.fill(ground.band([(-5.2, 17.2), (-5.2, 23.4)], 0.35), (214, 212, 204), 0.8)
    ground.fill(ground.band([(7.0, 16.6), (7.0, 23.4)], 0.35), (214, 212, 204), 0.8)
    view = ground.seen()
    wall = facade(view, camera, light, rng, (-70, 40), (70, 40), 14, style="shops", colour=_pick(rng, HOUSES))
    things = [
        car(camera, light, (-8.0, 19.0), _pick(rng, CARS), angle=0.0),
        car(camera, light, (9.8, 21.6), _pick(rng, CARS), angle=np.pi, van=bool(rng.random() < 0.5)),
        car(camera, light, (-13.2, 19.2), _pick(rng, CARS), angle=0.0),
        _lamp(camera, light, (-5.9, 25.0), 5.0),
        _lamp(camera, light, (-6.2, 6.0), 4.2),
        _lamp(camera, light, (9.5, 25.2), 5.0),
        _bin(camera, light, (-7.4, 25.3)),
    ]
    things += [box(camera, light, (x, 24.6), (0.2, 0.2, 0.9), (206, 150, 52)) for x in (-3.4, -4.4, 7.4, 8.4)]
    trees = [tree(camera, light, (x, 28.0), rng, height=5.5, spread=1.7, green=_pick(rng, GREENS)) for x in (-11, 13.5)]
    drives = [
        Drive((-26, 31.6), (9.0, 0), _pick(rng, CARS), when=rng.uniform(-1.0, 0.5)),
        Drive((26, 34.5), (-8.5, 0), _pick(rng, CARS), van=True, when=rng.uniform(0.5, 2.5)),
    ]
    routes = [
        Route(np.array([(-19, 10.8), (0, 12.3), (19, 13.8)]), 4.8, 0.36, start=(0.05, 0.9)),
        Route(np.array([(19, 13.4), (0, 12.1), (-19, 10.4)]), 4.6, 0.14),
        Route(np.array([(0.0, -4), (1.2, 12), (2.2, 23), (6, 26.6), (24, 27)]), 4.0, 0.32, start=(0.05, 0.8)),
        Route(np.array([(-24, 27), (-2, 26.6), (1.6, 22), (0.8, 12), (0.2, -4)]), 3.8, 0.18, start=(0.3, 0.95)),
    ]
    waiting = np.array([[x, rng.uniform(24.7, 25.6), -1.6 + rng.normal(0, 0.5)] for x in (-1.9, 5.2)])
    waiting = np.concatenate([waiting, [[-7.0, 5.4, 0.6], [-7.4, 4.2, 1.2]]])
    plan = Plan(
        routes,
        int(rng.integers(46, 58)),
        waiting,
        _obstacles([(-6.2, 6.0, 0.3), (-5.9, 25, 0.3), (9.5, 25.2, 0.3), (-7.4, 25.3, 0.3)]),
    )
    return Place(camera, light, view, wall, plan, things, trees, drives, [], 0, 0.12)


def sparse_square(rng: np.random.Generator, shape: tuple[int, int]) -> Place:
    """A wide square with a fountain and only a few people."""
    camera, light = _camera(rng, shape, 8.6, 26.5, 318), _daylight(rng)
    ground = Ground(camera, rng, reach=46)
    stone = _pick(rng, STONES)
    ground.paving(ground.everywhere(), (0.6, 0.6), stone, vary=6, angle=np.pi / 4, bond=False, gap=0.84)
    for y in np.arange(2, 40, 6.0):
        ground.paving(ground.band([(-40, y), (40, y)], 0.45), (0.45, 0.45), np.array(stone) * 0.74, vary=6)
    for x in np.arange(-24, 25, 6.0):
        ground.paving(ground.band([(x, -4), (x, 60)], 0.45), (0.45, 0.45), np.array(stone) * 0.74, vary=6)
    basin = (rng.uniform(-2.5, 2.5), rng.uniform(20.5, 22.5))
    ground.paving(ground.disc(basin, 4.2), (0.4, 0.4), np.array(stone) * 0.85, vary=9, angle=0.3)
    ground.asphalt(ground.area([(-60, 36), (60, 36), (60, 42), (-60, 42)]))
    ground.kerb([(-60, 36), (60, 36)])
    view = ground.seen()
    wall = facade(view, camera, light, rng, (-70, 46), (70, 46), 15, style="shops", colour=_pick(rng, HOUSES))
    rim, water = (158, 152, 142), (110, 134, 142)
    fountain = together(
        cylinder(camera, light, basin, 2.3, 0.5, rim),
        cylinder(camera, light, basin, 2.0, 0.02, water, base=0.5),
        cylinder(camera, light, basin, 0.35, 1.5, rim),
        cylinder(camera, light, basin, 0.9, 0.14, rim, base=1.2),
        cylinder(camera, light, basin, 0.16, 0.9, rim, base=1.34),
    )
    things = [fountain]
    things += [_bench(camera, light, (x, 27.5), 0.0) for x in (-8.5, 8.0)]
    things += [_lamp(camera, light, at) for at in ((-9.5, 24), (9.5, 24.5), (-3.2, 33), (4.0, 33.5))]
    things += [_bin(camera, light, (6.3, 27.3))]
    things += [
        car(camera, light, (x, 37.3), _pick(rng, CARS), van=bool(rng.random() < 0.3)) for x in (-13.5, -5.0, 9.0)
    ]
    trees = [
        tree(camera, light, (x, 30.5), rng, height=6.2, spread=2.1, green=_pick(rng, GREENS)) for x in (-11.8, 12.4)
    ]
    drives = [Drive((28, 40), (-8.0, 0), _pick(rng, CARS), when=rng.uniform(-1, 2.5))]
    routes = [
        Route(np.array([(-15, 13), (-2, 14), (13, 11)]), 5.0, 0.4, start=(0.1, 0.8)),
        Route(np.array([(17, 28), (5, 24), (4, 12), (2, -3)]), 3.0, 0.35, start=(0.2, 0.85)),
        Route(np.array([(-5, -3), (-5.5, 14), (-7, 25), (-17, 32)]), 3.0, 0.25, start=(0.2, 0.85)),
    ]
    plan = Plan(
        routes,
        int(rng.integers(6, 9)),
        _chat(rng, (basin[0] + rng.choice([-4.2, 4.2]), basin[1] - rng.uniform(1.5, 4)), int(rng.integers(1, 3))),
        _obstacles([(*basin, 2.5), (-9.5, 24, 0.3), (9.5, 24.5, 0.3), (-8.5, 27.5, 1.0), (8.0, 27.5, 1.0)]),
    )
    return Place(camera, light, view, wall, plan, things, trees, drives, [], int(rng.integers(5, 10)), 0.3)


PLACES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Place]] = {
    "aerial": aerial,
    "group_split": group_split,
    "street_flow": street_flow,
    "marathon_bend": marathon_bend,
    "crossing": crossing,
    "sparse_square": sparse_square,
}
