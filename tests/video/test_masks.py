"""What is taken for a mask, and which frame a file is of."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from mpas_lite.evaluation.ground_truth import read_ground_truth
from mpas_lite.evaluation.scores import evaluate, iou
from mpas_lite.video.masks import CDNET, frame_number, frame_numbers, mask_files, numbered, read_mask, source_names


def grey(mask):
    return Image.fromarray(np.uint8(mask) * 255)


def palette(mask):
    image = Image.fromarray(np.uint8(mask), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    return image


def with_alpha(mask, alpha):
    return Image.fromarray(np.dstack([np.uint8(mask) * 255] * 3 + [alpha]))


def opaque(mask):
    return np.full(mask.shape, 255, np.uint8)


# How other programs keep a mask, where it can mean one thing only: (ending, picture, options of saving).
ENCODINGS = {
    "8 bit": ("png", grey, {}),
    "1 bit": ("png", lambda m: grey(m).convert("1"), {}),
    "16 bit, 65535": ("png", lambda m: Image.fromarray(np.uint16(m) * 65535), {}),
    "16 bit, 255": ("png", lambda m: Image.fromarray(np.uint16(m) * 255), {}),
    "palette": ("png", palette, {}),
    "palette, its black transparent": ("png", palette, {"transparency": 0}),
    "three equal channels": ("png", lambda m: grey(m).convert("RGB"), {}),
    "opaque": ("png", lambda m: with_alpha(m, opaque(m)), {}),
    "grey and opaque": ("png", lambda m: grey(m).convert("LA"), {}),
    "half transparent": ("png", lambda m: with_alpha(m, opaque(m) // 2), {}),
    "transparent where black": ("png", lambda m: with_alpha(m, np.uint8(m) * 255), {}),
    "TIFF": ("tif", grey, {}),
    "TIFF, boolean": ("tif", lambda m: grey(m).convert("1"), {}),
    "TIFF, fax": ("tif", lambda m: grey(m).convert("1"), {"compression": "group4"}),
    "TIFF, 16 bit": ("tiff", lambda m: Image.fromarray(np.uint16(m) * 65535), {}),
    "BMP": ("bmp", grey, {}),
    "BMP, boolean": ("bmp", lambda m: grey(m).convert("1"), {}),
    "BMP, palette": ("bmp", palette, {}),
    "WebP": ("webp", lambda m: grey(m).convert("RGB"), {"lossless": True}),
    "PGM": ("pgm", grey, {}),
}


def saved(folder, encoding, mask, name="000000"):
    ending, picture, options = ENCODINGS[encoding]
    path = Path(folder) / f"{name}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(mask).save(path, **options)
    return path


shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_mask_is_the_same_however_it_was_saved(encoding, data):
    mask = data.draw(arrays(bool, shapes))
    with tempfile.TemporaryDirectory() as folder:
        path = saved(folder, encoding, mask)
        found = read_mask(path)
        target, valid = read_ground_truth(path)
    assert found.dtype == np.uint8
    assert np.array_equal(found, mask * np.uint8(255))
    assert np.array_equal(target, mask)
    assert valid.all()


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (6, 7)), arrays(bool, (6, 7)), st.sampled_from(list(ENCODINGS)), st.sampled_from(list(ENCODINGS)))
def test_the_iou_does_not_depend_on_the_encoding(pred, target, one, other):
    target[0, 0] = True  # somebody in the truth, else there is a note
    with tempfile.TemporaryDirectory() as folder:
        saved(f"{folder}/out/masks", one, pred)
        saved(f"{folder}/truth", other, target)
        assert evaluate(f"{folder}/out/masks", f"{folder}/truth").pooled == iou(pred, target)


HALF = np.eye(8, dtype=bool)


@pytest.mark.parametrize(
    ("ending", "picture", "sentence"),
    [
        ("png", Image.fromarray(np.uint8(HALF)), "has grey values 1; .* Multiply it by 255"),
        ("png", Image.fromarray(np.uint8(HALF) * 2), "has grey values 2; a mask has only 0, .* Save it as PNG"),
        ("png", Image.fromarray(np.uint16(HALF)), "has 16-bit values 1, such as the numbers of objects"),
        (
            "png",
            Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8)),
            r"has 16-bit values 1, 2, 3, 4, 5, \.\.\.",
        ),
        ("png", Image.fromarray(np.uint16(HALF) * 65535 + np.uint16(~HALF) * 255), "has 16-bit values 255, 65535"),
        ("png", with_alpha(HALF & False, np.uint8(HALF) * 255), r"has a transparency \(alpha\) other than"),
        ("png", with_alpha(~HALF, np.uint8(HALF) * 255), r"has a transparency \(alpha\) other than"),
        ("png", with_alpha(HALF, np.zeros((8, 8), np.uint8)), r"has a transparency \(alpha\) other than"),
        ("png", Image.fromarray(np.dstack([np.uint8(HALF) * 255] + [np.zeros((8, 8), np.uint8)] * 2)), "is in colour"),
        ("tif", Image.fromarray(np.float32(HALF)), "holds numbers of type float32"),
        ("tif", Image.fromarray(np.int32(HALF) * 255), "holds numbers of type int32"),
        ("jpg", grey(np.random.default_rng(0).random((16, 16)) < 0.5), "has grey values .* not JPEG"),
    ],
)
def test_what_could_mean_something_else_is_refused(tmp_path, ending, picture, sentence):
    path = tmp_path / f"000007.{ending}"
    picture.save(path)
    for read in (read_mask, read_ground_truth):
        with pytest.raises(ValueError, match=sentence) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_a_mask_that_a_viewer_turns_is_refused(tmp_path, ending, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey(HALF).save(tmp_path / f"1.{ending}", exif=exif)
    with pytest.raises(ValueError, match=rf"EXIF orientation {orientation}\). Save it upright"):
        read_mask(tmp_path / f"1.{ending}")


def test_nobody_in_a_transparent_picture_is_nobody(tmp_path):
    nothing = np.zeros((5, 6), np.uint8)
    with_alpha(nothing > 0, nothing).save(tmp_path / "0.png")
    assert not read_mask(tmp_path / "0.png").any()


@pytest.mark.slow
@given(arrays(np.uint8, (4, 5), elements=st.sampled_from(CDNET)))
def test_the_codes_of_ground_truth_in_16_bits(codes):
    with tempfile.TemporaryDirectory() as folder:
        for name, image in (("a", codes), ("b", np.uint16(codes)), ("c", np.uint16(codes) * 257)):
            Image.fromarray(image).save(f"{folder}/{name}.png")
            assert np.array_equal(read_mask(f"{folder}/{name}.png", CDNET), codes)
        if set(codes.flat) - {0, 255}:
            with pytest.raises(ValueError, match="a mask has only 0, 255 "):
                read_mask(f"{folder}/a.png")


# ------------------------------------------------------------------------------------------------- names


def test_a_size_in_a_name_is_no_frame():
    assert frame_number("frame_12_320x240.png") == 12
    assert frame_number("000300_1920x1080") == 300
    assert frame_number("320x240.png") == 240  # where it is all there is
    assert frame_numbers(["frame_0_320x240.png", "frame_5_320x240.png"]) == [0, 5]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["in000001.jpg", "in000002.jpg"], [1, 2]),
        (["cam2_0300.png", "cam2_0301.png"], [300, 301]),
        (["f1_at25fps.png", "f2_at25fps.png", "f10_at25fps.png"], [1, 2, 10]),
        (["1_2.png", "2_4.png", "3_6.png"], [2, 4, 6]),  # both differ: the last, as ever
        (["7.png", "cam2_0300.png"], [7, 300]),  # names of two kinds: the last group of each
        (["cam2_0300.png"], [300]),
        ([], []),
    ],
)
def test_the_digits_that_differ_count(names, numbers):
    assert frame_numbers(names) == numbers


def test_two_folders_are_read_alike():
    one, many = ["f5_at25fps.png"], ["gt5_at25fps.png", "gt6_at25fps.png"]
    assert frame_numbers(one) == [25]
    assert frame_numbers(one, many) == [5]
    assert frame_numbers(many, one) == [5, 6]


@given(
    st.sets(st.integers(0, 9999), min_size=1, max_size=6),
    st.sampled_from(["gt{:06d}.png", "{}.png", "f_{}_320x240.png", "cam3_{:04d}_hd2.png", "a1b{}.png"]),
)
def test_any_pattern_gives_its_numbers(numbers, pattern):
    numbers = sorted(numbers)
    beside = [pattern.format(n) for n in range(3)]  # one name alone cannot show what differs
    assert frame_numbers([pattern.format(n) for n in numbers], beside) == numbers


def test_two_files_of_one_number_are_refused_and_none_is_to_be_deleted():
    names = ["000001.png", "000001.jpg"]
    with pytest.raises(ValueError, match="both stand for frame 1: of the digits in their names, the last") as caught:
        numbered([Path(name) for name in names], names)
    assert "elete" not in str(caught.value)
    assert "Keep one" not in str(caught.value)


def test_hidden_files_and_notes_are_no_masks(tmp_path):
    for name in (".000001.png", "000002.PNG", "000003.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in mask_files(tmp_path)] == ["000002.PNG"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "does not map masks to frames"),
        ("null", "does not map masks to frames"),
        ('{"frames": 3}', "does not map masks to frames"),
        ('{"000000": 7}', "does not map masks to frames"),
        ('{"000000": "' + "9" * 5000 + '"}', "does not map masks to frames"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"a": ', "is not valid JSON"),
    ],
)
def test_a_note_of_a_wrong_kind_is_named(tmp_path, text, sentence):
    (tmp_path / "frames.json").write_text(text)
    with pytest.raises(ValueError, match=rf"frames\.json {sentence}"):
        source_names(tmp_path / "masks")
