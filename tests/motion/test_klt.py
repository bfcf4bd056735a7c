from itertools import islice, pairwise

import numpy as np
import pytest

from mpas_lite.motion.klt import _needed, find_corners, follow, particles_of_window, track, windows
from mpas_lite.video.reader import read_video
from tests.helpers import texture


def test_particles_lie_on_what_moves_and_have_its_velocity(moving_square):
    kept = list(track(moving_square, every=10))
    assert [p.frame for p in kept] == [0, 10, 20]
    for p in kept:
        assert len(p) >= 10
        left = 10 + 2 * p.frame
        # A corner of the floor less than half of Lucas-Kanade's 15 px from the square may be dragged along.
        inside = (p.position >= (left - 8, 32)).all(1) & (p.position <= (left + 48, 88)).all(1)
        assert inside.mean() > 0.95
        # Those whose window lies wholly on the square see nothing but its motion.
        within = (p.position >= (left + 8, 48)).all(1) & (p.position <= (left + 32, 72)).all(1)
        assert within.sum() >= 5
        np.testing.assert_allclose(np.median(p.velocity[within], axis=0), (2, 0), atol=0.02)


@pytest.mark.parametrize("shift", [(3.0, 0.0), (0.0, -2.0), (0.4, 0.3), (-1.5, 2.5)])
def test_velocity_of_a_known_shift_in_px_per_frame(shift):
    import cv2

    picture = texture(200, 240)
    frames = []
    for t in range(6):
        move = np.float32([[1, 0, t * shift[0]], [0, 1, t * shift[1]]])
        moved = cv2.warpAffine(picture, move, (240, 200), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        frames.append(np.repeat(moved[40:-40, 40:-40, None], 3, axis=2))
    p = particles_of_window(frames)
    assert len(p) > 50
    np.testing.assert_allclose(np.median(p.velocity, axis=0), shift, atol=0.02)
    assert np.quantile(np.linalg.norm(p.velocity - shift, axis=1), 0.9) < 0.1


def test_static_corners_are_no_particles_even_when_the_sensor_trembles():
    floor = texture(120, 160).astype(float)
    rng = np.random.default_rng(0)
    frames = [np.uint8((floor + rng.normal(0, 3, floor.shape)).clip(0, 255))[..., None].repeat(3, 2) for _ in range(6)]
    assert len(find_corners(frames[0][..., 0])) > 50
    assert len(particles_of_window(frames)) <= 2


def test_a_point_that_is_covered_does_not_come_home(moving_square):
    greys = [frame[..., 0] for frame in moving_square[:6]]
    # Floor just right of the square: the square rolls over it, the way back ends elsewhere.
    path, drift = follow(greys, np.float32([[56, 60], [120, 100]]))
    assert path.shape == (6, 2, 2)
    assert drift[0] > 1 or np.linalg.norm(path[-1, 0] - path[0, 0]) > 5
    assert drift[1] < 0.1


def test_points_that_leave_the_picture_are_lost():
    picture = texture(80, 200)
    greys = [np.ascontiguousarray(picture[:, 10 * t : 10 * t + 100]) for t in range(6)]
    points = find_corners(greys[0])
    _, drift = follow(greys, points)
    assert np.isinf(drift[points[:, 0] < 40]).mean() > 0.9


def noise_that_moves(step: int, frames: int = 6, shape: tuple[int, int] = (220, 260)) -> np.ndarray:
    """Frames of unsmoothed noise, full of corners, that goes right by ``step`` px a frame."""
    picture = np.random.default_rng(5).integers(0, 256, (shape[0], shape[1] + step * frames), dtype=np.uint8)
    moved = [picture[:, step * (frames - t) : step * (frames - t) + shape[1]] for t in range(frames)]
    return np.repeat(np.stack(moved)[..., None], 3, axis=3)


def test_corners_are_3000_at_most_and_3_px_apart_unless_told_otherwise():
    grey = noise_that_moves(0, 1, (300, 320))[0, ..., 0]
    corners = find_corners(grey)
    assert corners.shape == (3000, 2)
    assert corners.dtype == np.float32
    gaps = np.linalg.norm(corners[:, None] - corners, axis=2) + 99 * np.eye(3000, dtype=np.float32)
    assert 3 <= gaps.min() < 4
    np.testing.assert_array_equal(find_corners(grey, max_corners=3000, quality=0.01, min_distance=3), corners)
    assert len(find_corners(grey, max_corners=7)) == 7
    # A square of 127 grey levels and a faint one of 15, whose corners are (15/127)**2 = 0.014 times as good.
    faint = np.full((60, 60), 128, np.uint8)
    faint[10:20, 10:20], faint[40:50, 40:50] = 255, 143
    assert len(find_corners(faint)) == 8
    assert len(find_corners(faint, quality=0.02)) == 4


@pytest.mark.slow
def test_track_without_options_is_track_with_those_it_documents(moving_square):
    options = {"max_corners": 3000, "quality": 0.01, "min_distance": 3.0, "min_speed": 0.2, "max_drift": 1.0}
    for video in (noise_that_moves(1), moving_square):
        bare, told = list(track(video)), list(track(video, every=20, interval=5, **options))
        window = particles_of_window(video[:6])
        assert [p.frame for p in bare] == [p.frame for p in told] == list(range(0, len(video) - 5, 20))
        for p, q in [*zip(bare, told, strict=True), (bare[0], window)]:
            np.testing.assert_array_equal(p.position, q.position)
            np.testing.assert_array_equal(p.velocity, q.velocity)


def test_every_option_of_track_is_heard(moving_square):
    def seen(**options: float) -> tuple[int, float]:
        p = next(track(moving_square, **options))
        return len(p), float(np.linalg.norm(p.velocity, axis=1).min())

    number, slowest = seen()
    assert seen(max_corners=30)[0] < number
    assert seen(quality=0.3)[0] < number
    assert seen(min_distance=9)[0] < number
    assert seen(max_drift=1e-4)[0] < number
    assert slowest < 1.99 <= seen(min_speed=1.99)[1]


@pytest.mark.parametrize(("speed", "kept"), [(0.15, 0.0), (0.25, 1.0)])
def test_what_moves_by_a_fifth_of_a_pixel_a_frame_is_no_background(speed, kept):
    import cv2

    picture = texture(120, 160)
    moves = [np.float32([[1, 0, t * speed], [0, 1, 0]]) for t in range(6)]
    frames = [cv2.warpAffine(picture, move, (160, 120), flags=cv2.INTER_CUBIC)[20:-20, 20:-20] for move in moves]
    frames = [np.repeat(frame[..., None], 3, axis=2) for frame in frames]
    share = len(particles_of_window(frames)) / len(particles_of_window(frames, min_speed=0))
    assert share == pytest.approx(kept, abs=0.1)


def test_a_particle_may_be_exactly_as_slow_and_drift_exactly_as_far_as_allowed(moving_square):
    window = moving_square[:6]
    everything = particles_of_window(window, min_speed=0, max_drift=np.inf)
    speed = np.linalg.norm(everything.velocity, axis=1)
    fifth = np.sort(speed)[-5]
    assert len(particles_of_window(window, min_speed=fifth, max_drift=np.inf)) == (speed >= fifth).sum()
    _, drift = follow([np.ascontiguousarray(frame[..., 0]) for frame in window], everything.position)
    middle = np.sort(drift)[len(drift) // 2]
    assert len(particles_of_window(window, min_speed=0, max_drift=middle)) == (drift <= middle).sum()


def test_a_path_is_float32_and_what_is_lost_has_drifted_without_end():
    greys = [np.ascontiguousarray(frame[..., 0]) for frame in noise_that_moves(4, shape=(60, 80))]
    points = np.float32([[40, 30], [79, 30], [70, 30]])  # the last two are carried over the edge
    path, drift = follow(greys, points)
    assert path.dtype == drift.dtype == np.float32
    np.testing.assert_array_equal(path[0], points)
    np.testing.assert_allclose(path[:, 0], [(40 + 4 * t, 30) for t in range(6)], atol=0.02)
    assert drift[0] < 0.02
    assert np.isinf(drift[1:]).all()
    assert follow(greys, np.zeros((0, 2), np.float32))[0].shape == (6, 0, 2)


def test_a_point_is_found_up_to_the_last_pixel_and_lost_beyond_it():
    still = [texture(60, 80)] * 6
    assert follow(still, np.float32([[0, 0], [79, 59], [79, 0]]))[1].tolist() == [0, 0, 0]
    wide = texture(60, 120)
    right = [np.ascontiguousarray(wide[:, 20 - 2 * t : 100 - 2 * t]) for t in range(6)]
    path, drift = follow(right, np.float32([[70, 20]]))
    assert path[-1, 0, 0] > 79  # Lucas-Kanade follows it over the edge and back
    assert np.isinf(drift).all()


def test_a_point_without_structure_is_lost_even_if_the_way_back_ends_somewhere():
    frames = [np.full((60, 80), 90, np.uint8), *[texture(60, 80)] * 5]
    assert np.isinf(follow(frames, np.float32([[40, 30], [20, 20]]))[1]).all()


def test_nothing_in_the_picture_nothing_found():
    p = particles_of_window([np.full((40, 40, 3), 90, np.uint8)] * 6)
    assert (p.position.shape, p.velocity.shape, len(p)) == ((0, 2), (0, 2), 0)


def test_every_kept_frame_yields_also_when_windows_overlap(moving_square):
    assert [p.frame for p in track(moving_square, every=3)] == list(range(0, 25, 3))
    assert [p.frame for p in track(moving_square, every=1, interval=2)] == list(range(28))


@pytest.mark.slow
def test_overlapping_windows_and_separate_ones_see_the_same(moving_square):
    dense = {p.frame: p for p in track(moving_square, every=1)}
    for sparse in track(moving_square, every=8):
        np.testing.assert_array_equal(sparse.position, dense[sparse.frame].position)


def test_particles_are_the_corners_that_move_and_come_home(moving_square):
    """Only what moves is followed back: the particles are those of following every corner there and back."""
    for start in (0, 7):
        window = moving_square[start : start + 6]
        greys = [np.ascontiguousarray(frame[..., 0]) for frame in window]
        path, drift = follow(greys, find_corners(greys[0]))
        velocity = (path[-1] - path[0]) / 5
        for min_speed in (0.0, 0.2, 1.9):
            kept = (drift <= 0.5) & (np.linalg.norm(velocity, axis=1) >= min_speed)
            particles = particles_of_window(window, min_speed=min_speed, max_drift=0.5)
            assert 0 < kept.sum() < kept.size
            np.testing.assert_array_equal(particles.position, path[0][kept])
            np.testing.assert_array_equal(particles.velocity, velocity[kept])


@pytest.mark.parametrize(("every", "interval"), [(10, 3), (3, 5), (4, 4), (1, 2)])
def test_skipped_windows_are_not_decoded(every, interval):
    frames = np.zeros((30, 4, 4, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(30)
    video, asked = read_video(frames), []
    decode = video.frames
    video.frames = lambda indices: decode(i for i in indices if asked.append(i) or True)
    whole = dict(windows(video, every=every, interval=interval))
    skip = set(list(whole)[1::2]) | {0}
    asked.clear()
    rest = dict(windows(video, every=every, interval=interval, skip=skip))
    assert list(rest) == [kept for kept in whole if kept not in skip]
    for kept, window in rest.items():
        assert [frame[0, 0, 0] for frame in window] == list(range(kept, kept + interval + 1))
    needed = {i for kept in rest for i in range(kept, kept + interval + 1)}
    assert needed <= set(asked)
    first_unfinished = max(whole) + every  # its window is cut off by the end of the video
    assert {i for i in asked if i < first_unfinished} == {i for i in needed if i < first_unfinished}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_short_a_video_is_refused(count):
    with pytest.raises(ValueError, match=rf"has {count} frames?; .* at least 6") as refused:
        list(track(np.zeros((count, 20, 20, 3), np.uint8)))
    assert f"has {count} frame{'s' if count > 1 else ''}; to see motion over 5 frames" in str(refused.value)


def test_a_video_of_as_many_frames_as_a_window_has_is_enough():
    assert [kept for kept, _ in windows(read_video(np.zeros((6, 4, 4, 3), np.uint8)), every=1, interval=5)] == [0]
    nothing = without(read_video(np.zeros((6, 4, 4, 3), np.uint8)), set(range(6)))
    with pytest.raises(ValueError, match=r"has 0 frames; .* at least 6"):
        list(windows(nothing, every=1, interval=5))


def without(video, damaged):
    """A video of which some frames cannot be decoded, as :class:`mpas_lite.video.video.Video` passes over them."""
    decode = video.frames
    video.frames = lambda indices: (pair for pair in decode(indices) if pair[0] not in damaged)
    return video


@pytest.mark.parametrize("damaged", [{13}, {10}, {15}, {0}, {1}, {2, 3}, {11, 12, 21}, {7}, {29}, set(range(12, 18))])
@pytest.mark.parametrize(("every", "interval"), [(5, 3), (3, 5), (1, 2), (10, 5)])
def test_no_window_reaches_over_a_damaged_frame(every, interval, damaged):
    frames = np.zeros((30, 4, 4, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(30)
    seen = dict(windows(without(read_video(frames), damaged), every=every, interval=interval))
    whole = [k for k in range(0, 30 - interval, every) if not damaged & set(range(k, k + interval + 1))]
    assert list(seen) == whole
    assert all(a < b for a, b in pairwise(islice(_needed(every, interval, {every, 4 * every}), 40)))
    for kept, window in seen.items():
        assert [int(frame[0, 0, 0]) for frame in window] == list(range(kept, kept + interval + 1))


def test_a_video_without_a_whole_window_is_said_to_be_damaged():
    video = without(read_video(np.zeros((30, 4, 4, 3), np.uint8)), {2, 12, 22})
    with pytest.raises(ValueError, match=r"is damaged: behind no kept frame \(one in 10\) can 5 frames in a row"):
        list(windows(video, every=10, interval=5))
    assert list(windows(video, every=10, interval=5, skip={10})) == []  # a second run over what a first one found
    with pytest.raises(ValueError, match="is damaged"):
        list(windows(video, every=10, interval=5, skip={3, 12}))  # none of these is a kept frame


def test_a_velocity_is_one_over_the_interval_also_behind_damage(moving_square):
    for p in track(without(read_video(moving_square), {8, 9}), every=4):
        assert p.frame not in (4, 8)
        within = (p.position >= (10 + 2 * p.frame + 8, 48)).all(1) & (p.position <= (10 + 2 * p.frame + 32, 72)).all(1)
        np.testing.assert_allclose(np.median(p.velocity[within], axis=0), (2, 0), atol=0.05)


@pytest.mark.parametrize("every", [10**9, 10**18])
def test_a_stride_beyond_the_video_ends_with_it(every):
    video, asked = read_video(np.zeros((30, 4, 4, 3), np.uint8)), []
    decode = video.frames
    video.frames = lambda indices: decode(i for i in indices if asked.append(i) or True)
    assert [kept for kept, _ in windows(video, every=every, interval=5)] == [0]
    assert asked == [*range(6), every]
    assert list(windows(video, every=every, interval=5, skip={0})) == []


@pytest.mark.parametrize("strides", [{"every": 0}, {"interval": 0}, {"every": -1}])
def test_nonsense_strides_are_refused(moving_square, strides):
    with pytest.raises(ValueError, match="at least 1"):
        list(track(moving_square, **strides))


def test_real_walkers_are_found(real_data):
    """UCSD Ped2: a campus walkway; static texture everywhere, walkers in the upper middle."""
    particles = list(track(read_video(real_data / "ucsd_ped2" / "01"), every=20))
    assert min(len(p) for p in particles) > 30
    speed = np.concatenate([np.linalg.norm(p.velocity, axis=1) for p in particles])
    assert 0.3 < np.median(speed) < 4  # px/frame, a walk at that distance
