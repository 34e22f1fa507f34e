"""What this machine has: packages, cores, and memory; what claims to need more memory is refused before it is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
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


def free_memory() -> int | None:
    """Bytes that this process may still fill: of the machine, or of its control group; None where nobody says."""
    found = []
    with suppress(OSError, ValueError, IndexError):
        line = next(
            text for text in MEMINFO.read_text(encoding="ascii").splitlines() if text.startswith("MemAvailable")
        )
        found.append(1024 * int(line.split()[1]))
    with suppress(OSError, ValueError):  # "max" is no number: no limit
        most, used = (int((CGROUP / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
        found.append(max(0, most - used))
    return min(found, default=None)


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
