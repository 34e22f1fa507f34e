"""Pins: the checksum that a file's bytes must have, in the kind that its home or its users have published.

Files from their canonical address: pinned by checksum, kept in a cache, or read from a local mirror.

A file is looked for in these places, and its checksum is checked in each:

1. the local mirror named by the environment variable ``GNOMON_DATA``: its file, plain or packed (.gz, .xz, .zip);
2. where a package of the system puts it, if there is one;
3. the cache: ``GNOMON_CACHE``, or the platform's folder for caches;
4. the canonical address. What comes goes to a partial file first and gets its name only when it is whole and right; a
   transfer that was cut off goes on where it stopped.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import sys
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import DataError


def _git_blob(content: bytes) -> str:
    """The name that git gives a file's content: SHA-1 over a header and the bytes."""
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


KINDS: dict[str, Callable[[bytes], str]] = {
    "sha256": lambda content: hashlib.sha256(content).hexdigest(),
    "md5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
    "git": _git_blob,
}


def mismatch(content: bytes, pin: str) -> str | None:
    """What is wrong with these bytes, or None if they are the pinned ones.

    >>> mismatch(b"abc", "md5:900150983cd24fb0d6963f7d28e17f72")
    >>> mismatch(b"abcd", "md5:900150983cd24fb0d6963f7d28e17f72")
    'wrong checksum (md5 e2fc714c4727ee9395f324cd2e7f331f, expected 900150983cd24fb0d6963f7d28e17f72)'
    """
    kind, _, expected = pin.partition(":")
    got = KINDS[kind](content)
    return None if got == expected else f"wrong checksum ({kind} {got}, expected {expected})"


def pin_of_all(contents: Iterable[bytes]) -> str:
    """One pin for several files that belong together: SHA-256 over their bytes, one after the other."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


CHUNK = 1 << 16
TIMEOUT_SECONDS = 30
ABANDONED_SECONDS = 4 * TIMEOUT_SECONDS  # a transfer that lives writes, or times out, long before


@dataclass(frozen=True)
class RemoteFile:
    """A file with a canonical address and a pinned content.

    Attributes:
        path: where it lies in a mirror and in the cache, such as ``adult/adult.data``.
        url: its canonical address.
        pin: checksum of its unpacked bytes, as ``sha256:...``, ``md5:...`` or ``git:...`` (`gnomon.datasets.fetch`).
        packing: how the address serves it: ``""`` as it is, ``.gz``, ``.xz``, or ``.zip`` with a file of its name.
        packaged: where a package of the system puts it, if there is one.
    """

    path: str
    url: str
    pin: str
    packing: str = ""
    packaged: str = ""


def fetch(file: RemoteFile) -> bytes:
    """The file's unpacked bytes, from mirror, cache or network; never bytes with another checksum.

    Raises:
        DataError: no network, a transfer that was cut off, or a checksum that is wrong.
    """
    mirrored = read_mirror(file)
    if mirrored is not None:
        return mirrored
    packaged = _find(Path(file.packaged)) if file.packaged else None
    if packaged is not None:
        return _read(packaged, file)
    cached = _find(cache_folder() / file.path)
    if cached is not None:
        try:
            return _read(cached, file)
        except DataError:
            Console(stderr=True, emoji=False).print(f"{cached}: damaged (wrong checksum), fetched again")
            cached.unlink()
    return _download(file, cache_folder() / f"{file.path}{file.packing}")


def read_mirror(file: RemoteFile) -> bytes | None:
    """The file's unpacked bytes from the local mirror; None without a mirror, or if it lacks the file.

    Raises:
        DataError: the mirror is not there, or its file is damaged.
    """
    root = mirror_folder()
    place = None if root is None else _find(root / file.path)
    return None if place is None else _read(place, file)


def mirror_folder() -> Path | None:
    """The local mirror that ``GNOMON_DATA`` names, if it names one.

    Raises:
        DataError: it is no folder.
    """
    folder = os.environ.get("GNOMON_DATA")
    if not folder:
        return None
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"GNOMON_DATA={folder}: expected the folder of a local mirror; mend the variable or unset it")
    return root


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


def _unzip(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            if Path(member).name == name:
                return archive.read(member)
    raise zipfile.BadZipFile(f"no file {name} in it")


UNPACK: dict[str, Callable[[bytes, str], bytes]] = {
    "": lambda content, _: content,
    ".gz": lambda content, _: gzip.decompress(content),
    ".xz": lambda content, _: lzma.decompress(content),
    ".zip": _unzip,
}
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)


def _find(place: Path) -> Path | None:
    """The file, plain or packed."""
    candidates = (place.with_name(f"{place.name}{packing}") for packing in UNPACK)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read(place: Path, file: RemoteFile) -> bytes:
    packing = place.name.removeprefix(Path(file.path).name)
    try:
        content = UNPACK[packing](place.read_bytes(), Path(file.path).name)
    except PermissionError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror})") from error
    except BROKEN as error:
        raise DataError(f"{place}: cannot be unpacked ({error}); replace it") from error
    problem = mismatch(content, file.pin)
    if problem:
        raise DataError(f"{place}: {problem}; replace it with the file from {file.url}")
    return content


def _download(file: RemoteFile, place: Path) -> bytes:
    partial = place.with_name(f"{place.name}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        claimed = _claim(partial)
        try:
            _transfer(file, claimed)
        except BaseException:
            claimed.replace(partial)
            raise
        try:
            content = UNPACK[file.packing](claimed.read_bytes(), Path(file.path).name)
            problem = mismatch(content, file.pin)
        except BROKEN as error:
            problem = f"cannot be unpacked ({error})"
        if problem:
            claimed.unlink()
            raise DataError(
                f"{file.url}: {problem}; nothing was kept; the file at this address is not the one that gnomon knows"
            )
        claimed.replace(place)
    except PermissionError as error:
        raise DataError(f"{place}: cannot be written ({error.strerror}); name a folder with GNOMON_CACHE") from error
    return content


def _claim(partial: Path) -> Path:
    """A partial file of our own: what a cut transfer left, or an empty one.

    Two processes must not write to one partial file, so whoever renames it first goes on with it. What a killed
    process left behind is known by its age.
    """
    claimed = partial.with_name(f"{partial.name}.{os.getpid()}")
    left = [partial]
    for other in partial.parent.glob(f"{partial.name}.*"):
        with suppress(FileNotFoundError):
            if other == claimed or time.time() - other.stat().st_mtime > ABANDONED_SECONDS:
                left.append(other)
    for other in left:
        with suppress(FileNotFoundError):
            other.replace(claimed)
            return claimed
    claimed.touch()
    return claimed


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
    console = Console(stderr=True, emoji=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=total, completed=have)
        while chunk := source.read(CHUNK):
            sink.write(chunk)
            progress.advance(task, len(chunk))


def _ways_out(file: RemoteFile) -> str:
    name = f"{file.path}{file.packing}"
    return f"check the network, or put the file into a folder as {name} and name the folder with GNOMON_DATA"


@dataclass(frozen=True)
class Source:
    """A data set by name.

    Attributes:
        name: what a plan calls it.
        title: what it is, in one line.
        rows: number of rows n.
        features: number of columns d.
        classes: the numbers of classes it comes with; the first is the default.
        terms: licence and provenance, in one line.
        load: number of classes -> data set.
        stand_in: name of a data set like it, of open terms, for studies that are told to do with another where this one
            can't be had (and then call that one by its own name); None if there is none.
    """

    name: str
    title: str
    rows: int
    features: int
    classes: tuple[int, ...]
    terms: str
    load: Callable[[int], Dataset]
    stand_in: str | None = None
