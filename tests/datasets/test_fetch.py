import gzip
import http.server
import io
import lzma
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress
from tests.datasets.archives import pin_of

from gnomon.core.errors import DataError
from gnomon.datasets.fetch import RemoteFile, cache_folder, fetch

CONTENT = bytes(range(256)) * 1000


def zip_of(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README", "other")
        archive.writestr(name, content)
    return buffer.getvalue()


SERVED = {  # what a path of the server holds, where it is not CONTENT as it is
    "file.bin.gz": gzip.compress(CONTENT),
    "file.bin.xz": lzma.compress(CONTENT),
    "file.bin.zip": zip_of("folder/file.bin", CONTENT),
    "empty.zip": zip_of("folder/other.bin", CONTENT),
    "cut.gz": gzip.compress(CONTENT)[:-20],
}


class Server(http.server.BaseHTTPRequestHandler):
    """A small server of one file, with ranges; a path says how it misbehaves."""

    def do_GET(self):
        kind = self.path.strip("/")
        self.server.asked.append(self.headers.get("Range"))
        if kind == "slow":
            self.server.let_go.wait(10)
            return
        if kind == "missing":
            self.send_error(404)
            return
        body, status = SERVED.get(kind, CONTENT), 200
        asked = self.headers.get("Range")
        if asked and kind != "rangeless":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                self.send_error(416)
                return
            body, status = body[start:], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind == "cut" and not asked else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.asked, server.let_go = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GNOMON_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GNOMON_DATA", raising=False)
    return tmp_path / "cache"


def remote(server, kind="file", content=CONTENT, pinned="sha256", packing=""):
    url = f"http://127.0.0.1:{server.server_port}/{kind}"
    return RemoteFile("set/file.bin", url, pin_of(pinned, content), packing)


def test_a_file_is_fetched_once_and_kept(server, cache):
    assert fetch(remote(server)) == CONTENT
    assert fetch(remote(server)) == CONTENT
    assert server.asked == [None]
    assert [p.name for p in (cache / "set").iterdir()] == ["file.bin"]


@pytest.mark.parametrize("kind", ["cut", "rangeless"])
def test_a_cut_transfer_is_named_and_gone_on_with(server, cache, kind):
    with pytest.raises(DataError, match="cut off after 128000 of 256000 bytes; run again"):
        fetch(remote(server, "cut"))
    assert [p.name for p in (cache / "set").iterdir()] == ["file.bin.part"]
    assert fetch(remote(server, kind)) == CONTENT
    assert server.asked == [None, "bytes=128000-"]
    assert [p.name for p in (cache / "set").iterdir()] == ["file.bin"]


def test_a_whole_partial_file_needs_no_second_transfer(server, cache):
    (cache / "set").mkdir(parents=True)
    (cache / "set" / "file.bin.part").write_bytes(CONTENT)
    assert fetch(remote(server)) == CONTENT


def test_a_wrong_checksum_is_refused_and_nothing_kept(server, cache):
    with pytest.raises(DataError, match=r"wrong checksum.*nothing was kept"):
        fetch(remote(server, content=b"something else"))
    assert list((cache / "set").iterdir()) == []


def test_a_damaged_cache_is_named_and_fetched_again(server, cache, capsys):
    fetch(remote(server))
    (cache / "set" / "file.bin").write_bytes(CONTENT[:-1])
    assert fetch(remote(server)) == CONTENT
    assert "damaged" in capsys.readouterr().err
    assert (cache / "set" / "file.bin").read_bytes() == CONTENT


def test_no_file_and_no_network_give_one_line(server, cache):
    with pytest.raises(DataError, match="the server answered 404") as caught:
        fetch(remote(server, "missing"))
    assert "GNOMON_DATA" in str(caught.value)
    with pytest.raises(DataError, match="cannot be fetched") as caught:
        fetch(RemoteFile("set/file.bin", "http://127.0.0.1:9/file", "md5:0"))
    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer_gives_one_line(server, cache, monkeypatch):
    monkeypatch.setattr("gnomon.datasets.fetch.TIMEOUT_SECONDS", 0.2)
    with pytest.raises(DataError, match=r"/slow: cannot be fetched \(timed out\); check the network") as caught:
        fetch(remote(server, "slow"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sha256", "md5", "git"])
def test_every_kind_of_pin_is_checked(server, cache, kind):
    assert fetch(remote(server, pinned=kind)) == CONTENT
    with pytest.raises(DataError, match=f"wrong checksum \\({kind} "):
        fetch(RemoteFile("set/other.bin", remote(server).url, pin_of(kind, b"other")))


def test_a_git_pin_is_the_name_that_git_gives_a_blob():
    assert pin_of("git", b"hello\n") == "git:ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object


@pytest.mark.parametrize("packing", [".gz", ".xz", ".zip"])
def test_a_packed_file_is_kept_packed_and_pinned_unpacked(server, cache, packing):
    file = remote(server, f"file.bin{packing}", packing=packing)
    assert fetch(file) == CONTENT
    assert fetch(file) == CONTENT
    assert server.asked == [None]
    assert [p.name for p in (cache / "set").iterdir()] == [f"file.bin{packing}"]


@pytest.mark.parametrize(("kind", "packing"), [("empty.zip", ".zip"), ("cut.gz", ".gz"), ("file", ".xz")])
def test_what_cannot_be_unpacked_is_not_kept(server, cache, kind, packing):
    with pytest.raises(DataError, match=r"cannot be unpacked.*nothing was kept") as caught:
        fetch(remote(server, kind, packing=packing))
    assert "\n" not in str(caught.value)
    assert list((cache / "set").iterdir()) == []


def test_a_package_of_the_system_comes_before_the_network(server, cache, tmp_path):
    (tmp_path / "file.bin.gz").write_bytes(gzip.compress(CONTENT))
    file = RemoteFile("set/file.bin", remote(server).url, pin_of("md5", CONTENT), packaged=str(tmp_path / "file.bin"))
    assert fetch(file) == CONTENT
    assert server.asked == []


def test_what_a_killed_process_left_is_gone_on_with_once_it_is_old(server, cache):
    left = cache / "set" / f"file.bin.part.{os.getpid() + 1}"
    left.parent.mkdir(parents=True)
    left.write_bytes(CONTENT[:1000])
    assert fetch(remote(server)) == CONTENT
    assert left.exists()  # another process may be writing to it
    (cache / "set" / "file.bin").unlink()
    os.utime(left, (time.time() - 3600,) * 2)
    assert fetch(remote(server)) == CONTENT
    assert server.asked == [None, "bytes=1000-"]
    assert [p.name for p in (cache / "set").iterdir()] == ["file.bin"]


def test_progress_shows_on_a_terminal_beside_other_bars(server, cache, monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    with Progress(console=Console(stderr=True)) as other:
        other.add_task("other")
        assert fetch(remote(server)) == CONTENT
    assert "file.bin" in capsys.readouterr().err


@pytest.mark.parametrize("packed", [False, True])
def test_a_mirror_comes_first_plain_or_packed(server, cache, tmp_path, monkeypatch, packed):
    place = tmp_path / "mirror" / "set" / ("file.bin.gz" if packed else "file.bin")
    place.parent.mkdir(parents=True)
    place.write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "mirror"))
    assert fetch(remote(server)) == CONTENT
    assert server.asked == []
    place.write_bytes(place.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be unpacked" if packed else "wrong checksum"):
        fetch(remote(server))


def test_a_mirror_without_the_file_is_passed_over_and_one_that_is_not_there_is_named(
    server, cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path))
    assert fetch(remote(server)) == CONTENT
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="GNOMON_DATA"):
        fetch(remote(server))


def test_the_cache_has_a_place_on_every_platform(monkeypatch):
    monkeypatch.delenv("GNOMON_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for platform, name in (("linux", ".cache"), ("darwin", "Caches"), ("win32", "Cache")):
        monkeypatch.setattr("sys.platform", platform)
        assert cache_folder().is_absolute()
        assert name in cache_folder().parts
    monkeypatch.setenv("GNOMON_CACHE", "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"
