"""The painter: everything of a place at one moment on the canvas, far first, with its shadows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np

from mpas_lite.scenes.appearance import Appearance, random_appearance
from mpas_lite.scenes.bodies import people_polygons, people_shadows
from mpas_lite.scenes.camera import FINE, SUBSAMPLE_BITS, Polygon, corners, discs, hull, paint, shadow_on_ground
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.pose import pose
from mpas_lite.scenes.solids import Solid
from mpas_lite.scenes.vehicles import car
from mpas_lite.scenes.walking import Moment

BODY_CENTRE = 0.55  # of the stature: the point of a body whose image is the walker's position
FURTHEST_DRIVE = 80  # m: vehicles are drawn up to here
PIGEON_FLIGHT = 6  # s: then it is gone


class Painter:
    """Paints the moments of one place, with the same people, pigeons and background throughout.

    Parameters
    ----------
    place : Place
    seed : sequence of int
        Of this scene.
    pigeons : numpy.random.Generator
        Where they are, and when they take off.
    """

    def __init__(self, place: Place, seed: tuple[int, ...], pigeons: np.random.Generator):
        self.place, self.seed = place, seed
        height, width = place.camera.shape
        self.background = np.dstack([place.view, np.zeros(place.view.shape[:2], np.uint8)])
        self.background[..., :3] = np.clip(place.view * place.light.tint, 0, 255)
        self.wall = cv2.resize(place.wall.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA) > 0
        self.still_shadow = np.full((height, width), 255, np.uint8)
        for solid in place.solids:
            self._cast_shadow(self.still_shadow, solid)
        self.occluders = [(depth, wall.astype(np.uint8)) for depth, wall in place.occluders]
        self.appearances: dict[int, Appearance] = {}
        self.pigeons = np.c_[pigeons.uniform(-4, 4, place.pigeons), pigeons.uniform(11, 17, place.pigeons)]
        self.takeoff = pigeons.uniform(-6, 14, place.pigeons)  # s

    def canvas(self, moment: Moment, time: float) -> np.ndarray:
        """The canvas (3H, 3W, 4) uint8; its last channel is 1 + the index into the moment's people, or 0."""
        place, camera, light = self.place, self.place.camera, self.place.light
        moving = [*(tree.at(time) for tree in place.trees), *self._vehicles(time)]
        shadow = self.still_shadow.copy()
        for solid in moving:
            self._cast_shadow(shadow, solid)
        visible = self._near_the_picture(moment)
        people = [self.appearance(int(i)) for i in moment.ids[visible]]
        centre, radius = self._bodies(moment, visible, people, time)
        for outline in people_shadows(camera, light, centre, radius):
            cv2.fillConvexPoly(shadow, outline, 0, cv2.LINE_8, SUBSAMPLE_BITS)

        background = self._under_shadow(shadow)
        canvas = background.copy()
        numbers = np.arange(1, len(moment.ids) + 1)[visible]
        bodies = people_polygons(camera, light, people, centre, radius, numbers)
        jobs: list[tuple[float, Callable[[], None]]] = []
        for solid in [*place.solids, *moving, *self._pigeons(time)]:
            jobs.append((solid.depth, partial(paint, canvas, solid.polygons)))
        for at, body in zip(moment.position[visible], bodies, strict=True):
            jobs.append((camera.depth(at), partial(paint, canvas, body)))
        for depth, wall in self.occluders:
            jobs.append((depth, partial(cv2.copyTo, background, wall, canvas)))
        for _, job in sorted(jobs, key=lambda job: -job[0]):
            job()
        return canvas

    def pixels_per_metre(self, moment: Moment) -> np.ndarray:
        """Scale at each person, (N,)."""
        _, depth = self.place.camera.project(np.c_[moment.position, np.ones(len(moment.ids))])
        return self.place.camera.focal / depth

    def body_centre(self, moment: Moment, ground: np.ndarray) -> np.ndarray:
        """Where the middle of each body is seen if it stands at ``ground`` (N, 2) m: (N, 2) px."""
        tall = np.array([self.appearance(int(i)).stature for i in moment.ids])
        return self.place.camera.project(np.c_[ground, BODY_CENTRE * tall])[0]

    def appearance(self, number: int) -> Appearance:
        """How the person with this id looks."""
        if number not in self.appearances:
            rng = np.random.default_rng([*self.seed, 5, number])
            runner = self.place.runners and not self._only_stands(np.array(number))
            self.appearances[number] = random_appearance(rng, runner=bool(runner))
        return self.appearances[number]

    def _only_stands(self, ids: np.ndarray) -> np.ndarray:
        """Who belongs to those of the plan who never walk."""
        plan = self.place.plan
        return (ids >= plan.walkers) & (ids < plan.walkers + len(plan.standing))

    def _bodies(
        self, moment: Moment, visible: np.ndarray, people: list[Appearance], time: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The spheres of all visible people; at a race some of those who stand cheer."""
        spectator = self.place.runners & self._only_stands(moment.ids)
        return pose(
            people,
            moment.position[visible],
            moment.heading[visible],
            moment.speed[visible],
            moment.phase[visible],
            time,
            running=(self.place.runners & ~spectator)[visible],
            cheering=(spectator & (moment.ids % 3 == 0))[visible],
        )

    def _near_the_picture(self, moment: Moment) -> np.ndarray:
        """Whose body may show in the picture, (N,) bool."""
        camera = self.place.camera
        uv, depth = camera.project(np.c_[moment.position, np.ones(len(moment.ids))])
        reach = 1.6 * camera.focal / depth + 4
        height, width = camera.shape
        low, high = -reach[:, None], np.array([width, height]) + reach[:, None]
        return ((uv > low) & (uv < high)).all(1) & (depth > 0.5)

    def _vehicles(self, time: float) -> Iterator[Solid]:
        """The vehicles that are near the picture."""
        camera, light = self.place.camera, self.place.light
        for d in self.place.drives:
            at = np.array(d.start) + np.array(d.velocity) * (time - d.when)
            if camera.depth(at) > 4 and np.abs(at).max() < FURTHEST_DRIVE:
                angle = float(np.arctan2(d.velocity[1], d.velocity[0]))
                yield car(camera, light, at, d.colour, angle=angle, van=d.van)

    def _pigeons(self, time: float) -> Iterator[Solid]:
        """Pigeons: they strut about, and some take off. They cast no shadow."""
        camera = self.place.camera
        for k, (x, y) in enumerate(self.pigeons):
            up = max(time - self.takeoff[k], 0.0)  # s in the air
            if up > PIGEON_FLIGHT:
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
            yield Solid(camera.depth(at), polygons, [])

    def _cast_shadow(self, shadow: np.ndarray, solid: Solid) -> None:
        """Darken the ground (H, W) where a solid keeps the sun away."""
        for points in solid.casters:
            # The outline is scaled twice, so few of these shadows lie in the picture. Every clip is rendered so.
            outline = hull(corners(self.place.camera.project(shadow_on_ground(points, self.place.light.sun))[0], 1))
            cv2.fillConvexPoly(shadow, np.round(outline.clip(-4000, 4000) * 16).astype(np.int32), 0, cv2.LINE_8, 4)

    def _under_shadow(self, shadow: np.ndarray) -> np.ndarray:
        """The background with this shadow map (H, W) on the ground, as a fresh canvas."""
        shadow = cv2.GaussianBlur(shadow, (0, 0), self.place.light.softness * self.place.camera.shape[0] / 240)
        shadow[self.wall] = 255
        dark = self.place.light.shadow * (1 - shadow.astype(np.float32) / 255)
        gain = np.empty((*shadow.shape, 4), np.uint8)
        for c, strength in enumerate((1.0, 0.97, 0.9, 0.0)):  # the sky lights shadows bluish
            gain[..., c] = 255 * (1 - strength * dark)
        gain = cv2.resize(gain, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(self.background, gain, scale=1 / 255)
