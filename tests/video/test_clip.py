"""One clip from the entry to the end: looked at once, opened once, and what is known of it goes along."""

import os
import pickle
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mpas_lite.video.clip import Clip, clips_of, opened_apart
from mpas_lite.video.images import write_image
from mpas_lite.video.reader import read_video
from tests.helpers import DEADLY


@pytest.fixture
def folder(tmp_path, moving_square):
    for t, frame in enumerate(moving_square[:20]):
        write_image(tmp_path / "plaza" / f"{t:03d}.png", frame)
    return tmp_path / "plaza"


def write_film(path, frames):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for frame in frames:
        writer.write(frame)
    writer.release()


def test_a_folder_is_looked_at_once_and_its_images_once(folder, looks):
    (clip,) = clips_of([folder])
    assert (clip.name, clip.is_open, clip.paths()) == ("plaza", False, [folder])
    video = clip.video()
    assert clip.video() is video
    assert clip.is_open
    assert clip.paths() == [folder]
    for _ in range(2):
        assert clips_of([clip]) == [clip]
        assert clips_of([clip])[0].video() is video
    elsewhere = pickle.loads(pickle.dumps(clip))  # as in a process that labels it
    assert elsewhere == clip
    assert len(elsewhere.video()) == len(list(elsewhere.video())) == 20
    assert looks == [folder, *sorted(folder.iterdir())]


def test_a_clip_under_another_name_is_not_looked_at_again(folder, looks):
    (clip,) = clips_of([Clip.at(folder)], taken=["plaza"])
    assert clip.name == "plaza-2"
    assert len(clip.video()) == 20
    assert looks.count(folder) == 1


def test_clips_are_equal_by_what_they_say(folder):
    opened, closed = Clip.at(folder), Clip.at(folder)
    opened.video()
    assert opened == closed
    assert hash(opened) == hash(closed)
    assert {opened: 1}[closed] == 1
    assert opened != replace(closed, name="other")
    assert "_" not in repr(opened).replace(str(folder), "")


def test_every_clip_has_a_name_of_its_own(tmp_path):
    for place in ("here/01", "there/01"):
        write_image(tmp_path / place / "0.png", np.zeros((8, 8), np.uint8))
    clips = clips_of([tmp_path / "here/01", tmp_path / "there/01", "a/pairs.mp4"], taken=["pairs"])
    assert [clip.name for clip in clips] == ["01", "01-2", "pairs-2"]
    assert [clip.scene for clip in clips] == [clip.name for clip in clips]
    assert clips[1].video().shape == (8, 8)
    (again,) = clips_of([clips[0]], taken=["01"])
    assert (again.name, again.source) == ("01-2", clips[0].source)


def test_the_name_of_a_data_sets_clip_changes_and_its_scene_does_not(folder):
    (clip,) = clips_of([Clip("639-12", "CMD", "639", folder)], taken=["639-12"])
    assert (clip.name, clip.scene, clip.dataset) == ("639-12-2", "639", "CMD")


def test_a_source_that_cannot_be_read_is_a_clip_that_says_why(tmp_path):
    nothing, empty, text = clips_of([tmp_path / "nothing.mp4", "", tmp_path])
    assert (nothing.name, nothing.paths()) == ("nothing", [tmp_path / "nothing.mp4"])
    with pytest.raises(FileNotFoundError, match="There is no file or folder"):
        nothing.video()
    with pytest.raises(ValueError, match="The path of the video is empty"):
        empty.video()
    with pytest.raises(ValueError, match="holds no images"):
        text.video()
    assert not nothing.is_open


def test_an_open_video_is_a_clip(moving_square):
    video = read_video(moving_square, name="a/b")
    (clip,) = clips_of([video])
    assert clip.name == "a_b"
    assert clip.video() is video
    assert clip.paths() == []


def test_a_folder_with_one_video_is_read_as_both(tmp_path, moving_square):
    write_film(tmp_path / "input.avi", moving_square)
    assert Clip.at(tmp_path).paths() == [tmp_path, tmp_path / "input.avi"]


# ------------------------------------------------------------------------------------------------- in another process


@pytest.mark.slow
def test_clips_are_opened_and_counted_elsewhere_and_a_deadly_one_ends_nothing(
    tmp_path, folder, moving_square, monkeypatch
):
    for name in ("a", "deadly", "deadly-too"):
        write_film(tmp_path / f"{name}.avi", moving_square)
    (tmp_path / "text.mp4").write_text("no video")
    names = ("a.avi", "deadly.avi", "text.mp4", "nowhere", "plaza", "deadly-too.avi")
    clips = clips_of(tmp_path / name for name in names)
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    opened = opened_apart(clips)
    assert opened == clips
    assert [clip.is_open for clip in clips] == [False] * 6
    assert {clip.name: clip.video().count_frames() for clip in opened if clip.is_open} == {"a": 30, "plaza": 20}


def test_what_is_opened_elsewhere_is_not_read_again_here(folder, looks):
    clips = clips_of([folder])
    looks.clear()
    (clip,) = opened_apart(clips)
    assert len(clip.video()) == 20
    assert clip.video().name == "plaza"
    assert looks == []


def test_a_film_is_passed_through_elsewhere_and_not_here(tmp_path, moving_square, monkeypatch):
    write_film(tmp_path / "a.avi", moving_square)
    (clip,) = opened_apart(clips_of([tmp_path / "a.avi"]))
    monkeypatch.setattr(cv2, "VideoCapture", None)
    assert clip.video().count_frames() == 30


def test_warnings_of_opening_are_passed_on(tmp_path):
    for n in range(3):
        cv2.imwrite(str(tmp_path / f"{n}.png"), np.full((8, 8, 3), 4095, np.uint16))
    with pytest.warns(UserWarning, match="use 12 of their 16 bits") as said:
        (clip,) = opened_apart(clips_of([tmp_path]))
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(clip.video())) == 3
