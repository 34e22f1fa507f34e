"""Purchase100: the file, and clusters in place of its classes."""

import numpy as np
import pytest
from tests.datasets.archives import tar_of

from gnomon.core.errors import DataError
from gnomon.datasets import shokri_sets as clusters
from gnomon.datasets.shokri_sets import load_purchase100

BITS = np.random.default_rng(0).integers(0, 2, (300, 12), dtype=np.uint8)


LABELS = np.arange(300) % 100 + 1


def lines(bits, labels=None):
    rows = [",".join(map(str, row)) for row in bits.tolist()]
    return "".join(
        f"{row}\n" if labels is None else f"{k},{row}\n" for k, row in zip(LABELS, rows, strict=True)
    ).encode()


@pytest.fixture
def purchase(mirror):
    return mirror("purchase100/dataset_purchase.tgz", tar_of({"dataset_purchase": lines(BITS, LABELS)}))


@pytest.mark.parametrize("name", ["dataset_purchase", "./purchase/anything"])
def test_purchase_reads_class_and_bits(mirror, name):
    data = load_purchase100(archive=mirror("purchase100/dataset_purchase.tgz", tar_of({name: lines(BITS, LABELS)})))
    assert np.array_equal(data.x, BITS)
    assert data.x.dtype == np.uint8
    assert np.array_equal(data.y, LABELS - 1)
    assert data.classes == tuple(str(k) for k in range(1, 101))
    assert data.features.is_binary
    assert "never redistributed" in data.note
    assert "as released" in data.note


@pytest.mark.parametrize("k", [2, 10])
def test_purchase_with_fewer_classes_is_clustered_once(purchase, monkeypatch, k):
    data = load_purchase100(k, purchase)
    assert data.n_classes == k
    sizes = np.bincount(data.y, minlength=k)
    assert sizes.min() > 0
    assert (np.diff(sizes) <= 0).all()
    assert np.array_equal(data.x, BITS)
    assert f"the {k} classes are clusters made here" in data.note
    monkeypatch.setattr(clusters, "_fit", lambda *_: pytest.fail("the cache was not used"))
    assert np.array_equal(load_purchase100(k, purchase).y, data.y)


def test_other_records_or_another_number_of_classes_are_clustered_anew(purchase):
    first = load_purchase100(10, purchase).y
    assert len(np.unique(load_purchase100(2, purchase).y)) == 2
    other = clusters.cluster(BITS[::-1].copy(), 10)
    assert not np.array_equal(other, first)


def test_clusters_are_found_where_there_are_some(mirror):
    rng = np.random.default_rng(1)
    centre = np.repeat(np.eye(3, dtype=np.uint8), 20, axis=1)
    truth = rng.permutation(np.repeat([0, 1, 2], [60, 100, 40]))
    noisy = centre[truth] ^ (rng.random((200, 60)) < 0.02)
    found = clusters.cluster(noisy.astype(np.uint8), 3)
    assert np.array_equal(found, np.array([1, 0, 2])[truth])


def test_a_cache_that_cannot_be_written_costs_time_only(mirror, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GNOMON_CACHE", str(tmp_path / "file"))
    assert np.bincount(clusters.cluster(BITS, 2)).min() > 0


@pytest.mark.parametrize(
    "content",
    [
        tar_of({"a": b"1,0,1\n", "b": b"1,0,1\n"}),
        tar_of({}),
        tar_of({"a": b"101,0,1\n1,0,0\n"}),
        tar_of({"a": b"0,0,1\n1,0,0\n"}),
        tar_of({"a": lines(BITS)})[:-100],
        b"no tar",
    ],
    ids=["two tables", "no table", "a class too many", "class 0", "cut off", "no archive"],
)
def test_purchase_in_another_form_is_refused_in_one_line(mirror, content):
    with pytest.raises(DataError) as caught:
        load_purchase100(archive=mirror("purchase100/dataset_purchase.tgz", content))
    assert "\n" not in str(caught.value)
