import pytest
from tests.datasets.archives import pin_of

from gnomon.datasets import RemoteFile


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Puts a file into a local mirror and returns where it comes from, pinned."""
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "mirror"))
    monkeypatch.setenv("GNOMON_CACHE", str(tmp_path / "cache"))

    def put(path, content):
        place = tmp_path / "mirror" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return RemoteFile(path, "http://127.0.0.1:9/", pin_of("git", content))

    return put
