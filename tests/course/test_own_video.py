"""Any video in a lesson: shortened, shrunk, or one sentence why not."""

import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.course import Stop, in_a_sentence, short_video
from mpas_lite.course.widgets.merging import merging_explorer
from tests.helpers import REAL


def folder_of(path, count, shape=(48, 64)):
    path.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(path / f"{i:06d}.png"), np.full((*shape, 3), i, np.uint8))
    return path


def test_a_short_and_small_video_is_left_as_it_is():
    video = mp.read_video(mp.sample_path("group_split"))
    assert short_video(video) is video
    assert repr(short_video(mp.sample_path("group_split"))) == repr(video)


@pytest.mark.parametrize(("frames", "longest", "expected"), [(12, 480, (12, 48, 64)), (100, 32, (20, 24, 32))])
def test_a_long_or_large_one_is_cut_and_shrunk(tmp_path, frames, longest, expected):
    video = short_video(folder_of(tmp_path / "plaza", 20), frames=frames, longest=longest)
    assert (len(video), *video.shape) == expected
    assert video.name == "plaza"
    assert [int(frame.mean()) for _, frame in video][:8] == list(range(8))  # the first ones, in order


def test_it_may_begin_later(tmp_path):
    folder = folder_of(tmp_path / "plaza", 20)
    assert [int(frame.mean()) for _, frame in short_video(folder, start=5, frames=7)] == list(range(5, 12))
    assert len(short_video(folder, start=5)) == 15
    with pytest.raises(Stop, match=r"plaza has 2 frames from frame 18 on; it takes 6 to see a motion in them\."):
        short_video(folder, start=18)


def test_a_data_sets_folder_is_opened_at_its_frames(tmp_path):
    folder_of(tmp_path / "pedestrians" / "input", 8)
    folder_of(tmp_path / "pedestrians" / "groundtruth", 7)
    assert len(short_video(tmp_path / "pedestrians")) == 8


def test_what_is_no_video_ends_in_one_sentence(tmp_path):
    with pytest.raises(Stop, match=r"There is no file or folder .*nowhere\.mp4\. Check the path\."):
        short_video(tmp_path / "nowhere.mp4")
    with pytest.raises(Stop, match=r"plaza has 3 frames; it takes 6 to see a motion in them\."):
        short_video(folder_of(tmp_path / "plaza", 3))
    with pytest.raises(Stop, match="Files are uploaded on Colab only"):
        short_video("upload")


def test_jupyter_shows_the_sentence_and_no_traceback():
    from IPython.core.interactiveshell import InteractiveShell

    shell, shown = InteractiveShell(), []
    shell._showtraceback = lambda kind, value, lines: shown.extend(lines)
    shell.run_cell("from mpas_lite.course import Stop\nraise Stop('Choose another clip.')")
    assert shown == ["Choose another clip."]


def test_our_own_errors_become_sentences_and_others_stay():
    with pytest.raises(Stop, match="too large"), in_a_sentence():
        raise ValueError("too large")
    with pytest.raises(KeyError), in_a_sentence():
        raise KeyError("a mistake of ours")


@pytest.mark.parametrize("chosen", [[], ["clip"]])
def test_on_colab_a_file_is_asked_for(tmp_path, monkeypatch, chosen):
    folder_of(tmp_path / "clip", 8)
    monkeypatch.chdir(tmp_path)
    colab = SimpleNamespace(files=SimpleNamespace(upload=lambda: dict.fromkeys(chosen, b"")))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    if chosen:
        assert len(short_video("upload")) == 8
    else:
        with pytest.raises(Stop, match="No file was uploaded"):
            short_video("upload")


@pytest.mark.slow
@pytest.mark.parametrize(
    "clip",
    ["ucsd_ped2/01", "vtest.avi", "intel_one_by_one.mp4", "sbi_people_foliage", "cmd_1dawei1", "cdnet_pedestrians"],
)
def test_every_real_clip_comes_on_the_sliders(clip):
    """Folders, files, leaves, a camera that drifts, a clip whose first frames are empty: notebooks 00 and 04."""
    if not (REAL / clip).exists():
        pytest.skip(f"{clip} is not at hand (../shared/data)")
    explorer = merging_explorer(short_video(REAL / clip), radius=5, sliders=["radius"])
    picture, line = explorer.draw()
    assert picture.startswith(b"\x89PNG")
    assert "of the frame" in line
