import warnings

import cv2
import numpy as np
import pytest
from conftest import texture

from mpas_lite.files import write_image
from mpas_lite.video import clip_name, read_video


def grey_frames(count, height=48, width=64):
    """Frames whose mean brightness is their index times 8."""
    return np.stack([np.full((height, width, 3), 8 * t, np.uint8) for t in range(count)])


def write_avi(path, frames, codec="MJPG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, frames.shape[2:0:-1])
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()


def test_file_folder_and_array_show_the_same_frames(tmp_path):
    frames = grey_frames(12)
    write_avi(tmp_path / "clip.avi", frames)
    for t, frame in enumerate(frames):
        write_image(tmp_path / "folder" / f"f{t + 1}.png", frame)  # f10 comes after f9, not after f1
    for video in (
        read_video(frames),
        read_video(tmp_path / "clip.avi"),
        read_video(str(tmp_path / "folder")),
    ):
        assert video.shape == (48, 64)
        assert len(video) == 12
        seen = [(index, round(frame.mean() / 8)) for index, frame in video]
        assert seen == [(t, t) for t in range(12)]
        assert [(i, round(f.mean() / 8)) for i, f in video.frames([2, 3, 9, 40])] == [(2, 2), (3, 3), (9, 9)]
    assert read_video(tmp_path / "clip.avi").fps == 10
    assert read_video(tmp_path / "folder").frame_name(9) == "f10.png"


def test_colours_are_rgb(tmp_path):
    red = np.zeros((4, 32, 32, 3), np.uint8)
    red[..., 0] = 250
    write_avi(tmp_path / "red.avi", red)
    write_image(tmp_path / "folder" / "0.png", red[0])
    for video in (read_video(red), read_video(tmp_path / "red.avi"), read_video(tmp_path / "folder")):
        _, frame = next(iter(video))
        assert frame[..., 0].mean() > 200 > 50 > frame[..., 2].mean()


def test_the_mean_image_of_the_crowd_databases_is_no_frame(tmp_path):
    for t in range(4):
        write_image(tmp_path / f"{t:06d}.jpg", np.full((16, 16, 3), 50 * t, np.uint8))
    assert len(read_video(tmp_path)) == 4
    (tmp_path / "imageList.txt").write_text("000000.jpg\n")
    video = read_video(tmp_path)
    assert len(video) == 3
    assert video.frame_name(0) == "000001.jpg"


def test_real_layouts(real_data):
    scene2 = read_video(real_data / "cuhk_crowd" / "1_8_groupSplit-festivalwalk_1_2-1")
    assert (len(scene2), scene2.shape) == (107, (480, 640))
    assert read_video(real_data / "cdnet_pedestrians" / "input").name == "cdnet_pedestrians"
    with pytest.raises(ValueError, match=r"did you mean .*(groundtruth|input)"):
        read_video(real_data / "cdnet_pedestrians")


def test_names(tmp_path):
    write_image(tmp_path / "plaza" / "input" / "1.png", np.zeros((8, 8, 3), np.uint8))
    assert read_video(tmp_path / "plaza" / "input").name == "plaza"
    assert read_video(tmp_path / "plaza" / "input", name="mine").name == "mine"


def test_a_name_is_had_without_decoding(tmp_path):
    write_avi(tmp_path / "plaza" / "input" / "a.avi", grey_frames(3))
    write_avi(tmp_path / "plaza" / "input.avi", grey_frames(3))
    write_image(tmp_path / "square" / "frames" / "1.png", np.zeros((8, 8, 3), np.uint8))
    sources = ["plaza/input", "plaza/input/a.avi", "plaza/input.avi", "square/frames"]
    names = [clip_name(tmp_path / source) for source in sources]
    assert names == [read_video(tmp_path / source).name for source in sources] == ["input", "a", "plaza", "square"]
    assert clip_name(read_video(grey_frames(3), name="night")) == "night"
    assert clip_name(text(tmp_path / "damaged.mp4")) == "damaged"
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4"):
        clip_name(tmp_path / "nothing.mp4")


def test_a_folder_with_one_video_in_it_is_that_video(tmp_path):
    folder = tmp_path / "plaza"
    folder.mkdir()
    write_avi(folder / "video.avi", grey_frames(5))
    assert read_video(folder).name == "plaza"
    write_avi(folder / "other.avi", grey_frames(5))
    with pytest.raises(ValueError, match="2 videos: name one"):
        read_video(folder)


def test_a_cut_off_file_gives_what_it_holds_and_says_how_much(tmp_path):
    write_avi(tmp_path / "whole.avi", np.stack([texture(120, 160, t) for t in range(40)])[..., None].repeat(3, 3))
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        video = read_video(tmp_path / "cut.avi")
        seen = sum(1 for _ in video)
    assert 10 < seen < 30
    if len(video) == 40:  # newer OpenCV counts anew and claims no more than it can give
        assert f"{seen} of 40 frames" in str(caught[0].message)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: p / "nothing.mp4", FileNotFoundError, "no file or folder .*nothing.mp4"),
        (lambda p: text(p / "note.mp4"), ValueError, "note.mp4 is not a video"),
        (lambda p: text(p / "empty.mp4", ""), ValueError, "empty.mp4 is not a video"),
        (lambda p: folder(p / "bare"), ValueError, "bare holds no images"),
        (lambda p: mixed(p / "mixed"), ValueError, "differ in size: 1.png is 16x8, 2.png is 8x8"),
        (lambda p: np.zeros((0, 4, 4, 3), np.uint8), ValueError, "holds no frame"),
        (lambda p: np.zeros((2, 4, 4, 3)), ValueError, "uint8; this one is .* float64"),
        (lambda p: [np.zeros((4, 4), np.uint8), np.zeros((5, 4), np.uint8)], ValueError, "differ in size"),
    ],
)
def test_bad_sources_are_named_in_a_sentence(tmp_path, make, error, message):
    with pytest.raises(error, match=message):
        read_video(make(tmp_path))


def text(path, content="this is a text"):
    path.write_text(content)
    return path


def folder(path):
    path.mkdir()
    return path


def mixed(path):
    write_image(path / "1.png", np.zeros((8, 16, 3), np.uint8))
    write_image(path / "2.png", np.zeros((8, 8, 3), np.uint8))
    return path
