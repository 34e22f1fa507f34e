"""How much memory there is to fill: what claims to need more is refused before it is read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

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
