"""What this machine gives: files that are written whole or not at all, packages, cores, and memory.

What claims to need more memory than is free is refused before it is read.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from gnomon.core import VERSION
from gnomon.core.errors import DataError, StoreError

_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # numpy.save, whatever stopped it


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """A file next to ``path`` that takes its place when the block ends: a reader sees the old one or the new one.

    Args:
        path: of the file to write; its folder is made.
        mode: permissions of the new file.

    Yields:
        An empty file to fill. If the block fails, it is removed and ``path`` stays as it was; a link there is replaced,
        never written through.

    Raises:
        StoreError: the folder can't be written (full, read-only).
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".part")
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> StoreError:
    """One line for a file or folder that can't be written.

    >>> print(cannot_write(Path("runs/x"), OSError(28, "No space left on device")))
    runs/x: cannot be written (No space left on device); free space, or name a folder that can be written
    """
    return StoreError(
        f"{path}: cannot be written ({system_reason(error)}); free space, or name a folder that can be written"
    )


def system_reason(error: OSError) -> str:
    """What the system says of a file or process; numpy, whose writing ended early, is not quoted.

    >>> system_reason(OSError("16370 requested and 2016 written"))
    'only a part of it, as if the disk were full'
    """
    if error.errno is None and _SHORT_WRITE.fullmatch(str(error)):
        return "only a part of it, as if the disk were full"
    return error.strerror or str(error)


def content_digest(path: Path) -> str:
    """SHA-256 of a file as ``sha256sum`` prints it; of a folder, of its files' names and digests, one a line, sorted.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "model"
    >>> _ = file.write_text("abc")
    >>> content_digest(file)[:8]
    'ba7816bf'
    """
    if path.is_dir():
        files = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
        lines = "".join(f"{content_digest(p)}  {name}\n" for name, p in files)
        return hashlib.sha256(lines.encode("utf-8")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically.

    Raises:
        StoreError: the folder can't be written (full, read-only).
        DataError: half a character stands in the text.
    """
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        part = ascii(text[max(0, error.start - 20) : error.end])
        raise DataError(f"{path}: {part} is no text that a file can hold; rename what is called so") from None
    with replacing(path) as temporary:
        temporary.write_bytes(content)


RECORDED_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "pandas", "joblib", "pydantic", "matplotlib")
DECIDING_PACKAGES = (
    "numpy", "scipy", "scikit-learn", "torch", "xgboost", "xgboost-cpu", "lightgbm", "catboost",
)  # fmt: skip # another version of these may train another model
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
PROCESS = Path("/proc/self")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def free_memory() -> int | None:
    """Bytes that this process may still fill: of the machine, of its control groups, of its own limit.

    None where nobody says.
    """
    found = [*_left_in_groups(), *_left_to_process()]
    with suppress(OSError, ValueError, IndexError):
        line = next(
            text for text in MEMINFO.read_text(encoding="ascii").splitlines() if text.startswith("MemAvailable")
        )
        found.append(1024 * int(line.split()[1]))
    return min(found, default=None)


def _left_in_groups() -> Iterator[int]:
    """What the limits of the process's control group, and of those around it, leave."""
    own = ""
    with suppress(OSError, IndexError):
        own = (PROCESS / "cgroup").read_text(encoding="utf-8").strip().rpartition("::/")[2]
    place = CGROUP / own if (CGROUP / own).is_dir() else CGROUP  # in a container the path may be one of outside
    while place.is_relative_to(CGROUP):
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            most, used = (int((place / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
            yield max(0, most - used + _kept_of_files(place))
        place = place.parent


def _kept_of_files(group: Path) -> int:
    """Bytes of files that a control group keeps in memory, and drops before anything is refused."""
    with suppress(OSError, ValueError, StopIteration):
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("inactive_file ")).split()[1])
    return 0


def _left_to_process() -> Iterator[int]:
    """What the limit of the address space (``ulimit -v``) leaves."""
    if sys.platform == "win32":
        return
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    with suppress(OSError, ValueError, IndexError):
        if most != resource.RLIM_INFINITY:
            pages = int((PROCESS / "statm").read_text(encoding="ascii").split()[0])
            yield max(0, most - pages * resource.getpagesize())


def too_large(size: float) -> str | None:
    """In words, why so many bytes don't fit in memory; None if they do, or if nobody knows.

    >>> print(too_large(0))
    None
    """
    free = free_memory()
    if free is None or size <= free:
        return None
    return f"needs {size / 2**30:,.1f} GB of memory, and {free / 2**30:,.1f} GB are free"


def peak_memory_mb() -> float | None:
    """Most memory that this process held, in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def core_cache() -> int | None:
    """Bytes of the second and third cache that fall to a core when all work; None where nobody says."""
    found = 0
    for place in CACHES.glob("index*"):
        with suppress(OSError, ValueError, KeyError, IndexError):
            level, kind, size, cores = (
                (place / name).read_text(encoding="ascii").strip()
                for name in ("level", "type", "size", "shared_cpu_list")
            )
            if int(level) > 1 and kind != "Instruction":
                found += int(size[:-1]) * UNITS[size[-1]] // _count(cores)
    return found or None


def _count(cores: str) -> int:
    """How many cores a list such as "0-3,8" names."""
    ends = [[int(end) for end in part.split("-")] for part in cores.split(",")]
    return sum(end[-1] - end[0] + 1 for end in ends)


def made_here() -> dict[str, Any]:
    """When, where and with what something is made now, under the names that documents have for it."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "gnomon": VERSION,
        "packages": package_versions(RECORDED_PACKAGES),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": available_cores(),
    }


def package_versions(names: Sequence[str]) -> dict[str, str]:
    """Versions of those of these packages that are installed."""
    found = {name: _version(name) for name in names}
    return {name: version for name, version in found.items() if version is not None}


@cache
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
