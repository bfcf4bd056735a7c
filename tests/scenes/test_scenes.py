"""The synthetic scenes are what they claim: exact, repeatable, and like crowds."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
from scipy.ndimage import binary_closing
from scipy.spatial.distance import pdist

from mpas_lite import scenes
from mpas_lite.files.atomic import read_json
from mpas_lite.scenes.appearance import random_appearance
from mpas_lite.scenes.bodies import people_polygons
from mpas_lite.scenes.camera import FINE, Camera, Light, paint
from mpas_lite.scenes.crowd_region import crowd_region
from mpas_lite.scenes.pose import pose
from mpas_lite.scenes.renderer import SCENE_NAMES, render_scene
from mpas_lite.scenes.routes import Plan, Route
from mpas_lite.scenes.sensor import visible_people
from mpas_lite.scenes.walking import walk
from mpas_lite.video.images import read_image
from tests.helpers import ROOT

SMALL = (120, 160)
TOTAL_SAMPLE_BYTES = 3_000_000


@pytest.fixture(scope="module", params=SCENE_NAMES)
def scene(request: pytest.FixtureRequest) -> scenes.Scene:
    return render_scene(request.param, seed=5, frames=12)


@pytest.fixture(scope="module")
def crossing() -> scenes.Scene:
    return render_scene("crossing", seed=2, frames=8, shape=SMALL)


@pytest.mark.slow
def test_same_seed_same_bytes_and_shorter_clip_is_a_beginning(crossing):
    again = render_scene("crossing", seed=2, frames=3, shape=SMALL)
    assert np.array_equal(again.frames, crossing.frames[:3])
    assert np.array_equal(again.instance, crossing.instance[:3])
    assert np.array_equal(again.crowd, crossing.crowd[:3])
    for t in range(3):
        assert np.array_equal(again.ids[t], crossing.ids[t])
        assert np.array_equal(again.position[t], crossing.position[t])
        assert np.array_equal(again.velocity[t], crossing.velocity[t])


def test_other_seed_other_scene(crossing):
    other = render_scene("crossing", seed=3, frames=1, shape=SMALL)
    assert np.abs(other.frames[0].astype(int) - crossing.frames[0]).mean() > 5


@pytest.mark.slow
def test_shapes_types_and_truth_fit_together(scene):
    t, h, w = 12, 240, 320
    assert scene.frames.shape == (t, h, w, 3)
    assert scene.frames.dtype == np.uint8
    assert scene.person.shape == scene.crowd.shape == (t, h, w)
    assert scene.person.dtype == scene.crowd.dtype == bool
    assert not (scene.person & ~scene.crowd).any(), "the crowd region holds every person"
    assert len(scene) == len(scene.ids) == len(scene.position) == len(scene.velocity) == len(scene.paused) == t
    for ids, position, velocity, paused in zip(scene.ids, scene.position, scene.velocity, scene.paused, strict=True):
        assert len(ids) == len(position) == len(velocity) == len(paused) == len(set(ids.tolist()))
        assert ((position > -0.5) & (position < [w - 0.5, h - 0.5])).all()
    assert 0.005 < scene.person.mean() < 0.3


def test_every_walker_is_where_the_truth_says(scene):
    """The position lies on the walker's own visible pixels, or within an arm's width of them."""
    shown = near = 0
    for t in (0, 11):
        for k, (x, y) in enumerate(scene.position[t]):
            rows, columns = np.nonzero(scene.instance[t] == k + 1)
            if len(rows) < 12:
                continue  # hidden behind somebody or something
            shown += 1
            near += np.hypot(columns - x, rows - y).min() <= 3
    assert shown >= 4
    assert near >= 0.85 * shown  # those half hidden show only a part


def test_velocity_is_the_difference_of_positions(scene):
    compared = 0
    for t in range(len(scene) - 1):
        later = dict(zip(scene.ids[t + 1].tolist(), scene.position[t + 1], strict=True))
        for i, x, v in zip(scene.ids[t].tolist(), scene.position[t], scene.velocity[t], strict=True):
            if i in later:
                assert later[i] - x == pytest.approx(v, abs=1e-3)
                compared += 1
    assert compared > 40


def test_velocity_has_the_camera_s_shake_in_it():
    scene = render_scene("aerial", seed=7, frames=3, shape=SMALL, noise=0, camera_shake_px=3.0)
    for t in (0, 1):
        later = dict(zip(scene.ids[t + 1].tolist(), scene.position[t + 1], strict=True))
        moved = [
            (later[i] - x, v)
            for i, x, v in zip(scene.ids[t].tolist(), scene.position[t], scene.velocity[t], strict=True)
            if i in later
        ]
        difference, velocity = np.array(moved).swapaxes(0, 1)
        np.testing.assert_allclose(velocity, difference, atol=1e-3)
        assert np.abs(velocity).max() > 1, "it shakes"


def test_those_who_stand_hardly_move_in_the_picture(scene):
    for v, paused in zip(scene.velocity, scene.paused, strict=True):
        assert np.linalg.norm(v[paused], axis=1).max(initial=0) < 0.25  # 0.1 m/s at 50 px/m and 25 fps, at most


def test_pixels_change_where_and_only_where_something_is_drawn():
    """Without noise, light and movement the frame outside of people and their shadows is the background."""
    camera = Camera((120, 160), 6.0, 0.5, 170.0)
    light = Light(np.array([0.0, 0.0, 1.0]), 0.3, 1.0, np.ones(3))
    rng = np.random.default_rng(0)
    people = [random_appearance(rng) for _ in range(5)]
    ground = np.stack([np.linspace(-3, 3, 5), np.linspace(9, 14, 5)], 1)
    zero = np.zeros(5)
    towards_us = zero - np.pi / 2
    centre, radius = pose(
        people, ground, towards_us, zero, zero, 0.0, running=np.zeros(5, bool), cheering=np.zeros(5, bool)
    )
    canvas = np.full((120 * FINE, 160 * FINE, 4), 77, np.uint8)
    canvas[..., 3] = 0
    for body in people_polygons(camera, light, people, centre, radius, np.arange(1, 6)):
        paint(canvas, body)
    painted = (canvas[..., :3] != 77).any(-1)
    assert (painted & (canvas[..., 3] == 0)).sum() == 0
    assert ((canvas[..., 3] > 0) & ~painted).sum() <= 0.002 * painted.sum()  # clothes that happen to be 77
    feet, _ = camera.project(np.c_[ground, zero])
    heads, _ = camera.project(np.c_[ground, [p.stature for p in people]])
    for k in range(5):  # as tall as pinhole and stature say, soles to crown
        rows, columns = np.nonzero(canvas[..., 3] == k + 1)
        assert rows.max() / FINE == pytest.approx(feet[k, 1], abs=1.6)
        assert rows.min() / FINE == pytest.approx(heads[k, 1], abs=1.6)
        face = columns[rows < rows.min() + 0.12 * np.ptp(rows)]
        assert face.mean() / FINE == pytest.approx(heads[k, 0], abs=1.6)


def test_mask_is_the_half_covered_pixels():
    """The person mask against a plain count of the fine samples."""
    rng = np.random.default_rng(4)
    canvas = np.zeros((SMALL[0] * FINE, SMALL[1] * FINE, 4), np.uint8)
    canvas[..., 3] = cv2.resize((rng.random((40, 60)) < 0.4).astype(np.uint8), (480, 360)) * 7
    who = visible_people(canvas)
    count = (canvas[..., 3] > 0).reshape(SMALL[0], FINE, SMALL[1], FINE).sum((1, 3))
    assert np.array_equal(who > 0, count >= FINE * FINE / 2)
    assert set(np.unique(who)) == {0, 7}


def test_crowd_closes_gaps_narrower_than_a_person_only():
    instance = np.zeros((60, 120), np.uint8)
    instance[20:50, 10:20] = 1
    instance[20:50, 26:36] = 2  # 6 px away: at 20 px/m a person is 10 px wide
    instance[20:50, 60:70] = 3  # 24 px away
    region = crowd_region(instance, np.array([20.0, 20.0, 20.0]))
    assert region[35, 20:26].all()
    assert not region[35, 38:58].any()
    assert not region[:18].any(), "closing adds nothing outside"
    nearer = crowd_region(instance, np.array([60.0, 60.0, 60.0]))  # a person is 30 px wide there
    assert nearer[35, 36:60].all()
    assert not crowd_region(np.zeros((9, 9), np.uint8), np.zeros(0)).any()


def test_crowd_of_one_distance_is_a_closing_beyond_the_edges_of_the_picture():
    """Against scipy, with the picture in the middle of an empty one: people stand at the edges, too."""
    instance = np.zeros((60, 90), np.uint8)
    for k, (top, left) in enumerate([(0, 0), (14, 0), (30, 20), (30, 34), (50, 80), (48, 66)]):
        instance[top : top + 10, left : left + 8] = k + 1
    region = crowd_region(instance, np.full(6, 30.0))
    middle, expected = 30.0, np.pad(instance > 0, 40)
    while middle <= 30 * np.sqrt(1.5):
        radius = round(0.25 * middle)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(bool)
        expected |= binary_closing(np.pad(instance > 0, 40), disc)
        middle *= np.sqrt(1.5)
    np.testing.assert_array_equal(region, expected[40:-40, 40:-40])


@pytest.mark.slow
def test_walkers_keep_their_distance_and_walk_as_people_do():
    """Weidmann's 1.34 +- 0.26 m/s, a part that pauses, and never nearer than two bodies."""
    route = [
        Route(np.array([(-20.0, 0.0), (20.0, 0.0)]), 8.0),
        Route(np.array([(0.0, -20.0), (0.0, 20.0)]), 8.0),
    ]
    nearest, speed, standing = [], [], []
    for seed in range(4):
        crowd = walk(Plan(route, 40), np.random.default_rng(seed), fps=25, pause_fraction=0.25)
        for t, moment in zip(range(100), crowd, strict=False):
            if t % 10 == 0:
                nearest.append(pdist(moment.position).min())
                standing.append(moment.standing.mean())
                speed.append(np.linalg.norm(moment.step, axis=1)[~moment.standing].mean() * 25)
    assert min(nearest) > 0.35
    assert np.mean(speed) == pytest.approx(1.3, abs=0.15)
    assert np.mean(standing) == pytest.approx(0.25, abs=0.1)


def test_nobody_pauses_if_so_asked():
    crowd = walk(
        Plan([Route(np.array([(-20.0, 0.0), (20.0, 0.0)]), 8.0)], 8),
        np.random.default_rng(0),
        fps=25,
        pause_fraction=0.0,
    )
    assert not any(next(crowd).standing.any() for _ in range(25))


def test_background_offers_corners_where_nobody_is(scene):
    grey = cv2.cvtColor(scene.frames[0], cv2.COLOR_RGB2GRAY)
    empty = (~cv2.dilate(scene.crowd[0].astype(np.uint8), np.ones((9, 9))).astype(bool)).astype(np.uint8)
    corner = cv2.goodFeaturesToTrack(grey, 400, 0.02, 5, mask=empty)
    assert corner is not None
    assert len(corner) > 60


@pytest.mark.slow
def test_camera_shake_moves_picture_and_truth_together():
    still = render_scene("aerial", seed=7, frames=4, shape=SMALL, noise=0)
    shaken = render_scene("aerial", seed=7, frames=4, shape=SMALL, noise=0, camera_shake_px=3.0)
    for t in range(4):
        there = dict(zip(still.ids[t].tolist(), still.position[t], strict=True))
        moved = [x - there[i] for i, x in zip(shaken.ids[t].tolist(), shaken.position[t], strict=True) if i in there]
        assert np.ptp(np.array(moved), axis=0).max() < 1e-3
        seen, _ = cv2.phaseCorrelate(
            *(cv2.cvtColor(s.frames[t], cv2.COLOR_RGB2GRAY).astype(np.float32) for s in (still, shaken))
        )
        assert seen == pytest.approx(moved[0], abs=0.5)


def test_write_scene_and_read_it_back(tmp_path, crossing):
    folder = scenes.write_scene(crossing, tmp_path / "clip", truth_every=4, video="video.mkv")
    assert [p.name for p in sorted((folder / "truth/person").iterdir())] == ["000000.png", "000004.png"]
    for t in (0, 4):
        for kind, mask in (("person", crossing.person[t]), ("crowd", crossing.crowd[t])):
            assert np.array_equal(read_image(folder / f"truth/{kind}/{t:06d}.png", grey=True), mask * np.uint8(255))
    video = cv2.VideoCapture(str(folder / "video.mkv"))
    for frame in crossing.frames:
        ok, read = video.read()
        assert ok
        assert np.abs(read[..., ::-1].astype(int) - frame).mean() < 1
    rows = list(csv.DictReader((folder / "walkers.csv").open()))
    assert len(rows) == len(crossing.ids[0]) + len(crossing.ids[4])
    assert float(rows[0]["x"]) == pytest.approx(crossing.position[0][0, 0], abs=0.01)
    facts = read_json(folder / "scene.json")
    assert facts["name"] == "crossing"
    assert facts["frames"] == 8


@pytest.mark.slow
def test_benchmark_splits_do_not_overlap_and_resume(tmp_path):
    options = {"clips_per_kind": 1, "frames": 2, "shape": SMALL, "names": ["aerial"]}
    made = [scenes.render_benchmark(tmp_path, split=s, **options)[0] for s in scenes.SPLITS]
    assert len({read_json(m / "scene.json")["seed"] for m in made}) == len(scenes.SPLITS)
    before = (made[1] / "video.mp4").stat().st_mtime_ns
    scenes.render_benchmark(tmp_path, split="train", **options)
    assert (made[1] / "video.mp4").stat().st_mtime_ns == before, "a complete clip is kept"
    content = (made[1] / "video.mp4").read_bytes()
    for name in ("scene.json", "video.mp4"):
        (made[1] / name).unlink()
    scenes.render_benchmark(tmp_path, split="train", **options)
    assert (made[1] / "scene.json").exists()
    assert (made[1] / "video.mp4").read_bytes() == content, "an unfinished one is made anew"


def test_bundled_clips_are_small_and_whole():
    root = ROOT / "data_samples"
    assert sum(f.stat().st_size for f in root.rglob("*") if f.is_file()) <= TOTAL_SAMPLE_BYTES
    assert set(scenes.sample_names()) == set(SCENE_NAMES)
    for name in scenes.sample_names():
        folder = scenes.sample_path(name)
        facts = read_json(folder / "scene.json")
        video = cv2.VideoCapture(str(folder / facts["video"]))
        count = 0
        while video.read()[0]:
            count += 1
        assert count == facts["frames"]
        masks = sorted((folder / "truth/crowd").iterdir())
        assert [int(m.stem) for m in masks] == list(range(0, count, facts["truth_every"]))
        for m in masks[:2]:
            crowd, person = read_image(m, grey=True), read_image(folder / "truth/person" / m.name, grey=True)
            assert set(np.unique(crowd)) <= {0, 255}
            assert (crowd >= person).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: render_scene("mall"), "no scene 'mall'. Choose one of aerial"),
        (lambda: render_scene("aerial", frames=0), "frames at least 1"),
        (lambda: render_scene("aerial", shape=(3, 4)), "not .height, width."),
        (lambda: render_scene("aerial", pause_fraction=1.0), "pause_fraction=1.0"),
        (lambda: scenes.sample_path("Crossing"), "no bundled clip 'Crossing'. There are: aerial"),
        (lambda: scenes.render_benchmark("x", split="dev"), "no split 'dev'"),
        (lambda: scenes.render_benchmark("x", clips_per_kind=0), "clips_per_kind=0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
