"""Images are looked at before they are decoded: their size, whether they are whole, and how they are turned."""

import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mpas_lite.video.images import image_shape, image_view, read_deep, read_image, read_unchanged
from mpas_lite.video.images import write_image as write
from mpas_lite.video.limits import LIMIT_VARIABLE, check_size, max_pixels

PICTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8), (0, 0), 2)


def encoded(ending, picture=PICTURE):
    return cv2.imencode(ending, picture[..., ::-1])[1].tobytes()


def png(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body) if length is None else length)
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body, length in chunks
    )


def header(width, height, depth=8):
    return (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0), None)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".tif", ".webp", ".ppm"])
def test_pixels_are_those_of_opencv(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(encoded(ending))
    np.testing.assert_array_equal(read_image(path), cv2.imread(str(path))[..., ::-1])
    np.testing.assert_array_equal(read_image(path, grey=True), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    np.testing.assert_array_equal(read_deep(path), read_image(path))
    assert image_shape(path) == (48, 64)


@pytest.mark.parametrize("name", ["für élise.png", "照片.png", os.fsdecode(b"caf\xe9.png"), "a:b.png", "a b%d.png"])
def test_any_name_can_be_written_and_read(tmp_path, name):
    write(tmp_path / name, PICTURE)
    np.testing.assert_array_equal(read_image(tmp_path / name), PICTURE)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_and_pixels_are_turned_alike(tmp_path, ending, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    Image.fromarray(PICTURE).save(path, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    image = read_image(path)
    assert image.shape[:2] == image_shape(path) == upright.shape[:2] == ((64, 48) if orientation > 4 else (48, 64))
    assert np.abs(image.astype(int) - upright).mean() < 1
    assert read_image(path, grey=True).shape == image.shape[:2]
    assert image_view(path)[1] == orientation


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", exif=exif)
    assert image_view(tmp_path / "a.jpg") == ((48, 64), 1)


def test_damaged_exif_data_turn_nothing(tmp_path):
    data = encoded(".jpg")
    block = b"Exif\0\0MM\0*\xff\xff\xff\xff"
    (tmp_path / "a.jpg").write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:])
    assert image_view(tmp_path / "a.jpg") == ((48, 64), 1)
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.jpg"), cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1]
    )


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".ppm", ".tif"])
@pytest.mark.parametrize("left", [0, 1, 5, 0.3, 0.6, 0.95, -1])
def test_a_file_that_is_cut_off_is_named(tmp_path, ending, left):
    data = encoded(ending)
    cut = data[: int(left * len(data)) if isinstance(left, float) else left]
    path = tmp_path / f"cut{ending}"
    path.write_bytes(cut)
    with pytest.raises(ValueError, match=r"cut\..* (ends before|is not an image|cannot be decoded)"):
        read_image(path)
    if ending in (".jpg", ".png"):
        with pytest.raises(ValueError, match=r"cut\."):
            image_shape(path)


def test_a_file_whose_end_was_never_written_is_named(tmp_path):
    for ending in (".jpg", ".png"):
        data = encoded(ending)
        (tmp_path / f"a{ending}").write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
        with pytest.raises(ValueError, match=r"cut off or damaged|is not an image"):
            read_image(tmp_path / f"a{ending}")


def test_data_behind_a_jpeg_do_no_harm(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(".jpg") + b"\0" * 100 + b"what a phone adds")
    assert read_image(tmp_path / "a.jpg").shape == (48, 64, 3)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_the_bytes_are_it_is_an_image_or_one_sentence(tmp_path_factory, data):
    ending = data.draw(st.sampled_from([".png", ".jpg", ".bmp", ".tif", ".webp", ".ppm"]))
    raw = bytearray(encoded(ending))
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=6)
    ):
        raw[position] = value
    path = tmp_path_factory.getbasetemp() / f"mutant{ending}"
    path.write_bytes(bytes(raw))
    for read in (read_image, read_unchanged, read_deep, image_shape):
        said = ""
        try:
            read(path)
        except ValueError as error:
            said = str(error)
        assert not said or str(path) in said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bomb.png", png(header(30000, 30000, 1), (b"IDAT", zlib.compress(bytes(100)), None), (b"IEND", b"", None))),
        ("bomb.ppm", b"P6 30000 30000 255\n" + bytes(100)),
        ("bomb.bmp", encoded(".bmp")[:18] + struct.pack("<ii", 30000, 30000) + encoded(".bmp")[26:]),
        ("many.png", png(header(2**31 - 1, 2**31 - 1), (b"IEND", b"", None))),
        ("many.ppm", b"P6 2000000000 2000000000 255\n"),
        ("none.png", png(header(0, 5), (b"IEND", b"", None))),
    ],
)
def test_a_claim_of_too_many_pixels_is_refused_from_the_header(tmp_path, monkeypatch, name, data):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    (tmp_path / name).write_bytes(data)
    for read in (read_image, read_unchanged, image_shape):
        with pytest.raises(ValueError, match=name):
            read(tmp_path / name)


def test_the_limit_can_be_raised_and_lowered(tmp_path, monkeypatch):
    write(tmp_path / "a.png", PICTURE)
    monkeypatch.setenv(LIMIT_VARIABLE, "0.001")
    with pytest.raises(
        ValueError,
        match=r"a\.png claims a picture of 64x48 px, more than the 0\.001 million .* MPAS_LITE_MAX_MEGAPIXELS",
    ):
        read_image(tmp_path / "a.png")
    monkeypatch.setenv(LIMIT_VARIABLE, "300")
    assert max_pixels() == 300_000_000
    check_size("x", 16000, 16000)
    for nonsense in ("many", "-1", "nan", "1e99"):
        monkeypatch.setenv(LIMIT_VARIABLE, nonsense)
        with pytest.raises(ValueError, match="not a number of million pixels"):
            read_image(tmp_path / "a.png")


def test_4k_is_within_the_limit():
    check_size("x", 2160, 4096)
    check_size("x", 4320, 7680)
    with pytest.raises(ValueError, match="more than"):
        check_size("x", 13000, 13000)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF, 2000])
def test_a_png_chunk_longer_than_its_file_reserves_nothing(tmp_path, length):
    path = tmp_path / "long.png"
    path.write_bytes(png(header(64, 48), (b"IDAT", b"x" * 40, length), (b"IEND", b"", None)))
    with pytest.raises(ValueError, match=r"long\.png ends before its picture does"):
        read_image(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux says how much a process took")
def test_hostile_images_take_little_memory(tmp_path):
    (tmp_path / "1.png").write_bytes(png(header(64, 48), (b"IDAT", b"x" * 40, 0xFFFFFFFF), (b"IEND", b"", None)))
    (tmp_path / "2.png").write_bytes(png(header(60000, 60000), (b"IDAT", b"x" * 40, None), (b"IEND", b"", None)))
    (tmp_path / "3.ppm").write_bytes(b"P6 60000 60000 255\n")
    code = """
import sys
from mpas_lite.video.images import read_image
for path in sys.argv[1:]:
    try:
        read_image(path)
    except ValueError as error:
        print(error)
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024)
"""  # not ru_maxrss: that begins with what the process had that started this one
    files = sorted(str(p) for p in tmp_path.iterdir())
    said = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True).stdout
    assert len(said.splitlines()) == 4
    assert int(said.splitlines()[-1]) < 300


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp"])
def test_kinds_of_pictures_look_as_elsewhere(tmp_path, mode, ending):
    path = tmp_path / f"a.{ending}"
    try:
        Image.fromarray(PICTURE).convert(mode).save(path)
    except (OSError, KeyError):
        pytest.skip(f"no {mode} in {ending}")
    expected = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert np.abs(read_image(path) - expected).mean() < 1.5
    assert read_deep(path).dtype == np.uint8


def test_unchanged_is_what_is_stored(tmp_path):
    deep = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    np.testing.assert_array_equal(read_unchanged(tmp_path / "deep.png"), deep)
    np.testing.assert_array_equal(read_deep(tmp_path / "deep.png"), np.repeat(deep[..., None], 3, 2))
    colours = np.dstack([PICTURE, PICTURE[..., :1]])
    Image.fromarray(colours).save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(read_unchanged(tmp_path / "alpha.png"), colours)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PICTURE).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_unchanged(tmp_path / "turned.png"), PICTURE)


def test_floating_point_is_no_colour(tmp_path):
    (tmp_path / "a.pfm").write_bytes(b"Pf\n8 8\n-1.0\n" + np.ones(64, "<f4").tobytes())
    with pytest.raises(ValueError, match=r"a\.pfm (holds float32 values|is not an image)"):
        read_deep(tmp_path / "a.pfm")


def test_what_is_no_file_is_said(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to("gone.png")
    for name, error, message in [
        ("folder.png", ValueError, "is a folder"),
        ("link.png", FileNotFoundError, "a link to gone.png"),
        ("nothing.png", FileNotFoundError, "no file"),
        ("n" * 300 + ".png", ValueError, "cannot be opened"),
        ("zero\0byte.png", ValueError, "cannot be opened"),
    ]:
        for read in (read_image, read_unchanged, image_shape):
            with pytest.raises(error, match=message):
                read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe\.png is a pipe or a device"):
        read_image(tmp_path / "pipe.png")


def test_a_mask_is_written_as_0_and_255(tmp_path):
    mask = np.zeros((8, 9), bool)
    mask[2:5] = True
    write(tmp_path / "deep" / "m.png", mask)
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO((tmp_path / "deep" / "m.png").read_bytes()))), mask * 255
    )
