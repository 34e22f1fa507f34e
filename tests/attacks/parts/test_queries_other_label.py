"""Where a boundary search starts, against a loop over all rows."""

from dataclasses import replace

import numpy as np
import pandas as pd

from gnomon.attacks.parts.queries import STARTS, mostly_discrete, nearest_otherwise
from gnomon.core.data.feature_space import Feature, FeatureSpace
from gnomon.core.evidence import Evidence


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_nearest_row_with_another_label_against_a_slow_twin() -> None:
    rows, labelled, labels = rng().normal(size=(90, 4)), rng(1).integers(0, 3, 90), rng(2).integers(0, 3, 90)
    wanted = np.array([3, 50, 89])
    found = nearest_otherwise(rows, labelled, labels, wanted, rng(3))
    for start, place in zip(wanted, found, strict=True):
        others = [i for i in range(90) if labelled[i] != labels[start]]
        assert place == min(others, key=lambda i: float(((rows[i] - rows[start]) ** 2).sum()))


def test_without_another_label_there_is_no_start() -> None:
    rows, ones = rng().normal(size=(5, 2)), np.ones(5, dtype=np.int64)
    assert nearest_otherwise(rows, ones, ones, np.array([0, 4]), rng()).tolist() == [-1, -1]


def test_of_many_rows_some_are_looked_at_and_every_start_has_another_label() -> None:
    n = 3 * STARTS
    rows, labels = rng().normal(size=(n, 2)), rng(1).integers(0, 2, n)
    wanted = np.arange(STARTS + 7)
    found = nearest_otherwise(rows, labels, labels, wanted, rng(2))
    assert (labels[found] != labels[wanted]).all()
    assert len(np.unique(found)) <= STARTS


def space(*kinds: str) -> FeatureSpace:
    return FeatureSpace(tuple(Feature(f"f{i}", kind, (i,)) for i, kind in enumerate(kinds)))


def test_more_than_half_bits_or_categories_is_mostly_discrete() -> None:
    x = np.zeros((3, 3))
    evidence = Evidence(np.zeros(3, np.int64), 2, x=x, features=space("binary", "binary", "real"))
    assert mostly_discrete(evidence)
    assert not mostly_discrete(replace(evidence, features=space("binary", "real", "real")))
    half = replace(evidence, x=x[:, :2], features=space("binary", "real"))
    assert not mostly_discrete(half)
    assert mostly_discrete(replace(half, x=pd.DataFrame(x[:, :2])))
