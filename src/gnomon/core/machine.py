"""What this machine has: packages, cores, and memory; what claims to need more memory is refused before it is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

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
