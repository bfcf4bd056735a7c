"""Refined labels against hand-made clips whose truth is known by construction."""

import cv2
import numpy as np
import pytest

from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.circles import circular_region_merging
from mpas_lite.labels.frames import label_frames
from mpas_lite.labels.refine.background import densest_value, estimate_background
from mpas_lite.labels.refine.camera import camera_motion
from mpas_lite.labels.refine.foreground import foreground_mask, shadows
from mpas_lite.labels.refine.light import apply_illumination, light_change
from mpas_lite.labels.refine.not_crowd import swaying, vehicles
from mpas_lite.labels.refine.outline import close_gaps, distance_to, doubtful
from mpas_lite.labels.refine.person_size import PersonSize, person_size
from mpas_lite.labels.refine.pipeline import refine_clip
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.refine.survey import FrameSampler, working_frame, working_scale
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import Particles
from mpas_lite.scenes.samples import sample_path
from mpas_lite.video.reader import read_video
from tests.helpers import texture

HEIGHT, WIDTH = 120, 160
PERSON = PersonSize(0.0, 30.0)


def floor(seed=1):
    """A coloured, textured floor, (H, W, 3) float."""
    grey = texture(HEIGHT, WIDTH, seed).astype(float) * 0.5 + 70
    return np.stack([grey, grey * 0.95, grey * 0.85], axis=-1)


def walk(count=32, *, speed=4, stand=None, noise=1.5, light=None, shadow=False, seed=0, width=8):
    """Somebody in red walks over a floor; frames, true masks and his particles.

    ``stand`` is a range of frames in which he does not move; ``light`` a gain for each frame.
    """
    rng = np.random.default_rng(seed)
    base, frames, masks, found = floor(), [], [], []
    x = 4.0
    for t in range(count):
        halted = stand is not None and t in stand
        picture, mask = base.copy(), np.zeros((HEIGHT, WIDTH), bool)
        left = round(x)
        if shadow:
            picture[84:90, left + width : left + width + 24] *= 0.6
        mask[60:90, left : left + width] = True
        picture[mask] = (150, 40, 50)
        frames.append(
            np.uint8((picture * (1 if light is None else light[t]) + rng.normal(0, noise, base.shape)).clip(0, 255))
        )
        masks.append(mask)
        y, xs = np.mgrid[62:90:4, left : left + width : 3]
        position = np.c_[xs.ravel(), y.ravel()].astype(np.float32)
        velocity = np.tile(np.float32([0 if halted else speed, 0]), (len(position), 1))
        moving = slice(0, 0) if halted else slice(None)
        found.append((Particles(position[moving], velocity[moving], t), np.ones(len(position[moving]), int)))
        x += 0 if halted else speed
    return np.stack(frames), np.stack(masks), found


def refined(frames, found, **changes):
    survey, labels = refine_clip(enumerate(frames), found, list(frames), radius=5, settings=Refinement(**changes))
    return survey, list(labels)


def score(labels, masks):
    return iou(np.stack([label.mask for label in labels]), masks)


def discs(found):
    return np.stack([circular_region_merging(p.position[g > 0], 5, (HEIGHT, WIDTH)) for p, g in found])


# ------------------------------------------------------------------------------------------------- background


def test_the_densest_value_is_the_median_of_the_shorth():
    samples = np.random.default_rng(0).integers(0, 255, (21, 40), dtype=np.uint8)
    found = densest_value(samples, part=0.5)
    for column, value in zip(np.sort(samples, axis=0).T.astype(int), found, strict=True):
        size = max(3, round(0.5 * 21))
        widths = [column[i + size - 1] - column[i] for i in range(21 - size + 1)]
        first = int(np.argmin(widths))
        assert value == column[first + size // 2]


def test_a_place_covered_more_than_half_of_the_time_keeps_its_background():
    rng = np.random.default_rng(0)
    samples = rng.integers(90, 110, (30, 20, 20, 3)).astype(np.uint8)  # ground
    samples[:17] = rng.integers(0, 80, (17, 1, 1, 3))  # 17 of 30 samples: each time someone else
    assert np.abs(densest_value(samples).astype(int) - 100).max() <= 12
    assert np.abs(np.median(samples, axis=0) - 100).max() > 12


@pytest.mark.parametrize(("gain", "offset"), [(1.3, 0), (0.7, 10), (1.0, -15)])
def test_a_change_of_light_is_measured_although_people_cover_a_quarter(gain, offset):
    background = floor().astype(np.uint8)
    frame = (background * gain + offset).clip(0, 255).astype(np.uint8)
    frame[:, :40] = (200, 30, 90)
    lit = apply_illumination(background, *light_change(frame, background))
    assert np.abs(lit[:, 45:].astype(int) - frame[:, 45:]).max() <= 3


def test_a_frame_with_another_picture_changes_no_light():
    background, other = texture(60, 80, 1), texture(60, 80, 2)
    three = [np.repeat(grey[..., None], 3, axis=2) for grey in (other, background)]
    gain, _ = light_change(*three)
    assert np.all((gain == 1) | (np.abs(gain) < 2))


def test_noise_alone_differs_nowhere():
    rng = np.random.default_rng(0)
    for sigma in (1, 4, 12):
        frames = (floor() + rng.normal(0, sigma, (24, HEIGHT, WIDTH, 3))).clip(0, 255).astype(np.uint8)
        background = estimate_background(frames)
        assert foreground_mask(frames[3], background, low=10, high=20).mean() < 1e-3
        assert background.known.all()
        assert 0.15 * sigma < background.noise.min() < 0.8 * sigma + 0.6  # sigma / 3 after a mean of nine


def test_shadows_are_dark_ground_and_a_coat_is_not():
    frames, masks, _ = walk(shadow=True)
    background = estimate_background(frames)
    differs = foreground_mask(frames[10], background, low=10, high=20)
    shadow = shadows(frames[10], background)
    x = 4 + 40 + 8
    assert differs[85:89, x + 2 : x + 22].mean() > 0.95
    assert shadow[85:89, x + 2 : x + 22].mean() > 0.95
    assert shadow[masks[10]].mean() < 0.2


def test_a_shaking_camera_is_followed_and_a_panning_one_is_refused():
    wide = np.repeat(texture(200, 300)[..., None], 3, axis=2)
    jumps = np.random.default_rng(0).integers(-3, 4, (12, 2))
    jumps[6] = 0
    shaken = [wide[40 + dy : 160 + dy, 60 + dx : 220 + dx] for dx, dy in jumps]
    motion = camera_motion(shaken)
    assert np.abs(motion[:, :, 2] - jumps).max() < 0.3
    assert camera_motion([wide[40:160, 10 * k : 160 + 10 * k] for k in range(14)]) is None


def test_a_still_camera_is_still_in_another_light_and_without_anything_to_see():
    picture = floor()
    lit = [np.uint8((picture * gain).clip(0, 255)) for gain in np.linspace(0.6, 1.4, 12)]
    assert np.abs(camera_motion(lit)[:, :, 2]).max() < 0.3
    assert np.array_equal(camera_motion([np.full((60, 80, 3), 90, np.uint8)] * 8), np.repeat(np.eye(2, 3)[None], 8, 0))


# ------------------------------------------------------------------------------------------------- the labels


def test_labels_fit_a_person_far_better_than_discs():
    frames, masks, found = walk()
    _, labels = refined(frames, found)
    assert score(labels, masks) > 0.75
    assert score(labels, masks) > iou(discs(found), masks) + 0.2
    assert [label.index for label in labels] == list(range(len(frames)))


@pytest.mark.parametrize(
    "options",
    [{"shadow": True}, {"light": 1 + 0.25 * np.sin(np.arange(32) / 5)}, {"noise": 6.0}],
    ids=["shadow", "light", "noise"],
)
def test_labels_stand_shadows_changing_light_and_noise(options):
    frames, masks, found = walk(**options)
    assert score(refined(frames, found)[1], masks) > 0.65


def test_each_step_helps_where_it_should():
    frames, masks, found = walk(shadow=True)
    assert score(refined(frames, found)[1], masks) > score(refined(frames, found, shadows=False)[1], masks) + 0.1


def test_who_stops_keeps_the_label_forward_and_backward():
    frames, masks, found = walk(stand=range(12, 22), speed=5)
    halt = slice(12, 22)
    without = refined(frames, found, standing=False)[1]
    assert not any(label.mask.any() for label in without[halt])
    labels = refined(frames, found)[1]
    assert score(labels[halt], masks[halt]) > 0.7
    # before he has ever moved he is labelled too, from the frames after
    frames, masks, found = walk(stand=range(0, 10), speed=5)
    assert score(refined(frames, found)[1][:10], masks[:10]) > 0.6


def test_a_person_who_leaves_is_not_labelled_any_longer():
    frames, masks, found = walk(count=30, stand=range(10, 16), speed=6)
    labels = refined(frames, found)[1]
    gone = masks[12] & ~masks[25]
    assert labels[25].mask[gone].mean() < 0.05


def test_without_a_background_the_papers_discs_stay():
    frames, _, found = walk(count=6)
    survey, labels = refined(frames, found)
    assert survey.background is None
    assert "too few" in survey.notes[0]
    assert np.array_equal(np.stack([label.mask for label in labels]), discs(found))
    assert all(label.valid.all() for label in labels)
    frames, _, found = walk()
    _, labels = refined(frames, found, background=False)
    assert np.array_equal(np.stack([label.mask for label in labels]), discs(found))


def test_a_panning_camera_gets_discs_and_a_sentence():
    wide = np.repeat(texture(HEIGHT, 600)[..., None], 3, axis=2)
    frames = np.stack([wide[:, 12 * t : 12 * t + WIDTH] for t in range(30)])
    found = walk(count=30)[2]
    survey, labels = refined(frames, found)
    assert "camera moves" in survey.notes[0]
    assert np.array_equal(np.stack([label.mask for label in labels]), discs(found))


def test_a_shaking_camera_gets_labels_nearly_as_good():
    frames, masks, found = walk()
    jumps = np.random.default_rng(3).integers(-3, 4, (len(frames), 2))

    def shaken(pictures):
        return np.stack([np.roll(p, tuple(j[::-1]), (0, 1)) for p, j in zip(pictures, jumps, strict=True)])

    moved = [
        (Particles(p.position + j.astype(np.float32), p.velocity, p.frame), g)
        for (p, g), j in zip(found, jumps, strict=True)
    ]
    survey, labels = refined(shaken(frames), moved)
    assert survey.shakes
    assert score(labels, shaken(masks)) > 0.65


def test_a_crowd_that_hides_the_ground_keeps_its_discs():
    rng = np.random.default_rng(0)
    frames, _, _ = walk(count=24)
    frames[:, 60:] = rng.integers(0, 255, (24, 60, WIDTH, 3))  # never the same twice
    position = np.float32([[x, y] for y in range(70, 120, 6) for x in range(4, WIDTH, 6)])
    found = [
        (Particles(position, np.tile(np.float32([2, 0]), (len(position), 1)), t), np.ones(len(position), int))
        for t in range(24)
    ]
    survey, labels = refined(frames, found, camera=False)
    assert not survey.background.known[62:].any()
    plain = discs(found)[0]
    assert labels[5].mask[plain].mean() > 0.98


def test_nobody_moves_nothing_is_labelled():
    rng = np.random.default_rng(0)
    frames = (floor() + rng.normal(0, 2, (20, HEIGHT, WIDTH, 3))).clip(0, 255).astype(np.uint8)
    none = [
        (Particles(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), t), np.zeros(0, int)) for t in range(20)
    ]
    survey, labels = refined(frames, none)
    assert not any(label.mask.any() for label in labels)
    assert survey.speed == 0
    black = np.zeros_like(frames)
    assert not any(label.mask.any() for label in refined(black, none)[1])


def test_a_clip_of_one_frame_and_of_none():
    frames, _, found = walk(count=1)
    assert np.array_equal(refined(frames, found)[1][0].mask, discs(found)[0])
    survey, labels = refine_clip([], [], [], radius=5)
    assert list(labels) == []
    assert survey.notes


def test_large_frames_are_worked_on_small_and_given_back_large():
    frames, masks, found = walk()
    large = [cv2.resize(frame, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST) for frame in frames]
    scale = working_scale(large[0].shape[:2])
    assert working_frame(large[0]).shape[:2] == (360, 480)
    many = [(Particles(p.position * 6, p.velocity * 6, p.frame), g) for p, g in found]
    _, labels = refine_clip(enumerate(large), many, [working_frame(f) for f in large], radius=30, scale=scale)
    labels = list(labels)
    assert labels[0].mask.shape == large[0].shape[:2] == labels[0].valid.shape
    truth = np.stack(
        [cv2.resize(m.astype(np.uint8), None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST) > 0 for m in masks]
    )
    assert score(labels, truth) > 0.75


def test_samples_are_spread_evenly_whatever_the_length():
    for length in (1, 20, 64, 65, 500, 3000):
        spread = FrameSampler()
        for t in range(length):
            spread.add(np.full((2, 2, 3), (t // 256, t % 256, 0), np.uint8))
        times = np.array([f[0, 0, 0] * 256 + f[0, 0, 1] for f in np.int32(spread.frames)])
        assert min(length, 32) <= len(times) <= 64
        assert times[0] == 0
        assert len(np.unique(np.diff(times))) <= 1
        assert length - times[-1] <= 2 * max(1, length // 32)


# ------------------------------------------------------------------------------------------------- single steps


def test_the_size_of_people_is_found_from_slender_regions():
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(20):
        mask = np.zeros((240, 320), bool)
        foot = int(rng.integers(80, 230))
        tall = round(0.2 * foot + 10)
        x = int(rng.integers(20, 280))
        mask[foot - tall : foot, x : x + tall // 3] = True
        mask[20:30, 100:160] = True  # a car is no person
        frames.append(mask)
    person = person_size(frames)
    assert person.reason is None
    assert np.allclose(person.height(np.array([100, 200])), [30, 50], rtol=0.08)


def test_without_slender_regions_the_size_is_the_same_everywhere():
    person = person_size([np.zeros((240, 320), bool)] * 10)
    assert person.reason
    assert person.height(np.array([10, 200])).tolist() == [30, 30]


@pytest.mark.parametrize(("wide", "pace", "expected"), [(40, 5.0, True), (40, 1.0, False), (10, 5.0, False)])
def test_a_vehicle_is_wide_and_fast(wide, pace, expected):
    foreground = np.zeros((HEIGHT, WIDTH), bool)
    foreground[50:65, 30 : 30 + wide] = True
    position = np.array([[30 + f * wide, y] for f in (0.2, 0.4, 0.6, 0.8) for y in (52, 57, 62)])
    velocity = np.tile([pace, 0.0], (len(position), 1))
    found = vehicles(foreground, position, velocity, PERSON, speed=1.0 / 30)
    assert found[57, 30 + wide // 2] == expected


def test_what_sways_is_told_from_people_who_come_and_go():
    rng = np.random.default_rng(0)
    tree, walkers = np.array([[20.0, 20.0]]), np.array([[100.0, 60.0]])
    clip = []
    for t in range(30):
        to_and_fro = np.array([[0.4 * np.sin(t), 0.0]])
        people = np.array([[1.0 if rng.random() < 0.5 else -1.0, 0.0]])
        clip.append((np.concatenate([tree, walkers]), np.concatenate([to_and_fro, people])))
    found = swaying(clip, PERSON, 1.0 / 30, (HEIGHT, WIDTH))
    assert found[20, 20]
    assert not found[60, 100]


def test_closing_joins_over_gaps_narrower_than_asked():
    mask = np.zeros((60, 80), bool)
    mask[20:40, 10:30] = mask[20:40, 36:60] = True  # a gap of 6 px
    tall = np.full((60, 1), 40.0)
    assert close_gaps(mask, tall, 0.25)[30, 30:36].all()
    assert not close_gaps(mask, tall, 0.1)[30, 33]
    assert np.array_equal(close_gaps(mask, tall, 0.0), mask)


def test_tidied_never_loses_more_than_specks():
    mask = np.random.default_rng(0).random((60, 80)) < 0.02
    mask[10:40, 10:20] = True
    clean = close_gaps(mask, np.full((60, 1), 40.0), 0.0)
    assert clean[10:40, 10:20].all()
    assert not clean[:, 30:].any()
    everything = np.ones((60, 80), bool)
    assert close_gaps(everything, np.full((60, 1), 40.0), 0.2).all()


def test_doubt_lies_along_the_border_and_on_unlabelled_things():
    mask, foreground = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    mask[20:40, 20:40] = True
    foreground[20:40, 60:70] = True
    doubt = doubtful(mask, foreground | mask, np.full((60, 1), 30.0))
    assert doubt[30, 20]
    assert doubt[30, 19]
    assert doubt[30, 65]
    assert not doubt[30, 30]
    assert not doubt[5, 5]


def test_distances_are_euclidean_to_a_few_percent():
    position = np.random.default_rng(0).uniform(0, 60, (7, 2))
    y, x = np.mgrid[:60, :60]
    exact = np.min([np.hypot(x - np.rint(px), y - np.rint(py)) for px, py in position], axis=0)
    assert np.allclose(distance_to(position, (60, 60)), exact, rtol=0.03, atol=0.1)
    assert np.isinf(distance_to(np.zeros((0, 2)), (5, 5))).all()


@pytest.mark.slow
def test_people_on_real_video(real_data):
    """CDnet's pedestrians: person IoU of the labels against the published ground truth."""
    from mpas_lite import LabelSettings, read_video
    from mpas_lite.evaluation.ground_truth import truth_of
    from mpas_lite.evaluation.scores import score_masks
    from mpas_lite.labels.frames import label_frames

    video = read_video(real_data / "cdnet_pedestrians" / "input")
    settings = LabelSettings(every=20, radius=1 / 60, quality=0.02, min_distance=2.0)
    kept = list(label_frames(video, settings))
    found = [(k.particles, k.labels) for k in kept]
    _, labels = refine_clip(((k.index, k.frame) for k in kept), found, [k.frame for k in kept], radius=1 / 60)
    truth = truth_of(video, real_data / "cdnet_pedestrians" / "groundtruth")
    refined_score = score_masks(((label.index, label.mask) for label in labels), truth).pooled
    assert refined_score > 0.7
    assert refined_score > score_masks(((k.index, k.mask) for k in kept), truth).pooled + 0.3


# ------------------------------------------------------------------------------------------------- whole scenes


def circles_and_refined(frames, truth):
    """IoU of the paper's labels and of the refined ones over the frames with truth; and the survey's sentences."""
    settings = LabelSettings(every=10, radius=1 / 60, quality=0.02, min_distance=2.0)
    kept = [one for one in label_frames(frames, settings) if one.index in truth]
    survey, labels = refine_clip(
        ((one.index, one.frame) for one in kept),
        [(one.particles, one.labels) for one in kept],
        frames[::2],
        radius=settings.radius,
    )
    target = np.stack([truth[one.index] for one in kept])
    plain = iou(np.stack([one.mask for one in kept]), target)
    return plain, iou(np.stack([label.mask for label in labels]), target), survey


def sample(name):
    """A bundled clip's frames, and its crowd masks by index."""
    video = read_video(sample_path(name))
    frames = np.stack([frame for _, frame in video])
    files = truth_of(video, sample_path(name) / "truth" / "crowd")
    return frames, {index: read_ground_truth(path)[0] for index, path in files.items()}


def seen_through(window, frames, truth, offsets):
    """The clip as a camera sees it that looks at a window (height, width) of it from another place in each frame."""
    height, width = window

    def cut(picture, t):
        x, y = offsets[t]
        return picture[y : y + height, x : x + width]

    return np.stack([cut(f, t) for t, f in enumerate(frames)]), {t: cut(mask, t) for t, mask in truth.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crossing", "group_split"])
def test_a_camera_that_shakes_or_pans_never_costs_anything(name):
    frames, truth = sample(name)
    height, width = frames.shape[1:3]
    jumps = np.random.default_rng(0).integers(0, 7, (len(frames), 2))
    plain, refined_score, survey = circles_and_refined(*seen_through((height - 6, width - 6), frames, truth, jumps))
    assert survey.shakes
    assert refined_score > plain + 0.1
    pan = np.c_[np.linspace(0, width // 3, len(frames)).round().astype(int), np.zeros(len(frames), int)]
    plain, refined_score, survey = circles_and_refined(*seen_through((height, width - width // 3), frames, truth, pan))
    assert refined_score >= plain - 0.02
    assert survey.background is not None or "camera moves" in survey.notes[0]


@pytest.mark.slow
def test_a_crowd_that_never_leaves_the_ground_free_costs_nothing():
    """Where runners cover the ground all the time the circles stay, and a sentence says why."""
    frames, truth = sample("marathon_bend")
    covered = np.mean(list(truth.values()), axis=0, dtype=np.float32)
    window = (64, 64)
    sums = cv2.boxFilter(covered, -1, window, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    y, x = np.unravel_index(sums.argmax(), sums.shape)
    inside, masks = seen_through(window, frames, truth, [(x, y)] * len(frames))
    assert np.mean(list(masks.values())) > 0.6
    plain, refined_score, survey = circles_and_refined(inside, masks)
    assert survey.notes
    assert refined_score >= plain - 0.02
