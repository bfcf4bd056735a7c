"""Intersection over union, pairing of masks, and the MOG2 baseline."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpas_lite.evaluation.background_subtraction import _disc, mog2_masks
from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.score_tables import markdown_table, scene_table
from mpas_lite.evaluation.scores import Score, evaluate, iou, score_frames, score_masks
from mpas_lite.files.atomic import write_json
from mpas_lite.video.images import write_image
from mpas_lite.video.masks import frame_number
from mpas_lite.video.reader import read_video
from tests.helpers import REAL

CDNET = REAL / "cdnet_pedestrians"

masks = arrays(bool, (5, 6))


def box(top: int, left: int, bottom: int, right: int, shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_iou_by_hand() -> None:
    left, right = box(0, 0, 10, 10), box(0, 5, 10, 15)
    assert iou(left, right) == 50 / 150
    assert iou(left, left) == 1
    assert iou(left, box(15, 20, 20, 30)) == 0
    assert iou(left, ~left) == 0


def test_two_empty_masks_agree() -> None:
    nothing = box(0, 0, 0, 0)
    assert iou(nothing, nothing) == 1
    assert iou(nothing, box(0, 0, 1, 1)) == 0
    assert iou(box(0, 0, 1, 1), nothing) == 0
    assert iou(box(0, 0, 1, 1), nothing, valid=~box(0, 0, 1, 1)) == 1  # what counts is empty


def test_ignored_pixels_do_not_count() -> None:
    pred, target = box(0, 0, 10, 10), box(0, 5, 10, 15)
    assert iou(pred, target, valid=box(0, 0, 20, 10)) == 50 / 100
    assert iou(pred, target, valid=box(0, 0, 20, 30)) == iou(pred, target)


@given(masks, masks, masks)
def test_iou_is_that_of_the_sets_of_pixels(pred: np.ndarray, target: np.ndarray, valid: np.ndarray) -> None:
    a, b, v = (set(zip(*np.nonzero(mask), strict=True)) for mask in (pred, target, valid))
    expected = len(a & b & v) / len((a | b) & v) if (a | b) & v else 1
    assert iou(pred, target, valid) == expected == iou(target, pred, valid)


def test_masks_of_different_shape_or_type_are_refused() -> None:
    with pytest.raises(ValueError, match=r"differ in shape: \(20, 30\) and \(30, 20\)"):
        iou(box(0, 0, 1, 1), box(0, 0, 1, 1).T)
    with pytest.raises(ValueError, match="differ in shape"):
        iou(box(0, 0, 1, 1), box(0, 0, 1, 1), valid=np.ones((1, 30), bool))
    with pytest.raises(ValueError, match="not of uint8"):
        iou(box(0, 0, 1, 1).astype(np.uint8), box(0, 0, 1, 1))


def test_the_two_scores_of_a_scene_differ_as_documented() -> None:
    big, small, nothing = box(0, 0, 10, 10), box(0, 0, 1, 1), box(0, 0, 0, 0)
    score = score_frames([(40, nothing, nothing, None), (0, big, big, None), (20, nothing, small, None)], name="plaza")
    assert score.frames == (0, 20, 40)
    assert score.iou == (1, 0, 1)
    assert score.mean == pytest.approx(2 / 3)
    assert score.pooled == pytest.approx(100 / 101)
    assert score.as_dict() == {
        "name": "plaza",
        "pooled": score.pooled,
        "mean": score.mean,
        "frames": {"000000": 1.0, "000020": 0.0, "000040": 1.0},
    }


def test_a_scene_with_nobody_in_it_scores_one_if_nothing_is_found() -> None:
    assert Score("night", (0,), (0,), (0,)).pooled == 1
    assert Score("night", (0, 1), (0, 0), (0, 7)).pooled == 0


def test_frames_that_are_wholly_ignored_are_skipped() -> None:
    mask, nothing = box(0, 0, 5, 5), box(0, 0, 0, 0)
    assert score_frames([(0, mask, ~mask, nothing), (1, mask, mask, None)]).frames == (1,)
    with pytest.raises(ValueError, match="no frame to compare"):
        score_frames([(0, mask, mask, nothing)])


def test_codes_of_cdnet(tmp_path: Path) -> None:
    codes = np.array([[0, 50, 85], [170, 255, 255]], np.uint8)
    write_image(tmp_path / "gt000001.png", codes)
    target, valid = read_ground_truth(tmp_path / "gt000001.png")
    np.testing.assert_array_equal(target, [[False, False, False], [False, True, True]])
    np.testing.assert_array_equal(valid, [[True, True, False], [False, True, True]])
    write_image(tmp_path / "colour.png", np.stack([codes] * 3, axis=2))  # as CDnet's files are
    np.testing.assert_array_equal(read_ground_truth(tmp_path / "colour.png"), [target, valid])


def test_other_codes_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "zero_one.png", np.array([[0, 1]], np.uint8))
    with pytest.raises(ValueError, match=r"zero_one\.png has grey values 1;"):
        read_ground_truth(tmp_path / "zero_one.png")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("in000001.jpg", 1),
        ("gt001099.png", 1099),
        ("000020.png", 20),
        ("000007", 7),
        ("cam2_000300.png", 300),
    ],
)
def test_number_of_a_file_name(name: str, number: int) -> None:
    assert frame_number(name) == number


def test_a_name_without_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no number in the file name 'mask\.png'"):
        frame_number("mask.png")


def write_masks(folder: Path, named: dict[str, np.ndarray]) -> Path:
    for name, mask in named.items():
        write_image(folder / f"{name}.png", mask)
    return folder


def moving(number: int) -> np.ndarray:
    """A mask that no other frame shares a pixel with: pairing the wrong frames scores 0."""
    return box(0, number, 20, number + 1)


def test_masks_are_paired_by_number_where_both_exist(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "clip/masks", {f"{n:06d}": moving(n) for n in range(0, 30, 10)})
    truth = write_masks(tmp_path / "truth/person", {f"{n:06d}": moving(n) for n in range(5, 25)})
    score = evaluate(pred, truth)
    assert (score.name, score.frames, score.pooled) == ("clip", (10, 20), 1)


def test_a_folder_that_counts_from_one(tmp_path: Path) -> None:
    """Mask 000000 belongs to in000001.jpg, so to gt000001.png: frames.json says so."""
    pred = write_masks(tmp_path / "out/masks", {f"{n:06d}": moving(n + 1) for n in range(0, 20, 5)})
    truth = write_masks(tmp_path / "cdnet/groundtruth", {f"gt{n:06d}": moving(n) for n in range(1, 21)})
    assert evaluate(pred, truth).pooled == 0  # nobody told: mask 5 meets the truth of frame 5
    names = {f"{n:06d}": f"in{n + 1:06d}.jpg" for n in range(20)}
    write_json(tmp_path / "out/frames.json", {"frames": names})
    score = evaluate(pred, truth)
    assert (score.frames, score.pooled) == ((1, 6, 11, 16), 1)
    (tmp_path / "out/frames.json").write_text(json.dumps(names))  # without the key it is as clear
    assert evaluate(pred, truth) == score


def test_frames_json_of_a_video_file(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "out/masks", {"000000": moving(0), "000020": moving(20)})
    truth = write_masks(tmp_path / "truth/crowd", {f"{n:06d}": moving(n) for n in range(25)})
    write_json(tmp_path / "out/frames.json", {"frames": {"000000": "000000", "000020": "000020"}})
    assert evaluate(pred, truth).pooled == 1


def test_truth_of_a_folder_that_counts_from_one(tmp_path: Path) -> None:
    for number in range(1, 8):
        write_image(tmp_path / f"input/in{number:06d}.jpg", np.zeros((20, 30, 3), np.uint8))
    folder = write_masks(tmp_path / "groundtruth", {f"gt{n:06d}": moving(n) for n in range(3, 20)})
    (tmp_path / "temporalROI.txt").write_text("4 20")
    truth = truth_of(read_video(tmp_path / "input"), folder)
    assert truth == {index: folder / f"gt{index + 1:06d}.png" for index in range(3, 7)}
    score = score_masks(((index, moving(index + 1)) for index in range(7)), truth, name="cdnet")
    assert (score.name, score.frames, score.pooled) == ("cdnet", (3, 4, 5, 6), 1)
    with pytest.raises(ValueError, match=r"The mask of frame 3 is 20x30 and .*gt000004\.png is 30x20"):
        score_masks([(3, moving(4).T)], truth)
    with pytest.raises(ValueError, match="no frame to compare"):
        score_masks([(0, moving(1))], truth)


def test_truth_of_a_video_counts_from_zero(tmp_path: Path) -> None:
    video = read_video(np.zeros((5, 20, 30, 3), np.uint8))
    folder = write_masks(tmp_path, {f"{n:06d}": moving(n) for n in (0, 3, 9)})
    assert truth_of(video, folder) == {0: folder / "000000.png", 3: folder / "000003.png"}


class Claims:
    """A video file whose header says 2**31 - 1 frames: it must not be asked for their names."""

    source = __file__
    name = "hugecount"

    def __len__(self) -> int:
        return 2**31 - 1

    def frame_name(self, index: int) -> str:
        raise AssertionError("asked for the name of a frame")


def test_truth_of_a_video_file_does_not_believe_its_header(tmp_path: Path) -> None:
    folder = write_masks(tmp_path, {f"{n:06d}": moving(n) for n in (0, 3, 9)})
    assert truth_of(Claims(), folder) == {n: folder / f"{n:06d}.png" for n in (0, 3, 9)}  # type: ignore[arg-type]


@pytest.mark.parametrize("claimed", [10, 100, 2**31 - 1])
def test_what_a_header_claims_does_not_change_a_score(tmp_path: Path, claimed: int) -> None:
    """An AVI whose two frame counts are rewritten: as many frames are scored as can be read."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(20):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()
    data = bytearray(path.read_bytes())
    for start in (data.index(b"avih") + 24, data.index(b"strh") + 40):
        assert data[start : start + 4] == (20).to_bytes(4, "little")
        data[start : start + 4] = claimed.to_bytes(4, "little")
    path.write_bytes(data)
    folder = write_masks(tmp_path / "truth", {f"{n:06d}": moving(n) for n in (0, 5, 10, 15, 30)})
    video = read_video(path)
    score = score_masks(((index, moving(index)) for index, _ in video), truth_of(video, folder))
    assert (score.frames, score.pooled) == ((0, 5, 10, 15), 1)


def test_names_with_sizes_are_paired_by_what_differs(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "out/masks", {f"{n:06d}": moving(n) for n in (0, 5, 10)})
    truth = write_masks(tmp_path / "truth", {f"frame_{n}_320x240_at25fps": moving(n) for n in range(12)})
    assert evaluate(pred, truth).frames == (0, 5, 10)
    assert evaluate(truth, truth).pooled == 1
    write_json(tmp_path / "out/frames.json", {f"{n:06d}": f"frame_{n + 1}_320x240_at25fps.jpg" for n in (0, 5, 10)})
    assert (evaluate(pred, truth).frames, evaluate(pred, truth).pooled) == ((1, 6, 11), 0)
    one = write_masks(tmp_path / "single/masks", {"frame_7_320x240_at25fps": moving(7)})
    assert evaluate(one, truth).frames == (7,)  # alone nothing differs: the other folder says which digits count


def test_frames_of_a_folder_are_paired_by_what_differs(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / f"input/f{number}_at25fps.jpg", np.zeros((20, 30, 3), np.uint8))
    folder = write_masks(tmp_path / "truth", {"f1_at25fps": moving(1)})
    assert truth_of(read_video(tmp_path / "input"), folder) == {1: folder / "f1_at25fps.png"}


def test_the_digits_that_were_read_are_said(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "out/masks", {"000000": moving(0), "000020": moving(20)})
    truth = write_masks(tmp_path / "truth", {"gt_0_hd2": moving(1), "gt_20_hd3": moving(1)})
    with pytest.raises(ValueError, match=r"which was read from 000000\.png as 0, gt_0_hd2\.png as 2\."):
        evaluate(pred, truth)
    write_image(truth / "gt_0_hd3.png", moving(0))
    with pytest.raises(ValueError, match="the last group that differs from file to file counts") as caught:
        evaluate(pred, truth)
    assert "Keep one" not in str(caught.value)


def test_ground_truth_with_nobody_in_it_is_said(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "clip/masks", {f"{n:06d}": moving(n) for n in range(3)})
    truth = write_masks(tmp_path / "truth", {f"{n:06d}": box(0, 0, 0, 0) for n in range(3)})
    with pytest.warns(UserWarning, match="clip: the ground truth has nobody in any of the 3 frames that are scored"):
        assert evaluate(pred, truth).pooled == 0
    (truth / "000001.png").unlink()
    write_image(truth / "000001.png", moving(5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(pred, truth)
    ignored = [(0, box(0, 0, 1, 1), box(0, 0, 1, 1), ~box(0, 0, 1, 1))]
    with pytest.warns(UserWarning, match="nobody in any of the 1 frames"):
        score_frames(ignored)


def test_masks_of_another_run_are_refused(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "out/masks", {"000000": moving(0), "000020": moving(20)})
    write_json(tmp_path / "out/frames.json", {"frames": {"000000": "in000001.jpg"}})
    with pytest.raises(ValueError, match=r"does not list 000020\.png"):
        evaluate(pred, pred)
    (tmp_path / "out/frames.json").write_text("[]")
    with pytest.raises(ValueError, match=r"frames\.json does not map masks to frames"):
        evaluate(pred, pred)


@pytest.mark.parametrize("place", ["cdnet", "cdnet/groundtruth"])
def test_temporal_roi_limits_the_frames(tmp_path: Path, place: str) -> None:
    pred = write_masks(tmp_path / "out/masks", {f"in{n:06d}": moving(n) for n in range(1, 11)})
    truth = write_masks(tmp_path / "cdnet/groundtruth", {f"gt{n:06d}": moving(n) for n in range(1, 11)})
    (tmp_path / place / "temporalROI.txt").write_text("4 6\n")
    assert evaluate(pred, truth).frames == (4, 5, 6)
    (tmp_path / place / "temporalROI.txt").write_text("11 20")
    with pytest.raises(ValueError, match=r"10 masks with numbers 1 to 10, but .* lets only 11 to 20 count"):
        evaluate(pred, truth)
    (tmp_path / place / "temporalROI.txt").write_text("all of them")
    with pytest.raises(ValueError, match=r"temporalROI\.txt should hold two whole numbers"):
        evaluate(pred, truth)


def test_evaluate_counts_as_the_codes_say(tmp_path: Path) -> None:
    codes = np.full((20, 30), 50, np.uint8)
    codes[:, :10], codes[:, 10:12], codes[:, 25:] = 255, 170, 85
    write_image(tmp_path / "groundtruth/gt000002.png", codes)
    write_image(tmp_path / "groundtruth/gt000001.png", np.full((20, 30), 85, np.uint8))
    pred = write_masks(tmp_path / "out/masks", {"1": box(0, 0, 20, 30), "2": box(0, 5, 20, 30)})
    score = evaluate(pred, tmp_path / "groundtruth")
    assert score.frames == (2,)
    assert (score.intersection, score.union) == ((20 * 5,), (20 * 10 + 20 * 13,))


def test_messages_say_what_is_wrong(tmp_path: Path) -> None:
    pred = write_masks(tmp_path / "out/masks", {"000000": moving(0), "000020": moving(20)})
    truth = write_masks(tmp_path / "truth", {"gt000300": moving(1), "gt000301": moving(1)})
    with pytest.raises(ValueError, match=r"2 masks with numbers 0 to 20.*2 masks with numbers 300 to 301"):
        evaluate(pred, truth)
    with pytest.raises(ValueError, match=r"out holds no images\. Did you mean a folder in it \(masks\)"):
        evaluate(tmp_path / "out", truth)
    with pytest.raises(ValueError, match="no such folder"):
        evaluate(pred, tmp_path / "nowhere")
    write_image(truth / "gt000000.png", box(0, 0, 5, 5, shape=(240, 320)))
    with pytest.raises(ValueError, match=r"000000\.png is 30x20 and .*gt000000\.png is 320x240"):
        evaluate(pred, truth)
    write_image(truth / "0.png", moving(0))
    with pytest.raises(ValueError, match="both stand for frame 0"):
        evaluate(pred, truth)
    (pred / "000000.png").unlink()
    write_image(pred / "000000.png", np.full((20, 30), 100, np.uint8))
    with pytest.raises(ValueError, match="grey values 100"):
        evaluate(pred, write_masks(tmp_path / "person", {"0": moving(0)}))


@pytest.mark.skipif(not CDNET.exists(), reason="shared/data/cdnet_pedestrians is not here")
def test_the_real_ground_truth_of_cdnet_agrees_with_itself(tmp_path: Path) -> None:
    indices = (100, 460, 461, 1000)  # frame 101 lies before the temporal region of interest
    for index in indices:
        target, _ = read_ground_truth(CDNET / f"groundtruth/gt{index + 1:06d}.png")
        write_image(tmp_path / f"masks/{index:06d}.png", target)
    names = {f"{index:06d}": f"in{index + 1:06d}.jpg" for index in indices}
    write_json(tmp_path / "frames.json", {"frames": names})
    score = evaluate(tmp_path / "masks", CDNET / "groundtruth")
    assert (score.frames, score.pooled) == ((461, 462, 1001), 1)


def square_on_noise(frames: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A bright square walks over a noisy grey floor, from frame 20 on."""
    generator = np.random.default_rng(0)
    video = generator.normal(90, 3, (frames, 80, 120, 3))
    truth = np.zeros((frames, 80, 120), bool)
    for index in range(20, frames):
        truth[index, 30:50, 2 * index - 38 : 2 * index - 18] = True
    video[truth] = (250, 220, 30)
    return video.clip(0, 255).astype(np.uint8), truth


def test_mog2_finds_a_moving_square() -> None:
    video, truth = square_on_noise()
    found = dict(mog2_masks(video))
    assert list(found) == list(range(60))
    assert not found[0].any()  # nothing is known of the background yet
    assert found[50].dtype == bool
    assert iou(found[50], truth[50]) > 0.9


def test_mog2_drops_shadows() -> None:
    video, _ = square_on_noise(40)
    video[:] = 150
    video[30:, 30:50, 40:60] = 105  # darker, of the same hue
    ((_, mask),) = mog2_masks(video, indices=[32])
    assert not mask.any()


def test_mog2_looks_at_every_frame_but_yields_those_wanted() -> None:
    video, _ = square_on_noise()
    everything = dict(mog2_masks(video))
    few = dict(mog2_masks(video, indices=[50, 30, 200]))
    assert list(few) == [30, 50]
    for index, mask in few.items():
        np.testing.assert_array_equal(mask, everything[index])
    assert list(mog2_masks(video, indices=[])) == []


def test_closing_fills_a_gap_narrower_than_the_disc_only() -> None:
    floor = np.random.default_rng(0).normal(90, 3, (40, 80, 120, 3))  # 80 px high: a disc of 5 px
    video = floor.clip(0, 255).astype(np.uint8)
    for left in (20, 33, 60):  # gaps of 3 and 17 px between squares of 10 px
        video[30:, 30:50, left : left + 10] = (250, 220, 30)
    ((_, raw),) = mog2_masks(video, indices=[32])
    ((_, closed),) = mog2_masks(video, indices=[32], closed=True)
    assert (closed >= raw).all()
    assert raw.sum() == 3 * 20 * 10
    assert not raw[40, 30:33].any()
    assert closed[40, 30:33].all()
    assert not closed[40, 45:58].any()


@pytest.mark.parametrize(("shape", "disc"), [((80, 140), 5), ((140, 100), 5), ((60, 140), 3), ((122, 140), 7)])
def test_the_disc_is_as_wide_as_a_twentieth_of_the_shorter_side(shape: tuple[int, int], disc: int) -> None:
    """The least odd diameter that is not under it: a gap one pixel narrower is filled, one as wide is not."""
    video = np.full((34, *shape, 3), 90, np.uint8)
    video[30:, 20:40, 10:30] = video[30:, 20:40, 29 + disc : 49 + disc] = 240  # a gap of disc - 1 between squares
    video[30:, 20:40, 49 + 2 * disc : 69 + 2 * disc] = 240  # a gap of disc
    ((_, closed),) = mog2_masks(video, indices=[32], closed=True)
    assert closed[30, 10 : 49 + disc].all()
    assert not closed[30, 49 + disc : 49 + 2 * disc].all()


def test_the_disc_is_round() -> None:
    assert _disc(4.1).tolist() == [[0, 1, 1, 1, 0], [1] * 5, [1] * 5, [1] * 5, [0, 1, 1, 1, 0]]
    assert [_disc(diameter).shape for diameter in (0.5, 1, 1.1, 3, 3.1, 12)] == [
        (1, 1), (1, 1), (3, 3), (3, 3), (5, 5), (13, 13)
    ]  # fmt: skip


def test_scene_table_has_a_row_of_means() -> None:
    table = scene_table({"CM+CRM": {"plaza": 0.5, "hall": 0.7}, "paper": {"plaza": 0.6}})
    assert table[0] == {"scene": "plaza", "CM+CRM": 0.5, "paper": 0.6}
    assert table[1] == {"scene": "hall", "CM+CRM": 0.7, "paper": None}
    assert table[2] == {"scene": "mIoU", "CM+CRM": pytest.approx(0.6), "paper": None}


def test_markdown_table() -> None:
    rows = [{"scene": "a|b", "IoU": 0.12345, "frames": 12}, {"scene": "hall", "IoU": float("nan")}]
    assert markdown_table(rows, ["scene", "frames", "IoU"], digits=2).splitlines() == [
        "| scene | frames |  IoU |",
        "|:------|-------:|-----:|",
        r"| a\|b  |     12 | 0.12 |",
        "| hall  |      – |    – |",
    ]
    assert markdown_table([{"x": np.float32(0.5)}]).splitlines()[2] == "| 0.500 |"


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), min_size=1), min_size=1))
def test_every_line_of_a_table_has_the_same_cells(rows: list[dict[str, float]]) -> None:
    lines = markdown_table(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert len({line.count("|") for line in lines}) == 1
    assert len({len(line) for line in lines}) == 1
