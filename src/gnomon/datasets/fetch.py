"""Files from their canonical address: pinned by checksum, kept in a cache, or read from a local mirror.

A file is looked for in three places, and its SHA-256 is checked in each:

1. the local mirror named by the environment variable ``GNOMON_DATA`` (``FOLDER/FILE``, or ``FOLDER/FILE.gz``);
2. the cache: ``GNOMON_CACHE``, or the platform's folder for caches;
3. the canonical address. What comes goes to a partial file first and gets its name only when it is whole and right.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from gnomon.core.errors import DataError

CHUNK = 1 << 16
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class RemoteFile:
    """A file with a canonical address and a pinned content.

    Attributes:
        path: where it lies in a mirror and in the cache, such as ``adult/adult.data``.
        url: its canonical address.
        sha256: digest of its (uncompressed) bytes, in hex.
    """

    path: str
    url: str
    sha256: str


def fetch(file: RemoteFile) -> bytes:
    """The file's bytes, from mirror, cache or network; never bytes with another checksum.

    Raises:
        DataError: no network, a transfer that was cut off, or a checksum that is wrong.
    """
    mirrored = _read_mirror(file)
    if mirrored is not None:
        return mirrored
    place = cache_folder() / file.path
    if place.exists():
        content = place.read_bytes()
        if _digest(content) == file.sha256:
            return content
        Console(stderr=True).print(f"{place}: damaged (wrong checksum), fetched again")
        place.unlink()
    return _download(file, place)


def cache_folder() -> Path:
    """The folder of downloads: ``GNOMON_CACHE``, or the platform's folder for caches."""
    asked = os.environ.get("GNOMON_CACHE")
    if asked:
        return Path(asked).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "gnomon" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gnomon"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gnomon"


def _read_mirror(file: RemoteFile) -> bytes | None:
    folder = os.environ.get("GNOMON_DATA")
    if not folder:
        return None
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"GNOMON_DATA={folder}: expected the folder of a local mirror; mend the variable or unset it")
    plain, packed = root / file.path, root / f"{file.path}.gz"
    if plain.is_file():
        place, content = plain, plain.read_bytes()
    elif packed.is_file():
        place = packed
        try:
            content = gzip.decompress(packed.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{packed}: cannot be unpacked ({error}); replace it") from error
    else:
        return None
    if _digest(content) != file.sha256:
        raise DataError(
            f"{place}: wrong checksum (sha256 {_digest(content)[:12]}..., expected {file.sha256[:12]}...); "
            f"replace it with the file from {file.url}"
        )
    return content


def _download(file: RemoteFile, place: Path) -> bytes:
    partial = place.with_name(f"{place.name}.part")
    claimed = place.with_name(f"{place.name}.part.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Two processes must not write to one partial file: whoever renames it first goes on with it.
        try:
            partial.replace(claimed)
        except FileNotFoundError:
            claimed.touch()
        try:
            _transfer(file, claimed)
        except BaseException:
            claimed.replace(partial)
            raise
        content = claimed.read_bytes()
        if _digest(content) != file.sha256:
            claimed.unlink()
            raise DataError(
                f"{file.url}: wrong checksum (sha256 {_digest(content)[:12]}..., expected {file.sha256[:12]}...); "
                "nothing was kept; the file at this address is not the one that gnomon knows"
            )
        claimed.replace(place)
    except PermissionError as error:
        raise DataError(f"{place}: cannot be written ({error.strerror}); name a folder with GNOMON_CACHE") from error
    return content


def _transfer(file: RemoteFile, partial: Path) -> None:
    """Fetches the rest of the file, from where a cut transfer stopped if the server can do that."""
    have = partial.stat().st_size
    headers = {"User-Agent": "gnomon"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = urllib.request.Request(file.url, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            resumed = have > 0 and answer.status == 206
            total = _total(answer.headers, have if resumed else 0)
            with partial.open("ab" if resumed else "wb") as sink:
                _copy(answer, sink, Path(file.path).name, have if resumed else 0, total)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # we hold all bytes already, or more: the checksum decides
            return
        raise DataError(f"{file.url}: the server answered {error.code} {error.reason}; {_ways_out(file)}") from error
    except (urllib.error.URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{file.url}: cannot be fetched ({reason}); {_ways_out(file)}") from error
    got = partial.stat().st_size
    if total is not None and got < total:
        raise DataError(f"{file.url}: cut off after {got} of {total} bytes; run again to go on from there")


def _total(headers: HTTPMessage, offset: int) -> int | None:
    length = headers.get("Content-Length")
    return None if length is None else offset + int(length)


def _copy(source: IO[bytes], sink: IO[bytes], name: str, have: int, total: int | None) -> None:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=total, completed=have)
        while chunk := source.read(CHUNK):
            sink.write(chunk)
            progress.advance(task, len(chunk))


def _ways_out(file: RemoteFile) -> str:
    return f"check the network, or put the file into a folder as {file.path} and name the folder with GNOMON_DATA"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
