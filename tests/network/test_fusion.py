"""Masks out of what the network says and what a still camera's background shows."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

import mpas_lite
from mpas_lite import cli
from mpas_lite.labels.refine.background_model import Background
from mpas_lite.network import fusion
from mpas_lite.network.fusion import StillScene, along_edges, fused_masks, fused_probability, still_scene, vote_of
from mpas_lite.network.inference import Predictor, segment
from mpas_lite.network.mask_files import segment_to
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import save
from mpas_lite.video.images import read_image
from mpas_lite.video.reader import read_video
from tests.helpers import interrupt_masks

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = (96, 128)
TALL = 30.0


@pytest.fixture(scope="module")
def behind() -> np.ndarray:
    """Ground with corners to hold on to, (H, W, 3)."""
    coarse = np.random.default_rng(0).integers(60, 120, (24, 32), dtype=np.uint8)
    return np.repeat(cv2.resize(coarse, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def scene(behind: np.ndarray) -> StillScene:
    background = Background(behind, np.ones(SHAPE, np.float32), np.ones(SHAPE, bool))
    return StillScene(background, np.full((SHAPE[0], 1), TALL, np.float32), np.ones(SHAPE, np.float32))


@pytest.fixture(scope="module")
def clip(behind: np.ndarray) -> np.ndarray:
    """A still camera, and somebody who walks through, (20, H, W, 3)."""
    frames = np.repeat(behind[None], 20, axis=0)
    for t, frame in enumerate(frames):
        frame[30:60, 5 * t : 5 * t + 10] = (200, 60, 40)
    return frames


@pytest.fixture(scope="module")
def net() -> MPASNet:
    torch.manual_seed(0)
    return MPASNet("test_resnet", width=8).eval()


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


def blurred(mask: np.ndarray) -> np.ndarray:
    """What a network would say of it, whose map is coarse."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3)


def agree(mask: np.ndarray, truth: np.ndarray) -> float:
    return (mask & truth).sum() / (mask | truth).sum()


def painted(behind: np.ndarray, *masks: np.ndarray) -> np.ndarray:
    frame = behind.copy()
    for mask in masks:
        frame[mask] = (200, 60, 40)
    return frame


def test_the_background_draws_the_outline_that_the_network_does_not_know(behind, scene) -> None:
    person = box(30, 60, 50, 60)
    seen = blurred(person) * 2
    mask = fused_masks(seen.clip(0, 1), painted(behind, person), scene, ("person",))["person"]
    assert agree(seen > 0.5, person) < 0.72
    assert agree(mask, person) > 0.82  # a pixel of border all round is 0.83: differences are means over 3x3


def test_what_the_network_takes_for_no_person_stays_out_however_much_it_differs(behind, scene) -> None:
    person, car = box(30, 60, 20, 30), box(40, 60, 80, 120)
    masks = fused_masks(blurred(person), painted(behind, person, car), scene, ("crowd", "person"))
    for mask in masks.values():
        assert not mask[car].any()
        assert agree(mask, person) > 0.8


def test_who_is_part_of_the_background_stays_if_the_network_sees_him_there(behind, scene) -> None:
    """He stands for the whole clip: the picture of the background shows him, too."""
    standing = box(30, 60, 50, 60)
    seen = blurred(standing).clip(0, 0.9)
    alone = seen > 0.5
    hidden = fused_masks(seen, behind, scene, ("person",))["person"]
    known = replace(scene, vote=vote_of(scene.background, seen))
    kept = fused_masks(seen, behind, known, ("person",))["person"]
    assert not hidden.any()
    assert agree(kept, alone) > 0.75


def test_the_background_has_no_vote_where_it_is_hidden_or_shows_people() -> None:
    background = Background(np.zeros((1, 4, 3), np.uint8), np.ones((1, 4)), np.array([[True, True, True, False]]))
    assert vote_of(background, np.float32([[0, 0.25, 0.9, 0]])).tolist() == [[1, 0.5, 0, 0]]


def test_crowd_masks_take_in_the_gap_between_two_people_and_masks_of_persons_do_not(behind, scene) -> None:
    left, gap, right = box(30, 60, 50, 60), box(33, 57, 62, 64), box(30, 60, 66, 76)
    seen = np.full(SHAPE, 0.01, np.float32)
    seen[30:60, 50:76] = 0.97
    masks = fused_masks(seen, painted(behind, left, right), scene, ("crowd", "person"))
    assert masks["crowd"][gap].all()
    assert not masks["person"][gap].any()
    assert masks["person"][left].mean() > 0.9


def test_masks_of_persons_end_where_the_background_is_however_sure_the_network_is(behind, scene) -> None:
    left, gap, right = box(30, 60, 40, 56), box(33, 57, 58, 62), box(30, 60, 64, 80)
    frame = painted(behind, left, right)
    frame[44:47, 47:50] = behind[44:47, 47:50]  # a patch of a coat in the colours of the ground
    sure = box(30, 60, 40, 80).astype(np.float32)
    masks = fused_masks(sure, frame, scene, ("crowd", "person"))
    assert masks["crowd"][gap].all()
    assert not masks["person"][gap].any()
    assert masks["person"][44:47, 47:50].all()
    unseen = fused_masks(sure * 0, frame, scene, ("crowd", "person"))  # nor does it bring in whom the network denies
    assert not any(mask.any() for mask in unseen.values())


def test_the_background_speaks_against_a_gap_between_persons_but_not_against_a_slit_in_a_coat() -> None:
    found = np.where(box(5, 90, 20, 34) | box(5, 90, 35, 50) | box(5, 90, 54, 70), 1, -1).astype(np.float32)
    seen = fusion.around_people(found, np.full((SHAPE[0], 1), 50.0))
    assert (seen[10:85, 34] == 0).all()
    assert (seen[10:85, 50:54] == -1.5).all()
    assert (seen[found > 0] == 1).all()


def test_the_background_does_not_speak_against_the_crowd_in_a_narrow_gap_but_in_a_wide_one(behind, scene) -> None:
    """A person of 30 px is 9 broad. The closing that follows cannot tell: here the evidence is looked at."""
    found = np.where(box(30, 60, 20, 30) | box(30, 60, 34, 44) | box(30, 60, 64, 74), 1, -1).astype(np.float32)
    seen = fusion.between_people(found, scene.tall)
    assert (seen[35:55, 30:34] == 0).all()
    assert (seen[35:55, 50:58] == -1).all()
    assert (seen[found > 0] == 1).all()
    probability = np.full(SHAPE, 0.97, np.float32)
    frame = painted(behind, found > 0)
    crowd, person = (fused_probability(probability, frame, scene, kind)[40, 32] for kind in ("crowd", "person"))
    assert crowd > 0.8
    assert person < 0.6


def test_a_frame_of_a_shaking_camera_is_steadied_first_and_the_mask_lies_on_the_frame(behind, scene) -> None:
    shift = np.float32([[1, 0, 6], [0, 1, 3]])
    person = box(30, 60, 50, 60)
    frame = cv2.warpAffine(painted(behind, person), shift, SHAPE[::-1], borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.warpAffine(person.astype(np.uint8), shift, SHAPE[::-1]) > 0
    shaking = replace(scene, shakes=True)
    mask = fused_masks(blurred(moved), frame, shaking, ("person",))["person"]
    assert agree(mask, moved) > 0.82
    still = fused_masks(blurred(moved), frame, scene, ("person",))["person"]
    assert agree(still, moved) < 0.5


def test_a_frame_that_cannot_be_laid_over_the_background_is_the_networks(scene) -> None:
    seen = blurred(box(30, 60, 50, 60))
    lost = np.full((*SHAPE, 3), 90, np.uint8)
    fused = fused_probability(seen, lost, replace(scene, shakes=True), "person")
    assert np.array_equal(fused, seen)


def test_frames_larger_than_480_px_have_masks_of_their_own_size(behind, scene) -> None:
    large = cv2.resize(behind, (768, 576))
    masks = segment_like(large, scene)
    assert {kind: mask.shape for kind, mask in masks.items()} == {"crowd": (576, 768), "person": (576, 768)}


def segment_like(frame: np.ndarray, scene: StillScene) -> dict:
    small = fusion.working_frame(frame)
    background = Background(small, np.ones(small.shape[:2], np.float32), np.ones(small.shape[:2], bool))
    wide = StillScene(background, np.full((360, 1), TALL, np.float32), np.ones((360, 480), np.float32))
    return fused_masks(np.full((360, 480), 0.3, np.float32), frame, wide, ("crowd", "person"))


def test_outlines_follow_edges_and_nothing_else() -> None:
    guide = np.zeros(SHAPE, np.uint8)
    guide[:, 64:] = 200
    soft = cv2.GaussianBlur((guide > 0).astype(np.float32), (0, 0), 2)
    sharp = along_edges(soft, guide, height=100)
    step = [values[48, 64] - values[48, 63] for values in (soft, sharp)]
    assert step[0] < 0.2
    assert step[1] > 0.65
    assert np.abs(along_edges(np.full(SHAPE, 0.3, np.float32), guide, height=100) - 0.3).max() < 1e-4


# ------------------------------------------------------------------------------------------- whole clips


def test_a_clip_tells_its_background_and_the_network_what_of_it_is_people(clip) -> None:
    pictures = []

    def predict(picture: np.ndarray) -> np.ndarray:
        pictures.append(picture)
        return blurred(box(70, 90, 5, 15)).clip(0, 1)

    scene = still_scene(read_video(clip), predict)
    assert scene is not None
    assert len(pictures) == 1
    assert np.abs(pictures[0].astype(int) - scene.background.image).max() == 0
    assert scene.vote[box(72, 88, 7, 13)].max() == 0
    assert scene.vote[box(0, 20, 0, 128)].min() == 1
    assert not scene.shakes


def test_without_a_background_masks_are_the_networks_alone_and_a_sentence_says_why(net, clip) -> None:
    panning = np.stack([np.roll(clip[0], 9 * t, axis=1) for t in range(12)])
    for source, why in ((clip[:1], "1 frame is too few"), (clip[:7], "7 frames are too few"), (panning, "moves")):
        with pytest.warns(UserWarning, match=f"{why}.* the masks are the network's alone"):
            fused = list(segment(net, source, background=True, device="cpu"))
        for (index, mask), (same, alone) in zip(fused, segment(net, source, device="cpu"), strict=True):
            assert index == same
            assert np.array_equal(mask, alone)


@pytest.mark.slow
def test_segment_fuses_frame_by_frame(net, clip) -> None:
    predictor = Predictor.of(net, None, "cpu")
    scene = predictor.still_scene(read_video(clip))
    seen = dict(segment(net, clip, every=5, probability=True, device="cpu"))
    for kind in ("crowd", "person"):
        masks = dict(segment(net, clip, every=5, threshold=0.4, background=True, masks=kind, device="cpu"))
        assert list(masks) == [0, 5, 10, 15]
        for index, mask in masks.items():
            assert np.array_equal(mask, fused_masks(seen[index], clip[index], scene, (kind,), 0.4)[kind])
    index, values = next(segment(net, clip, probability=True, background=True, masks="person", device="cpu"))
    assert np.array_equal(values, fused_probability(seen[0], clip[0], scene, "person"))


@pytest.fixture
def sizes(monkeypatch, net) -> list[tuple[int, int]]:
    """Sizes of the images that the net has seen."""
    seen: list[tuple[int, int]] = []
    forward = net.forward
    monkeypatch.setattr(net, "forward", lambda x: seen.append((*x.shape[-2:],)) or forward(x))
    return seen


def knowing(scene: StillScene, tall: float, measured: bool = True) -> StillScene:
    return replace(scene, tall=np.full((SHAPE[0], 1), tall, np.float32), measured=measured)


@pytest.mark.parametrize(
    ("tall", "measured", "wanted", "size"),
    [
        (20.0, True, None, (48, 64)),
        (20.0, True, 12, (58, 77)),  # 128 px x 12 / 20
        (20.0, True, 9, (48, 64)),  # they are larger than that as it is
        (6.0, True, 12, (96, 128)),  # never above the frame's own
        (20.0, False, 12, (48, 64)),  # nobody was measured
    ],
)
def test_where_people_are_small_the_net_sees_larger_frames(
    net, clip, scene, monkeypatch, sizes, tall, measured, wanted, size
) -> None:
    monkeypatch.setattr("mpas_lite.network.inference.still_scene", lambda *_: knowing(scene, tall, measured))
    options = {"long_side": 64, "background": True, "person_height": wanted, "device": "cpu"}
    next(segment(net, clip[:1], **options))
    assert set(sizes) == {size}
    larger, found = Predictor.of(net, 64, "cpu").in_still_scene(read_video(clip), wanted)
    if size != (48, 64):  # it is asked about the background's picture at that size, too
        assert np.array_equal(found.vote, vote_of(scene.background, larger.of_picture(scene.background.image)))


class Shortsighted(MPASNet):
    """Takes what is bright for people, but nobody near: nothing that is as high as 30 px of what it sees."""

    def forward(self, x: torch.Tensor, x_hat: torch.Tensor | None = None) -> torch.Tensor:
        bright = (x[:, :1] > 0.7).float()
        return bright * 0.95 if bright.any(dim=3).sum() < 30 else 0 * bright


@pytest.mark.parametrize(("wanted", "side"), [(12, 77), (16, 102), (20, 64)])
def test_a_larger_size_that_loses_people_is_not_taken(clip, scene, monkeypatch, wanted, side) -> None:
    """Somebody of 30 px: 24 in a frame of 102 px, 30 in one of 128."""
    shown = tuple((frame, (frame == (200, 60, 40)).all(axis=2)) for frame in clip[4:8])
    monkeypatch.setattr(
        "mpas_lite.network.inference.still_scene", lambda *_: replace(knowing(scene, 20.0), shown=shown)
    )
    predictor, _ = Predictor.of(Shortsighted("test_resnet", width=8), 64, "cpu").in_still_scene(
        read_video(clip), wanted
    )
    assert predictor.side == side
    ground = replace(knowing(scene, 20.0), shown=tuple((frame, np.zeros(SHAPE, bool)) for frame, _ in shown))
    monkeypatch.setattr("mpas_lite.network.inference.still_scene", lambda *_: ground)
    predictor, _ = predictor.in_still_scene(read_video(clip), 20)
    assert predictor.side == 128  # what is lost was the background's


def test_a_scene_shows_what_is_not_its_background(clip) -> None:
    scene = still_scene(read_video(clip), lambda picture: np.zeros(picture.shape[:2], np.float32))
    assert len(scene.shown) == 6
    for frame, differs in scene.shown:
        assert agree(differs, (frame == (200, 60, 40)).all(axis=2)) > 0.6
    assert scene.measured
    assert scene.height == pytest.approx(30, abs=3)


def test_in_files_too_the_size_is_that_of_people_and_noted(net, clip, scene, monkeypatch, sizes, tmp_path) -> None:
    monkeypatch.setattr("mpas_lite.network.inference.still_scene", lambda *_: knowing(scene, 20.0))
    options = {"long_side": 64, "background": True, "device": "cpu", "progress": False}
    segment_to(net, clip[:4], tmp_path, person_height=12, **options)
    assert sizes[-1] == (58, 77)
    assert json.loads((tmp_path / "segment.json").read_text())["long_side"] == 77
    assert segment_to(net, clip[:4], tmp_path, person_height=12, **options).new == 0
    assert segment_to(net, clip[:4], tmp_path, **options).new == 4


def test_only_the_background_knows_how_high_people_are(net, clip, tmp_path) -> None:
    for height, background, why in ((12, False, "add background=True"), (0, True, "more than 0 px")):
        with pytest.raises(ValueError, match=why):
            segment(net, clip, person_height=height, background=background)
    save(net, tmp_path / "net.safetensors")
    write = ["segment", str(tmp_path), "--weights", str(tmp_path / "net.safetensors"), "--out", str(tmp_path / "out")]
    refused = CliRunner().invoke(cli.cli, [*write, "--person-height", "12"])
    assert refused.exit_code == 2
    assert "--person-height goes with --background" in refused.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("background", "kinds"), [(False, {"masks": "crowd"}), (True, {"masks": "crowd", "persons": "person"})]
)
def test_files_hold_the_masks_that_segment_gives(net, clip, tmp_path, background, kinds) -> None:
    seen = dict(segment(net, clip, every=5, probability=True, background=background, masks="crowd", device="cpu"))
    options = {"background": background, "every": 5, "device": "cpu", "threshold": float(np.median(seen[10]))}
    masks = "both" if background else "crowd"
    result = segment_to(net, clip, tmp_path, masks=masks, progress=False, **options)
    for folder, kind in kinds.items():
        for index, mask in segment(net, clip, masks=kind, **options):
            assert np.array_equal(read_image(tmp_path / folder / f"{index:06d}.png", grey=True) > 127, mask)
    crowd = [read_image(file, grey=True).mean() / 255 for file in sorted((tmp_path / "masks").glob("*.png"))]
    assert 0.1 < np.mean(crowd) < 0.9
    assert result.crowd == pytest.approx(np.mean(crowd), abs=1e-6)


def files_of(out: Path) -> dict[str, bytes]:
    return {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*.png")}


@pytest.mark.slow
def test_both_kinds_of_masks_are_files_and_a_killed_run_goes_on_to_the_same(net, clip, tmp_path, monkeypatch) -> None:
    options = {"background": True, "masks": "both", "batch_size": 3, "every": 2, "device": "cpu", "progress": False}
    assert segment_to(net, clip, tmp_path / "whole", **options).new == 10
    interrupt_masks(monkeypatch, after=5)
    with pytest.raises(KeyboardInterrupt):
        segment_to(net, clip, tmp_path / "killed", **options)
    monkeypatch.undo()
    assert segment_to(net, clip, tmp_path / "killed", **options).new == 8  # two had both kinds
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
    for folder, kind in (("masks", "crowd"), ("persons", "person")):
        for index, mask in segment(net, clip, every=2, background=True, masks=kind, device="cpu"):
            assert np.array_equal(read_image(tmp_path / f"whole/{folder}/{index:06d}.png", grey=True) > 0, mask)


@pytest.mark.slow
def test_masks_made_with_another_background_version_or_none_are_made_anew(net, clip, tmp_path, monkeypatch) -> None:
    def run(clip=clip, **options) -> tuple[int, set[str]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new = segment_to(net, clip, tmp_path, device="cpu", progress=False, **options).new
        return new, {file.parent.name for file in tmp_path.rglob("*.png")}

    assert run() == (20, {"masks"})
    assert set(json.loads((tmp_path / "segment.json").read_text())) == {
        *("weights", "threshold", "long_side", "every", "source", "shape", "length", "first_frame")
    }  # as it always was: masks of earlier versions are kept
    assert run(background=True, masks="both") == (20, {"masks", "persons"})
    assert run(background=True, masks="both") == (0, {"masks", "persons"})
    assert run(background=True, masks="person") == (20, {"masks"})
    later = clip.copy()
    later[5:] //= 2
    assert run(later, background=True, masks="person")[0] == 20
    note = json.loads((tmp_path / "segment.json").read_text())
    monkeypatch.setattr(mpas_lite, "__version__", "0.0.9")
    assert run(later, background=True, masks="person")[0] == 20
    assert json.loads((tmp_path / "segment.json").read_text()) == {**note, "mpas_lite": "0.0.9"}
    assert run(clip[:7], background=True, masks="both") == (7, {"masks"})  # too few for a background


def test_kinds_that_there_are_not_are_refused(net, clip, tmp_path) -> None:
    with pytest.raises(ValueError, match="masks='both': choose one of crowd, person"):
        segment(net, clip, background=True, masks="both")  # type: ignore[arg-type]
    for call in (lambda: segment(net, clip, masks="person"), lambda: segment_to(net, clip, tmp_path, masks="both")):
        with pytest.raises(ValueError, match="only the background tells persons from the crowd; add background=True"):
            call()


@pytest.mark.slow
def test_the_command_line_has_both_options(net, clip, tmp_path) -> None:
    save(net, tmp_path / "net.safetensors")
    film = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, SHAPE[::-1])
    for frame in clip:
        film.write(frame[..., ::-1])
    film.release()
    command = ["segment", str(tmp_path / "a.avi"), "--weights", str(tmp_path / "net.safetensors"), "--quiet"]
    alone = CliRunner().invoke(cli.cli, [*command, "--out", str(tmp_path / "a"), "--masks", "person"])
    assert alone.exit_code == 2
    assert "--masks person goes with --background" in alone.output
    done = CliRunner().invoke(cli.cli, [*command, "--out", str(tmp_path / "b"), "--background", "--masks", "both"])
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "b/persons").glob("*.png"))) == len(list((tmp_path / "b/masks").glob("*.png"))) == 20
