"""The bodies of a synthetic scene: proportions, gait and clothes; spheres in metres, wrapped into limbs.

A limb is the convex hull of up to four spheres, so one description serves every view, from a camera across
the street to one straight above. Proportions follow Drillis & Contini (1966, as printed in Winter,
Biomechanics and Motor Control of Human Movement): knee 0.285, hip 0.530, shoulder 0.818 of the stature, and
so on; heads are a little larger than life, as in any drawing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpas_lite.scenes.solids import Camera, Light, Polygon, corners, discs, hull, shadow_on_ground

# fmt: off
SKIN = np.array(
    [(236, 196, 168), (224, 178, 146), (202, 152, 118), (164, 116, 84), (118, 80, 58), (84, 56, 42)]
)
HAIR = np.array(
    [
        (30, 25, 24), (46, 34, 28), (70, 50, 36), (104, 74, 46), (150, 116, 70), (186, 156, 104),
        (150, 148, 144),
    ]
)
# Street clothes: mostly navy, black, grey, denim and beige, now and then something bright.
TOPS = np.array(
    [
        (38, 42, 54),
        (30, 31, 34),
        (72, 74, 78),
        (112, 114, 116),
        (52, 66, 92),
        (88, 108, 136),
        (196, 186, 166),
        (226, 224, 218),
        (148, 128, 104),
        (92, 82, 64),
        (66, 84, 70),
        (120, 60, 58),
        (170, 56, 48),
        (206, 150, 60),
        (64, 128, 136),
        (138, 96, 132),
        (196, 128, 134),
        (58, 92, 156),
    ]
)
TOP_WEIGHT = np.array([12, 12, 8, 7, 9, 7, 6, 9, 4, 4, 3, 3, 4, 2, 2, 2, 2, 3.0])
TROUSERS = np.array(
    [
        (40, 48, 68), (58, 72, 100), (84, 100, 128), (30, 30, 33), (46, 46, 50), (84, 84, 86),
        (150, 136, 112), (92, 84, 68),
    ]
)
SPORT = np.array(
    [
        (228, 60, 52),
        (244, 196, 48),
        (52, 122, 200),
        (240, 240, 236),
        (66, 176, 120),
        (242, 132, 44),
        (36, 40, 52),
        (214, 74, 140),
        (120, 206, 222),
        (152, 208, 66),
        (88, 70, 160),
    ]
)
# fmt: on
PARTS = 17  # thighs, shanks, shoes, torso, skirt or coat, upper arms, forearms, hands, head, hair, bag
THIGH, SHANK, SHOE, TORSO, SKIRT, UPPER, FORE, HAND, HEAD, HAIRS, BAG = 0, 2, 4, 6, 7, 8, 10, 12, 14, 15, 16

# Which parts lie on top where two are equally far, in m: clothes over limbs, arms over clothes.
CLOSER = np.array([0, 0, 0, 0, 0, 0, 0.02, 0.06, 0.02, 0.02, 0.03, 0.03, 0.03, 0.03, 0, 0, 0])


@dataclass(frozen=True)
class Look:
    """How one person looks: ``colour`` (17, 3), one a part, and a few measures."""

    stature: float  # m
    width: float  # build, about 1
    colour: np.ndarray
    hair_length: float
    skirt: float  # 0 none; how far the skirt or coat reaches down, as a fraction of the stature
    bag: int  # 0 none, 1 backpack, 2 handbag
    phone: bool
    number: bool  # a runner's bib
    cadence: float  # idle movements, rad/s


def look(rng: np.random.Generator, *, runner: bool = False) -> Look:
    """Dress somebody at random."""
    woman = rng.random() < 0.5
    child = rng.random() < 0.05 and not runner
    stature = rng.uniform(1.15, 1.45) if child else float(rng.normal(1.65 if woman else 1.77, 0.065))
    skin, hair = SKIN[rng.choice(6, p=[0.25, 0.27, 0.2, 0.12, 0.09, 0.07])], HAIR[rng.integers(len(HAIR))]
    top = TOPS[rng.choice(len(TOPS), p=TOP_WEIGHT / TOP_WEIGHT.sum())]
    trousers = TROUSERS[rng.integers(len(TROUSERS))]
    if child:
        top = SPORT[rng.integers(len(SPORT))]
    shoes = np.array([(36, 34, 34), (70, 54, 44), (206, 204, 200)])[rng.integers(3)]
    short_sleeves, shorts, skirt = rng.random() < 0.25, rng.random() < 0.1, 0.0
    if runner:
        top, short_sleeves, shorts = SPORT[rng.integers(len(SPORT))], True, rng.random() < 0.8
        trousers = np.array([(30, 32, 38), (40, 54, 92), (92, 40, 44), (70, 72, 76)])[rng.integers(4)]
        shoes = SPORT[rng.integers(len(SPORT))]
    elif woman and rng.random() < 0.3:
        skirt, trousers = rng.uniform(0.16, 0.24), trousers if rng.random() < 0.5 else skin
    elif rng.random() < 0.25:
        skirt = rng.uniform(0.1, 0.2)  # a coat
    jitter = lambda c: np.clip(c * rng.uniform(0.86, 1.14) + rng.uniform(-6, 6, 3), 8, 245)  # noqa: E731
    top, trousers = jitter(top), jitter(trousers)
    colour = np.zeros((PARTS, 3))
    colour[THIGH : THIGH + 2] = trousers
    colour[SHANK : SHANK + 2] = skin * 0.95 if shorts else trousers
    colour[SHOE : SHOE + 2] = shoes
    colour[TORSO], colour[SKIRT] = top, top if rng.random() < 0.6 else jitter(trousers)
    colour[UPPER : UPPER + 2] = skin if runner and rng.random() < 0.6 else top
    colour[FORE : FORE + 2] = skin if short_sleeves else top
    colour[HAND : HAND + 2] = skin
    cap = rng.random() < (0.25 if runner else 0.1)
    colour[HEAD], colour[HAIRS] = skin, jitter(SPORT[rng.integers(len(SPORT))] if cap else hair)
    colour[BAG] = jitter(TOPS[rng.integers(len(TOPS))])
    bag = 0 if runner or child else int(rng.choice([0, 1, 2], p=[0.55, 0.25, 0.2]))
    return Look(
        stature=float(np.clip(stature, 1.1, 1.98)),
        width=float(rng.normal(1.0, 0.07) * (0.95 if woman else 1.05)),
        colour=colour,
        hair_length=float(rng.uniform(0.06, 0.13)) if woman and not cap and rng.random() < 0.7 else 0.0,
        skirt=skirt,
        bag=bag,
        phone=bool(not runner and rng.random() < 0.12),
        number=runner,
        cadence=float(rng.uniform(0.8, 1.6)),
    )


def pose(
    looks: list[Look],
    position: np.ndarray,
    heading: np.ndarray,
    speed: np.ndarray,
    phase: np.ndarray,
    time: float,
    *,
    running: np.ndarray,
    cheering: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Spheres of all parts of N people: centres (N, 17, 4, 3) in world metres and radii (N, 17, 4).

    A part with radius 0 is not there. Limbs swing with the gait's ``phase`` and as widely as ``speed`` asks;
    whoever stands only shifts about a little.
    """
    n = len(looks)
    tall = np.array([k.stature for k in looks])
    c, r = np.zeros((n, PARTS, 4, 3)), np.zeros((n, PARTS, 4))  # in units of the stature; forward, left, up
    wide = np.array([k.width for k in looks])[:, None]
    left = np.array([1.0, -1.0])
    idle = np.sin(np.array([k.cadence for k in looks]) * time + phase)[:, None]  # shifting weight
    go = np.clip(speed / np.where(running, 2.6, 1.3), 0, 1.15)[:, None]
    run = running[:, None]

    cycle = phase[:, None] + np.array([0, np.pi])
    thigh = go * np.where(run, 0.62 * np.sin(cycle) + 0.12, 0.42 * np.sin(cycle))
    bend = 0.06 + go * np.where(run, 0.25 + 1.35, 0.08 + 0.85) * np.maximum(np.cos(cycle), 0) ** 1.3
    hip = _at(np.zeros((n, 2)), left * 0.05 * wide + 0.012 * idle * (1 - np.minimum(go, 1)), 0.53)
    knee = hip + 0.245 * _at(np.sin(thigh), left * 0.02, -np.cos(thigh))
    ankle = knee + 0.246 * _at(np.sin(thigh - bend), np.zeros((n, 2)), -np.cos(thigh - bend))
    toe = ankle + _at(0.085 * np.cos(thigh - bend), left * 0.015, -0.015 - 0.05 * np.sin(np.maximum(bend - thigh, 0)))
    drop = np.minimum(ankle[..., 2].min(1), toe[..., 2].min(1) + 0.01) - np.where(running, 0.035, 0.03)
    lean = np.where(running, 0.1, 0.03) * go[:, 0]

    _limb(c, r, THIGH, hip, knee, 0.052 * wide, 0.036)
    _limb(c, r, SHANK, knee, ankle, 0.034, 0.022)
    _limb(c, r, SHOE, ankle - [0, 0, 0.012], toe, 0.024, 0.02)

    twist = -0.35 * thigh[:, :1] * left  # shoulders turn against the hips
    shoulder = _at(twist * 0.12 + 0.28 * np.sin(lean)[:, None], left * 0.092 * wide, 0.795)
    c[:, TORSO, :2], c[:, TORSO, 2:] = shoulder, hip + np.array([0, 0, 0.02])
    r[:, TORSO, :2], r[:, TORSO, 2:] = 0.045, 0.05 * wide

    skirt = np.array([k.skirt for k in looks])[:, None]
    c[:, SKIRT, :2] = hip + np.array([0, 0, 0.03])
    c[:, SKIRT, 2:] = hip + _at(0.5 * np.sin(thigh) * skirt, left * 0.025, -skirt)
    r[:, SKIRT] = np.where(skirt > 0, [0.058, 0.058, 0.05, 0.05], 0) * wide

    swing = -go * np.where(run, 0.55, 0.5) * np.sin(cycle) + np.where(run, -0.1, 0.0)
    elbow_bend = np.where(run, 1.55, 0.22 + 0.25 * go)
    phone = np.array([k.phone for k in looks])[:, None] & (left < 0)
    swing, elbow_bend = np.where(phone, 0.35, swing), np.where(phone, 1.9, elbow_bend)
    up = cheering[:, None] & np.array([True, True])
    clap = 0.25 * np.sin(7 * time + phase)[:, None] * left
    swing, elbow_bend = np.where(up, 1.1 + 0.3 * idle, swing), np.where(up, 1.3 + clap, elbow_bend)
    elbow = shoulder + 0.172 * _at(np.sin(swing), left * 0.1, -np.cos(swing))
    reach = swing + elbow_bend
    hand = elbow + 0.15 * _at(np.sin(reach), -left * np.where(run | phone | up, 0.45, 0.05), -np.cos(reach))
    _limb(c, r, UPPER, shoulder, elbow, 0.034, 0.027)
    _limb(c, r, FORE, elbow, hand, 0.026, 0.019)
    _limb(c, r, HAND, hand, hand + 0.2 * (hand - elbow), 0.022, 0.018)

    nod = 0.02 * idle * (1 - np.minimum(go, 1)) + np.where(phone[:, 1:], 0.025, 0.0)
    head = _at(0.012 + nod + 0.4 * np.sin(lean)[:, None], 0.5 * nod, 0.927)[:, 0]
    c[:, HEAD, :2] = head[:, None]
    c[:, HEAD, 2:] = head[:, None] - [0.008, 0, 0.085]  # the neck
    r[:, HEAD] = [0.052, 0.052, 0.027, 0.027]
    c[:, HAIRS] = head[:, None] + [-0.02, 0, 0.02]
    long = np.array([k.hair_length for k in looks])
    c[:, HAIRS, 2:] -= np.stack([0.012 + 0 * long, 0 * long, long], 1)[:, None]
    r[:, HAIRS] = np.where(long[:, None] > 0, [0.06, 0.06, 0.05, 0.05], 0.058)

    bag = np.array([k.bag for k in looks])
    back, side = (bag == 1)[:, None, None], (bag == 2)[:, None, None]
    carried = _at(np.full((n, 2), -0.085), left * 0.035, np.array([0.75, 0.63]))
    hung = _at(0.02 + 0.2 * swing[:, :1].clip(-0.4, 0.4), np.full((n, 2), 0.13), np.array([0.5, 0.47]))
    c[:, BAG, :2] = c[:, BAG, 2:] = np.where(back, carried, hung)
    c[:, BAG, 2:, 1] *= np.where(bag == 1, -1, 1)[:, None]
    r[:, BAG] = np.where(back, 0.05, np.where(side, 0.038, 0.0))[..., 0]

    c[..., 2] -= drop[:, None, None]
    c *= tall[:, None, None, None]
    r *= tall[:, None, None]
    cos, sin = np.cos(heading)[:, None, None], np.sin(heading)[:, None, None]
    world = np.stack([cos * c[..., 0] - sin * c[..., 1], sin * c[..., 0] + cos * c[..., 1], c[..., 2]], -1)
    world[..., :2] += position[:, None, None]
    return world, r


def _at(forward: np.ndarray, left: np.ndarray | float, up: np.ndarray | float) -> np.ndarray:
    """Points (N, 2, 3), one for each side of the body."""
    n = len(forward)
    wide = np.broadcast_to(forward, (n, 2))
    return np.stack([wide, np.broadcast_to(left, (n, 2)), np.broadcast_to(up, (n, 2))], -1)


def _limb(
    c: np.ndarray, r: np.ndarray, part: int, a: np.ndarray, b: np.ndarray, ra: np.ndarray | float, rb: float
) -> None:
    """Two limbs, left and right, between points a and b (N, 2, 3)."""
    c[:, part : part + 2, :2], c[:, part : part + 2, 2:] = a[:, :, None], b[:, :, None]
    r[:, part : part + 2, :2] = np.broadcast_to(np.asarray(ra), (len(c), 1))[:, :, None]
    r[:, part : part + 2, 2:] = rb


def people_polygons(
    camera: Camera,
    light: Light,
    looks: list[Look],
    centre: np.ndarray,
    radius: np.ndarray,
    numbers: np.ndarray,
) -> list[list[Polygon]]:
    """The polygons of every person, far parts first; each paints its number into the last channel."""
    towards = (camera.axes[:2] @ light.sun) * 0.42 * (0.4 + light.shadow)
    outline = discs(camera, centre, radius)
    _, depth = camera.project(centre)
    size = camera.focal * radius / depth  # px
    middle = outline.mean(-2, keepdims=True)
    inner = corners(middle + 0.52 * (outline - middle) + size[..., None, None] * towards)
    outer = corners(outline)
    near = depth.mean(-1) - CLOSER
    cloth = np.stack([person.colour for person in looks]) * light.tint if looks else np.zeros((0, PARTS, 3))
    lit = np.minimum(1.02 * cloth, 255).tolist()
    dark = (np.where(np.arange(PARTS) < SHOE, 0.66, 0.74)[:, None] * cloth).tolist()
    result = []
    for k, (person, number) in enumerate(zip(looks, numbers.tolist(), strict=True)):
        shapes: list[Polygon] = []
        detailed = size[k, TORSO, 0] > 0.6
        for part in np.argsort(-near[k]).tolist():
            if size[k, part, 0] < 0.1:
                continue
            shapes.append((hull(outer[k, part]), (*dark[k][part], number)))
            if detailed or part in (TORSO, HEAD, HAIRS):
                shapes.append((hull(inner[k, part]), (*lit[k][part], number)))
            if part == TORSO and person.number:
                shapes += _bib(camera, centre[k, TORSO], number)
        result.append(shapes)
    return result


def _bib(camera: Camera, torso: np.ndarray, person: int) -> list[Polygon]:
    """A white running number on the chest, where one can see it."""
    left, right, low = torso[0], torso[1], torso[2:].mean(0)
    middle = (left + right) / 2
    across, down = (right - left) * 0.42, (low - middle) * 0.3
    front = np.cross(down, across)
    front *= 0.075 / max(float(np.linalg.norm(front)), 1e-9)
    centre = middle + (low - middle) * 0.45 + front
    if (np.array([0, 0, camera.height]) - centre) @ front < 0:
        return []
    corner = np.array([centre - across - down, centre + across - down, centre + across + down, centre - across + down])
    return [(corners(camera.project(corner)[0]), (232, 232, 228, person))]


def people_shadows(camera: Camera, light: Light, centre: np.ndarray, radius: np.ndarray) -> list[np.ndarray]:
    """Shadow outlines on the ground, for a canvas of whole pixels: legs, torso, skirt and head."""
    parts = [THIGH, THIGH + 1, SHANK, SHANK + 1, TORSO, HEAD, SKIRT]
    cast = corners(discs(camera, shadow_on_ground(centre[:, parts], light.sun), radius[:, parts]), 1)
    return [hull(c) for person in cast for c in person]
