"""Refined labels against hand-made clips whose truth is known by construction, and on real and bundled ones."""

import cv2
import numpy as np
import pytest

from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.scores import iou
from mpas_lite.labels.frames import label_frames
from mpas_lite.labels.refine.pipeline import refine_clip
from mpas_lite.labels.refine.survey import working_frame, working_scale
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import Particles
from mpas_lite.scenes.samples import sample_path
from mpas_lite.video.reader import read_video
from tests.helpers import texture
from tests.labels.refine.hand_made import HEIGHT, WIDTH, discs, floor, refined, score, walk


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_people_on_real_video(real_data):
    """CDnet's pedestrians: person IoU of the labels against the published ground truth."""
    from mpas_lite import LabelSettings, read_video
    from mpas_lite.evaluation.ground_truth import truth_of
    from mpas_lite.evaluation.scores import score_masks
    from mpas_lite.labels.frames import label_frames

    video = read_video(real_data / "cdnet_pedestrians" / "input")
    settings = LabelSettings.ours(every=20)
    kept = list(label_frames(video, settings))
    found = [(k.particles, k.labels) for k in kept]
    _, labels = refine_clip(((k.index, k.frame) for k in kept), found, [k.frame for k in kept], radius=1 / 60)
    truth = truth_of(video, real_data / "cdnet_pedestrians" / "groundtruth")
    refined_score = score_masks(((label.index, label.mask) for label in labels), truth).pooled
    assert refined_score > 0.7
    assert refined_score > score_masks(((k.index, k.mask) for k in kept), truth).pooled + 0.3


def circles_and_refined(frames, truth):
    """IoU of the paper's labels and of the refined ones over the frames with truth; and the survey's sentences."""
    settings = LabelSettings.ours(every=10)
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
