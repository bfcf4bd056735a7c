"""What a path stands for: videos, folders of frames, what lies beside them, and what is no path of a video."""

import os
from pathlib import Path

import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.video.finding import VIDEO_ENDINGS, contents, find
from mpas_lite.video.images import write_image
from mpas_lite.video.reader import clip_name, read_video, source_paths


def images(folder, *names, shape=(8, 12)):
    for name in names:
        write_image(folder / name, np.zeros(shape, np.uint8))
    return folder


@pytest.mark.parametrize(
    ("source", "error", "sentence"),
    [
        ("http://127.0.0.1:9/v.mp4", ValueError, r"^http://127.0.0.1:9/v.mp4 is an address, and streams are not read"),
        ("rtsp://127.0.0.1/live", ValueError, r"ffmpeg -i rtsp://127.0.0.1/live -t 60 clip.mp4"),
        (Path("https://a.org/v.mp4"), ValueError, r"^https://a.org/v.mp4 is an address"),
        ("file:///home/a.mp4", ValueError, r"^file:///home/a.mp4 is an address. Give the path itself"),
        ("0", ValueError, "cameras are not read"),
        (0, ValueError, "cameras are not read"),
        (np.int64(1), ValueError, "cameras are not read"),
        ("frames/img_%04d.png", ValueError, "is a pattern.* Give the folder, frames"),
        ("frames/*.png", ValueError, "is a pattern.* Give the folder, frames"),
        ("img[0-9].png", ValueError, "is a pattern"),
        ("", ValueError, "path of the video is empty"),
        (" ", ValueError, "path of the video is empty"),
        ("a" * 300 + ".mp4", ValueError, r"aaa\.\.\.aaa.*cannot be opened"),
        ("a\0b.mp4", (ValueError, FileNotFoundError), "a"),
        ("nothing.mp4", FileNotFoundError, r"There is no file or folder nothing\.mp4"),
        ("C:/nothing.mp4", FileNotFoundError, r"There is no file or folder C:/nothing\.mp4"),
        (None, ValueError, "is no path of a video"),
        (b"a.mp4", ValueError, "is no path of a video"),
        ({}, ValueError, "is no path of a video"),
        (["a.png", "b.png"], ValueError, "An array of frames is"),
        (3.5, ValueError, "An array of frames is"),
        ((frame for frame in ()), ValueError, "An array of frames is"),
        (np.zeros((3, 0, 0), np.uint8), ValueError, "have no pixels"),
        (np.zeros((3, 4, 4, 4), np.uint8), ValueError, "An array of frames is"),
    ],
)
def test_what_is_no_video_here_is_said_in_a_sentence(source, error, sentence):
    with pytest.raises(error, match=sentence):
        mp.read_video(source)
    if isinstance(source, str | Path):
        with pytest.raises(error, match=sentence):
            clip_name(source)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_nonsense_rates_are_refused(fps):
    with pytest.raises(ValueError, match="fps is a number"):
        read_video(np.zeros((3, 4, 4), np.uint8), fps=fps)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_devices_and_broken_links_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to("gone.mp4")
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    for name, error, sentence in [
        ("pipe.mp4", ValueError, r"pipe\.mp4 is a pipe or a device"),
        ("/dev/zero", ValueError, "is a pipe or a device"),
        ("link.mp4", FileNotFoundError, r"link\.mp4 is a link to gone\.mp4, which is not there"),
        ("circle.mp4", (ValueError, FileNotFoundError), r"circle\.mp4"),
    ]:
        with pytest.raises(error, match=sentence):
            read_video(tmp_path / name)
    images(tmp_path / "frames", "1.png", "2.png")
    os.mkfifo(tmp_path / "frames" / "3.png")
    with pytest.raises(ValueError, match=r"3\.png is a pipe or a device"):
        read_video(tmp_path / "frames")


def test_a_broken_link_among_the_frames_is_not_passed_over(tmp_path):
    images(tmp_path, "1.png", "2.png")
    (tmp_path / "3.png").symlink_to("gone.png")
    with pytest.raises(FileNotFoundError, match=r"3\.png is a link to gone\.png"):
        read_video(tmp_path)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["000001.jpg", "000001.png"], r"000001\.jpg and 000001\.png"),
        (["in1.png", "in2.png", "gt1.png", "gt2.png"], r"one frame: \w\w1\.png and \w\w1\.png.*folder of their own"),
        (["f_1.png", "f_2.png", "f_3.png", "f_2_mask.png"], "stand for one frame"),
        (["1.png", "01.png", "2.png"], r"1\.png and 0?1\.png"),
        (["f_1_640x480.png", "f_2_640x480.png", "m_1.png", "m_2.png"], "stand for one frame"),
    ],
)
def test_two_images_for_one_number_are_refused(tmp_path, names, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_video(images(tmp_path, *names))


def test_an_image_without_a_number_among_numbered_ones_is_named(tmp_path):
    images(tmp_path, "1.png", "2.png", "3.png", "poster.png")
    with pytest.raises(ValueError, match=r"poster\.png in .* has no number"):
        read_video(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "b.png", "c.png"],
        ["2021-05-01_1.png", "2021-05-01_2.png", "2021-05-02_1.png"],
        ["f9.jpg", "f10.jpg", "f11.jpg"],
        ["1.JPG", "2.jpg", "3.Png"],
        ["one.png"],
    ],
)
def test_ordinary_names_are_frames_in_order(tmp_path, names):
    video = read_video(images(tmp_path, *reversed(names)))
    assert [video.frame_name(i) for i in range(len(video))] == names
    assert find(tmp_path).images == [tmp_path / name for name in names]
    assert source_paths(tmp_path) == source_paths(video) == [tmp_path]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_where_frames_that_are_links_lie_is_read_too(tmp_path):
    images(tmp_path / "real", "1.png", "2.png", "3.png")
    (tmp_path / "clip").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "clip" / name).symlink_to(tmp_path / "real" / name)
    expected = [tmp_path / "clip", tmp_path / "clip" / "1.png", tmp_path / "clip" / "2.png"]
    assert source_paths(tmp_path / "clip") == source_paths(read_video(tmp_path / "clip")) == expected


def test_other_things_in_a_folder_are_no_frames(tmp_path):
    images(tmp_path, "1.png", "2.png", ".hidden.png")
    (tmp_path / "3.png").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    assert len(read_video(tmp_path)) == 2


def test_digits_of_other_kinds_in_a_name_are_no_trouble(tmp_path):
    assert len(read_video(images(tmp_path, "²1.png", "²2.png", "٣.png"))) == 3


def test_a_poster_is_no_frame_beside_a_video(tmp_path):
    (tmp_path / "input.mp4").touch()
    assert find(tmp_path).path == tmp_path / "input.mp4"
    images(tmp_path, "thumb.jpg")
    assert find(tmp_path)[:2] == (tmp_path / "input.mp4", [])
    assert clip_name(tmp_path) == tmp_path.name
    assert source_paths(tmp_path) == [tmp_path, tmp_path / "input.mp4"]
    images(tmp_path, "logo.png")
    assert find(tmp_path).images == []
    (tmp_path / "other.mov").touch()
    with pytest.raises(ValueError, match="2 videos: name one"):
        find(tmp_path)


def test_frames_and_a_video_in_one_folder_are_a_question(tmp_path):
    (tmp_path / "overlay.mp4").touch()
    images(tmp_path, "1.png", "2.png", "3.png")
    with pytest.raises(ValueError, match=r"3 images and the video overlay\.mp4: which is meant"):
        find(tmp_path)


@pytest.mark.parametrize("ending", [".ts", ".MTS", ".m2ts", ".3gp", ".ogv", ".vob", ".asf", ".mp4", ".MOV"])
def test_common_containers_are_videos(tmp_path, ending):
    (tmp_path / f"a{ending}").write_bytes(b"G" + bytes(187))
    assert ending.lower() in VIDEO_ENDINGS
    assert contents(tmp_path)[1] == [tmp_path / f"a{ending}"]


def test_a_file_of_typescript_is_no_video(tmp_path):
    (tmp_path / "a.ts").write_text("export const a = 1")
    assert contents(tmp_path) == ([], [])


def test_an_image_alone_is_a_video_of_one_frame(tmp_path):
    images(tmp_path, "a1.png", "a2.png")
    video = read_video(tmp_path / "a1.png")
    assert (len(video), video.shape, video.name, [i for i, _ in video]) == (1, (8, 12), "a1", [0])
    assert source_paths(video) == [tmp_path / "a1.png"]


def test_names_come_from_where_a_path_leads(tmp_path, monkeypatch):
    images(tmp_path / "plaza" / "frames" / "sub", "1.png")
    images(tmp_path / "plaza" / "frames", "1.png")
    (tmp_path / "link").symlink_to(tmp_path / "plaza" / "frames")
    monkeypatch.chdir(tmp_path / "plaza" / "frames" / "sub")
    assert [clip_name(p) for p in (".", "..", "../", "../sub", "../../frames/.", "./")] == [
        "sub",
        "plaza",
        "plaza",
        "sub",
        "plaza",
        "sub",
    ]
    assert clip_name(f"{tmp_path}/plaza/frames/") == "plaza"
    assert clip_name(tmp_path / "link") == "link"
    assert clip_name(tmp_path / "link" / ".." / "frames") == "plaza"


def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    if os.access(tmp_path / "closed", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ValueError, match="closed cannot be read"):
        read_video(tmp_path / "closed")


def test_a_folder_without_images_says_what_may_be_meant_and_ends_as_a_sentence(tmp_path):
    def said():
        with pytest.raises(ValueError, match="holds no images") as error:
            find(tmp_path)
        return str(error.value).removeprefix(f"{tmp_path} holds no images")

    assert said().startswith(" (looked for .bmp,")
    assert said().endswith(".webp).")
    images(tmp_path / "input", "0.png")
    assert said() == f"; did you mean {tmp_path / 'input'}?"
    (tmp_path / "a.avi").touch()
    (tmp_path / "b.avi").touch()
    assert said() == f", but 2 videos: name one, or give them all, as in {tmp_path / 'a.avi'}."
