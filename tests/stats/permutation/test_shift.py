"""The permutation test of columns: its level, groups, and agreement with a slow twin."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import binom, ttest_ind

from gnomon.stats.permutation.shift import find_units, shift_test


def table(rng: np.random.Generator, n: int) -> list[object]:
    """Blocks of many kinds that say nothing: bins, bits, heavy tails, rare values."""
    codes = rng.integers(0, 40, n)
    return [
        np.eye(10)[rng.integers(0, 10, n)],
        rng.standard_cauchy(size=(n, 2)),
        rng.normal(size=(n, 1)),
        csr_array((np.ones(n), (np.arange(n), codes))),
        (rng.random((n, 1)) < 0.02).astype(float),
    ]


@pytest.mark.parametrize("grouped", [False, True])
def test_the_level_holds(grouped: bool) -> None:
    runs, shouts = 200, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(50), 1 + rng.integers(0, 5, 50)) if grouped else None
        n = 120 if groups is None else len(groups)
        rows = np.arange(n) if groups is None else groups
        member = np.isin(rows, rng.permutation(np.unique(rows))[: len(np.unique(rows)) // 2])
        blocks = [block[rows % 50] if grouped else block for block in table(rng, n)]
        shouts += shift_test(blocks, find_units(member, groups), rng).p_value <= 0.025
    # a true 2.5 % for each of two corrected p-values would give at most 12 in 999 of 1,000 such tests
    assert shouts <= binom.ppf(0.999, runs, 0.03)


def test_the_level_holds_over_many_columns() -> None:
    """The best of many columns must not be held against a law that other permutations shaped and it did not."""
    runs, shouts = 60, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        bits = (rng.random((80, 150)) < 0.05 + 0.9 * rng.random(150)).astype(float)
        units = find_units(np.isin(np.arange(80), rng.permutation(80)[:40]), None)
        shouts += shift_test([bits[:, [j]] for j in range(150)], units, rng).p_value <= 0.05
    assert shouts <= binom.ppf(0.99, runs, 0.05)


def test_a_single_column_agrees_with_students_test() -> None:
    rng = np.random.default_rng(0)
    member = np.arange(300) < 150
    for gap in (0.2, 0.25, 0.3):
        x = rng.normal(size=300) + gap * member
        mine = shift_test([x[:, None]], find_units(member, None), rng).p_values[0]
        theirs = ttest_ind(x[member], x[~member]).pvalue
        assert mine == pytest.approx(theirs, abs=4 * np.sqrt(theirs / 100) + 0.02)


def test_sparse_and_dense_blocks_agree() -> None:
    rng = np.random.default_rng(1)
    dense = np.eye(12)[rng.integers(0, 12, 200)]
    units = find_units(np.arange(200) < 100, None)
    results = [shift_test([block], units, np.random.default_rng(2)) for block in (dense, csr_array(dense))]
    np.testing.assert_allclose(results[0].strength, results[1].strength, rtol=1e-4)


def test_one_shifted_block_among_many_is_named_and_no_other() -> None:
    rng = np.random.default_rng(3)
    member = np.arange(400) < 200
    blocks = [rng.normal(size=(400, 3)) for _ in range(60)]
    blocks[17][:, 1] += member
    result = shift_test(blocks, find_units(member, None), rng)
    assert np.flatnonzero(result.p_values <= 0.0125).tolist() == [17]
    assert int(result.strength.argmax()) == 17


def test_many_small_shifts_are_found_together() -> None:
    rng = np.random.default_rng(4)
    member = np.arange(400) < 200
    blocks = [rng.normal(size=(400, 1)) + 0.15 * member[:, None] for _ in range(120)]
    result = shift_test(blocks, find_units(member, None), rng)
    assert result.all_p_value < 0.01


def test_rows_of_mixed_groups_change_places_among_themselves() -> None:
    """Whole groups that resemble each other within would otherwise pass for a shift."""
    shouts = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(30), 10)
        member = np.isin(groups, rng.permutation(30)[:15])
        member[groups == 0] = np.arange(10) < 5
        x = rng.normal(size=30)[groups][:, None] + 0.1 * rng.normal(size=(300, 1))
        shouts += shift_test([x], find_units(member, groups), rng).p_value <= 0.05
    assert shouts <= binom.ppf(0.999, 60, 0.05)


def test_a_constant_block_says_nothing() -> None:
    rng = np.random.default_rng(5)
    units = find_units(np.arange(50) < 25, None)
    result = shift_test([np.ones((50, 2)), rng.normal(size=(50, 1))], units, rng)
    assert result.strength[0] == 0.0
