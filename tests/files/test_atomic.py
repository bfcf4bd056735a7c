import errno

import numpy as np
import pytest

from mpas_lite.files.atomic import atomic_write, read_json, write_json
from mpas_lite.video.images import read_image, write_image


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as temporary:
        print(temporary.write_text("half of the n") / 0)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_image(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("image", [np.eye(5, dtype=bool), np.arange(60, dtype=np.uint8).reshape(4, 5, 3)])
def test_images_come_back_as_they_were_written(tmp_path, image):
    write_image(tmp_path / "folder" / "image.png", image)
    back = read_image(tmp_path / "folder" / "image.png", grey=image.ndim == 2)
    np.testing.assert_array_equal(back, image * np.uint8(255) if image.dtype == bool else image)


def test_files_that_are_not_what_they_should_be(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ValueError, match=r"a\.png is not an image"):
        read_image(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"empty\.png is not an image"):
        read_image(tmp_path / "empty.png")
    with pytest.raises(ValueError, match=r"a\.json is not valid JSON"):
        read_json(tmp_path / "a.json")
    write_json(tmp_path / "b.json", {"k": [1, 2]})
    assert read_json(tmp_path / "b.json") == {"k": [1, 2]}


def test_the_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    """What a power failure leaves is the old file or the new one, never an empty one under the new name."""
    import os

    order = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append(("disk", os.fstat(number).st_size)), sync(number))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(("name", os.path.getsize(a))), rename(a, b))[1])
    with atomic_write(tmp_path / "note.txt") as temporary:
        temporary.write_text("all of it")
    assert order == [("disk", 9), ("name", 9)]
