from pathlib import Path

import numpy as np
import pytest

from gnomon.core.errors import StoreError
from gnomon.store.arrays import ArrayStore

KEY = "ab" + "0" * 30


@pytest.fixture
def store(tmp_path: Path) -> ArrayStore:
    store = ArrayStore(tmp_path / "store")
    store.put(KEY, np.arange(1000, dtype=np.float32).reshape(100, 10), {"seed": 3})
    return store


def array_file(store: ArrayStore) -> Path:
    return next(store.root.rglob("*.npy"))


def test_what_was_put_comes_back_memory_mapped(store: ArrayStore) -> None:
    found = store.get(KEY)
    assert isinstance(found.array, np.memmap)
    np.testing.assert_array_equal(found.array, np.arange(1000, dtype=np.float32).reshape(100, 10))
    assert found.facts == {"seed": 3}


def test_nothing_under_another_key(store: ArrayStore) -> None:
    assert store.get("cd" + "0" * 30).array is None


@pytest.mark.parametrize("harm", ["truncate", "flip", "empty", "remove", "garble note"])
def test_a_damaged_file_is_named_discarded_and_never_used(store: ArrayStore, harm: str) -> None:
    file = array_file(store)
    raw = bytearray(file.read_bytes())
    if harm == "truncate":
        file.write_bytes(raw[:-7])
    elif harm == "flip":
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw)
    elif harm == "empty":
        file.write_bytes(b"")
    elif harm == "remove":
        file.unlink()
    else:
        file.with_suffix(".json").write_text("{")
    found = store.get(KEY)
    assert found.array is None
    assert found.damaged is not None
    assert file.name in found.damaged
    assert store.get(KEY).damaged is None, "a discarded file must not be found again"
    assert not list(store.root.rglob("*.npy"))


def test_a_file_moved_under_another_key_is_not_taken_for_it(store: ArrayStore) -> None:
    other = "ab" + "1" * 30
    written = array_file(store)
    for file in (written, written.with_suffix(".json")):
        file.with_name(other + file.suffix).write_bytes(file.read_bytes())
    found = store.get(other)
    assert found.array is None
    assert found.damaged is not None


def test_half_a_write_is_nothing(store: ArrayStore) -> None:
    array_file(store).with_suffix(".json").unlink()
    assert store.get(KEY).array is None
    assert not store.holds(KEY)


def test_no_temporary_files_stay(store: ArrayStore) -> None:
    assert sorted(p.suffix for p in store.root.rglob("*") if p.is_file()) == [".json", ".npy"]


def test_a_folder_that_is_a_file_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        ArrayStore(tmp_path / "file").put(KEY, np.zeros(3), {})
