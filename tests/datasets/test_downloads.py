"""Downloads are checked, kept, taken up where they broke off, and fail with one sentence."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from mpas_lite.datasets.downloads import REGISTRY, DownloadError, Remote, cache_folder, download
from mpas_lite.files.ledger import lock_folder

CONTENT = np.random.default_rng(7).bytes(300_000)


class Server(ThreadingHTTPServer):
    """Sends CONTENT; ``breaks_after`` bytes it hangs up, once; ``ranges`` says whether it can begin in the middle."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.breaks_after = CONTENT, True, None
        self.asked = []  # the Range of every request
        self.sent = 0
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/file.bin"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers["Range"]
        server.asked.append(wanted)
        if self.path != "/file.bin":
            return self.send_error(404)
        start = int(wanted[6:-1]) if wanted and server.ranges else 0
        if start >= len(server.content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.end_headers()
        end = len(server.content) if server.breaks_after is None else start + server.breaks_after
        server.breaks_after = None
        server.sent += end - start
        self.wfile.write(server.content[start:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    running = Server()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def get(server, tmp_path):
    def get(url=server.url, content=CONTENT):
        registry = {"file.bin": Remote(url, hashlib.sha256(content).hexdigest(), "")}
        return download("file.bin", folder=tmp_path, registry=registry, progress=False)

    return get


def test_a_file_is_downloaded_once(server, get, tmp_path):
    assert get().read_bytes() == CONTENT
    assert get() == tmp_path / "file.bin"
    assert server.asked == [None]
    assert not (tmp_path / ".mpas_lite/download-file.bin").exists()


def keep(folder, content):
    """What a download that broke off has left."""
    (folder / ".mpas_lite").mkdir(exist_ok=True)
    (folder / ".mpas_lite" / "download-file.bin").write_bytes(content)


def test_a_damaged_file_in_the_cache_is_downloaded_again(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MPAS_LITE_DATA", str(tmp_path))
    (tmp_path / "file.bin").write_bytes(b"half of it")
    registry = {"file.bin": Remote(server.url, hashlib.sha256(CONTENT).hexdigest(), "")}
    assert download("file.bin", registry=registry, progress=False).read_bytes() == CONTENT


def test_a_file_of_that_name_in_the_users_own_folder_stays(server, get, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"file\.bin is there already .*move it away"):
        get()
    assert (tmp_path / "file.bin").read_bytes() == b"mine"
    assert server.asked == []


def test_a_broken_download_goes_on_where_it_stopped(server, get, tmp_path):
    server.breaks_after = 100_000
    with pytest.raises(DownloadError, match=r"broke off after \d+ bytes .*goes on from there"):
        get()
    assert not (tmp_path / "file.bin").exists()
    assert get().read_bytes() == CONTENT
    kept = int(server.asked[1].removeprefix("bytes=").removesuffix("-"))
    assert 50_000 < kept <= 100_000
    assert server.sent == 100_000 + len(CONTENT) - kept  # what was kept is not sent again


def test_a_server_that_cannot_begin_in_the_middle_sends_all_of_it(server, get):
    server.ranges, server.breaks_after = False, 100_000
    with pytest.raises(DownloadError, match="broke off"):
        get()
    assert get().read_bytes() == CONTENT


def test_leftovers_of_another_file_are_thrown_away(server, get, tmp_path):
    for leftover in (b"x" * 1000, CONTENT, CONTENT + b"more", b""):
        (tmp_path / "file.bin").unlink(missing_ok=True)
        keep(tmp_path, leftover)
        assert get().read_bytes() == CONTENT


def test_another_file_than_expected_is_refused_and_not_kept(server, get, tmp_path):
    server.content = b"<html>Please log in</html>"
    with pytest.raises(DownloadError, match="its sha256 differs"):
        get()
    assert [p.name for p in tmp_path.iterdir()] == [".mpas_lite"]
    server.content = CONTENT
    assert get().read_bytes() == CONTENT


def test_another_file_after_a_broken_download_is_refused_too(server, get, tmp_path):
    keep(tmp_path, b"x")
    server.content = CONTENT[::-1]
    with pytest.raises(DownloadError, match="its sha256 differs"):
        get()
    assert server.asked == ["bytes=1-", None]
    assert [p.name for p in tmp_path.iterdir()] == [".mpas_lite"]


def test_no_such_file(server, get):
    with pytest.raises(DownloadError, match="the server answers 404"):
        get(server.url.replace("file.bin", "gone.bin"))


def test_offline(server, get):
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadError, match="Is there a connection to the internet"):
        get()


def test_one_download_at_a_time(get, tmp_path):
    with lock_folder(tmp_path), pytest.raises(ValueError, match="Another process is downloading"):
        get()


def test_an_unknown_name_says_what_there_is(tmp_path):
    with pytest.raises(ValueError, match=r"no file 'vtest.mp4' to download; there are: vtest.avi"):
        download("vtest.mp4", folder=tmp_path)


def test_the_cache_folder_is_the_users_choice(monkeypatch, tmp_path):
    monkeypatch.setenv("MPAS_LITE_DATA", str(tmp_path / "videos"))
    assert cache_folder() == tmp_path / "videos"
    monkeypatch.delenv("MPAS_LITE_DATA")
    assert "mpas_lite" in str(cache_folder())


def test_the_registry_knows_the_file_that_is_at_hand(real_data, tmp_path):
    (tmp_path / "vtest.avi").symlink_to(real_data / "vtest.avi")
    assert download("vtest.avi", folder=tmp_path) == tmp_path / "vtest.avi"  # taken from there: its sum is right


def test_the_registry_is_sound():
    for name, remote in REGISTRY.items():
        assert remote.url.startswith("https://")
        assert remote.url.endswith(name)
        assert len(bytes.fromhex(remote.sha256)) == 32
        assert remote.about
