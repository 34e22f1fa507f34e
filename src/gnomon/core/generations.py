"""The results in a folder are of one run: they appear at once, and a reader checks that they belong together.

A writer claims the folder, fills a hidden folder in it, and names every file with its SHA-256 in ``manifest.json``. One
rename of that hidden folder makes its files the results; what follows (old files out, new files up, the manifest last)
is gone through again by the next writer if this one is killed, and readers look into the hidden folder first. So at no
moment a folder shows files of two runs, and nothing depends on links or on a file system that exchanges folders.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from gnomon.core.errors import DataError, StoreError, UsageError
from gnomon.core.system import cannot_write, too_large, write_text

Kind = Literal["audit", "defence", "study", "reproduction", "service"]

MANIFEST = "manifest.json"
HIDDEN = ".results-"  # of every folder that is ours and no result
NEXT = f"{HIDDEN}next"
LOCK = ".lock"
RENDERED = (".html", ".md", ".svg", ".png")  # made from the document, perhaps again; nothing reads them
TRIES = 20


def _check_inside(name: str) -> str:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts) or parts[0].startswith(HIDDEN):
        raise ValueError(f"expected the path of a file in the folder, got {name!r}")
    return name


class Manifest(BaseModel):
    """What belongs together: the kind of the results, and the SHA-256 of every file by its path in the folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    files: dict[Annotated[str, AfterValidator(_check_inside)], str]

    @property
    def entries(self) -> list[str]:
        """Files and folders at the top of the folder, the manifest itself last."""
        return [*dict.fromkeys(PurePosixPath(name).parts[0] for name in self.files), MANIFEST]


@dataclass(frozen=True)
class Published:
    """Checked results: their kind, and the content of every file that is not rendered from others."""

    kind: Kind
    files: Mapping[str, bytes]


def read_published(folder: Path) -> Published | None:
    """The results in a folder, each file checked against the manifest; None where there is no manifest.

    Raises:
        DataError: a file that is missing, damaged or of another run.
    """
    for _ in range(TRIES):
        text = _manifest_text(folder)
        if text is None:
            return None
        manifest = _parse(folder, text)
        names = [name for name in manifest.files if not name.endswith(RENDERED)]
        files = {name: _content(folder, name) for name in names}
        wrong = next((n for n, content in files.items() if _digest(content) != manifest.files[n]), None)
        if wrong is None:
            return Published(manifest.kind, {n: content for n, content in files.items() if content is not None})
        if _manifest_text(folder) == text:  # otherwise a writer was at work
            what = "is missing" if files[wrong] is None else f"is damaged, or not of the run that {MANIFEST} names"
            raise DataError(f"{folder / wrong}: {what}; run the same command again")
    raise DataError(f"{folder}: is written again and again; read it when its writer has ended")


State = Literal["fits", "changed", "missing", "not of this run"]


@dataclass(frozen=True)
class Checked:
    """Every file of a folder's results, rendered ones too, against the manifest.

    Attributes:
        kind: of the results.
        states: by path in the folder.
        digest: SHA-256 of the manifest itself, which stands for all of them: what is signed or noted elsewhere.
    """

    kind: Kind
    states: Mapping[str, State]
    digest: str


def check_published(folder: Path) -> Checked:
    """How each file in a folder fits the manifest; models' answers (``store/``) are no results and left out.

    Raises:
        DataError: no manifest, or a damaged one.
    """
    text = _manifest_text(folder)
    if text is None:
        raise DataError(f"{folder}: holds no {MANIFEST}; expected the folder of a run")
    manifest = _parse(folder, text)
    states: dict[str, State] = {}
    for name, digest in manifest.files.items():
        content = _content(folder, name)
        states[name] = "missing" if content is None else "fits" if _digest(content) == digest else "changed"
    own = {PurePosixPath(name).parts[0] for name in manifest.files if "/" in name}
    for path in sorted(p for top in own for p in (folder / top).rglob("*") if p.is_file()):
        states.setdefault(path.relative_to(folder).as_posix(), "not of this run")
    return Checked(manifest.kind, states, _digest(text.encode("utf-8")))


@dataclass(frozen=True)
class Claim:
    """A folder that no other process writes results into, as long as the claim lasts."""

    folder: Path
    kind: Kind

    @contextmanager
    def publish(self) -> Iterator[Path]:
        """An empty folder to fill; when the block ends, its files become the results, in the place of all older ones.

        Raises:
            StoreError: the folder can't be written (full, read-only); the older results are as they were.
        """
        place: Path | None = None
        try:
            place = Path(tempfile.mkdtemp(dir=self.folder, prefix=HIDDEN))
            yield place
            seal(place, self.kind)
            place.rename(self.folder / NEXT)  # from here on readers see the new results
            _install(self.folder)
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        finally:
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)


@contextmanager
def claim(folder: Path, kind: Kind) -> Iterator[Claim]:
    """Makes this process the only writer of a folder's results, and finishes or removes what a killed one left.

    The lock is the operating system's, so it ends with its process, however that ends. On a file system without locks
    writers do not see each other; the results still appear at once.

    Args:
        folder: is made if it is missing.
        kind: of the results that are to be written.

    Raises:
        StoreError: another process writes here, or the folder can't be written.
        UsageError: the folder holds results of another kind.
    """
    missing = [place for place in folder.parents if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        if not _lock(handle):
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            raise StoreError(
                f"{folder}: another gnomon (process {holder or 'unknown'}) is writing here; wait until it has ended, "
                "or name another folder with --to"
            )
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0) if hasattr(os, "pwrite") else None
            _settle(folder)
        except OSError as error:
            raise cannot_write(folder, error) from error
        _check_kind(folder, kind)
        yield Claim(folder, kind)
    finally:
        with suppress(OSError):  # a command that ended before it wrote anything leaves no folder
            if os.listdir(folder) == [LOCK]:  # noqa: PTH208 - names alone
                (folder / LOCK).unlink()
                for place in (folder, *missing):
                    place.rmdir()
        os.close(handle)


def _check_kind(folder: Path, kind: Kind) -> None:
    text = _manifest_text(folder)
    if text is None:
        return
    with suppress(DataError):  # a damaged manifest is replaced
        there = _parse(folder, text).kind
        if there != kind:
            raise UsageError(f"{folder}: holds a gnomon {there} and would hold a {kind}; name another folder with --to")


def _settle(folder: Path) -> None:
    """Finishes the installation of results that a killed writer had made whole, and removes what it had begun."""
    new = folder / NEXT
    if not new.is_symlink() and (new / MANIFEST).is_file():
        with suppress(DataError):  # damaged since: it goes
            _install(folder)
    for left in folder.glob(f"{HIDDEN}*"):
        _remove(left)


def _install(folder: Path) -> None:
    """Moves the next results up; can be begun again wherever it was broken off, as an old manifest leaves last."""
    new, old = folder / NEXT, Path(tempfile.mkdtemp(dir=folder, prefix=f"{HIDDEN}old-"))
    manifest = _parse(new, (new / MANIFEST).read_text(encoding="utf-8"))
    if os.path.lexists(folder / MANIFEST):
        before: list[str] = [MANIFEST]
        with suppress(DataError, OSError, UnicodeDecodeError):
            before = _parse(folder, (folder / MANIFEST).read_text(encoding="utf-8")).entries
        for name in [*(n for n in manifest.entries if n not in before), *before]:
            if os.path.lexists(folder / name):
                (folder / name).rename(old / name)
    for name in manifest.entries:
        if os.path.lexists(new / name):
            if os.path.lexists(folder / name):
                (folder / name).rename(old / name)
            (new / name).rename(folder / name)
    _sync(folder)
    new.rmdir()
    _remove(old)


def seal(place: Path, kind: Kind) -> None:
    """Writes the manifest of a filled folder, when all of its files are on the disk."""
    files = {}
    for path in sorted(p for p in place.rglob("*") if not p.is_dir()):
        with path.open("rb+") as file:
            files[path.relative_to(place).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
    write_text(place / MANIFEST, Manifest(kind=kind, files=files).model_dump_json(indent=1) + "\n")
    _sync(place)


def _sync(folder: Path) -> None:
    """Puts a folder's entries on the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def _manifest_text(folder: Path) -> str | None:
    content = _content(folder, MANIFEST)
    return None if content is None else content.decode("utf-8", "replace")


def _content(folder: Path, name: str) -> bytes | None:
    """A file's content: the next results' while they are moved up, which only goes one way; None if there is none."""
    for place in (folder / NEXT, folder):
        try:
            if not (place / name).is_file() and (place / name).exists():
                raise DataError(f"{place / name}: expected a file, got a folder, a pipe or a device")
            if (most := too_large((place / name).stat().st_size)) is not None:
                raise DataError(f"{place / name}: {most}; gnomon wrote no such file: run the same command again")
            return (place / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise DataError(f"{place / name}: cannot be read ({error.strerror or error})") from None
    return None


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _parse(folder: Path, text: str) -> Manifest:
    try:
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise DataError(f"{folder / MANIFEST}: is damaged; run the same command again") from None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # no locks on this file system
        return True
