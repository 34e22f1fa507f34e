"""Stored answers behind mitigations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.mitigations.answers import answers

from gnomon.auditing.evidence.mitigations import Owner, mitigate_pool
from gnomon.core.errors import ModelError
from gnomon.core.mitigations import Known
from gnomon.engines.local import LocalEngine
from gnomon.mitigations import make_mitigation
from gnomon.shadow.pool import PoolAnswers
from gnomon.store.arrays import ArrayStore

ASKED, RANDOM, CLASSES = 30, 5, 4
OWNER = Owner(np.arange(ASKED) % CLASSES, CLASSES, np.arange(20, 30), versions=("flipped",), random="random")
ROWS = [np.arange(10), np.arange(5, 15)]


def pool(seed: int = 0) -> PoolAnswers:
    raw, random, flipped = (answers(n, CLASSES, seed + i) for i, n in enumerate((ASKED, RANDOM, ASKED)))
    observed = {"random": [random] * 2, "flipped": [flipped] * 2, "norms": [flipped] * 2}
    return PoolAnswers([raw, raw], ["a" * 32, "b" * 32], [True, True], 1, 0.0, observed=observed)


def mitigated(folder: Path, *mitigations: Any, found: PoolAnswers | None = None, workers: int = 1) -> PoolAnswers:
    engine = LocalEngine(workers)
    return mitigate_pool(found or pool(), mitigations, OWNER, ROWS, [1, 2], ArrayStore(folder), engine)


def test_answers_to_the_rows_and_to_their_versions_are_mitigated_and_nothing_else_is(tmp_path: Path) -> None:
    found = mitigated(tmp_path, make_mitigation("top2"))
    for arrays in (found.answers, found.observed["flipped"]):
        assert [a.shape for a in arrays] == [(ASKED, CLASSES)] * 2
        assert all(((np.asarray(a) > -np.inf).sum(axis=1) == 2).all() for a in arrays)
    for name in ("random", "norms"):
        np.testing.assert_array_equal(found.observed[name], pool().observed[name])


def test_models_with_the_same_answers_have_noise_of_their_own(tmp_path: Path) -> None:
    found = mitigated(tmp_path, make_mitigation("noise:0.1"))
    assert not np.allclose(*found.answers)


def test_what_is_stored_is_found_again_under_the_same_mitigations_only(tmp_path: Path) -> None:
    keys = [mitigated(tmp_path, make_mitigation(text)).keys for text in ("top2", "top2", "top3", "noise:0.1")]
    assert keys[0] == keys[1]
    assert len({key for pair in keys for key in pair}) == 6
    assert len(list(tmp_path.rglob("*.npy"))) == 12
    done: list[int] = []
    mitigate_pool(
        pool(), [make_mitigation("top2")], OWNER, ROWS, [1, 2], ArrayStore(tmp_path), LocalEngine(1), done.append
    )
    assert done == [2]


@dataclass(frozen=True)
class Spy:
    """A mitigation that is not one: it lets through how many rows it was fitted to."""

    label: str = "spy"

    def fit(self, known: Known, n_classes: int, seed: int) -> Any:
        assert known.members.shape == (10, CLASSES)
        assert known.reference.shape == (10, CLASSES)
        assert known.random.shape == (RANDOM, CLASSES)
        np.testing.assert_array_equal(known.reference_labels, np.arange(20, 30) % CLASSES)
        return Told(float(known.members[0, 0]), float(known.random[0, 0]))


@dataclass(frozen=True)
class Told:
    first: float
    random: float

    def __call__(self, given: Any, /) -> Any:
        return np.full(given.shape, self.first + self.random, np.float32)


def test_each_model_is_mitigated_by_what_its_own_owner_knows(tmp_path: Path) -> None:
    found = mitigated(tmp_path, Spy(), workers=2)
    raw, random = pool().answers[0], pool().observed["random"][0]
    for own, rows in zip(found.answers, ROWS, strict=True):
        assert own[0, 0] == pytest.approx(raw[rows[0], 0] + random[0, 0], rel=1e-5)


@dataclass(frozen=True)
class Broken:
    label: str = "broken"

    def fit(self, known: Known, n_classes: int, seed: int) -> Any:
        return Told(np.nan, 0.0)


def test_a_mitigation_that_lets_through_no_probabilities_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the mitigated answers: 30 rows of probabilities hold NaN"):
        mitigated(tmp_path, Broken())
