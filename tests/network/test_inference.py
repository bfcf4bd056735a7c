from __future__ import annotations

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mpas_lite.network import inference, mask_files
from mpas_lite.network.inference import segment
from mpas_lite.network.mask_files import segment_to
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.plots.overlays import overlay
from mpas_lite.plots.palette import ORANGE, rgb
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.reader import read_video
from tests.helpers import interrupt_masks

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def net() -> MPASNet:
    torch.manual_seed(0)
    return MPASNet("test_resnet", width=8).eval()


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 50, 70, 3), dtype=np.uint8)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_masks_are_the_nets_probabilities_over_the_threshold(net, frames, batch_size: int) -> None:
    found = dict(segment(net, frames, every=2, threshold=0.4, batch_size=batch_size, device="cpu"))
    assert list(found) == [0, 2, 4, 6]
    for index, mask in found.items():
        x = torch.from_numpy(frames[index]).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            prob = net(x)[0, 0].numpy()
        assert mask.dtype == bool
        clear = abs(prob - 0.4) > 1e-5
        assert np.array_equal(mask[clear], (prob > 0.4)[clear])


def test_probabilities_have_the_frames_size_at_any_working_size(net, frames) -> None:
    for long_side in (None, 35, 1000):
        for _, prob in segment(net, frames[:2], long_side=long_side, probability=True, device="cpu"):
            assert (prob.shape, prob.dtype) == ((50, 70), np.float32)
            assert 0 <= prob.min() <= prob.max() <= 1
    small = next(segment(net, frames, long_side=35, probability=True, device="cpu"))[1]
    reduced = cv2.resize(frames[0], (35, 25), interpolation=cv2.INTER_AREA)
    by_hand = next(segment(net, reduced[None], probability=True, device="cpu"))[1]
    middle = np.s_[5:45, 5:65]
    enlarged = cv2.resize(by_hand, (70, 50), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(small[middle], enlarged[middle], atol=1e-4)


def test_working_size_is_the_one_of_training(frames) -> None:
    net = MPASNet("test_resnet", width=8, long_side=35)
    default = next(segment(net, frames, probability=True, device="cpu"))[1]
    chosen = next(segment(net, frames, long_side=35, probability=True, device="cpu"))[1]
    assert np.array_equal(default, chosen)


def test_files_are_written_and_name_their_frames(net, frames, tmp_path: Path) -> None:
    for i, frame in enumerate(frames):
        write_image(tmp_path / f"clip/in{i + 1:06d}.png", frame)
    summary = segment_to(net, tmp_path / "clip", tmp_path / "out", every=3, device="cpu", progress=False)
    names = json.loads((tmp_path / "out/frames.json").read_text())
    assert names == {"000000": "in000001.png", "000003": "in000004.png", "000006": "in000007.png"}
    assert sorted(p.stem for p in (tmp_path / "out/masks").iterdir()) == list(names)
    assert (summary["frames"], summary["new"]) == (3, 3)
    shares = []
    for index, mask in segment(net, frames, every=3, device="cpu"):
        written = read_image(tmp_path / f"out/masks/{index:06d}.png", grey=True)
        assert np.array_equal(written, mask * np.uint8(255))
        shares.append(mask.mean())
    assert summary["crowd"] == pytest.approx(np.mean(shares))
    film = read_video(tmp_path / "out/overlay.mp4")
    assert film.shape == (50, 70)
    assert sum(1 for _ in film) == 3


def test_masks_of_the_same_run_are_kept_and_others_made_anew(net, frames, tmp_path: Path, monkeypatch) -> None:
    def run(net=net, frames=frames, **options) -> int:
        return segment_to(net, frames, tmp_path, device="cpu", progress=False, **options)["new"]

    assert run() == 7
    assert run() == 0
    (tmp_path / "masks/000004.png").unlink()  # as if killed
    assert run() == 1
    assert run(threshold=0.6) == 7
    assert run(threshold=0.6, every=2) == 4
    assert len(list((tmp_path / "masks").iterdir())) == 4  # none left of the run before
    assert run(frames=255 - frames) == 7
    other = MPASNet("test_resnet", width=8)
    assert run(net=other, frames=255 - frames) == 7


def test_killed_run_goes_on(net, frames, tmp_path: Path, monkeypatch) -> None:
    interrupt_masks(monkeypatch, after=3)
    with pytest.raises(KeyboardInterrupt):
        segment_to(net, frames, tmp_path, batch_size=2, device="cpu", progress=False)
    assert not (tmp_path / "overlay.mp4").exists()
    monkeypatch.undo()
    assert segment_to(net, frames, tmp_path, device="cpu", progress=False)["new"] == 4
    assert not list(tmp_path.rglob(".partial*"))


def test_a_video_file_goes_through(net, tmp_path: Path) -> None:
    film = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for i in range(6):
        film.write(np.full((48, 64, 3), 40 * i, np.uint8))
    film.release()
    summary = segment_to(net, tmp_path / "a.avi", tmp_path / "out", device="cpu", progress=False)
    assert summary["frames"] == 6
    assert read_video(tmp_path / "out/overlay.mp4").fps == pytest.approx(10)
    segment_to(net, tmp_path / "a.avi", tmp_path / "half", every=2, device="cpu", progress=False)
    assert read_video(tmp_path / "half/overlay.mp4").fps == pytest.approx(5)  # as long as the video


def test_masks_of_other_frames_under_the_same_names_are_made_anew(net, frames, tmp_path: Path) -> None:
    for i, frame in enumerate(frames):
        write_image(tmp_path / f"clip/{i}.bmp", frame)
    assert segment_to(net, tmp_path / "clip", tmp_path / "out", device="cpu", progress=False).new == 7
    (tmp_path / "clip/0.bmp").unlink()
    write_image(tmp_path / "clip/0.bmp", 255 - frames[0])
    assert segment_to(net, tmp_path / "clip", tmp_path / "out", device="cpu", progress=False).new == 7


def test_what_goes_wrong_while_reading_ahead_is_raised_in_its_place(net, frames, tmp_path: Path) -> None:
    for i, frame in enumerate(frames):
        write_image(tmp_path / f"clip/{i}.bmp", frame)
    damaged = tmp_path / "clip/5.bmp"
    damaged.write_bytes(damaged.read_bytes()[:60])
    done = []
    with pytest.raises(ValueError, match=r"5\.bmp is not an image that can be read"):
        done.extend(index for index, _ in segment(net, tmp_path / "clip", batch_size=2, device="cpu"))
    assert done == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"5\.bmp is not an image that can be read"):
        segment_to(net, tmp_path / "clip", tmp_path / "out", batch_size=2, device="cpu", progress=False)
    assert not (tmp_path / "out/overlay.mp4").exists()


def test_what_is_predicted_stays_on_one_cuda_device() -> None:
    """With tensors that only pretend to be there: torch raises where a CPU tensor meets one on a GPU."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        with torch.device("cuda"):
            net = MPASNet("test_resnet", width=8).eval()
        predictor = inference.Predictor(net, 35, torch.device("cuda"))
        images = torch.empty(3, 25, 35, 3, dtype=torch.uint8).permute(0, 3, 1, 2)  # as `prepare` gives them, on the CPU
        prob = predictor.predict(images, (50, 70))
    assert (prob.shape, prob.dtype, prob.device.type) == ((3, 1, 50, 70), torch.float32, "cuda")


def test_whoever_stops_early_leaves_no_thread_behind(net, frames) -> None:
    before = threading.active_count()
    masks = segment(net, frames, batch_size=1, device="cpu")
    next(masks)
    assert threading.active_count() > before
    masks.close()
    assert threading.active_count() == before


def test_frames_are_read_little_ahead(net) -> None:
    """However slow the network, few frames wait in memory."""
    video, decoded = read_video(np.zeros((60, 40, 40, 3), np.uint8)), []
    decode = video.frames

    def counting(indices):
        for index, frame in decode(indices):
            decoded.append(index)
            yield index, frame

    video.frames = counting  # type: ignore[method-assign]
    for index, _ in segment(net, video, batch_size=2, device="cpu"):
        assert max(decoded) <= index + 3 * 2 + 1
    assert len(decoded) == 60


def test_layout_and_batches_change_rounding_alone(frames) -> None:
    """Against the net itself, on plain contiguous images, one batch of all."""
    torch.manual_seed(1)
    net = MPASNet("hrnet_w18_small", width=8).eval()
    with torch.inference_mode():
        plain = net(torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous() / 255)[:, 0].numpy()
    for batch_size in (3, 7):
        probabilities = segment(net, frames, batch_size=batch_size, probability=True, device="cpu")
        np.testing.assert_allclose(np.stack([p for _, p in probabilities]), plain, atol=1e-5)


def test_wrong_options_are_named_at_once(net, frames) -> None:
    with pytest.raises(ValueError, match="every=0"):
        segment(net, frames, every=0)
    with pytest.raises(ValueError, match="long_side=-1"):
        segment(net, frames, long_side=-1)
    with pytest.raises(ValueError, match="batch_size=0"):
        segment(net, frames, batch_size=0)
    with pytest.raises(ValueError, match="threshold=2"):
        segment(net, frames, threshold=2)


# -------------------------------------------------------------------------------------------- drawing


def test_overlay_tints_the_mask_and_leaves_the_rest() -> None:
    frame = np.full((40, 60, 3), 100, np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:50] = True
    before, blue = frame.copy(), rgb("blue")
    drawn = overlay(frame, mask, blue, opacity=0.5)
    assert np.array_equal(frame, before)
    assert np.array_equal(drawn[~mask], frame[~mask])
    assert np.array_equal(drawn[20, 35], np.rint((100 + np.array(blue)) / 2))
    assert tuple(drawn[10, 20]) == blue
    assert np.array_equal(overlay(frame, np.zeros_like(mask), ORANGE), frame)
    assert tuple(overlay(frame, np.ones_like(mask), ORANGE)[0, 0]) == ORANGE


def test_overlay_refuses_a_mask_of_another_size() -> None:
    with pytest.raises(ValueError, match="one size"):
        overlay(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), bool))


def test_large_frames_go_through_fewer_at_a_time() -> None:
    assert inference.frames_at_once(8, (1080, 1920)) == 8
    assert inference.frames_at_once(8, (2160, 3840)) == 2
    assert inference.frames_at_once(8, (8000, 8000)) == inference.frames_at_once(1, (48, 64)) == 1


def test_a_film_that_is_cut_off_does_not_get_its_name(tmp_path: Path) -> None:
    """A full disk ends it without a word: no index of its frames, or fewer frames than were written."""
    path, name = tmp_path / "film.mp4", tmp_path / "overlay.mp4"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for i in range(6):
        film.write(np.full((48, 64, 3), 40 * i, np.uint8))
    film.release()
    mask_files._check_film(path, 6, name)
    with pytest.raises(OSError, match=r"overlay\.mp4 could not be written: 6 of 7 frames .* disk full"):
        mask_files._check_film(path, 7, name)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(OSError, match=r"0 of 6 frames"):
        mask_files._check_film(path, 6, name)
