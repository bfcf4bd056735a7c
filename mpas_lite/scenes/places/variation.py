"""What differs from seed to seed in every place: colours, the camera's mount, the daylight, people who chat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpas_lite.scenes.camera import Camera, Light

# fmt: off
CARS = [
    (150, 34, 36), (206, 206, 204), (58, 62, 68), (36, 58, 92), (128, 132, 136), (222, 220, 212), (60, 84, 72),
]
LAWNS = [(96, 120, 62), (104, 118, 66), (84, 112, 60), (116, 122, 72)]
STONES = [(178, 170, 158), (164, 160, 156), (186, 172, 150), (160, 150, 142), (172, 164, 164)]
HOUSES = [
    (176, 152, 126), (158, 132, 112), (186, 176, 158), (148, 142, 136), (170, 126, 104), (196, 180, 140),
]
GREENS = [(76, 102, 50), (88, 104, 48), (64, 94, 56), (100, 106, 50)]
# fmt: on


def pick(rng: np.random.Generator, colours: Sequence[tuple[int, ...]]) -> tuple[float, float, float]:
    """One of the colours, a little lighter or darker, a little to some side."""
    chosen = np.array(colours[int(rng.integers(len(colours)))]) * rng.uniform(0.93, 1.07)
    r, g, b = np.clip(chosen * rng.uniform(0.975, 1.025, 3), 0, 250)
    return float(r), float(g), float(b)


def mounted_camera(
    rng: np.random.Generator, shape: tuple[int, int], height: float, pitch: float, focal: float
) -> Camera:
    """A camera about as said, each a little different; ``focal`` is for 240 rows, ``pitch`` in degrees."""
    return Camera(
        shape,
        height * rng.uniform(0.95, 1.06),
        float(np.deg2rad(pitch + rng.uniform(-1.2, 1.2))),
        focal * shape[0] / 240 * rng.uniform(0.96, 1.05),
    )


def daylight(rng: np.random.Generator) -> Light:
    """Sunshine to overcast: the sun 30 to 60 degrees high, more often behind the camera than before it."""
    high, round_about = np.deg2rad(rng.uniform(32, 60)), np.deg2rad(rng.uniform(150, 390))
    sun = np.array([np.cos(high) * np.cos(round_about), np.cos(high) * np.sin(round_about), np.sin(high)])
    clear = rng.uniform(0.25, 1.0)
    warm = rng.uniform(-0.03, 0.04)
    return Light(sun, 0.16 + 0.32 * clear, 2.6 - 1.7 * clear, np.array([1 + warm, 1.0, 1 - warm]))


def chatting(rng: np.random.Generator, centre: Sequence[float], number: int) -> np.ndarray:
    """People (N, 3), x, y and facing, in a ring of 1.1 to 1.5 m who face each other (Hall's personal distance)."""
    angle = rng.uniform(0, 6.28) + np.arange(number) * 2 * np.pi / number + rng.normal(0, 0.15, number)
    radius = rng.uniform(0.5, 0.7) + 0.08 * max(number - 3, 0)
    spot = np.asarray(centre) + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.c_[spot, angle + np.pi]
