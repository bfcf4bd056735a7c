"""Who hides whom, where shadows fall and where people are said to be, in a bare place built for the test."""

import numpy as np
import pytest

from mpas_lite.scenes.camera import FINE, Camera, Light
from mpas_lite.scenes.painter import Painter
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.renderer import render_scene
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.solids import box, cylinder, together
from mpas_lite.scenes.trees import tree
from mpas_lite.scenes.vehicles import Drive, car
from mpas_lite.scenes.walking import Moment

SHAPE = (120, 160)
CAMERA = Camera(SHAPE, 5.0, 0.4, 170.0)
NOON = Light(np.array([0.0, 0.0, 1.0]), 0.4, 1.0, np.ones(3))
WEST = Light(np.array([-0.8, 0.0, 0.6]), 0.4, 0.5, np.ones(3))  # the sun stands at the left
ELSEWHERE = (40.0, 9.0)  # where nobody sees it
FINE_SHAPE = (SHAPE[0] * FINE, SHAPE[1] * FINE)


def painter(light=NOON, **parts):
    view, wall = np.full((*FINE_SHAPE, 3), 120, np.uint8), np.zeros(FINE_SHAPE, bool)
    plan = Plan([Route(np.array([(0.0, 5.0), (0.0, 20.0)]), 2.0)], 0)
    return Painter(Place(CAMERA, light, view, wall, plan, **parts), (0, 0), np.random.default_rng(0))


def crowd(*places, step=(0.0, 0.0)):
    n = len(places)
    zero = np.zeros(n)
    return Moment(
        np.arange(n), np.array(places, float), np.full((n, 2), step), zero - np.pi / 2, zero, zero, np.ones(n, bool)
    )


def seen(canvas):
    """How many samples each person has, from number 1 on."""
    return np.bincount(canvas[..., 3].ravel(), minlength=4)[1:]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_person_hides_the_farther(order):
    places = np.array([(0.0, 9.0), (0.0, 9.7)])[list(order)]
    alone = [seen(painter().canvas(crowd(*places[:1]), 0.0))[0]]
    both = seen(painter().canvas(crowd(*places), 0.0))
    near, far = order.index(0), order.index(1)
    assert both[far] < 0.8 * both[near]
    if near == 0:
        assert both[near] == alone[0], "nothing is taken from the nearer one"


def test_what_stands_before_a_person_hides_it_and_what_stands_behind_does_not():
    person = crowd((0.0, 10.0))
    free = seen(painter().canvas(person, 0.0))[0]
    for at, part in ((8.0, 0), (14.0, free)):
        wall = box(CAMERA, NOON, (0.0, at), (4.0, 0.2, 3.0), (200, 30, 30))
        assert seen(painter(solids=[wall]).canvas(person, 0.0))[0] == part


def test_an_occluder_shows_the_background_before_those_behind_it():
    person = crowd((0.0, 10.0))
    everywhere = np.ones(FINE_SHAPE, bool)
    before, behind = ((CAMERA.depth((0, y)), everywhere) for y in (8.0, 14.0))
    assert seen(painter(occluders=[before]).canvas(person, 0.0))[0] == 0
    assert seen(painter(occluders=[behind]).canvas(person, 0.0))[0] > 0


def test_a_persons_shadow_falls_away_from_the_sun_as_long_as_the_sun_is_low():
    """The sun stands left, so the shadow lies right of the person, and ends where the crown's does."""
    one = painter(WEST)
    canvas = one.canvas(crowd((0.0, 10.0)), 0.0)
    stature = one.appearance(0).stature
    ground = (canvas[..., 3] == 0) & (canvas[..., 0] < 110)
    columns = np.nonzero(ground)[1] / FINE
    tip, _ = CAMERA.project(np.array([stature * 0.8 / 0.6, 10.0, 0.0]))
    assert columns.max() == pytest.approx(tip[0], abs=3)
    assert columns.min() > CAMERA.project(np.array([-0.5, 10.0, 0.0]))[0][0]
    darkest = canvas[ground][:, :3].min(axis=0)
    np.testing.assert_allclose(darkest, 120 * (1 - 0.4 * np.array([1.0, 0.97, 0.9])), atol=2)  # bluish: the sky's light


def test_at_noon_the_shadow_lies_beneath():
    canvas = painter().canvas(crowd((0.0, 10.0)), 0.0)
    columns = np.nonzero((canvas[..., 3] == 0) & (canvas[..., 0] < 110))[1] / FINE
    assert np.abs(columns - SHAPE[1] / 2).max() < 0.6 * 170 / CAMERA.depth((0.0, 10.0))


def test_no_shadow_falls_on_walls():
    view, wall = np.full((*FINE_SHAPE, 3), 120, np.uint8), np.ones(FINE_SHAPE, bool)
    plan = Plan([Route(np.array([(0.0, 5.0), (0.0, 20.0)]), 2.0)], 0)
    canvas = Painter(Place(CAMERA, WEST, view, wall, plan), (0, 0), np.random.default_rng(0)).canvas(
        crowd((0.0, 10.0)), 0.0
    )
    assert (canvas[canvas[..., 3] == 0][:, :3] == 120).all()


def test_a_body_is_seen_in_its_middle():
    one = painter()
    moment = crowd((1.0, 9.0), (-2.0, 15.0))
    canvas = one.canvas(moment, 0.0)
    for k, (x, y) in enumerate(one.body_centre(moment, moment.position)):
        rows, columns = np.nonzero(canvas[..., 3] == k + 1)
        assert columns.mean() / FINE == pytest.approx(x, abs=1.0)
        assert rows.min() / FINE < y < rows.max() / FINE
        assert (y - rows.min() / FINE) / (np.ptp(rows) / FINE) == pytest.approx(0.45, abs=0.06)  # 0.55 up


def test_scale_is_that_of_a_metre_at_the_person():
    moment = crowd((0.0, 9.0))
    left, right = (CAMERA.project(np.array([x, 9.0, 1.0]))[0] for x in (-0.5, 0.5))
    assert painter().pixels_per_metre(moment)[0] == pytest.approx(right[0] - left[0])


def test_people_out_of_the_picture_are_not_drawn():
    canvas = painter().canvas(crowd((0.0, 9.0), (40.0, 9.0), (0.0, -3.0)), 0.0)
    assert (seen(canvas) > 0).tolist() == [True, False, False]


def test_a_vehicle_is_where_its_drive_has_brought_it():
    drive = Drive((-4.0, 14.0), (2.0, 0.0), (220, 30, 30), when=1.0)
    for time, x in ((1.0, -4.0), (2.5, -1.0)):
        canvas = painter(drives=[drive]).canvas(crowd(ELSEWHERE), time)
        red = np.flatnonzero((canvas[..., 0] > 2 * canvas[..., 2].astype(int)).any(axis=0)) / FINE
        assert red.mean() == pytest.approx(CAMERA.project(np.array([x, 14.0, 0.7]))[0][0], abs=3)
    far = painter(drives=[Drive((-4.0, 14.0), (60.0, 0.0), (220, 30, 30))])
    assert np.array_equal(far.canvas(crowd(ELSEWHERE), 2.0), painter().canvas(crowd(ELSEWHERE), 2.0)), "gone"


def test_a_tree_sways_on_a_trunk_that_stands():
    grown = tree(CAMERA, NOON, (0.0, 14.0), np.random.default_rng(0), height=6.0, spread=1.8)
    trunk = len(grown.trunk.polygons)
    moments = [grown.at(t).polygons for t in np.arange(0, 6, 0.25)]
    assert all(np.array_equal(p[0][0], q[0][0]) for p, q in zip(moments[0][:trunk], moments[7][:trunk], strict=True))
    crown = np.array([[outline.mean(axis=0) for outline, _ in polygons[trunk:]] for polygons in moments]) / 48  # px
    swing = np.ptp(crown[..., 0], axis=0)
    assert 0.5 < swing.max() < 2 * 0.3 * CAMERA.focal / 14, "some centimetres"
    high = crown[0, :, 1] < np.median(crown[0, :, 1])
    assert swing[high].mean() > 1.1 * swing[~high].mean(), "the top most"


def test_a_box_shows_the_faces_that_look_at_the_camera():
    """From above and in front: the top and one side; turned by 45 degrees the top and two; a high one no top."""
    for angle, height, faces in ((0.0, 1.0, 2), (np.pi / 4, 1.0, 3), (0.0, 6.0, 1)):
        assert len(box(CAMERA, NOON, (0.0, 10.0), (1.0, 1.0, height), (9, 9, 9), angle=angle).polygons) == faces
    for x, faces in ((-6.0, 3), (-0.9, 3), (-0.4, 2)):  # the side that looks right, once it is left of the camera
        assert len(box(CAMERA, NOON, (x, 10.0), (1.0, 1.0, 1.0), (9, 9, 9)).polygons) == faces
    assert len(cylinder(CAMERA, NOON, (0.0, 10.0), 0.5, 1.0, (9, 9, 9)).polygons) == 3
    assert len(cylinder(CAMERA, NOON, (0.0, 10.0), 0.5, 6.0, (9, 9, 9)).polygons) == 2


def test_several_solids_as_one_are_as_far_as_the_nearest_and_cast_all_shadows():
    near, far = (box(CAMERA, NOON, (0.0, y), (1.0, 1.0, 1.0), (9, 9, 9)) for y in (8.0, 12.0))
    both = together(far, near)
    assert both.depth == near.depth < far.depth
    assert len(both.polygons) == len(near.polygons) + len(far.polygons)
    assert len(both.casters) == 2


def test_lamps_of_a_car_are_white_in_front_and_red_behind():
    def colours(angle):
        return [tuple(c) for _, c in car(CAMERA, NOON, (0.0, 12.0), (60, 60, 60), angle=angle).polygons]

    coming, leaving = colours(-np.pi / 2), colours(np.pi / 2)
    red = [[r > 3 * max(g, b) for r, g, b, _ in polygons] for polygons in (coming, leaving)]
    assert not any(red[0])
    assert any(red[1])
    assert any(min(c[:3]) > 150 for c in coming)


@pytest.mark.slow
def test_a_walker_who_leaves_the_camera_moves_up_and_a_mirrored_scene_is_true_to_itself():
    """Positions and velocities of whole scenes, mirrored and not, follow the pixels: the body moves with them."""
    for seed in range(4):
        scene = render_scene("aerial", seed=seed, frames=6, shape=(120, 160), noise=0)
        moved = 0
        for k, (number, (x, _), velocity) in enumerate(
            zip(scene.ids[0], scene.position[0], scene.velocity[0], strict=True)
        ):
            later = np.flatnonzero(scene.ids[5] == number)
            columns = [np.nonzero(scene.instance[t] == i + 1)[1] for t, i in ((0, k), *((5, int(j)) for j in later))]
            if len(columns) == 2 and min(map(len, columns)) > 15 and abs(velocity[0]) > 0.25 and 12 < x < 148:
                moved += np.sign(columns[1].mean() - columns[0].mean()) == np.sign(velocity[0])
        assert moved >= 3
