"""The pose of a walking, running or standing body: proportions and gait.

Proportions follow Drillis & Contini (1966, as printed in Winter, Biomechanics and Motor Control of Human
Movement): knee 0.285, hip 0.530, shoulder 0.818 of the stature, and so on; heads are a little larger than
life, as in any drawing. All here is in units of the stature until the last step, with axes forward, left, up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpas_lite.scenes.appearance import (
    BAG,
    FORE,
    HAIRS,
    HAND,
    HEAD,
    PARTS,
    SHANK,
    SHOE,
    SKIRT,
    THIGH,
    TORSO,
    UPPER,
    Appearance,
)

SIDES = np.array([1.0, -1.0])  # left, right


def pose(
    people: Sequence[Appearance],
    position: np.ndarray,
    heading: np.ndarray,
    speed: np.ndarray,
    phase: np.ndarray,
    time: float,
    *,
    running: np.ndarray,
    cheering: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Spheres of all parts of N people; a limb is the convex hull of its spheres.

    Parameters
    ----------
    people : sequence of N Appearance
    position : (N, 2) float
        On the ground, m.
    heading : (N,) float
        Where the body faces, rad.
    speed : (N,) float
        How wide the gait is, m/s; whoever stands only shifts about a little.
    phase : (N,) float
        Of the gait, rad.
    time : float
        s, for the movements of those who stand.
    running, cheering : (N,) bool

    Returns
    -------
    centre : (N, 17, 4, 3) float
        World coordinates, m.
    radius : (N, 17, 4) float
        m; a part with radius 0 is not there.
    """
    n = len(people)
    body = np.zeros((n, PARTS, 4, 3)), np.zeros((n, PARTS, 4))
    gait = _gait(people, speed, phase, time, running)
    hip, drop = _legs(body, gait, running)
    shoulder = _trunk(body, gait, people, hip)
    phone = np.array([person.phone for person in people], bool)[:, None] & (SIDES < 0)
    swing = _arms(body, gait, shoulder, phone, cheering, 0.25 * np.sin(7 * time + phase)[:, None] * SIDES)
    _head(body, gait, people, phone)
    _bag(body, people, swing)
    return _in_the_world(body, people, drop, heading, position)


@dataclass(frozen=True)
class _Gait:
    """What all parts of N bodies move by; (N, 1), or (N, 2) for the left and the right side."""

    width: np.ndarray  # build, about 1
    idle: np.ndarray  # shifting weight, -1 to 1
    go: np.ndarray  # how far the limbs swing: 0 stands, 1 walks
    run: np.ndarray  # bool
    cycle: np.ndarray  # rad, of both legs
    thigh: np.ndarray  # rad, angle of both thighs
    bend: np.ndarray  # rad, of both knees
    lean: np.ndarray  # rad, forwards


def _gait(
    people: Sequence[Appearance], speed: np.ndarray, phase: np.ndarray, time: float, running: np.ndarray
) -> _Gait:
    go = np.clip(speed / np.where(running, 2.6, 1.3), 0, 1.15)[:, None]
    run = running[:, None]
    cycle = phase[:, None] + np.array([0, np.pi])
    return _Gait(
        width=np.array([person.width for person in people])[:, None],
        idle=np.sin(np.array([person.cadence for person in people]) * time + phase)[:, None],
        go=go,
        run=run,
        cycle=cycle,
        thigh=go * np.where(run, 0.62 * np.sin(cycle) + 0.12, 0.42 * np.sin(cycle)),
        bend=0.06 + go * np.where(run, 0.25 + 1.35, 0.08 + 0.85) * np.maximum(np.cos(cycle), 0) ** 1.3,
        lean=np.where(running, 0.1, 0.03)[:, None] * go,
    )


Body = tuple[np.ndarray, np.ndarray]  # centres (N, 17, 4, 3) and radii (N, 17, 4) of the spheres, filled part by part


def _legs(body: Body, gait: _Gait, running: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thighs, shanks and shoes; the hips (N, 2, 3), and how far below the ground the lower foot is, (N,)."""
    thigh, bend, nothing = gait.thigh, gait.bend, np.zeros((len(running), 2))
    sway = 0.012 * gait.idle * (1 - np.minimum(gait.go, 1))
    hip = _points(nothing, SIDES * 0.05 * gait.width + sway, 0.53)
    knee = hip + 0.245 * _points(np.sin(thigh), SIDES * 0.02, -np.cos(thigh))
    ankle = knee + 0.246 * _points(np.sin(thigh - bend), nothing, -np.cos(thigh - bend))
    toe_down = -0.015 - 0.05 * np.sin(np.maximum(bend - thigh, 0))
    toe = ankle + _points(0.085 * np.cos(thigh - bend), SIDES * 0.015, toe_down)
    drop = np.minimum(ankle[..., 2].min(1), toe[..., 2].min(1) + 0.01) - np.where(running, 0.035, 0.03)
    _limbs(body, THIGH, hip, knee, 0.052 * gait.width, 0.036)
    _limbs(body, SHANK, knee, ankle, 0.034, 0.022)
    _limbs(body, SHOE, ankle - [0, 0, 0.012], toe, 0.024, 0.02)
    return hip, drop


def _trunk(body: Body, gait: _Gait, people: Sequence[Appearance], hip: np.ndarray) -> np.ndarray:
    """Torso, and skirt or coat; the shoulders (N, 2, 3), which turn against the hips."""
    c, r = body
    twist = -0.35 * gait.thigh[:, :1] * SIDES
    shoulder = _points(twist * 0.12 + 0.28 * np.sin(gait.lean), SIDES * 0.092 * gait.width, 0.795)
    c[:, TORSO, :2], c[:, TORSO, 2:] = shoulder, hip + np.array([0, 0, 0.02])
    r[:, TORSO, :2], r[:, TORSO, 2:] = 0.045, 0.05 * gait.width
    skirt = np.array([person.skirt for person in people])[:, None]
    c[:, SKIRT, :2] = hip + np.array([0, 0, 0.03])
    c[:, SKIRT, 2:] = hip + _points(0.5 * np.sin(gait.thigh) * skirt, SIDES * 0.025, -skirt)
    r[:, SKIRT] = np.where(skirt > 0, [0.058, 0.058, 0.05, 0.05], 0) * gait.width
    return shoulder


def _arms(
    body: Body, gait: _Gait, shoulder: np.ndarray, phone: np.ndarray, cheering: np.ndarray, clap: np.ndarray
) -> np.ndarray:
    """Upper arms, forearms and hands, which swing, hold a phone (N, 2) or clap; the angle of the upper arms (N, 2)."""
    run = gait.run
    swing = -gait.go * np.where(run, 0.55, 0.5) * np.sin(gait.cycle) + np.where(run, -0.1, 0.0)
    elbow_bend = np.where(run, 1.55, 0.22 + 0.25 * gait.go)
    swing, elbow_bend = np.where(phone, 0.35, swing), np.where(phone, 1.9, elbow_bend)
    up = cheering[:, None] & np.array([True, True])
    swing, elbow_bend = np.where(up, 1.1 + 0.3 * gait.idle, swing), np.where(up, 1.3 + clap, elbow_bend)
    elbow = shoulder + 0.172 * _points(np.sin(swing), SIDES * 0.1, -np.cos(swing))
    reach = swing + elbow_bend
    inwards = -SIDES * np.where(run | phone | up, 0.45, 0.05)
    hand = elbow + 0.15 * _points(np.sin(reach), inwards, -np.cos(reach))
    _limbs(body, UPPER, shoulder, elbow, 0.034, 0.027)
    _limbs(body, FORE, elbow, hand, 0.026, 0.019)
    _limbs(body, HAND, hand, hand + 0.2 * (hand - elbow), 0.022, 0.018)
    return swing


def _head(body: Body, gait: _Gait, people: Sequence[Appearance], phone: np.ndarray) -> None:
    """Head with neck, and hair; who looks at a phone bows a little."""
    c, r = body
    nod = 0.02 * gait.idle * (1 - np.minimum(gait.go, 1)) + np.where(phone[:, 1:], 0.025, 0.0)
    head = _points(0.012 + nod + 0.4 * np.sin(gait.lean), 0.5 * nod, 0.927)[:, 0]
    c[:, HEAD, :2] = head[:, None]
    c[:, HEAD, 2:] = head[:, None] - [0.008, 0, 0.085]  # the neck
    r[:, HEAD] = [0.052, 0.052, 0.027, 0.027]
    c[:, HAIRS] = head[:, None] + [-0.02, 0, 0.02]
    long = np.array([person.hair_length for person in people])
    c[:, HAIRS, 2:] -= np.stack([0.012 + 0 * long, 0 * long, long], 1)[:, None]
    r[:, HAIRS] = np.where(long[:, None] > 0, [0.06, 0.06, 0.05, 0.05], 0.058)


def _bag(body: Body, people: Sequence[Appearance], swing: np.ndarray) -> None:
    """A backpack on the back, or a handbag that hangs on the left side and swings with the arm."""
    c, r = body
    n = len(people)
    bag = np.array([person.bag for person in people])
    back, side = (bag == 1)[:, None, None], (bag == 2)[:, None, None]
    carried = _points(np.full((n, 2), -0.085), SIDES * 0.035, np.array([0.75, 0.63]))
    hung = _points(0.02 + 0.2 * swing[:, :1].clip(-0.4, 0.4), np.full((n, 2), 0.13), np.array([0.5, 0.47]))
    c[:, BAG, :2] = c[:, BAG, 2:] = np.where(back, carried, hung)
    c[:, BAG, 2:, 1] *= np.where(bag == 1, -1, 1)[:, None]
    r[:, BAG] = np.where(back, 0.05, np.where(side, 0.038, 0.0))[..., 0]


def _in_the_world(
    body: Body, people: Sequence[Appearance], drop: np.ndarray, heading: np.ndarray, position: np.ndarray
) -> Body:
    """Bodies of their statures, feet on the ground, turned to their headings and put in their places."""
    c, r = body
    tall = np.array([person.stature for person in people])
    c[..., 2] -= drop[:, None, None]
    c *= tall[:, None, None, None]
    r *= tall[:, None, None]
    cos, sin = np.cos(heading)[:, None, None], np.sin(heading)[:, None, None]
    world = np.stack([cos * c[..., 0] - sin * c[..., 1], sin * c[..., 0] + cos * c[..., 1], c[..., 2]], -1)
    world[..., :2] += position[:, None, None]
    return world, r


def _points(forward: np.ndarray, left: np.ndarray | float, up: np.ndarray | float) -> np.ndarray:
    """Points (N, 2, 3), one for each side of the body."""
    n = len(forward)
    wide = np.broadcast_to(forward, (n, 2))
    return np.stack([wide, np.broadcast_to(left, (n, 2)), np.broadcast_to(up, (n, 2))], -1)


def _limbs(
    body: Body, part: int, start: np.ndarray, end: np.ndarray, start_radius: np.ndarray | float, end_radius: float
) -> None:
    """Two limbs, left and right, between points (N, 2, 3)."""
    c, r = body
    c[:, part : part + 2, :2], c[:, part : part + 2, 2:] = start[:, :, None], end[:, :, None]
    r[:, part : part + 2, :2] = np.broadcast_to(np.asarray(start_radius), (len(c), 1))[:, :, None]
    r[:, part : part + 2, 2:] = end_radius
