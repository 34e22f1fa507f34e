"""The state of a climb on disk: one npz file, written whole or not at all, and bound to the climb that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.errors import StoreError, UsageError
from gnomon.core.files import replacing

VERSION = "gnomon climb 1 "


def save_state(path: Path, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes the arrays atomically: a reader sees the old file or the new one, never half of one.

    Raises:
        StoreError: the file can't be written.
    """
    everything: dict[str, Any] = {"key": np.array(VERSION + key), **arrays}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **everything)


def load_state(path: Path, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of this climb's checkpoint; None if there is no file.

    Raises:
        StoreError: the file is damaged or no checkpoint.
        UsageError: it belongs to a climb with other parameters, features, classes or seed.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        found = str(arrays.pop("key"))
    except Exception as error:  # of a damaged archive, of zlib and lzma, of other compressions, of numpy
        raise StoreError(f"{path}: not a readable checkpoint ({error}); delete it to start afresh") from None
    if found != VERSION + key:
        raise UsageError(
            f"{path} belongs to another climb (other parameters, features, classes or seed); "
            "name another checkpoint or delete this one"
        )
    return arrays
