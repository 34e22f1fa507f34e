"""Provenance: versions, machine, times; what somebody needs to make the same record again."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime

from gnomon.core import VERSION
from gnomon.core.documents.record import Provenance
from gnomon.engines.local import available_cores
from gnomon.shadow.pool import package_versions

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "pandas", "joblib", "pydantic", "matplotlib")


def provenance(seed: int, seconds: dict[str, float], fingerprints: dict[str, str]) -> Provenance:
    """The provenance of a record made now, on this machine."""
    return Provenance(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        gnomon=VERSION,
        packages=package_versions(PACKAGES),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        cores=available_cores(),
        seed=seed,
        seconds={**seconds, "total": round(sum(seconds.values()), 3)},
        peak_memory_mb=peak_memory_mb(),
        fingerprints=fingerprints,
    )


def peak_memory_mb() -> float | None:
    """Most memory that this process held, in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
