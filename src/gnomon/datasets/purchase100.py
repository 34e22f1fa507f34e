"""Classes by k-means, as Shokri et al. (2017) made those of Purchase and Locations.

Purchase: what customers of the "Acquire Valued Shoppers" challenge bought (Shokri et al. 2017, section VI).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gnomon.core.arrays import Ints, fingerprint
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import DataError, StoreError
from gnomon.datasets.bit_tables import bit_features, opened_tar, read_bits
from gnomon.datasets.fetch import RemoteFile, cache_folder, fetch
from gnomon.datasets.source import Source
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


ARCHIVE = RemoteFile(
    path="purchase100/dataset_purchase.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_purchase.tgz",
    pin="git:3efa7476ad5ed7ac3e558d28585a186b38fc5f19",
)
OWN_CLASSES = 100
NOTE = (
    "Purchase-100, the authors' release (Shokri et al. 2017), from Kaggle's \"Acquire Valued Shoppers\": a record is a "
    "customer, a bit records whether a product was bought, {classes}. "
    "No licence is stated: fetched from its home, never redistributed."
)
GIVEN = "the 100 classes are clusters as released"
MADE = (
    "the {k} classes are clusters made here by mini-batch k-means (the paper says k-means), for the release holds the "
    "clusters of 100 classes only"
)


def load_purchase100(classes: int = OWN_CLASSES, archive: RemoteFile = ARCHIVE) -> Dataset:
    """197,324 customers x 600 bits.

    Args:
        classes: 100 as released; 2, 10, 20 or 50 by k-means on the records.
        archive: where the tar file with the one table comes from.

    Raises:
        DataError: it can't be had, or is not in the authors' form.
    """
    with opened_tar(fetch(archive), archive.path) as tar:
        tables = [member for member in tar if member.isfile()]
        stream = tar.extractfile(tables[0]) if len(tables) == 1 else None
        if stream is None:
            raise DataError(f"{archive.path}: expected a tar file with one table, found {len(tables)} files")
        table = read_bits(stream, archive.path, labelled=True)
    released = classes == OWN_CLASSES
    labels: NDArray[Any] = table.labels - 1 if released else cluster(table.bits, classes)
    return make_dataset(
        table.bits,
        labels,
        classes=tuple(str(k + 1) for k in range(classes)),
        features=bit_features(f"x{j}" for j in range(table.bits.shape[1])),
        name="purchase100",
        note=NOTE.format(classes=GIVEN if released else MADE.format(k=classes)),
    )


PURCHASE100 = Source(
    name="purchase100",
    title="Purchase-100: products bought by a customer, one bit each (Shokri et al. 2017)",
    rows=197324,
    features=600,
    classes=(OWN_CLASSES, 50, 20, 10, 2),
    terms="no licence stated; fetched from its authors, never redistributed",
    load=load_purchase100,
    stand_in="baskets",
)
