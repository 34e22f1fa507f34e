"""The blind baseline: each planted difference is found and its column named; clean splits are left in peace."""

import numpy as np
import pandas as pd
import pytest
from tests.auditing.tables import KINDS, plain_table, planted

from gnomon.auditing.checks.shift import check_blind
from gnomon.core.data.dataset import Roles, make_dataset
from gnomon.core.documents.record import Finding
from gnomon.core.seeds import Seeds


def sides(member: np.ndarray) -> Roles:
    inside, outside = np.flatnonzero(member), np.flatnonzero(~member)
    return Roles(inside, outside, inside[:0], inside[:0], inside, "auditor")


def found(x: object, member: np.ndarray, groups: np.ndarray | None = None, seed: int = 0) -> Finding | None:
    labels = np.random.default_rng(seed).integers(0, 3, len(member))
    return check_blind(make_dataset(x, labels, groups=groups), sides(member), Seeds(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_difference_is_found_and_its_column_named(kind: str) -> None:
    table, column = planted(kind, np.random.default_rng(0), 600)
    finding = found(table, np.arange(600) < 300)
    assert finding is not None
    assert finding.code == "distribution-shift"
    assert f'column "{column}"' in finding.title + finding.explanation
    others = [name for name in table.columns if name != column and f'"{name}"' in finding.title + finding.explanation]
    assert others == (["weight"] if kind == "two together" else [])


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("dates", "read as a date"),
        ("american dates", "read as a date"),
        ("iso dates with times", "read as a date"),
        ("weekdays", "by the weekday of its date"),
        ("counters", "by the number in its text"),
        ("odd and even numbers", "by its digits"),
        ("decimals", "by its digits"),
        ("types", "by what is missing and by type"),
    ],
)
def test_the_finding_says_how_the_column_was_read(kind: str, way: str) -> None:
    finding = found(planted(kind, np.random.default_rng(1), 600)[0], np.arange(600) < 300)
    assert finding is not None
    assert way in finding.explanation


def test_unordered_categories_are_told_apart() -> None:
    rng, member = np.random.default_rng(0), np.arange(800) < 400
    names = rng.permutation([f"{a}{b}" for a in "ABCDEFGHIJ" for b in "klmnopqrst"])  # text order says nothing
    codes = names[np.where(member, rng.integers(0, 50, 800), rng.integers(50, 100, 800))]
    finding = found(pd.DataFrame({"site": codes, "noise": rng.normal(size=800)}), member)
    assert finding is not None
    assert finding.severity == "error"
    assert 'column "site"' in finding.title


def test_dates_of_a_data_frame_and_missing_ones_are_read() -> None:
    rng, member = np.random.default_rng(0), np.arange(400) < 200
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, 400) + 60 * ~member, unit="D")
    admitted = pd.Series(days).where(rng.random(400) < 0.8, pd.NaT)
    finding = found(pd.DataFrame({"admitted": admitted, "x": rng.normal(size=400)}), member)
    assert finding is not None
    assert 'column "admitted" read as a date' in finding.explanation


@pytest.mark.parametrize("columns", [5, 150])
def test_columns_of_an_array_are_named_by_number(columns: int) -> None:
    x = np.random.default_rng(0).normal(size=(400, columns))
    x[200:, 3] += 1.0
    finding = found(x, np.arange(400) < 200)
    assert finding is not None
    assert 'column "x3"' in finding.explanation


def test_many_columns_that_each_differ_a_little_are_a_shift_together() -> None:
    x = np.random.default_rng(0).normal(size=(600, 200))
    x[300:] += 0.1
    assert found(x, np.arange(600) < 300) is not None


def test_the_label_is_a_column_too() -> None:
    x, member = np.random.default_rng(0).normal(size=(400, 3)), np.arange(400) < 200
    labels = np.where(member, np.arange(400) % 2, np.arange(400) % 8 == 0).astype(int)
    finding = check_blind(make_dataset(x, labels), sides(member), Seeds(0))
    assert finding is not None
    assert "the label" in finding.title


def test_clean_splits_of_a_table_are_left_in_peace() -> None:
    """2.5 % are promised: three or more of ten would happen once in 500 times."""
    shouts = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        member = np.isin(np.arange(300), rng.permutation(300)[:150])
        shouts += found(plain_table(rng, 300), member, seed=seed) is not None
    assert shouts <= 2


def test_households_of_unequal_size_are_no_shift_but_a_shift_of_households_is_found() -> None:
    shouts = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(80), 1 + rng.integers(0, 8, 80))
        member = np.isin(groups, rng.permutation(80)[:40])
        table = plain_table(rng, 80).iloc[groups].reset_index(drop=True)
        shouts += found(table, member, groups, seed) is not None
        table["lab"] += 3.0 * member
        assert found(table, member, groups, seed) is not None
    assert shouts <= 1


def test_rows_that_repeat_on_both_sides_are_no_shift_and_copies_on_one_side_are_named() -> None:
    """A table with rows drawn again (to balance classes, say) is recognised by its copies, not by another source."""
    rng = np.random.default_rng(0)
    once, table = np.arange(120) < 60, pd.DataFrame(rng.normal(size=(120, 3)), columns=["a", "b", "c"])
    both, one = np.repeat(np.arange(120), 3), np.repeat(np.arange(120), np.where(once, 3, 1))
    assert found(table.iloc[both].reset_index(drop=True), once[both]) is None
    finding = found(table.iloc[one].reset_index(drop=True), once[one])
    assert finding is not None
    assert "67% of the members are copies" in finding.remedy
    assert "give each row once" in finding.remedy


def test_few_groups_or_rows_say_nothing() -> None:
    x, member = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) < 100
    assert found(x + 9 * member[:, None], member, np.arange(200) // 50) is None
    assert found(x[:30], np.arange(30) < 15) is None


@pytest.mark.parametrize("filled", [0, 1])
def test_a_column_without_a_number_in_all_rows_or_in_half_of_them_says_nothing(filled: int) -> None:
    rng = np.random.default_rng(3)
    member = np.isin(np.arange(200), rng.permutation(200)[:100])
    table = pd.DataFrame({"age": rng.normal(size=200), "rare": np.nan})
    table.loc[: filled - 1, "rare"] = 1.0
    assert found(table, member) is None


def test_no_finding_of_a_difference_states_an_auc_of_guessing() -> None:
    """Members stand there three times: a test sees how often values occur, where a classifier recognises no row."""
    rng, once = np.random.default_rng(0), np.arange(300) < 150
    taken = np.repeat(np.arange(300), np.where(once, 3, 1))
    finding = found(rng.normal(size=(300, 10))[taken], once[taken])
    assert finding is not None
    assert "a permutation test finds it in" in finding.title
    assert "AUC" not in finding.title
