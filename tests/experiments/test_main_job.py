"""The main job's own parts; what it does as a whole is tested through its command, in test_cli.py."""

import os

import cv2
import pytest

from mpas_lite.experiments.main_job import _count_frames, _stride
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.labels.batch import name_clips
from mpas_lite.video.images import write_image

DEADLY = """
import os, cv2
open_it = cv2.VideoCapture
cv2.VideoCapture = lambda path, *rest: os._exit(77) if "deadly" in path else open_it(path, *rest)
"""


@pytest.fixture
def sources(tmp_path, moving_square):
    """Clips of 30, 30 and 20 frames, a file of text, a path where nothing is, and files that kill their decoder."""
    for name in ("a", "ü b", "deadly", "deadly-too"):
        writer = cv2.VideoWriter(str(tmp_path / f"{name}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
        for frame in moving_square:
            writer.write(frame)
        writer.release()
    for t, frame in enumerate(moving_square[:20]):
        write_image(tmp_path / "folder" / f"{t:03d}.png", frame)
    (tmp_path / "text.mp4").write_text("no video")
    names = ("a.avi", "deadly.avi", "text.mp4", "ü b.avi", "nowhere", "folder", "deadly-too.avi")
    return [tmp_path / name for name in names]


def test_a_file_that_kills_its_decoder_is_not_counted(tmp_path, sources, monkeypatch):
    assert _count_frames(sources) == 30 + 30 + 30 + 20 + 30  # here nothing is deadly yet
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    assert _count_frames(sources) == 30 + 30 + 20
    assert _count_frames(sources[1:2]) == 0
    assert _stride(name_clips(sources), RunSettings(pairs=10)) == 8
    assert _stride(name_clips(sources[1:2]), RunSettings()) == 1
