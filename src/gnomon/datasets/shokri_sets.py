"""The sets of Shokri et al. (2017, section VI) in the authors' releases: Purchase-100, Texas-100, Location-30.

Purchase: what customers of the "Acquire Valued Shoppers" challenge bought; classes other than the released 100 are made
here by k-means, as the paper made its own. Texas: the main procedure of a hospital stay. Location: which places a
Foursquare user of Bangkok has been to.
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
from gnomon.datasets.bit_tables import bit_features, opened_tar, read_bits, tar_member
from gnomon.datasets.fetch import RemoteFile, Source, cache_folder, fetch
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


PURCHASES = RemoteFile(
    path="purchase100/dataset_purchase.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_purchase.tgz",
    pin="git:3efa7476ad5ed7ac3e558d28585a186b38fc5f19",
)
OWN_CLASSES = 100
PURCHASE_NOTE = (
    "Purchase-100, the authors' release (Shokri et al. 2017), from Kaggle's \"Acquire Valued Shoppers\": a record is a "
    "customer, a bit records whether a product was bought, {classes}. "
    "No licence is stated: fetched from its home, never redistributed."
)
GIVEN = "the 100 classes are clusters as released"
MADE = (
    "the {k} classes are clusters made here by mini-batch k-means (the paper says k-means), for the release holds the "
    "clusters of 100 classes only"
)


def load_purchase100(classes: int = OWN_CLASSES, archive: RemoteFile = PURCHASES) -> Dataset:
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
        note=PURCHASE_NOTE.format(classes=GIVEN if released else MADE.format(k=classes)),
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


TEXAS = RemoteFile(
    path="texas100/dataset_texas.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_texas.tgz",
    pin="git:966f7ff40b24cf5912ff84759aab9adb8c25f30e",
)
FEATURES, LABELS = "texas/100/feats", "texas/100/labels"
TEXAS_NOTE = (
    "Texas-100, the authors' release (Shokri et al. 2017): stays in Texas hospitals as 6,169 bits (causes of injury, "
    "diagnoses, the patient, the hospital); the classes are the 100 most frequent main procedures. "
    "No licence is stated: fetched from its home, never redistributed."
)


def load_texas100(classes: int = 100, archive: RemoteFile = TEXAS) -> Dataset:
    """67,330 hospital stays x 6,169 bits, 100 classes (415 MB of bits).

    Args:
        classes: 100.
        archive: where the tar file with ``texas/100/feats`` and ``texas/100/labels`` comes from.

    Raises:
        DataError: it can't be had, or is not in the authors' form.
    """
    content = fetch(archive)
    with opened_tar(content, archive.path) as tar:
        bits = read_bits(tar_member(tar, FEATURES, archive.path), f"{archive.path}: {FEATURES}", labelled=False).bits
    with opened_tar(content, archive.path) as tar:  # anew, because the two may stand in either order
        lines = tar_member(tar, LABELS, archive.path).read().split()
    if not all(line.isdigit() for line in lines):
        raise DataError(f"{archive.path}: {LABELS}: expected one whole number a line")
    return make_dataset(
        bits,
        [int(line) - 1 for line in lines],
        classes=tuple(str(k + 1) for k in range(classes)),
        features=bit_features(f"x{j}" for j in range(bits.shape[1])),
        name="texas100",
        note=TEXAS_NOTE,
    )


TEXAS100 = Source(
    name="texas100",
    title="Texas-100: main procedure of a hospital stay (Shokri et al. 2017)",
    rows=67330,
    features=6169,
    classes=(100,),
    terms="no licence stated; fetched from its authors, never redistributed",
    load=load_texas100,
    stand_in="diabetes130",
)


LOCATIONS = RemoteFile(
    path="location30/dataset_location.tgz",
    url="https://github.com/privacytrustlab/datasets/raw/master/dataset_location.tgz",
    pin="sha256:927203f85a868f8ee17a0ded1dc61699efe602167beabe34fbf45b4b1de94b33",
)
TABLE = "bangkok"
LOCATION_NOTE = (
    "Location-30, the authors' release (Shokri et al. 2017): check-ins of Foursquare users in Bangkok as 446 bits, "
    "30 clusters as classes. No licence is stated: fetched from its home, never redistributed."
)


def load_location30(classes: int = 30, archive: RemoteFile = LOCATIONS) -> Dataset:
    """5,010 users x 446 bits (regions and kinds of places visited), 30 classes.

    Args:
        classes: 30.
        archive: where the tar file with the table ``bangkok`` comes from.

    Raises:
        DataError: it can't be had, or is not in the authors' form.
    """
    with opened_tar(fetch(archive), archive.path) as tar:
        table = read_bits(tar_member(tar, TABLE, archive.path), archive.path, labelled=True)
    return make_dataset(
        table.bits,
        table.labels - 1,
        classes=tuple(str(k + 1) for k in range(classes)),
        name="location30",
        note=LOCATION_NOTE,
    )


LOCATION30 = Source(
    name="location30",
    title="Location-30: places visited by users in Bangkok (Shokri et al. 2017)",
    rows=5010,
    features=446,
    classes=(30,),
    terms="no licence stated; fetched from its authors, never redistributed",
    load=load_location30,
)
