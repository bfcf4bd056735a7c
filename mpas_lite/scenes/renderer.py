"""Synthetic crowds with exact ground truth, in the spirit of the six scenes of the paper's evaluation.

Every scene is simulated on the ground in metres and seen through a pinhole camera, so that what is true of
crowds holds by construction: people walk 1.34 +- 0.26 m/s (Weidmann 1993), keep out of each other's way (the
social-force model, Helbing & Molnar 1995; Johansson, Helbing & Shukla 2007), no nearer than about the near
edge of Hall's personal distance (1966), go in groups (Moussaid et al. 2010) at densities of Fruin's levels
of service A to C (1971), and a part of them stands still at any time. Those who stand cannot be seen by
motion, only by what they look like. Farther people are smaller, nearer ones hide them. Cars drive past, trees
sway and pigeons fly: motion that is no crowd.

Two truths go with each frame. ``person``: the visible pixels of people, covered by at least one half, without
shadows. ``crowd``: the region a person would outline, ``person`` closed over gaps narrower than a person.
Nothing here is tuned to what the method of the paper can do.
"""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.crowd_region import crowd_region
from mpas_lite.scenes.painter import Painter
from mpas_lite.scenes.places.registry import PLACES
from mpas_lite.scenes.scene import Scene
from mpas_lite.scenes.sensor import Sensor, camera_shake, shifted, visible_people
from mpas_lite.scenes.truth import FrameTruth
from mpas_lite.scenes.walking import Moment, walk

SCENE_NAMES: tuple[str, ...] = tuple(PLACES)


def render_scene(
    name: str,
    *,
    seed: int = 0,
    frames: int = 120,
    shape: tuple[int, int] = (240, 320),
    fps: float = 25.0,
    noise: float = 2.0,
    pause_fraction: float | None = None,
    camera_shake_px: float = 0.0,
    waiting: float = 0.0,
) -> Scene:
    """Render one of ``SCENE_NAMES``, the same to the last bit for the same arguments.

    Fewer ``frames`` give the beginning of the longer clip. Another ``seed`` gives other people, clothes,
    weather, colours and a slightly different camera.

    Parameters
    ----------
    name : str
        One of ``SCENE_NAMES``.
    seed : int
        Not negative.
    frames : int
    shape : (int, int)
        Height and width, px; 60 to 1080 rows and 60 to 1920 columns.
    fps : float
        Frames per second.
    noise : float
        Standard deviation of the sensor noise in mid grey, grey levels.
    pause_fraction : float, optional
        The part of the walkers that stands at any time; by default what suits the scene.
    camera_shake_px : float
        How far a shaking mast moves the picture, px (standard deviation).
    waiting : float
        The part of the walkers that never moves in the whole clip, 0 to 1: people who wait, whom motion cannot find.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If the name, or a number, makes no sense.

    Examples
    --------
    >>> scene = render_scene("sparse_square", seed=1, frames=2, shape=(120, 160))
    >>> scene.frames.shape, bool((scene.crowd >= scene.person).all())
    ((2, 120, 160, 3), True)
    """
    check_scene(
        name,
        seed=seed,
        frames=frames,
        shape=shape,
        fps=fps,
        noise=noise,
        pause_fraction=pause_fraction,
        waiting=waiting,
    )
    key = (seed, SCENE_NAMES.index(name))  # of every random stream; the third number says which
    place = PLACES[name](np.random.default_rng([*key, 0]), shape)
    mirrored = bool(np.random.default_rng([*key, 1]).random() < 0.5)
    pause = place.pause_fraction if pause_fraction is None else pause_fraction
    who_waits = np.random.default_rng([*key, 7]).random(place.plan.walkers) < waiting
    crowd = walk(place.plan, np.random.default_rng([*key, 2]), fps=fps, pause_fraction=pause, waiting=who_waits)
    shake = camera_shake(np.random.default_rng([*key, 3]), camera_shake_px)
    weather = np.random.default_rng([*key, 4])
    sensor = Sensor(shape, noise, cloud=(weather.uniform(0, 2 * np.pi), weather.uniform(6, 14)), seed=(*key, 6))
    painter = Painter(place, key, weather)

    pictures = np.empty((frames, *shape, 3), np.uint8)
    truth = []
    for t in range(frames):
        moment, now, later = next(crowd), shake(t / fps), shake((t + 1) / fps)
        canvas = shifted(painter.canvas(moment, t / fps), now)
        picture, seen = sensor.frame(canvas, t, t / fps), _truth(painter, moment, visible_people(canvas), now, later)
        if mirrored:
            picture, seen = picture[:, ::-1], seen.mirrored()
        pictures[t] = picture
        truth.append(seen.of_those_inside())
    return Scene(
        name,
        seed,
        fps,
        pictures,
        np.stack([frame.instance for frame in truth]),
        np.stack([frame.crowd for frame in truth]),
        ids=tuple(frame.ids for frame in truth),
        position=tuple(frame.position for frame in truth),
        velocity=tuple(frame.velocity for frame in truth),
        paused=tuple(frame.paused for frame in truth),
    )


def _truth(painter: Painter, moment: Moment, instance: np.ndarray, now: np.ndarray, later: np.ndarray) -> FrameTruth:
    """The truth of a frame, with the camera's shake (x, y) in px at this frame and at the next."""
    position = painter.body_centre(moment, moment.position) + now - 0.5
    velocity = painter.body_centre(moment, moment.position + moment.step) + later - 0.5 - position
    crowd = crowd_region(instance, painter.pixels_per_metre(moment))
    return FrameTruth(instance, crowd, moment.ids, position, velocity, moment.standing)


def check_scene(
    name: str,
    *,
    seed: int,
    frames: int,
    shape: tuple[int, int],
    fps: float = 25.0,
    noise: float = 0.0,
    pause_fraction: float | None = None,
    waiting: float = 0.0,
) -> None:
    """Refuse a name or a number with which no scene can be rendered.

    Raises
    ------
    ValueError
        With a sentence that names it.
    """
    if name not in SCENE_NAMES:
        raise ValueError(f"There is no scene {name!r}. Choose one of {', '.join(SCENE_NAMES)}.")
    if seed < 0 or frames < 1 or not fps > 0 or noise < 0:
        raise ValueError(
            f"seed={seed}, frames={frames}, fps={fps}, noise={noise}: seed and noise must not be negative, "
            "frames at least 1, fps more than 0."
        )
    if len(shape) != 2 or not (60 <= shape[0] <= 1080 and 60 <= shape[1] <= 1920):
        raise ValueError(f"shape={shape} is not (height, width) with 60 to 1080 rows and 60 to 1920 columns.")
    if pause_fraction is not None and not 0 <= pause_fraction < 1:
        raise ValueError(f"pause_fraction={pause_fraction} must be at least 0 and less than 1.")
    if not 0 <= waiting <= 1:
        raise ValueError(f"waiting={waiting} must be from 0 to 1.")
