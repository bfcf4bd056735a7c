"""How the people of a synthetic scene look: parts of the body, measures, clothes and their colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Appearance:
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


def random_appearance(rng: np.random.Generator, *, runner: bool = False) -> Appearance:
    """Dress somebody at random.

    Parameters
    ----------
    rng : numpy.random.Generator
    runner : bool
        In sportswear, with a number.
    """

    def jitter(colour: np.ndarray) -> np.ndarray:
        return np.clip(colour * rng.uniform(0.86, 1.14) + rng.uniform(-6, 6, 3), 8, 245)

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
    return Appearance(
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
