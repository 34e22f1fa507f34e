"""Sums over members: their law under permutation, against enumeration and many permutations."""

import itertools

import numpy as np
import pytest
from scipy.sparse import csc_array

from gnomon.stats.permutation import joint, permuted_sums
from gnomon.stats.permutation.permuted_sums import Sums, Units, log_tail_p


def related(attacks: int, n: int, rng: np.random.Generator, share: float = 0.7) -> np.ndarray:
    """Scores (attacks, n) that depend on each other and tell nothing; every third one has many ties."""
    common = rng.normal(size=n)
    scores = share * common + np.sqrt(1 - share**2) * rng.normal(size=(attacks, n))
    scores[::3] = np.round(scores[::3])
    return scores


def test_expectation_and_covariance_are_those_of_permutations() -> None:
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(30), rng.integers(1, 6, 30))
    member = np.where(groups % 5 == 0, rng.random(len(groups)) < 0.5, (rng.permutation(30) < 15)[groups])
    units = Units.of(member, groups)
    assert units.stratum.any()
    sums = joint._statistics(related(2, len(groups), rng), units, None)[0].sums
    masks = units.permuted(20_000, rng).astype(float)
    weight = np.bincount(units.of_row)[:, None]
    matrix = np.hstack([sums.dense, sums.tails.toarray()]) - weight * sums.share
    drawn = masks @ matrix
    assert drawn.mean(axis=0) == pytest.approx(sums.expected, abs=4 * sums.deviation.max() / np.sqrt(20_000))
    assert np.cov(drawn.T) == pytest.approx(sums.covariance, abs=0.05 * np.diag(sums.covariance).max())
    assert all(masks[:, units.stratum == s].sum(axis=1).std() == 0 for s in np.unique(units.stratum))


def test_counts_in_a_tail_against_enumeration() -> None:
    hands = [(i, j, k) for i in range(6) for j in range(i) for k in range(j)]
    chance = [sum(sum(card < 4 for card in hand) == c for hand in hands) / len(hands) for c in range(4)]
    twin = [min(1.0, 2 * min(sum(chance[: c + 1]), sum(chance[c:]))) for c in range(4)]
    assert np.exp(log_tail_p(6, 4, 3)) == pytest.approx(twin)


def test_units_without_groups_are_rows() -> None:
    units = Units.of(np.array([True, False, False]), None)
    assert units.by_row
    sums = Sums.of(units, np.array([[1.0], [2.0], [3.0]]), csc_array((3, 0)))
    assert sums.expected == pytest.approx([2.0])


def test_mean_and_variance_of_a_sum_are_those_of_all_permutations() -> None:
    values, member = np.array([0.0, 1.0, 1.0, 5.0, 9.0]), np.array([True, True, False, False, False])
    sums = Sums.of(Units.of(member, None), values[:, None], csc_array((5, 0)))
    every = [values[list(chosen)].sum() for chosen in itertools.combinations(range(5), 2)]
    assert sums.observed == pytest.approx([1.0])
    assert sums.expected == pytest.approx([np.mean(every)])
    assert sums.covariance == pytest.approx(np.array([[np.var(every)]]))


def test_a_constant_column_says_nothing() -> None:
    sums = Sums.of(Units.of(np.array([True, False, False, True]), None), np.ones((4, 1)), csc_array((4, 0)))
    assert sums.deviation.tolist() == [0.0]
    assert sums.log_p().tolist() == [0.0]


def test_persons_change_sides_whole_and_rows_of_a_mixed_one_among_themselves() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2, 2, 3])
    member = np.array([True, True, False, False, True, False, True, False])
    units = Units.of(member, groups)
    assert not units.by_row
    assert len(units.member) == 6  # three whole persons and the three rows of person 2
    masks = units.permuted(500, np.random.default_rng(0)).astype(bool)[:, units.of_row]
    assert (masks[:, 0] == masks[:, 1]).all()
    assert (masks[:, 2] == masks[:, 3]).all()
    assert (masks[:, 4:7].sum(axis=1) == 2).all()
    assert (masks[:, [0, 2, 7]].sum(axis=1) == 1).all()
    assert 0.25 < masks[:, 0].mean() < 0.42


def test_many_units_use_the_normal_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    sums = Sums.of(Units.of(rng.permutation(400) < 200, None), rng.normal(size=(400, 2)), csc_array((400, 0)))
    each = [np.array([0, 1])]
    exact = sums.drawn_log_p(rng, each, np.zeros(2))
    monkeypatch.setattr(permuted_sums, "MOST_UNITS", 100)
    limit = sums.drawn_log_p(rng, each, np.zeros(2))
    for level in (0.05, 0.2, 0.5):
        assert np.quantile(limit, level) == pytest.approx(np.quantile(exact, level), abs=0.35)
