"""The label of one frame: each setting reaches its step, and only groups get circles."""

import numpy as np

from mpas_lite.labels import frames
from mpas_lite.labels.frames import label_particles, label_window
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import Particles

SETTINGS = LabelSettings(
    max_corners=500,
    quality=0.03,
    min_distance=4.0,
    min_speed=0.3,
    max_drift=0.7,
    k=7,
    z=0.05,
    threshold=0.7,
    min_size=5,
    radius=9.0,
)


def test_every_setting_reaches_its_step(moving_square, monkeypatch):
    seen = []
    for name in ("particles_of_window", "crowd_graph", "collective_merging", "circular_region_merging"):
        step = getattr(frames, name)
        monkeypatch.setattr(
            frames, name, lambda *given, step=step, **named: seen.append((given, named)) or step(*given, **named)
        )
    label_window(3, list(moving_square[:6]), SETTINGS)
    (_, tracked), (graph, _), (merged, merging), (circles, _) = seen
    names = ("max_corners", "quality", "min_distance", "min_speed", "max_drift")
    assert tracked == {name: getattr(SETTINGS, name) for name in names}
    assert graph[2] == 7
    assert merged[1] == 0.05
    assert merging == {"threshold": 0.7, "min_size": 5}
    assert circles[1:] == (9.0, moving_square.shape[1:3])


def test_a_particle_of_no_group_gets_no_circle():
    crowd = np.c_[np.arange(12) * 3.0 + 10, np.full(12, 20.0)]
    position = np.concatenate([crowd, [[90, 60]]]).astype(np.float32)
    velocity = np.tile(np.float32([1, 0]), (13, 1))
    velocity[-1] = 0, -1
    labels, mask = label_particles(Particles(position, velocity, 0), (80, 120), LabelSettings(radius=5.0, k=4))
    assert labels.tolist() == [1] * 12 + [0]
    assert mask[20, 10]
    assert not mask[60, 90]
