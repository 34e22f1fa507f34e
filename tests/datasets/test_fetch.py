import gzip
import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from gnomon.core.errors import DataError
from gnomon.datasets.fetch import RemoteFile, cache_folder, fetch

CONTENT = bytes(range(256)) * 1000


class Server(http.server.BaseHTTPRequestHandler):
    """A small server of one file, with ranges; a path says how it misbehaves."""

    def do_GET(self):
        kind = self.path.strip("/")
        self.server.asked.append(self.headers.get("Range"))
        if kind == "missing":
            self.send_error(404)
            return
        body, status = CONTENT, 200
        asked = self.headers.get("Range")
        if asked and kind != "rangeless":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(CONTENT):
                self.send_error(416)
                return
            body, status = CONTENT[start:], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind == "cut" and not asked else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GNOMON_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GNOMON_DATA", raising=False)
    return tmp_path / "cache"


def remote(server, kind="file", content=CONTENT):
    url = f"http://127.0.0.1:{server.server_port}/{kind}"
    return RemoteFile("set/file.bin", url, hashlib.sha256(content).hexdigest())


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
        fetch(RemoteFile("set/file.bin", "http://127.0.0.1:9/file", "0"))
    assert "\n" not in str(caught.value)


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
