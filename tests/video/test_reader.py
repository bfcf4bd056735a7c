import os
import struct
import subprocess
import sys
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from mpas_lite.video.capture import Capture, complaints_alone, standard_error
from mpas_lite.video.containers import mp4_track
from mpas_lite.video.images import write_image
from mpas_lite.video.reader import clip_name, read_video
from tests.helpers import REAL, texture


@pytest.fixture
def cases():
    """The folder of reported cases beside the checkout, which is not part of the project."""
    folder = REAL.parent / "cases"
    if not folder.is_dir():
        pytest.skip("the reported cases are not at hand (../shared/cases)")
    return folder


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


# ------------------------------------------------------------------------------------------------- what is there


def moving(count, height=96, width=128):
    """Frames that differ, all with structure: a texture that goes right."""
    picture = texture(height, width + count, 3)
    return np.stack([np.repeat(picture[:, t : t + width, None], 3, axis=2) for t in range(count)])


def write_with(path, frames, codec, fps=25):
    """Write a video with OpenCV; skip the test where this build cannot."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), fps, frames.shape[2:0:-1])
    if not writer.isOpened():
        pytest.skip(f"this OpenCV writes no {codec}")
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()
    return path


def told(video_or_frames):
    """Indices that a video gives, and what is said meanwhile."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        indices = [index for index, _ in video_or_frames]
    return indices, [str(w.message) for w in caught]


def patched(path, old, new, where=0):
    data = bytearray(path.read_bytes())
    at = data.index(old, where)
    data[at : at + len(new)] = new
    path.write_bytes(data)
    return path


def test_interlaced_video_is_refused_with_the_remedy(tmp_path):
    path = write_with(tmp_path / "my dv.avi", moving(4, 576, 720), "dvsd")  # DV is always interlaced
    with standard_error() as said:
        capture = cv2.VideoCapture(str(path))
        capture.read()
    if "interlaced" not in said.text:
        pytest.skip("this OpenCV converts interlaced video")
    with pytest.raises(ValueError, match=r"dv\.avi: frame 0 is interlaced.*ffmpeg -i '.*my dv\.avi' -vf yadif"):
        read_video(path)
    assert "interlaced" in complaints_alone(path)


def test_a_frame_that_is_interlaced_later_on_is_not_taken_for_the_one_before(tmp_path, monkeypatch):
    """A picture equal to the one before is converted once more, and what ffmpeg says is heard."""
    path = write_with(tmp_path / "still.avi", np.repeat(moving(1), 6, axis=0), "MJPG")
    assert told(read_video(path)) == (list(range(6)), [])
    video = read_video(path)
    asked = []
    monkeypatch.setattr(Capture, "_complaints", lambda self: asked.append(self.index) or "")
    assert told(video) == (list(range(6)), [])
    assert asked == [1, 2, 3, 4, 5]
    monkeypatch.setattr(Capture, "_complaints", lambda self: "Cannot convert interlaced to progressive frames")
    with pytest.raises(ValueError, match="frame 1 is interlaced"):
        list(video)
    monkeypatch.setattr(Capture, "_complaints", lambda self: "x (Invalid argument): fmt:p010 -> fmt:bgr24")
    with pytest.raises(ValueError, match="frame 1 has a picture format"):
        list(video)


@pytest.mark.parametrize(("codec", "ending"), [("MJPG", "avi"), ("FFV1", "mkv"), ("mp4v", "mp4"), ("VP80", "webm")])
@pytest.mark.parametrize("grey", [0, 90, 255])
def test_still_video_is_as_good_as_any(tmp_path, codec, ending, grey):
    path = write_with(tmp_path / f"still.{ending}", np.full((12, 96, 128, 3), grey, np.uint8), codec)
    assert told(read_video(path)) == (list(range(12)), [])


def test_a_codec_without_decoder_is_named_with_the_remedy(tmp_path):
    path = write_with(tmp_path / "a.mp4", moving(5), "mp4v")
    patched(path, b"mp4v", b"xyzw", path.read_bytes().rindex(b"stsd"))
    patched(path, b"esds", b"free")
    with pytest.raises(ValueError, match=r"a\.mp4 holds xyzw video, .* no decoder.*ffmpeg -i .*a-h264\.mp4"):
        read_video(path)
    write_avi(tmp_path / "b.avi", moving(5))
    (tmp_path / "b.avi").write_bytes((tmp_path / "b.avi").read_bytes().replace(b"MJPG", b"qrst"))
    with pytest.raises(ValueError, match=r"b\.avi holds qrst video, .* no decoder"):
        read_video(tmp_path / "b.avi")


def destroy(path, indices):
    """Overwrite the pictures of these frames in an AVI."""
    data = bytearray(path.read_bytes())
    at, number = data.index(b"movi") + 4, 0
    while data[at : at + 4] == b"00dc":
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if number in indices:
            data[at + 8 : at + 8 + length] = b"\1" * length
        at, number = at + 8 + length + length % 2, number + 1
    path.write_bytes(data)
    return path


def test_a_video_in_which_nothing_decodes_is_named(tmp_path):
    write_avi(tmp_path / "a.avi", moving(5))
    destroy(tmp_path / "a.avi", range(5))
    with pytest.raises(ValueError, match=r"a\.avi holds no frame that can be decoded"):
        read_video(tmp_path / "a.avi")


@pytest.mark.parametrize("claim", [0, 4, 2**31 - 1, 2**32 - 1, 10**6])
def test_the_claim_of_an_avi_is_not_believed(tmp_path, claim):
    write_avi(tmp_path / "a.avi", moving(24))
    data = bytearray((tmp_path / "a.avi").read_bytes())
    at = data.index(b"avih") + 8 + 16  # number of frames in the main header, and in the stream's
    data[at : at + 4] = claim.to_bytes(4, "little")
    at = data.index(b"strh") + 8 + 32
    data[at : at + 4] = claim.to_bytes(4, "little")
    (tmp_path / "a.avi").write_bytes(data)
    video = read_video(tmp_path / "a.avi")
    assert 0 < len(video) <= len(data)
    assert video.count_frames() == len(video) == 24
    assert video.frame_indices() == range(24)
    assert told(video)[0] == list(range(24))


def test_a_stream_without_a_frame_count_is_counted(tmp_path):
    path = write_with(tmp_path / "a.mpg", np.repeat(moving(1), 12, axis=0), "MPEG")
    assert len(read_video(path)) == 12


def test_counting_is_done_once(tmp_path, monkeypatch):
    write_avi(tmp_path / "a.avi", moving(8))
    video = read_video(tmp_path / "a.avi")
    assert (video.count_frames(), len(video)) == (8, 8)
    monkeypatch.setattr("mpas_lite.video.file_video.Capture", lambda path: pytest.fail("it was opened again"))
    assert video.count_frames() == 8


def test_reading_to_the_end_counts_as_well(tmp_path, monkeypatch):
    write_avi(tmp_path / "a.avi", moving(8))
    video = read_video(tmp_path / "a.avi")
    assert [index for index, _ in video.frames([2, 100])] == [2]
    monkeypatch.setattr("mpas_lite.video.file_video.Capture", lambda path: pytest.fail("it was opened again"))
    assert video.count_frames() == 8


def edit_list(path, seconds):
    """Give an MP4 of OpenCV's an edit list that shows its first ``seconds``."""
    data = path.read_bytes()
    body = struct.pack(">IIIiI", 0, 1, int(seconds * 1000), 0, 0x10000)
    edts = struct.pack(">I4sI4s", 16 + len(body), b"edts", 8 + len(body), b"elst") + body
    old = data.find(b"edts")
    start = old - 4 if old > 0 else data.index(b"mdia") - 4
    size = struct.unpack(">I", data[start : start + 4])[0] if old > 0 else 0
    grown = len(edts) - size
    data = bytearray(data[:start] + edts + data[start + size :])
    for kind in (b"moov", b"trak"):
        at = data.index(kind) - 4
        data[at : at + 4] = struct.pack(">I", struct.unpack(">I", data[at : at + 4])[0] + grown)
    path.write_bytes(data)
    return path


def test_an_edit_list_shows_what_it_shows_and_nothing_is_cut_off(tmp_path):
    path = write_with(tmp_path / "a.mp4", moving(50), "mp4v")
    assert mp4_track(path).codec == "mp4v"
    edit_list(path, 1.2)
    assert mp4_track(path).frames == 30
    indices, said = told(read_video(path))
    if len(indices) == 50:
        pytest.skip("this OpenCV looks at no edit list")
    assert said == []
    assert abs(len(indices) - 30) <= 1


def test_a_cut_off_mp4_is_still_said_to_be(tmp_path):
    path = write_with(tmp_path / "a.avi", moving(60), "MJPG")
    data = path.read_bytes()
    first, last = (data.index(b"00dc", data.index(b"movi")), data.rindex(b"idx1"))
    path.write_bytes(data[: first + (last - first) // 2] + bytes((last - first) // 2) + data[last:])
    video = read_video(path)
    indices, said = told(video)
    assert 20 < len(indices) < 40
    assert len(said) >= 1


@pytest.mark.parametrize("damaged", [[5], [5, 6], [3, 9], [0, 1], [11]])
def test_frames_behind_a_damaged_one_keep_their_index(tmp_path, damaged):
    frames = grey_frames(12)
    write_avi(tmp_path / "a.avi", frames)
    destroy(tmp_path / "a.avi", damaged)
    video = read_video(tmp_path / "a.avi")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen = [(index, round(frame.mean() / 8)) for index, frame in video]
    left = [t for t in range(12) if t not in damaged]
    assert seen == [(t, t) for t in left]
    assert list(video.frame_indices()) == left
    assert (video.count_frames(), len(video)) == (len(left), left[-1] + 1)
    if damaged != [11]:  # behind the last one there is nothing to see it by
        number = f"{len(damaged)} frame{'s are' if len(damaged) > 1 else ' is'} damaged"
        assert any(number in str(w.message) and "a.avi" in str(w.message) for w in caught)
    asked = [0, 3, 5, 6, 7]
    assert told(read_video(tmp_path / "a.avi").frames(asked))[0] == [i for i in asked if i not in damaged]


def test_a_damaged_packet_of_h264_costs_one_frame(cases):
    indices, said = told(read_video(cases / "08_damaged_in_the_middle" / "damaged.mp4"))
    assert len(indices) == 99
    assert indices[-1] == 99
    assert "1 frame is damaged" in said[0]


def test_the_cases_that_were_reported(cases):
    with pytest.raises(ValueError, match="interlaced"):
        read_video(cases / "01_interlaced" / "interlaced.mp4")
    with pytest.raises(ValueError, match=r"AV1 video, for which this OpenCV .* has no decoder"):
        read_video(cases / "10_av1" / "av1.mp4")
    assert told(read_video(cases / "03c_trimmed_edit_list" / "trimmed.mp4")) == (list(range(67)), [])
    assert len(read_video(cases / "03_no_frame_count" / "live.webm")) == 100
    assert read_video(cases / "03b_frame_count_too_small" / "says10.avi").count_frames() == 100
    assert read_video(cases / "02_exif_orientation" / "frames").shape == (240, 320)


def test_forward_only(tmp_path):
    write_avi(tmp_path / "a.avi", moving(8))
    for indices in ([3, 2], [3, 3], [-1]):
        with pytest.raises(ValueError, match="goes forward only"):
            list(read_video(tmp_path / "a.avi").frames(indices))


@pytest.mark.parametrize(
    "name", ["2021-05-01T12:30:00.avi", "a%04d.avi", "Straße 照片.avi", os.fsdecode(b"caf\xe9.avi"), "-i.avi"]
)
def test_any_name_can_be_opened(tmp_path, monkeypatch, name):
    write_avi(tmp_path / "plain.avi", moving(5))
    try:
        (tmp_path / "plain.avi").rename(tmp_path / name)
    except OSError:
        pytest.skip("this file system takes no such name")
    monkeypatch.chdir(tmp_path)
    for source in (name, f"./{name}", tmp_path / name):
        video = read_video(source)
        assert told(video) == (list(range(5)), [])
        assert video.name == name[:-4]


def test_frames_in_a_folder_of_any_name(tmp_path):
    folder = tmp_path / os.fsdecode(b"fr\xe9 :%d")
    for t in range(3):
        write_image(folder / os.fsdecode(b"\xe9%d.png" % t), grey_frames(3)[t])
    assert [round(frame.mean() / 8) for _, frame in read_video(folder)] == [0, 1, 2]


def test_a_list_of_addresses_is_not_followed(tmp_path):
    for content in ("#EXTM3U\nhttp://127.0.0.1:9/a.ts\n", "ffconcat version 1.0\nfile a.mp4\n", "\ufeff#EXTM3U\n"):
        with pytest.raises(ValueError, match=r"v\.mp4 is a list of other files or addresses"):
            read_video(text(tmp_path / "v.mp4", content))


def test_a_video_of_too_large_a_picture_is_refused(tmp_path, monkeypatch):
    write_avi(tmp_path / "a.avi", moving(3))
    monkeypatch.setenv("MPAS_LITE_MAX_MEGAPIXELS", "0.001")
    with pytest.raises(ValueError, match=r"a\.avi claims a picture of 128x96 px"):
        read_video(tmp_path / "a.avi")


@pytest.mark.parametrize(("bits", "top"), [(8, 255), (10, 1000), (12, 4095), (12, 2100), (14, 16000)])
@pytest.mark.parametrize("brightest", [0, 69])
def test_what_lies_in_few_of_16_bits_is_stretched_alike_in_all_frames(tmp_path, bits, top, brightest):
    ramp = np.linspace(0, 1, 48 * 64).reshape(48, 64)
    for t in range(70):  # more than are looked at; most of the frames are dark
        peak = top if t == brightest else top // 4
        cv2.imwrite(str(tmp_path / f"{t:03d}.png"), np.round(ramp * peak).astype(np.uint16))
    with pytest.warns(UserWarning, match=f"use {bits} of their 16 bits") as caught:
        frames = [frame for _, frame in read_video(tmp_path)]
    assert len(caught) == 1
    assert {frame.dtype for frame in frames} == {np.dtype(np.uint8)}
    assert int(frames[brightest].max()) == top >> (bits - 8)
    assert int(frames[1].max()) == (top // 4) >> (bits - 8)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_full_16_bits_are_read_as_ever(tmp_path, ending):
    deep = np.random.default_rng(0).integers(0, 65536, (3, 48, 64, 3), dtype=np.uint16)
    for t, frame in enumerate(deep):
        cv2.imwrite(str(tmp_path / f"{t}.{ending}"), frame)
    indices, said = told(read_video(tmp_path))
    assert (indices, said) == ([0, 1, 2], [])
    for t, frame in read_video(tmp_path):
        np.testing.assert_array_equal(frame, cv2.imread(str(tmp_path / f"{t}.{ending}"))[..., ::-1])


def test_unlike_depths_in_one_clip_are_named(tmp_path):
    for t in range(3):
        cv2.imwrite(str(tmp_path / f"{t}.png"), np.full((8, 8), 9, np.uint16 if t == 1 else np.uint8))
    with pytest.raises(ValueError, match=r"1\.png is stored in 16 bits a colour"):
        list(read_video(tmp_path))


@pytest.mark.parametrize(
    ("orientation", "sentence"), [(6, "differ in size.*EXIF"), (3, r"differ in their EXIF.*1\.jpg has 3")]
)
def test_unlike_orientations_in_one_clip_are_named(tmp_path, orientation, sentence):
    for t in range(3):
        exif = Image.Exif()
        exif[0x0112] = orientation if t == 1 else 1
        Image.fromarray(np.zeros((8, 16, 3), np.uint8)).save(tmp_path / f"{t}.jpg", exif=exif)
    with pytest.raises(ValueError, match=sentence):
        read_video(tmp_path)


def test_frames_that_are_all_turned_have_the_size_of_their_pixels(tmp_path):
    for t in range(3):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.zeros((8, 16, 3), np.uint8)).save(tmp_path / f"{t}.jpg", exif=exif)
    video = read_video(tmp_path)
    assert video.shape == (16, 8)
    assert {frame.shape for _, frame in video} == {(16, 8, 3)}


def test_a_damaged_frame_is_named_before_anything_is_done(tmp_path):
    for t in range(4):
        write_image(tmp_path / f"{t}.jpg", moving(1)[0])
    data = (tmp_path / "2.jpg").read_bytes()
    (tmp_path / "2.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"2\.jpg ends before its picture does"):
        read_video(tmp_path)


def test_a_frame_that_changes_meanwhile_is_named(tmp_path):
    for t in range(3):
        write_image(tmp_path / f"{t}.png", moving(1)[0])
    video = read_video(tmp_path)
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((5, 6), np.uint8))
    with pytest.raises(ValueError, match=r"1\.png is now 6x5, where it was 128x96 px"):
        list(video)


def test_standard_error_may_be_closed(tmp_path):
    write_avi(tmp_path / "a.avi", moving(4))
    code = (
        "import os, sys; os.close(2); import mpas_lite as mp; print(sum(1 for _ in mp.read_video(sys.argv[1])), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.avi")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "4")


def test_threads_that_open_videos_at_once_leave_standard_error_as_it_was(tmp_path, capfd):
    from concurrent.futures import ThreadPoolExecutor

    from mpas_lite.video.capture import standard_error

    def say(number):
        with standard_error() as said:
            os.write(2, b"%d" % number)
        return said.text

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(say, range(200))) == [str(number) for number in range(200)]
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
