"""Synthetic crowds with exact ground truth, in the spirit of the six scenes of the paper's evaluation.

Every scene is simulated on the ground in metres and seen through a pinhole camera, so that what is true of
crowds holds by construction: people walk 1.34 +- 0.26 m/s (Weidmann 1993), keep out of each other's way (the
social-force model, Helbing & Molnar 1995; Johansson, Helbing & Shukla 2007), no nearer than about the near
edge of Hall's personal distance (1966), go in companies (Moussaid et al. 2010) at densities of Fruin's levels
of service A to C (1971), and a part of them stands still at any time. Those who stand cannot be seen by
motion, only by what they look like. Farther people are smaller, nearer ones hide them. Cars drive past, trees
sway and pigeons fly: motion that is no crowd.

Two truths go with each frame. ``person``: the visible pixels of people, covered by at least one half, without
shadows. ``crowd``: the region a person would outline, ``person`` closed over gaps narrower than a person.
Nothing here is tuned to what the method of the paper can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from mpas_lite.scenes.bodies import Look, look, people_polygons, people_shadows, pose
from mpas_lite.scenes.places import PLACES, Place
from mpas_lite.scenes.social_force import Moment, walk
from mpas_lite.scenes.solids import FINE, SUB, Polygon, Thing, car, corners, discs, hull, paint, shadow_on_ground

SCENE_NAMES: tuple[str, ...] = tuple(PLACES)
BODY_CENTRE = 0.55  # of the stature: the point of a body whose image is the walker's position
EXPOSURE = 1.1
PERSON_BREADTH = 0.5  # m: a gap narrower than this belongs to the crowd


@dataclass(frozen=True)
class Scene:
    """A rendered scene and all that is true about it. T frames of H rows and W columns.

    Attributes
    ----------
    name, seed, fps : which scene, which of its endless variations, frames per second
    frames : (T, H, W, 3) uint8, RGB
    instance : (T, H, W) uint8, whom each pixel shows: 0 nobody, 1 + the index into this frame's ``ids``, and
        numbers above ``len(ids)`` for walkers whose position lies outside the picture
    crowd : (T, H, W) bool, the region a person would outline
    ids : T arrays (N_t,) int, one number a walker, never reused; of walkers whose position is in the picture
    position : T arrays (N_t, 2) float32, px (x, y): the image of the middle of the body, hidden or not;
        whole numbers are pixel centres
    velocity : T arrays (N_t, 2) float32, px/frame: position at the next frame minus position
    paused : T arrays (N_t,) bool, slower than 0.1 m/s on the ground
    """

    name: str
    seed: int
    fps: float
    frames: np.ndarray
    instance: np.ndarray
    crowd: np.ndarray
    ids: tuple[np.ndarray, ...]
    position: tuple[np.ndarray, ...]
    velocity: tuple[np.ndarray, ...]
    paused: tuple[np.ndarray, ...]

    @property
    def person(self) -> np.ndarray:
        """(T, H, W) bool, the visible pixels of people, covered by at least one half."""
        return self.instance > 0

    def __len__(self) -> int:
        return len(self.frames)


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
) -> Scene:
    """Render one of ``SCENE_NAMES``, the same to the last bit for the same arguments.

    Fewer ``frames`` give the beginning of the longer clip. Another ``seed`` gives other people, clothes,
    weather, colours and a slightly different camera.

    Parameters
    ----------
    name : one of SCENE_NAMES
    seed : int, not negative
    frames : number of frames
    shape : (H, W) in px; H from 60 to 1080
    fps : frames per second
    noise : standard deviation of the sensor noise in grey levels, in mid grey
    pause_fraction : the part of the walkers that stands at any time; None: what suits the scene
    camera_shake_px : how far a shaking mast moves the picture, px (standard deviation)

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
    _check(name, seed=seed, frames=frames, shape=shape, fps=fps, noise=noise, pause_fraction=pause_fraction)
    kind = SCENE_NAMES.index(name)
    place = PLACES[name](np.random.default_rng([seed, kind, 0]), shape)
    mirrored = bool(np.random.default_rng([seed, kind, 1]).random() < 0.5)
    pause = place.pause_fraction if pause_fraction is None else pause_fraction
    crowd = walk(place.plan, np.random.default_rng([seed, kind, 2]), fps=fps, pause_fraction=pause)
    painter = _Painter(place, seed, kind, noise)
    shake = _shake(np.random.default_rng([seed, kind, 3]), camera_shake_px)

    count, (height, width) = frames, shape
    pictures = np.empty((count, height, width, 3), np.uint8)
    instance = np.empty((count, height, width), np.uint8)
    outlined = np.empty((count, height, width), bool)
    truth: list[tuple[np.ndarray, ...]] = []
    for t in range(count):
        moment = next(crowd)
        now, later = shake(t / fps), shake((t + 1) / fps)
        picture, who = painter.picture(moment, t, fps, now)
        scale = painter.pixels_per_metre(moment)
        position = painter.body_centre(moment, moment.position) + now - 0.5
        velocity = painter.body_centre(moment, moment.position + moment.step) + later - 0.5 - position
        region = crowd_region(who, scale)
        if mirrored:
            picture, who, region = picture[:, ::-1], who[:, ::-1], region[:, ::-1]
            position[:, 0], velocity[:, 0] = width - 1 - position[:, 0], -velocity[:, 0]
        inside = ((position > -0.5) & (position < [width - 0.5, height - 0.5])).all(1)
        renumber = np.zeros(256, np.uint8)  # the numbers of people in the picture first, then those half outside
        order = np.r_[np.flatnonzero(inside), np.flatnonzero(~inside)]
        renumber[order + 1] = np.arange(1, len(order) + 1)
        pictures[t], instance[t], outlined[t] = picture, renumber[who], region
        truth.append(
            (
                moment.ids[inside],
                position[inside].astype(np.float32),
                velocity[inside].astype(np.float32),
                moment.standing[inside],
            )
        )
    ids, position_, velocity_, paused = zip(*truth, strict=True)
    return Scene(name, seed, fps, pictures, instance, outlined, ids, position_, velocity_, paused)


# ------------------------------------------------------------------------------------------------ the picture


def crowd_region(instance: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Close the people of a frame over gaps narrower than a person.

    How many pixels a person is wide depends on the distance. So people are taken together band by band of
    similar ``scale``, each band overlapping the next by half; in every band the gaps narrower than 0.5 m (the
    breadth of a person) at its middle scale are closed, with a disc of that diameter. The union over the
    bands is the region.

    Parameters
    ----------
    instance : (H, W) uint8, 0 = nobody, k = person k
    scale : (N,) px per metre at person k = 1 ... N

    Returns
    -------
    (H, W) bool; contains every pixel with a person
    """
    region = instance > 0
    seen = np.zeros(256, bool)
    seen[np.unique(instance)] = True
    seen[0] = False
    of = np.zeros(256)
    of[1 : len(scale) + 1] = scale
    if not seen.any():
        return region
    step = np.sqrt(1.5)
    middle = of[seen].min()
    while middle <= of[seen].max() * step:
        radius = round(PERSON_BREADTH * middle / 2)
        if radius > 0:
            band = cv2.LUT(instance, (seen & (of >= middle / step) & (of <= middle * step)).astype(np.uint8))
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
            wide = np.pad(band, 2 * radius)
            closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc)
            region |= closed[2 * radius : -2 * radius, 2 * radius : -2 * radius] > 0
        middle *= step
    return region


class _Painter:
    """Paints the moments of one place."""

    def __init__(self, place: Place, seed: int, kind: int, noise: float):
        self.place, self.seed, self.kind, self.noise = place, seed, kind, noise
        height, width = place.camera.shape
        self.fine = np.dstack([place.view, np.zeros(place.view.shape[:2], np.uint8)])
        self.fine[..., :3] = np.clip(place.view * place.light.tint, 0, 255)
        self.wall = cv2.resize(place.wall.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA) > 0
        self.still_shadow = np.full((height, width), 255, np.uint8)
        for thing in place.things:
            self._cast(self.still_shadow, thing)
        x, y = (np.arange(width) - width / 2) / width, (np.arange(height) - height / 2) / width
        self.vignette = (EXPOSURE * (1 - 0.32 * (x[None] ** 2 + y[:, None] ** 2))).astype(np.float32)[..., None]
        self.curtains = [(depth, wall.astype(np.uint8)) for depth, wall in place.curtains]
        self.looks: dict[int, Look] = {}
        rng = np.random.default_rng([seed, kind, 4])
        self.cloud = rng.uniform(0, 2 * np.pi), rng.uniform(6, 14)
        self.pigeons = np.c_[rng.uniform(-4, 4, place.pigeons), rng.uniform(11, 17, place.pigeons)]
        self.flight = rng.uniform(-6, 14, place.pigeons)

    def picture(self, moment: Moment, t: int, fps: float, shake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The frame (H, W, 3) uint8 and who is where, (H, W) uint8: 1 + index into the moment's people."""
        place, camera, light = self.place, self.place.camera, self.place.light
        time = t / fps
        about = [tree.at(time) for tree in place.trees]
        about += self._driving(time)
        shadow = self.still_shadow.copy()
        for thing in about:
            self._cast(shadow, thing)
        about += self._birds(time)

        visible = self._near_picture(moment)
        looks = [self._look(int(i)) for i in moment.ids[visible]]
        spectator = place.runners & (moment.ids < self._people()) & (moment.ids >= place.plan.walkers)
        centre, radius = pose(
            looks,
            moment.position[visible],
            moment.heading[visible],
            moment.speed[visible],
            moment.phase[visible],
            time,
            running=(place.runners & ~spectator)[visible],
            cheering=(spectator & (moment.ids % 3 == 0))[visible],
        )
        for outline in people_shadows(camera, light, centre, radius):
            cv2.fillConvexPoly(shadow, outline, 0, cv2.LINE_8, SUB)

        background = self._lit(shadow)
        canvas = background.copy()
        numbers = np.arange(1, len(moment.ids) + 1)[visible]
        bodies = people_polygons(camera, light, looks, centre, radius, numbers)
        jobs: list[tuple[float, Callable[[], None]]] = []
        for thing in [*place.things, *about]:
            jobs.append((thing.depth, partial(paint, canvas, thing.polygons)))
        for k, body in enumerate(bodies):
            jobs.append((camera.depth(moment.position[visible][k]), partial(paint, canvas, body)))
        for depth, wall in self.curtains:
            jobs.append((depth, partial(cv2.copyTo, background, wall, canvas)))
        for _, do in sorted(jobs, key=lambda job: -job[0]):
            do()
        return self._sensed(canvas, t, time, shake)

    def _people(self) -> int:
        return self.place.plan.walkers + len(self.place.plan.standing)

    def _look(self, number: int) -> Look:
        if number not in self.looks:
            stands = self.place.plan.walkers <= number < self._people()
            rng = np.random.default_rng([self.seed, self.kind, 5, number])
            self.looks[number] = look(rng, runner=self.place.runners and not stands)
        return self.looks[number]

    def _near_picture(self, moment: Moment) -> np.ndarray:
        """Whose body may show in the picture, (N,) bool."""
        camera = self.place.camera
        uv, depth = camera.project(np.c_[moment.position, np.ones(len(moment.ids))])
        reach = 1.6 * camera.focal / depth + 4
        height, width = camera.shape
        low, high = -reach[:, None], np.array([width, height]) + reach[:, None]
        return ((uv > low) & (uv < high)).all(1) & (depth > 0.5)

    def _driving(self, time: float) -> Iterator[Thing]:
        """The vehicles that are near the picture."""
        camera, light = self.place.camera, self.place.light
        for d in self.place.drives:
            at = np.array(d.start) + np.array(d.velocity) * (time - d.when)
            if camera.depth(at) > 4 and np.abs(at).max() < 80:
                angle = float(np.arctan2(d.velocity[1], d.velocity[0]))
                yield car(camera, light, at, d.colour, angle=angle, van=d.van)

    def _birds(self, time: float) -> list[Thing]:
        """Pigeons: they strut about, and some take off."""
        camera, things = self.place.camera, []
        for k, (x, y) in enumerate(self.pigeons):
            up = max(time - self.flight[k], 0.0)  # s in the air
            if up > 6:
                continue
            strut = [0.35 * np.sin(0.7 * time + k), 0.3 * np.cos(0.9 * time + 2 * k), 0.13]
            at = np.array([x, y, 0.0]) + strut + up * np.array([2.6, 1.0, 1.6])
            ahead = np.array([1, 0.4, 0.4] if up else [np.cos(0.7 * time + k), np.sin(0.9 * time + 2 * k), 0.0])
            body = np.array([at - 0.13 * ahead, at + 0.1 * ahead + [0, 0, 0.06]])
            grey = 92.0 + 18 * (k % 3)
            outline = corners(discs(camera, body, np.array([0.05, 0.075])))
            polygons: list[Polygon] = [(hull(outline), (grey, grey + 3, grey + 12, 0))]
            for side in (-1, 1) if up else ():
                tip = side * np.array([-ahead[1], ahead[0], 0]) * 0.34 + [0, 0, 0.22 * np.sin(22 * time + k)]
                wing = np.array([at, at + tip, at - 0.14 * ahead])
                polygons.append((hull(corners(camera.project(wing)[0])), (grey + 50, grey + 52, grey + 58, 0)))
            things.append(Thing(camera.depth(at), polygons, []))
        return things

    def _cast(self, shadow: np.ndarray, thing: Thing) -> None:
        """Darken the ground (H, W) where a thing keeps the sun away."""
        for solid in thing.solids:
            outline = hull(corners(self.place.camera.project(shadow_on_ground(solid, self.place.light.sun))[0], 1))
            cv2.fillConvexPoly(shadow, np.round(outline.clip(-4000, 4000) * 16).astype(np.int32), 0, cv2.LINE_8, 4)

    def _lit(self, shadow: np.ndarray) -> np.ndarray:
        """The background with this shadow map (H, W) on the ground, as a fresh fine canvas."""
        shadow = cv2.GaussianBlur(shadow, (0, 0), self.place.light.softness * self.place.camera.shape[0] / 240)
        shadow[self.wall] = 255
        dark = self.place.light.shadow * (1 - shadow.astype(np.float32) / 255)
        gain = np.empty((*shadow.shape, 4), np.uint8)
        for c, strength in enumerate((1.0, 0.97, 0.9, 0.0)):  # the sky lights shadows bluish
            gain[..., c] = 255 * (1 - strength * dark)
        gain = cv2.resize(gain, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(self.fine, gain, scale=1 / 255)

    def _sensed(self, canvas: np.ndarray, t: int, time: float, shake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From the fine canvas to the camera's frame, and to exact masks."""
        height, width = self.place.camera.shape
        if shake.any():
            dx, dy = np.round(shake * FINE).astype(int)
            rows = np.clip(np.arange(height * FINE) - dy, 0, height * FINE - 1)
            columns = np.clip(np.arange(width * FINE) - dx, 0, width * FINE - 1)
            canvas = canvas[rows][:, columns]
        sample = cv2.extractChannel(canvas, 3)
        cover = cv2.resize((sample > 0).astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_AREA)
        middle = slice(FINE // 2, None, FINE)
        who = sample[middle, middle]  # the sample in the middle of the pixel, or whoever else is there
        anyone = cv2.dilate(sample, np.ones((FINE, FINE), np.uint8))[middle, middle]
        who = np.where(cover > 127, np.where(who > 0, who, anyone), 0).astype(np.uint8)

        image = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)[..., :3].astype(np.float32)
        image = cv2.GaussianBlur(image, (0, 0), 0.55)
        phase, period = self.cloud
        image *= self.vignette * np.float32(1 + 0.025 * np.sin(2 * np.pi * time / period + phase))
        if self.noise > 0:
            rng = np.random.default_rng([self.seed, self.kind, 6, t])
            sigma = self.noise * np.sqrt((np.maximum(image, 0) + 16) / 144)
            image += sigma * rng.standard_normal(image.shape, dtype=np.float32)
        return np.clip(np.round(image), 0, 255).astype(np.uint8), who

    def pixels_per_metre(self, moment: Moment) -> np.ndarray:
        """Scale at each person, (N,)."""
        _, depth = self.place.camera.project(np.c_[moment.position, np.ones(len(moment.ids))])
        return self.place.camera.focal / depth

    def body_centre(self, moment: Moment, ground: np.ndarray) -> np.ndarray:
        """Where the middle of each body is seen if it stands at ``ground`` (N, 2) m: (N, 2) px."""
        tall = np.array([self._look(int(i)).stature for i in moment.ids])
        return self.place.camera.project(np.c_[ground, BODY_CENTRE * tall])[0]


def _shake(rng: np.random.Generator, size: float) -> Callable[[float], np.ndarray]:
    """A shaking mast: a smooth random path in whole samples, as a function of time in s."""
    rate, phase = rng.uniform(1.5, 14, (2, 5)), rng.uniform(0, 2 * np.pi, (2, 5))

    def offset(time: float) -> np.ndarray:
        path = size * np.sqrt(2 / 5) * np.sin(rate * time + phase).sum(1)
        return np.round(path * FINE) / FINE

    return offset


def _check(
    name: str,
    *,
    seed: int,
    frames: int,
    shape: tuple[int, int],
    fps: float = 25.0,
    noise: float = 0.0,
    pause_fraction: float | None = None,
) -> None:
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
