"""An array on disk under the digest of what decided it: atomic, checked, memory-mapped.

A key stands for two files, ``KEY.npy`` (the array) and ``KEY.json`` (its checksum and what it is). The second appears
last, so a killed writer leaves nothing that could be taken for a result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gnomon.core.errors import StoreError
from gnomon.core.system import replacing

CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Lookup:
    """What the store holds under a key: the array and what was noted with it, or nothing, or something damaged."""

    array: NDArray[Any] | None = None
    facts: dict[str, Any] | None = None
    damaged: str | None = None  # the discarded file and what was wrong with it


@dataclass(frozen=True)
class ArrayStore:
    """A folder of arrays by content key.

    >>> import tempfile
    >>> store = ArrayStore(Path(tempfile.mkdtemp()))
    >>> store.put("ab12", np.arange(3.0), {"seconds": 1.5})
    >>> store.get("ab12").array, store.get("ab12").facts, store.get("ffff").array
    (memmap([0., 1., 2.]), {'seconds': 1.5}, None)
    """

    root: Path

    def __post_init__(self) -> None:
        """Workers may stand in another folder than this process, so that a relative path would mislead them."""
        object.__setattr__(self, "root", self.root.absolute())

    def holds(self, key: str) -> bool:
        """Whether both files of the key are there; `get` still checks what is in them."""
        return self._path(key, ".json").exists() and self._path(key, ".npy").exists()

    def get(self, key: str) -> Lookup:
        """The array of this key, memory-mapped read-only, after its checksum was checked.

        A file that is truncated, altered or of another array is deleted and named in ``Lookup.damaged``.
        """
        note, file = self._path(key, ".json"), self._path(key, ".npy")
        if not note.exists():
            return Lookup()
        try:
            written = json.loads(note.read_text(encoding="utf-8"))
            if written["key"] != key:
                raise ValueError(f"was written for key {written['key']}")
            if written["checksum"] != _checksum(file):
                raise ValueError("checksum differs: truncated or altered")
            array = np.load(file, mmap_mode="r", allow_pickle=False)
            return Lookup(array=array, facts=written["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = "array file is missing" if isinstance(error, FileNotFoundError) else str(error)
            self._discard(key)
            return Lookup(damaged=f"{file.name}: {reason}")

    def kept(self, found: Lookup) -> NDArray[Any]:
        """The array that was found, of what was put there before.

        Raises:
            StoreError: it is gone.
        """
        if found.array is None:
            raise StoreError(
                f"{self.root}: answers vanished while they were made; does another run clean the same folder?"
            )
        return found.array

    def put(self, key: str, array: NDArray[Any], facts: dict[str, Any]) -> None:
        """Writes an array and its facts (JSON) under a key; whoever reads sees all of it or nothing.

        Raises:
            StoreError: the folder can't be written (full, read-only).
        """
        file, note = self._path(key, ".npy"), self._path(key, ".json")
        _write_atomically(file, lambda handle: np.save(handle, array, allow_pickle=False))
        text = json.dumps({"key": key, "checksum": _checksum(file), "facts": facts}).encode()
        _write_atomically(note, lambda handle: handle.write(text))

    def _discard(self, key: str) -> None:
        for suffix in (".json", ".npy"):
            self._path(key, suffix).unlink(missing_ok=True)

    def _path(self, key: str, suffix: str) -> Path:
        return self.root / key[:2] / (key + suffix)


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with replacing(path, mode=0o600) as temporary, temporary.open("wb") as file:
        write(file)
