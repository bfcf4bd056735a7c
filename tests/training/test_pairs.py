from __future__ import annotations

import hashlib
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms import ColorJitter

from mpas_lite.training.augmentation import change_colours, zoom
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.views import TrainingViews
from mpas_lite.video.images import write_image
from tests import helpers

write_pairs = partial(helpers.write_pairs, side=20, every=20)


def replace_image(path: Path, image: np.ndarray) -> None:
    path.unlink()
    write_image(path, image)


def test_one_pair_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a")
    image, mask, valid = PairDataset(tmp_path)[1]
    assert (image.dtype, mask.dtype, valid.dtype) == (torch.uint8, torch.bool, torch.bool)
    assert (image.shape, mask.shape, valid.shape) == ((3, 48, 64), (1, 48, 64), (1, 48, 64))
    assert torch.equal(image.amax(0) > 100, mask[0])
    assert valid.all()


def test_clips_of_different_sizes_share_one_shape(tmp_path: Path) -> None:
    write_pairs(tmp_path / "wide", shape=(60, 160))
    write_pairs(tmp_path / "small", shape=(40, 50))
    pairs = PairDataset(tmp_path, long_side=80)
    assert pairs.shape == (40, 80)  # 60x160 becomes 30x80; 40x50 is never scaled up
    by_clip = {pairs.paths[i][0].parents[1].name: pairs[i] for i in range(len(pairs))}
    assert int(by_clip["wide"][2].sum()) == 30 * 80
    image, mask, valid = by_clip["small"]
    assert int(valid.sum()) == 40 * 50
    assert not mask[:, :, 50:].any()
    assert torch.equal(image[:, :40, 60], image[:, :40, 49])  # the edge is repeated


def test_a_scaled_label_is_what_most_of_its_pixels_are(tmp_path: Path) -> None:
    """Of four columns that become one, one does not make it crowd (nor sure), and three do."""
    labels = {"masks": np.zeros((160, 256), bool), "valid": np.zeros((160, 256), bool)}
    labels["masks"][:, :129] = True
    labels["valid"][:, :131] = True
    write_image(tmp_path / "frames" / "0.png", np.zeros((160, 256, 3), np.uint8))
    for kind, label in labels.items():
        write_image(tmp_path / kind / "0.png", label)
    _, mask, valid = PairDataset(tmp_path, long_side=64)[0]
    assert mask.shape == valid.shape == (1, 40, 64)
    assert mask[0].sum(1).tolist() == [32] * 40
    assert valid[0].sum(1).tolist() == [33] * 40


def test_folder_clip_and_list_name_the_same_pairs(tmp_path: Path) -> None:
    a, b = write_pairs(tmp_path / "a"), write_pairs(tmp_path / "b", seed=1)
    assert PairDataset(tmp_path).paths == PairDataset([a, b]).paths
    assert len(PairDataset(b)) == 3
    assert PairDataset(tmp_path).fingerprint() == PairDataset([a, b]).fingerprint()
    assert PairDataset(a).fingerprint() != PairDataset(b).fingerprint()


@pytest.mark.parametrize(("augmentation", "differs"), [("real", 0), ("literal", 1)])  # literal: grey now and then
def test_views_depend_on_seed_epoch_and_index_alone(tmp_path: Path, augmentation, differs) -> None:
    write_pairs(tmp_path / "a", number=8)
    pairs = PairDataset(tmp_path)
    views = TrainingViews(pairs, augmentation, seed=3)
    first = [views[1, i] for i in range(8)]
    torch.manual_seed(99)
    state = torch.get_rng_state()
    again = [TrainingViews(pairs, augmentation, seed=3)[1, i] for i in (7, 0)]
    assert torch.equal(state, torch.get_rng_state())  # nobody else's generator is touched
    for one, other in zip((first[7], first[0]), again, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(one, other, strict=True))
    for another in (
        [views[2, i] for i in range(8)],
        [TrainingViews(pairs, augmentation)[1, i] for i in range(8)],
    ):
        assert any(not torch.equal(p[differs], q[differs]) for p, q in zip(first, another, strict=True))


@pytest.mark.parametrize("augmentation", ["real", "literal", "none"])
def test_geometry_is_shared_by_both_views_and_the_mask(tmp_path: Path, augmentation) -> None:
    write_pairs(tmp_path / "a", number=8)
    views = TrainingViews(PairDataset(tmp_path), augmentation, seed=1)
    for i in range(8):
        x, x_hat, mask, _ = views[0, i]
        inside, outside = mask[0], ~mask[0]
        for view in (x.float().mean(0), x_hat.float().mean(0)):
            assert view[inside].mean() - view[outside].mean() > 40
            assert np.corrcoef(x.float().mean(0).flatten(), view.flatten())[0, 1] > 0.9


def test_colour_jitter_with_default_parameters_changes_nothing() -> None:
    x = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)
    assert torch.equal(ColorJitter()(x), x)


def test_literal_views_are_mostly_equal_and_real_ones_never(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a", number=1)
    pairs = PairDataset(tmp_path)

    def equal(augmentation) -> int:
        views = TrainingViews(pairs, augmentation)
        return sum(torch.equal(*views[epoch, 0][:2]) for epoch in range(100))

    assert 80 <= equal("literal") <= 98  # grey in 10 of 100
    assert equal("real") == 0


@pytest.mark.parametrize("augmentation", ["literal", "none"])
def test_only_the_real_augmentation_moves_anything(tmp_path: Path, augmentation) -> None:
    """The paper names ColorJitter and RandomGrayscale and no flip; both are for x_hat."""
    write_pairs(tmp_path / "a", number=1)
    pairs = PairDataset(tmp_path)
    image, mask, valid = pairs[0]
    for epoch in range(20):
        x, x_hat, label, certain = TrainingViews(pairs, augmentation)[epoch, 0]
        assert torch.equal(x, image)
        assert torch.equal(label, mask)
        assert torch.equal(certain, valid)
        assert torch.equal(x_hat, image) or torch.equal(x_hat[0], x_hat[1])  # grey


def test_real_views_are_flipped_in_half_of_the_epochs(tmp_path: Path) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, 32:] = 200
    write_image(tmp_path / "a/frames/000000.png", frame)
    write_image(tmp_path / "a/masks/000000.png", frame[..., 0] > 0)
    views = TrainingViews(PairDataset(tmp_path))
    flipped = 0
    for epoch in range(100):
        x, _, mask, _ = views[epoch, 0]
        assert ((x[0] > 100) == mask[0]).float().mean() > 0.97
        flipped += bool(mask[0, :, 0].all() and not mask[0, :, -1].any())
    assert 35 <= flipped <= 65


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_of_torch_takes_views_by_their_number(tmp_path: Path, workers: int) -> None:
    write_pairs(tmp_path / "a", number=5)
    views = TrainingViews(PairDataset(tmp_path), seed=3)
    loader = DataLoader(views, batch_size=2, num_workers=workers)
    for epoch in (0, 4):
        views.set_epoch(epoch)
        batches = [torch.cat(parts) for parts in zip(*loader, strict=True)]
        expected = [torch.stack(parts) for parts in zip(*(views[epoch, i] for i in range(5)), strict=True)]
        assert all(torch.equal(one, other) for one, other in zip(batches, expected, strict=True))
    assert torch.equal(views[-1][0], views[4, 4][0])
    assert torch.equal(views[np.int64(2)][1], views[4, 2][1])
    with pytest.raises(IndexError):
        views[5]
    assert len(list(views)) == 5  # type: ignore[call-overload]


def test_changed_colours_keep_grey_grey_when_only_hue_and_saturation_change() -> None:
    rng = np.random.default_rng(0)
    ramp = np.repeat(np.arange(40, 200, dtype=np.uint8)[:, None, None], 3, axis=2)
    image = np.ascontiguousarray(np.repeat(ramp, 16, axis=1))
    spreads = []
    for _ in range(50):
        changed = change_colours(image, rng)
        assert (changed.shape, changed.dtype) == (image.shape, np.uint8)
        spreads.append(int(np.ptp(changed.astype(int), axis=2).max()))
    assert np.median(spreads) <= 1  # a third have noise, which is coloured


def recovered(image: np.ndarray, changed: np.ndarray) -> tuple[float, float, float, float]:
    """Brightness, contrast, saturation and turn of the hue that made one picture of two colours into another."""
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    left, right = np.s_[4:-4, 4:12], np.s_[4:-4, -12:-4]  # where no blur of the edge comes
    before, after = (
        [to_yiq @ picture[side].reshape(-1, 3).mean(0) for side in (left, right)] for picture in (image, changed)
    )
    was, now = before[0] - before[1], after[0] - after[1]
    contrast = now[0] / was[0]
    chroma = [complex(difference[1], difference[2]) for difference in (was, now)]
    saturation = abs(chroma[1]) / abs(chroma[0]) / contrast
    brightness = after[0][0] - image.mean() - contrast * (before[0][0] - image.mean())
    return brightness, contrast, saturation, float(np.angle(chroma[1] / chroma[0])) if saturation > 0.1 else 0.0


def test_changed_colours_are_what_their_docstring_says() -> None:
    """Every change is drawn, as far as it should go and no farther; two colours tell all of it."""
    image = np.empty((32, 48, 3), np.uint8)
    image[:, :24], image[:, 24:] = (190, 115, 100), (70, 105, 130)
    rng = np.random.default_rng(0)
    changes, noises, blurs = [], [], []
    for _ in range(400):
        changed = change_colours(image, rng)
        noises.append(changed[4:-4, 4:12].astype(float).std((0, 1)).max())
        if noises[-1] == 0:
            changes.append(recovered(image, changed))
            flat, edge, other = changed[0, [12, 23, 36]].astype(float)
            blurs.append(np.linalg.norm(edge - flat) / np.linalg.norm(other - flat))
    brightness, contrast, saturation, turn = np.array(changes).T
    for name, values, least, most in (
        ("brightness", brightness, -40, 40),
        ("contrast", contrast, 0.6, 1.4),
        ("saturation", saturation[saturation > 0.1], 0.5, 1.5),
        ("turn", turn, -0.3, 0.3),
    ):
        reach = most - least
        assert abs(values.min() - least) < 0.07 * reach, name
        assert abs(values.max() - most) < 0.07 * reach, name
    assert 12 <= (saturation < 0.1).sum() <= 45  # grey in a tenth
    assert 90 <= np.count_nonzero(noises) <= 150
    assert 7 < max(noises) < 9
    assert 0.2 < np.mean(np.array(blurs) > 0) < 0.36
    assert 0.25 < max(blurs) < 0.4  # of the way to the other colour, where the edge was sharp


def test_zoom_magnifies_image_and_mask_alike() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    image = np.repeat(mask[:, :, None].astype(np.uint8) * 200, 3, axis=2)
    areas = []
    tops, lefts = set(), set()
    for _ in range(100):
        zoomed, zoomed_mask = zoom(image, mask, rng)
        assert zoomed.shape == image.shape
        assert ((zoomed[:, :, 0] > 100) != zoomed_mask).mean() < 0.02
        areas.append(zoomed_mask.sum())
        tops.add(int(zoomed_mask.any(1).argmax()))
        lefts.add(int(zoomed_mask.any(0).argmax()))
    assert 1.1 < np.mean(areas) / mask.sum() < 1 / 0.7**2
    assert 1 <= min(areas) / mask.sum() < 1 / 0.97**2  # the square is in every window, which is 70 to 100% of a side
    assert 1 / 0.73**2 < max(areas) / mask.sum() < 1.03 / 0.7**2
    assert min(tops) < 8  # and anywhere
    assert max(tops) > 22
    assert min(lefts) < 13
    assert max(lefts) > 34


def test_empty_masks_are_allowed(tmp_path: Path) -> None:
    clip = write_pairs(tmp_path / "a")
    assert not PairDataset(clip).is_empty()
    for mask in list((clip / "masks").iterdir()):
        replace_image(mask, np.zeros((48, 64), bool))
    assert PairDataset(clip).is_empty()
    assert not PairDataset(clip)[0][1].any()


def test_pairs_with_a_crowd_are_those_whose_mask_has_a_pixel(tmp_path: Path) -> None:
    for t in range(4):
        mask = np.zeros((40, 40), bool)
        mask[0, 0] = t in (1, 3)
        write_image(tmp_path / "clip/frames" / f"{t:06d}.png", np.zeros((40, 40, 3), np.uint8))
        write_image(tmp_path / "clip/masks" / f"{t:06d}.png", mask)
    pairs = PairDataset(tmp_path)
    assert [frame.stem for frame, _ in pairs.with_crowd().paths] == ["000001", "000003"]
    assert len(pairs) == 4


def test_bad_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        PairDataset(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no pairs"):
        PairDataset(tmp_path)
    with pytest.raises(ValueError, match="No folder"):
        PairDataset([])
    clip = write_pairs(tmp_path / "a")
    with pytest.raises(ValueError, match="too small"):
        PairDataset(clip, long_side=4)
    with pytest.raises(ValueError, match="choose real, literal, none"):
        TrainingViews(PairDataset(clip), "strong")  # type: ignore[arg-type]

    replace_image(clip / "masks" / "000020.png", np.zeros((10, 10), bool))
    with pytest.raises(ValueError, match=r"000020.png is 64x48 px, .*000020.png is 10x10 px"):
        PairDataset(clip)
    (clip / "masks" / "000020.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"000020.png is not an image"):
        PairDataset(clip)
    (clip / "masks" / "000020.png").unlink()
    with pytest.raises(ValueError, match=r"000020.png has no mask"):
        PairDataset(clip)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("damage", ["cut", "empty", "text", "header"])
def test_damaged_files_are_skipped_by_name(tmp_path: Path, suffix: str, damage: str) -> None:
    clip = write_pairs(tmp_path / "a", number=4, shape=(80, 100))
    for frame in list((clip / "frames").iterdir()):
        frame.unlink()
        write_image(frame.with_suffix(suffix), np.random.default_rng(1).integers(0, 255, (80, 100, 3), dtype=np.uint8))
    bad = clip / "frames" / f"000040{suffix}"
    data = bad.read_bytes()
    cut = {"cut": data[: len(data) // 2], "empty": b"", "text": b"hello", "header": data[:30]}
    bad.write_bytes(cut[damage])
    pairs = PairDataset(clip, skip_damaged=True)
    assert [pairs.name(i) for i in range(len(pairs))] == [f"a/{n:06d}{suffix}" for n in (0, 20, 60)]
    assert len(pairs.skipped) == 1
    assert pairs.skipped[0].startswith(f"{bad} (")
    assert pairs.shape == (80, 100)


def test_one_changed_byte_in_a_png_is_damage(tmp_path: Path) -> None:
    clip = write_pairs(tmp_path / "a")
    mask = clip / "masks" / "000000.png"
    data = bytearray(mask.read_bytes())
    data[len(data) // 2] ^= 1
    mask.write_bytes(data)
    assert PairDataset(clip, skip_damaged=True).skipped[0].startswith(str(mask))


@pytest.mark.parametrize("folder", ["frames", "masks", "valid"])
def test_a_picture_that_claims_to_be_enormous_is_left_out_before_it_is_decoded(tmp_path: Path, folder: str) -> None:
    clip = write_pairs(tmp_path / "a", number=2)
    path = clip / folder / "000020.png"
    path.parent.mkdir(exist_ok=True)
    head = b"IHDR" + (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    chunks = [head, b"IDAT" + zlib.compress(b""), b"IEND"]
    png = b"".join((len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + png)
    pairs = PairDataset(clip, skip_damaged=True)
    assert len(pairs) == 1
    assert pairs.skipped[0].startswith(f"{path} (claims a picture of 20000x10000 px, more than the 64 million")
    if folder != "valid":
        with pytest.raises(ValueError, match="claims a picture of 20000x10000 px"):
            PairDataset(clip)


def test_masks_of_0_and_1_are_named_and_not_taken_for_empty(tmp_path: Path) -> None:
    clip = write_pairs(tmp_path / "a")
    one = clip / "masks" / "000020.png"
    replace_image(one, np.ones((48, 64), np.uint8))
    pairs = PairDataset(clip, skip_damaged=True)
    assert [pairs.name(i) for i in range(len(pairs))] == ["a/000000.png", "a/000040.png"]
    assert pairs.skipped == [
        f"{one} (has grey values 1; a mask has only 0, 255 (255 = person). Multiply it by 255: 255 for people, 0 for "
        "the rest.)"
    ]
    with pytest.raises(ValueError, match=r"000020\.png has grey values 1"):
        PairDataset(clip)[1]
    for mask in list((clip / "masks").iterdir()):
        replace_image(mask, np.ones((48, 64), np.uint8))
    with pytest.raises(ValueError, match=r"None of the 3 pairs can be read.*has grey values 1"):
        PairDataset(clip, skip_damaged=True)
    with pytest.raises(ValueError, match="has grey values 1"):
        PairDataset(clip).is_empty()
    replace_image(clip / "masks" / "000000.png", np.full((48, 64), 255, np.uint8))
    (clip / "valid").mkdir()
    write_image(clip / "valid" / "000000.png", np.ones((48, 64), np.uint8))
    with pytest.raises(ValueError, match=r"valid.000000\.png has grey values 1"):
        PairDataset(clip)[0]


@pytest.mark.parametrize("kind", ["16 bit", "colour", "palette"])
def test_masks_of_other_programs_train_alike(tmp_path: Path, kind: str) -> None:
    clip = write_pairs(tmp_path / "a")
    before = [PairDataset(clip)[i][1] for i in range(3)]
    for path in (clip / "masks").iterdir():
        mask = np.array(Image.open(path)) > 0
        image = Image.fromarray(np.uint16(mask) * 65535 if kind == "16 bit" else np.uint8(mask) * 255)
        (image if kind == "16 bit" else image.convert("RGB" if kind == "colour" else "P")).save(path)
    pairs = PairDataset(clip, skip_damaged=True)
    assert not pairs.skipped
    assert all(torch.equal(pairs[i][1], before[i]) for i in range(3))


def test_frames_that_a_viewer_turns_have_the_size_of_their_masks(tmp_path: Path) -> None:
    clip = write_pairs(tmp_path / "a", number=1)
    path = clip / "frames" / "000000.png"
    upright = np.array(Image.open(path))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    Image.fromarray(np.rot90(upright)).save(path, exif=exif)
    pairs = PairDataset(clip, skip_damaged=True)
    assert pairs.shape == (48, 64)
    assert np.array_equal(pairs[0][0].numpy().transpose(1, 2, 0), upright)


def test_frames_of_every_image_ending_are_pairs(tmp_path: Path) -> None:
    clip = write_pairs(tmp_path / "a", number=2)
    frame = clip / "frames" / "000020.png"
    Image.open(frame).save(frame.with_suffix(".ppm"))
    frame.unlink()
    assert len(PairDataset(clip, skip_damaged=True)) == 2


def test_the_fingerprint_is_that_of_earlier_versions(tmp_path: Path) -> None:
    """A checkpoint of an earlier version goes on with the pairs it was made from."""
    clip = write_pairs(tmp_path / "a")
    (clip / "valid").mkdir()
    write_image(clip / "valid" / "000020.png", np.full((48, 64), 255, np.uint8))
    digest = hashlib.sha256()
    for name in ("000000.png", "000020.png", "000040.png"):
        digest.update(f"a/{name} {(clip / 'frames' / name).stat().st_size}\n".encode())
        for kind in ("masks", "valid"):
            if (clip / kind / name).exists():
                digest.update((clip / kind / name).read_bytes())
    assert PairDataset(clip, skip_damaged=True).fingerprint() == digest.hexdigest()


def test_sizes_that_differ_and_nothing_but_damage_are_errors_all_the_same(tmp_path: Path) -> None:
    clip = write_pairs(tmp_path / "a")
    replace_image(clip / "masks" / "000020.png", np.zeros((10, 10), bool))
    with pytest.raises(ValueError, match=r"000020.png is 64x48 px, .*000020.png is 10x10 px"):
        PairDataset(clip, skip_damaged=True)
    for mask in (clip / "masks").iterdir():
        mask.write_bytes(b"")
    with pytest.raises(ValueError, match=r"None of the 3 pairs can be read. The first: .*000000.png"):
        PairDataset(clip, skip_damaged=True)


def test_pixels_a_label_is_not_sure_of_are_not_valid_and_move_with_it(tmp_path):
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 20:50] = True
    for kind, image in (("frames", frame), ("masks", mask)):
        write_image(tmp_path / "clip" / kind / "000000.png", image)
    before = PairDataset(tmp_path)
    assert before[0][2].all()
    fingerprint = before.fingerprint()
    write_image(tmp_path / "clip" / "valid" / "000000.png", ~mask)
    doubtful = PairDataset(tmp_path)
    assert doubtful.fingerprint() != fingerprint
    assert np.array_equal(doubtful[0][2][0].numpy(), ~mask)
    views = TrainingViews(doubtful, "real", seed=1)
    for epoch in range(5):
        _, _, label, valid = views[epoch, 0]
        assert torch.equal(valid, ~label)  # flipped and zoomed alike
    replace_image(tmp_path / "clip" / "valid" / "000000.png", np.ones((30, 80), bool))
    with pytest.raises(ValueError, match="sizes must be equal"):
        doubtful[0]


def test_people_of_all_sizes_only_where_it_is_asked_for(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a", number=4)
    pairs = PairDataset(tmp_path, long_side=32)
    usual = [TrainingViews(pairs, "real", seed=1, sizes=sizes)[0, 2] for sizes in (1.0, 1.0)]
    assert all(torch.equal(one, other) for one, other in zip(*usual, strict=True))
    views = TrainingViews(pairs, "real", seed=1, sizes=4.0)
    shares = []
    for epoch in range(30):
        x, _, mask, valid = views[epoch, 2]
        assert (x.shape, mask.shape, valid.shape) == ((3, 24, 32), (1, 24, 32), (1, 24, 32))
        assert valid.all()
        shares.append(float(mask.float().mean()))
    assert max(shares) > 3 * np.median(shares)  # near ones, in pixels of the file, not of the working size
    literal = [TrainingViews(pairs, "literal", seed=1, sizes=sizes)[0, 2][2] for sizes in (1.0, 4.0)]
    assert torch.equal(*literal)


def test_pasted_people_are_those_that_a_label_is_sure_of(tmp_path: Path) -> None:
    for clip, level in (("empty", 30), ("people", 200)):
        mask = np.zeros((48, 64), bool)
        mask[10:40, 10:50] = level == 200
        valid = np.zeros((48, 64), bool)
        valid[:, :40] = True
        for kind, image in (("frames", np.full((48, 64, 3), level, np.uint8)), ("masks", mask), ("valid", valid)):
            write_image(tmp_path / clip / kind / "0.png", image)
    pairs = PairDataset(tmp_path)
    assert pairs.name(0).startswith("empty")
    plain, pasted = (TrainingViews(pairs, "real", seed=0, paste=paste) for paste in (0.0, 1.0))
    assert not any(plain[epoch, 0][2].any() for epoch in range(8))
    seen = [pasted[epoch, 0] for epoch in range(20)]
    with_people = [(x, mask, valid) for x, _, mask, valid in seen if mask.any()]
    assert 4 <= len(with_people) <= 16  # of two pairs one has people
    for x, mask, valid in with_people:
        inner = torch.nn.functional.max_pool2d((~mask).float(), 7, 1, 3) == 0
        assert (x[:, inner[0]] == 200).all()
        assert (x[:, ~torch.nn.functional.max_pool2d(mask.float(), 9, 1, 4)[0].bool()] == 30).all()
        assert valid[mask].all()
        assert mask.sum() < 48 * 64 * 0.75 * 0.75  # not all of them: what the label is not sure of stays behind
