"""Baskets that are drawn and not collected."""

import numpy as np
import pytest

from gnomon.datasets import load_dataset
from gnomon.datasets.baskets import load_baskets


@pytest.mark.parametrize("classes", [2, 10, 20, 50, 100])
def test_baskets_labels_use_every_class(classes):
    assert np.array_equal(np.unique(load_baskets(classes).y), np.arange(classes))


def test_baskets_content_is_pinned():
    data = load_dataset("baskets")
    assert data.fingerprint == "bb77bd3bf17edc715dc7b91c405724e7"
    assert data.features.is_binary
    assert data.features.features[0].name == "FLUID MILK WHITE ONLY"
    assert data.x.sum(axis=1).min() == 10
    assert len(np.unique(data.groups)) == 2278


def test_baskets_say_what_they_are_not():
    note = load_dataset("baskets").note
    assert "simulated" in note
    assert "not Purchase-100" in note
    assert "MIT" in note


def test_baskets_labels_are_settled_clusters():
    data = load_dataset("baskets", 20)
    x = data.x.astype(np.float64)
    means = np.stack([x[data.y == k].mean(axis=0) for k in range(20)])
    nearest = ((means**2).sum(axis=1) - 2 * x @ means.T).argmin(axis=1)
    assert (nearest == data.y).mean() > 0.99
