"""What is installed here and decides bits: a store's keys hold it, and all nodes of a cluster must have it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gnomon.core.system import DECIDING_PACKAGES, package_versions


def installed() -> dict[str, str]:
    """Versions of Python, of what trains models, and a digest of gnomon's own source.

    >>> sorted(installed())[:2]
    ['Python', "gnomon's source"]
    """
    own = {"Python": platform.python_version(), "gnomon's source": _source()}
    return own | package_versions([*DECIDING_PACKAGES, "numba"])


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str | None:
    """What another machine has that is not the same, in words; None where nothing differs.

    >>> difference({"Python": "3.11.7", "torch": "2.13.0"}, {"Python": "3.12.1"})
    'Python 3.12.1 (here 3.11.7), no torch (here 2.13.0)'
    """
    names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
    found = [f"{name} {there[name]}" if name in there else f"no {name}" for name in names]
    return ", ".join(f"{f} (here {here.get(name, 'none')})" for f, name in zip(found, names, strict=True)) or None


@cache
def _source() -> str:
    folder, digest = Path(__file__).parents[1], hashlib.blake2b(digest_size=6)
    for file in sorted(folder.rglob("*.py")):
        digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()
