"""What takes long to compute from a data set's files is kept in the cache, under a key of its content."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import fingerprint
from gnomon.core.errors import StoreError
from gnomon.datasets.fetch import cache_folder
from gnomon.store.arrays import ArrayStore


def derived(
    make: Callable[[], tuple[NDArray[Any], dict[str, Any]]], *decided_by: Any
) -> tuple[NDArray[Any], dict[str, Any]]:
    """An array and its facts (JSON), from the cache if they were made before.

    Args:
        make: makes both.
        decided_by: everything that decides the result: arrays, and what JSON can say. A change of the computation
            itself needs a change here too.
    """
    store, key = ArrayStore(cache_folder() / "derived"), fingerprint(*decided_by)
    found = store.get(key)
    if found.array is not None and found.facts is not None:
        return np.array(found.array), found.facts
    array, facts = make()
    with suppress(StoreError):  # a cache that can't be written costs time, not the result
        store.put(key, array, facts)
    return array, facts
