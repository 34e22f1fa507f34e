"""Classes by k-means, as Shokri et al. (2017) made those of Purchase and Locations."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gnomon.core.arrays import Ints, fingerprint
from gnomon.core.errors import StoreError
from gnomon.datasets.fetch import cache_folder
from gnomon.store.arrays import ArrayStore

SEED = 0
BATCH = 8192


def cluster(bits: NDArray[np.uint8], k: int) -> Ints:
    """The cluster (n,) of each record, 0 .. k - 1 from the largest to the smallest.

    Mini-batch k-means (Sculley 2010) with a fixed seed; the result is kept in the cache, under a key of the records.
    """
    from sklearn import __version__ as version  # takes seconds, which a list of data sets need not wait for

    store = ArrayStore(cache_folder() / "clusters")
    key = fingerprint(bits, ["mini-batch k-means", k, SEED, BATCH, version])
    found = store.get(key).array
    if found is None:
        found = _fit(bits, k)
        with suppress(StoreError):  # a cache that can't be written costs time, not the result
            store.put(key, found, {"classes": k})
    return np.array(found)


def _fit(bits: NDArray[np.uint8], k: int) -> Ints:
    from sklearn.cluster import MiniBatchKMeans

    with threadpool_limits(1):  # sums in another order could move a record to another cluster
        model = MiniBatchKMeans(k, random_state=SEED, batch_size=BATCH, n_init=3, max_no_improvement=20)
        found = model.fit_predict(bits.astype(np.float32))
    order = np.argsort(-np.bincount(found, minlength=k), kind="stable")
    place: Ints = np.empty(k, dtype=np.int64)
    place[order] = np.arange(k)
    ordered: Ints = place[found]
    return ordered
