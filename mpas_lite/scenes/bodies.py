"""The bodies of a synthetic scene as the camera sees them: spheres in metres, wrapped into limbs, and their shadows.

A limb is the convex hull of up to four spheres, so one description serves every view, from a camera across
the street to one straight above.
"""

from __future__ import annotations

import numpy as np

from mpas_lite.scenes.appearance import (
    HAIRS,
    HEAD,
    PARTS,
    SHANK,
    SHOE,
    SKIRT,
    THIGH,
    TORSO,
    Appearance,
)
from mpas_lite.scenes.camera import Camera, Light, Polygon, corners, discs, hull, shadow_on_ground

# Which parts lie on top where two are equally far, in m: clothes over limbs, arms over clothes.
CLOSER = np.array([0, 0, 0, 0, 0, 0, 0.02, 0.06, 0.02, 0.02, 0.03, 0.03, 0.03, 0.03, 0, 0, 0])


def people_polygons(
    camera: Camera,
    light: Light,
    people: list[Appearance],
    centre: np.ndarray,
    radius: np.ndarray,
    numbers: np.ndarray,
) -> list[list[Polygon]]:
    """The polygons of every person, far parts first.

    Parameters
    ----------
    camera : Camera
    light : Light
    people : list of N Appearance
    centre : (N, 17, 4, 3) float
        Of the spheres of `pose`, m.
    radius : (N, 17, 4) float
        Of the spheres, m.
    numbers : (N,) int
        What each person paints into the canvas's last channel.

    Returns
    -------
    list of N lists of Polygon
    """
    towards = (camera.axes[:2] @ light.sun) * 0.42 * (0.4 + light.shadow)
    outline = discs(camera, centre, radius)
    _, depth = camera.project(centre)
    size = camera.focal * radius / depth  # px
    middle = outline.mean(-2, keepdims=True)
    inner = corners(middle + 0.52 * (outline - middle) + size[..., None, None] * towards)
    outer = corners(outline)
    near = depth.mean(-1) - CLOSER
    cloth = np.stack([person.colour for person in people]) * light.tint if people else np.zeros((0, PARTS, 3))
    lit = np.minimum(1.02 * cloth, 255).tolist()
    dark = (np.where(np.arange(PARTS) < SHOE, 0.66, 0.74)[:, None] * cloth).tolist()
    result = []
    for k, (person, number) in enumerate(zip(people, numbers.tolist(), strict=True)):
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


def _bib(camera: Camera, torso: np.ndarray, number: int) -> list[Polygon]:
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
    return [(corners(camera.project(corner)[0]), (232, 232, 228, number))]


def people_shadows(camera: Camera, light: Light, centre: np.ndarray, radius: np.ndarray) -> list[np.ndarray]:
    """Shadow outlines on the ground, for a canvas of whole pixels: legs, torso, skirt and head."""
    parts = [THIGH, THIGH + 1, SHANK, SHANK + 1, TORSO, HEAD, SKIRT]
    cast = corners(discs(camera, shadow_on_ground(centre[:, parts], light.sun), radius[:, parts]), 1)
    return [hull(c) for person in cast for c in person]
