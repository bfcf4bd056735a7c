"""Tracklets of others are read as they were written, and give the particles that their authors had."""

import os
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpas_lite.motion.tracklets import TRACKLET_FILE, Tracklet, particles_of_tracklets, read_tracklets
from tests.helpers import line_of

tracks = st.lists(
    st.tuples(
        st.integers(1, 40), st.lists(st.tuples(st.integers(-5, 900), st.integers(-5, 500)), min_size=1, max_size=9)
    ),
    max_size=12,
)


@pytest.mark.slow
@given(tracks)
def test_tracklets_are_read_as_they_were_written(tmp_path_factory, tracks):
    path = tmp_path_factory.mktemp("trk") / TRACKLET_FILE
    path.write_text("".join(line_of([(x, y, t + i) for i, (x, y) in enumerate(points)]) for t, points in tracks))
    read = read_tracklets(path)
    assert [(tracklet.start + 1, [tuple(xy) for xy in tracklet.position.tolist()]) for tracklet in read] == tracks


@given(tracks, st.integers(0, 45))
def test_particles_are_those_of_the_authors_code(tracks, frame):
    tracklets = [Tracklet(t - 1, np.array(points, np.int32)) for t, points in tracks]
    # trk2XV(trks, 1, 2) of Zhou et al., written out: rows of x, y, vx, vy, t, and the rows of one t
    rows = [
        (a[0], a[1], b[0] - a[0], b[1] - a[1])
        for t, points in tracks
        if len(points) > 2
        for i, (a, b) in enumerate(pairwise(points))
        if t + i == frame + 1
    ]
    particles = particles_of_tracklets(tracklets, frame, interval=1, min_speed=0)
    assert np.array_equal(np.hstack([particles.position, particles.velocity]), np.array(rows).reshape(-1, 4))
    assert particles.frame == frame
    assert particles.position.dtype == particles.velocity.dtype == np.float32


def test_slow_points_and_short_tracklets_are_dropped():
    still, slow, fast = (Tracklet(0, np.array([[10 + step * t, 9] for t in range(6)], np.int32)) for step in (0, 1, 3))
    short = Tracklet(0, np.array([[1, 1], [9, 9]], np.int32))
    everything = [still, slow, fast, short]
    assert len(particles_of_tracklets(everything, 0)) == 2
    assert particles_of_tracklets(everything, 0, min_speed=2).velocity.tolist() == [[3, 0]]
    assert len(particles_of_tracklets(everything, 0, interval=1, min_speed=0, min_length=2)) == 4
    assert particles_of_tracklets(everything, 1).position.shape == (0, 2)  # none lives until frame 6
    assert particles_of_tracklets([], 0).velocity.shape == (0, 2)
    for frame, interval in ((-1, 5), (0, 0)):
        with pytest.raises(ValueError, match="frame is at least 0"):
            particles_of_tracklets(everything, frame, interval=interval)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("3\t(1,2,1)(1,2,2)", "says 3 points and holds 2"),
        ("2\t(1,2,1)(1,2,", "not a tracklet"),
        ("2 (1,2,1) (1,2,2)", "not a tracklet"),
        ("(1,2,1)", "not a tracklet"),
        ("1\t(1.5,2,1)", "not a tracklet"),
        ("1\t(1,2,99999999999999999999)", "not a tracklet"),
        ("2\t(1,2,1)(1,2,3)", "go up by one"),
        ("2\t(1,2,0)(1,2,1)", "begin at 1"),
        ("\x00\xff\xfe", "not a tracklet"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, sentence):
    path = tmp_path / TRACKLET_FILE
    path.write_bytes(b"1\t(7,7,1)\n\n" + line.encode("latin-1") + b"\n")
    with pytest.raises(ValueError, match=sentence) as caught:
        read_tracklets(tmp_path)
    assert f"{path}, line 3" in str(caught.value)


def test_no_tracklets(tmp_path):
    with pytest.raises(FileNotFoundError, match=TRACKLET_FILE):
        read_tracklets(tmp_path)
    (tmp_path / TRACKLET_FILE).write_text("")
    assert read_tracklets(tmp_path) == []  # a clip in which nothing was found


@pytest.mark.parametrize(
    "content",
    [
        b"1\t(9999999,1,1)\n",
        b"99999999999999999999\t(1,1,1)\n",
        b"\x00\xff\x93binary\n",
        b"1\t(1,1,1)" + b"(1,1,1)" * 200_000,
        "1\t(\u0661,1,1)\n".encode(),
        b"2\t(1,1,1)(1,1,3)\n",
        b"1\t(1,1,0)\n",
        b"0\t\n",
    ],
)
def test_hostile_tracklets_are_named(tmp_path, content):
    (tmp_path / TRACKLET_FILE).write_bytes(b"1\t(7,7,3)\n" + content)
    with pytest.raises(ValueError, match=rf"{TRACKLET_FILE}, line \d+"):
        read_tracklets(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_tracklets_that_are_a_pipe_or_endless_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / TRACKLET_FILE)
    with pytest.raises(ValueError, match="pipe or a device"):
        read_tracklets(tmp_path)
    (tmp_path / TRACKLET_FILE).unlink()
    with open(tmp_path / TRACKLET_FILE, "wb") as file:
        file.truncate(5_000_000_000)  # a hole: takes no room
    with pytest.raises(ValueError, match="5000 MB long"):
        read_tracklets(tmp_path)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_a_tracklet_file_holds_it_is_read_or_named(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "mutant.txt"
    path.write_bytes(b"2\t(10,20,1)(12,20,2)\n" + content)
    said = ""
    try:
        assert len(read_tracklets(path)) >= 1
    except ValueError as error:
        said = str(error)
    assert not said or "mutant.txt, line" in said
