"""Outputs never touch inputs, and a clip's name is one safe file name."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpas_lite.files.outputs import check_apart, own_names, safe_name


@pytest.fixture
def place(tmp_path):
    (tmp_path / "data" / "plaza" / "frames").mkdir(parents=True)
    (tmp_path / "data" / "plaza" / "frames" / "1.png").touch()
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    (tmp_path / "link").symlink_to(tmp_path / "data" / "plaza")
    return tmp_path


@pytest.mark.parametrize(
    ("output", "read", "words"),
    [
        ("data/plaza/frames", "data/plaza/frames", "would be written to, but it is read"),
        ("data/plaza/frames/new", "data/plaza/frames", "among the files of"),
        ("data/plaza/frames/new/deep", "data/plaza/frames", "among the files of"),
        ("data/plaza", "data/plaza/frames", "it holds"),
        ("data", "data/plaza/frames/1.png", "it holds"),
        ("link", "data/plaza/frames", "it holds"),
        ("link/frames/x", "data/plaza/frames", "among"),
        ("data/plaza/frames", "link/frames", "would be written to"),
        ("data/nothing/../plaza/frames", "data/plaza/frames", "would be written to"),
        ("videos/a.mp4", "videos/a.mp4", "would be written to"),
    ],
)
def test_where_something_is_read_nothing_is_written(place, output, read, words):
    with pytest.raises(ValueError, match=rf"{words}.*Choose another folder"):
        check_apart([place / "apart", place / output], [place / "videos", place / read])


@pytest.mark.parametrize(
    ("output", "read"),
    [
        ("videos/a", "videos/a.mp4"),
        ("data/plaza/masks", "data/plaza/frames"),
        ("data/plaza/frames2", "data/plaza/frames"),
        ("link/masks", "data/plaza/frames"),
        ("new/deep", "data"),
        ("nothing", "nothing"),  # reading it will say that it is not there
    ],
)
def test_what_lies_apart_is_let_through(place, output, read):
    check_apart([place / output], [place / read])


def test_names_that_differ_in_case_are_one_folder_where_the_system_says_so(place):
    other = place / "VIDEOS"
    if not other.exists():  # a system that tells them apart: a second folder is another folder
        other.mkdir()
        check_apart([other / "x"], [place / "videos"])
    else:
        with pytest.raises(ValueError, match="among"):
            check_apart([other / "x"], [place / "videos"])


NAMES = st.text(st.characters(codec=None), max_size=300) | st.sampled_from(
    ["..", ".", "", "NUL", "a/b", "a:b", "pairs"]
)


@given(st.lists(NAMES, max_size=12))
@settings(deadline=None)
def test_names_are_distinct_safe_file_names(names):
    given_ = own_names(names, ["pairs"])
    assert len(given_) == len(names)
    assert len({name.casefold() for name in given_} | {"pairs"}) == len(names) + 1
    for name in given_:
        assert Path(name).name == name
        assert not name.startswith(".")
        assert not set(name) & set('<>:"/\\|?*')
        assert name.isprintable() or any(c.isspace() for c in name) or not name.isascii()
        assert len(name.encode()) < 250
        assert name == name.strip(" ").rstrip(".")


def test_a_long_name_that_is_given_twice_stays_its_own_when_it_is_made_safe_again():
    """As labelling does with the names that a command has given."""
    names = own_names(["x" * 90, "x" * 90, "x" * 90])
    assert names == ["x" * 80, "x" * 78 + "-2", "x" * 78 + "-3"]
    assert [safe_name(name) for name in names] == own_names(names) == names


def test_ordinary_names_stay_as_they_are(tmp_path):
    for name in ("plaza", "1_8_groupSplit-festivalwalk_1_2-1", "Café 2", "2021-05-01"):
        assert safe_name(name) == name
        (tmp_path / safe_name(name)).mkdir()
    assert safe_name(os.fsdecode(b"caf\xe9")) == "caf_"
