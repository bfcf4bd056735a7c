"""Nothing is written over or deleted that this program did not write, and one run at a time writes into a folder."""

import errno
import os
import subprocess
import sys
import time

import pytest

from mpas_lite.files.atomic import atomic_write, write_json
from mpas_lite.files.ledger import (
    HOME,
    NotOurs,
    claim,
    foreign,
    lock_folder,
    refuse_foreign,
    remove,
    remove_folder,
    written,
)


def write(path, text):
    with atomic_write(path) as temporary:
        temporary.write_text(text)


def test_what_we_wrote_may_be_written_anew_and_deleted(tmp_path):
    claim(tmp_path)
    write(tmp_path / "a" / "one.txt", "1")
    write(tmp_path / "a" / "one.txt", "2")
    assert (tmp_path / "a" / "one.txt").read_text() == "2"
    assert list(written(tmp_path)) == ["a/one.txt"]
    remove([tmp_path / "a" / "one.txt", tmp_path / "never.txt"])
    assert not (tmp_path / "a" / "one.txt").exists()


@pytest.mark.parametrize(
    "whose", ["somebody's", "ours, and changed since", "a link", "a link in place of ours", "a folder"]
)
def test_what_we_did_not_write_stays_and_is_named(tmp_path, whose):
    path, elsewhere = tmp_path / "out" / "one.txt", tmp_path / "elsewhere.txt"
    elsewhere.write_text("mine")
    claim(tmp_path / "out")
    if whose == "ours, and changed since":
        write(path, "ours")
        path.write_text("mine")
    elif whose == "a link":
        path.symlink_to(elsewhere)
    elif whose == "a link in place of ours":
        write(path, "mine")
        path.unlink()
        path.symlink_to(elsewhere)
    elif whose == "a folder":
        path.mkdir()
    else:
        path.write_text("mine")
    for attempt in (lambda: write(path, "new"), lambda: remove([path]), lambda: refuse_foreign([path])):
        with pytest.raises(NotOurs, match=r"one\.txt is there already.*move it away"):
            attempt()
    assert elsewhere.read_text() == "mine"
    assert path.is_dir() or path.read_text() == "mine"
    assert [p.name for p in (tmp_path / "out").iterdir() if p != path] == [HOME]


def test_without_a_list_only_new_files_are_written(tmp_path):
    write(tmp_path / "one.txt", "1")
    write(tmp_path / "one.txt", "1")  # nothing is lost by that
    with pytest.raises(NotOurs):
        write(tmp_path / "one.txt", "2")
    write_json(tmp_path / "score.json", [1])
    with pytest.raises(NotOurs):
        write_json(tmp_path / "score.json", [2], ours=lambda path: "x" in path.read_text())
    write_json(tmp_path / "score.json", [2], ours=lambda path: "1" in path.read_text())
    assert not list(tmp_path.glob(".partial*"))


def test_of_several_files_none_is_deleted_if_one_is_not_ours(tmp_path):
    claim(tmp_path)
    write(tmp_path / "ours.txt", "1")
    (tmp_path / "yours.txt").write_text("2")
    with pytest.raises(NotOurs, match="yours"):
        remove([tmp_path / "ours.txt", tmp_path / "yours.txt"])
    assert (tmp_path / "ours.txt").exists()
    assert list(foreign(tmp_path.glob("*.txt"))) == [tmp_path / "yours.txt"]


def test_a_folder_is_deleted_but_for_what_somebody_put_there(tmp_path):
    claim(tmp_path)
    write(tmp_path / "training" / "1" / "checkpoint.pt", "1")
    write(tmp_path / "training" / "log.csv", "1")
    (tmp_path / "training" / "notes.txt").write_text("mine")
    remove_folder(tmp_path / "training")
    assert [p.name for p in (tmp_path / "training").iterdir()] == ["notes.txt"]
    (tmp_path / "training" / "notes.txt").unlink()
    claim(tmp_path / "training")
    (tmp_path / "training" / "log.csv").write_text("step")
    remove_folder(tmp_path / "training", lambda path: path.read_text() == "step")
    assert not (tmp_path / "training").exists()


def test_the_list_survives_a_copy_and_a_half_written_line(tmp_path):
    claim(tmp_path / "out")
    write(tmp_path / "out" / "one.txt", "1")
    with open(tmp_path / "out" / HOME / "written", "ab") as file:
        file.write(b"00000000 1")
    os.rename(tmp_path / "out", tmp_path / "moved")
    write(tmp_path / "moved" / "one.txt", "2")
    assert (tmp_path / "moved" / "one.txt").read_text() == "2"


def test_the_outer_list_knows_what_an_inner_folder_does_not(tmp_path):
    claim(tmp_path)
    write(tmp_path / "pairs" / "a.txt", "1")
    claim(tmp_path / "pairs")
    write(tmp_path / "pairs" / "a.txt", "2")
    assert written(tmp_path / "pairs").keys() == {"a.txt"}


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_no_link_is_followed_in_our_own_folder(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "out" / HOME).mkdir(parents=True)
    (tmp_path / "out" / HOME / "lock").symlink_to(victim)
    with pytest.raises(ValueError, match="lock is a link"), lock_folder(tmp_path / "out"):
        pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / HOME).symlink_to(tmp_path)
    with pytest.raises(ValueError, match="should be a folder that mpas_lite made"):
        claim(tmp_path / "other")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="file is not a folder"):
        claim(tmp_path / "file")
    assert victim.read_text() == (tmp_path / "file").read_text() == "mine"


HOLD = """
import sys, time
from mpas_lite.files.ledger import lock_folder
with lock_folder(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdin=-1, stdout=-1)
    assert holder.stdout.readline() == b"held\n"
    return holder


@pytest.mark.slow
@pytest.mark.parametrize("held", [".", "below", "../"])
def test_a_folder_is_refused_while_it_or_one_above_or_below_is_held(tmp_path, held):
    folder = tmp_path / "a" / "out"
    with hold(folder / held) as holder:
        with pytest.raises(ValueError, match="in use by another run"), lock_folder(folder):
            pass
        holder.stdin.close()
    with lock_folder(folder):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="another way to lock there")
def test_a_file_system_without_locks_holds_nobody_up(tmp_path, monkeypatch):
    import fcntl

    def cannot(number, what):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", cannot)
    with lock_folder(tmp_path):
        write(tmp_path / "a.txt", "1")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_the_lock_of_a_killed_run_is_free_even_if_its_forked_children_live_on(tmp_path):
    fork = HOLD.replace("sys.stdin.read()", "import os; os.fork() or time.sleep(3); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", fork, str(tmp_path)], stdin=-1, stdout=-1) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        started = time.monotonic()
        with lock_folder(tmp_path):
            assert time.monotonic() - started < 2


def test_what_a_killed_run_had_not_finished_is_cleared_away(tmp_path):
    claim(tmp_path)
    kill = (
        "import os; from mpas_lite.files.atomic import atomic_write\n"
        f"with atomic_write({str(tmp_path / 'a.txt')!r}) as t: t.write_text('half'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", kill])
    assert len(list((tmp_path / HOME).glob("partial-*"))) == 1
    assert not (tmp_path / "a.txt").exists()
    with lock_folder(tmp_path):
        assert not list((tmp_path / HOME).glob("partial-*"))
