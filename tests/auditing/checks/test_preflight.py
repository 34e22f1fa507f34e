"""Each finding has a fixture that triggers it and one that must not."""

import numpy as np
import pandas as pd
import pytest

from gnomon.auditing.checks.preflight import check_data, stop_on_errors
from gnomon.core.data.dataset import Dataset, Roles, make_dataset
from gnomon.core.documents.record import Finding
from gnomon.core.errors import PreflightError
from gnomon.core.seeds import Seeds


def rows(n: int = 400, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    return make_dataset(rng.normal(size=(n, 5)), rng.integers(0, 3, n))


def roles(n: int = 400, pool: np.ndarray | None = None) -> Roles:
    half = n // 2
    given = np.arange(0) if pool is None else pool
    return Roles(np.arange(half), np.arange(half, n), given, given, np.arange(half), "adversary")


def codes(data: Dataset, who: Roles, own_ids: bool = False) -> dict[str, str]:
    return {f.code: f.severity for f in check_data(data, who, own_ids=own_ids, seeds=Seeds(0))}


def test_a_clean_split_has_no_findings() -> None:
    assert codes(rows(), roles()) == {}


@pytest.mark.parametrize("frame", [False, True])
def test_members_among_the_nonmembers_stop_the_audit(frame: bool) -> None:
    x = rows().x.copy()
    x[200:210] = x[:10]
    data = make_dataset(pd.DataFrame(x, columns=list("abcde")) if frame else x, rows().y)
    assert codes(data, roles())["members-overlap"] == "error"


def test_one_natural_duplicate_is_a_warning_only() -> None:
    x = rows().x.copy()
    x[200] = x[0]
    assert codes(make_dataset(x, rows().y), roles())["rows-repeat"] == "warning"


def test_equal_ids_count_when_they_are_the_users_own() -> None:
    ids = [*range(200), *range(199, 399)]
    data = make_dataset(rows().x, rows().y, ids=ids)
    assert codes(data, roles(), own_ids=True)["members-overlap"] == "error"
    assert codes(data, roles()) == {}


def test_a_class_that_only_members_have_stops_the_audit() -> None:
    y = rows().y.copy()
    y[200:] = np.minimum(y[200:], 1)
    assert codes(make_dataset(rows().x, y), roles())["one-sided-class"] == "error"


@pytest.mark.parametrize("grouped", [False, True])
def test_classes_of_few_rows_may_fall_on_one_side_by_chance(grouped: bool) -> None:
    rng = np.random.default_rng(1)
    persons = rng.permutation(np.arange(1000) % 200)  # a class has five persons
    y = np.repeat(persons, 3) if grouped else persons
    x = rng.normal(size=(len(y), 5))
    data = make_dataset(x, y, groups=np.arange(1000).repeat(3) if grouped else None)
    assert codes(data, roles(len(y)))["one-sided-class"] == "note"
    by_class = make_dataset(x, np.sort(y), groups=np.arange(len(y)) if grouped else None)
    assert codes(by_class, roles(len(y)))["one-sided-class"] == "error"
    one_large = np.where(np.arange(len(y)) < 30, 200, y)
    assert codes(make_dataset(x, one_large), roles(len(y)))["one-sided-class"] == "error"


def test_a_shift_between_members_and_nonmembers_invalidates_the_comparison() -> None:
    x = rows().x.copy()
    x[200:, 0] += 1.5
    assert codes(make_dataset(x, rows().y), roles())["distribution-shift"] == "error"


def test_the_blind_baseline_rarely_cries_wolf() -> None:
    shouts = [seed for seed in range(20) if "distribution-shift" in codes(rows(seed=seed), roles())]
    assert len(shouts) <= 3


def test_audited_nonmembers_in_the_pool_are_named() -> None:
    assert codes(rows(), roles(pool=np.arange(200, 400)))["pool-overlap"] == "warning"


def test_an_error_stops_unless_it_is_overridden_by_name() -> None:
    finding = Finding(code="members-overlap", title="t", severity="error", explanation="e", remedy="Do r.")
    with pytest.raises(PreflightError, match=r'preflight.override = \["members-overlap"\]'):
        stop_on_errors([finding], ["distribution-shift"])
    assert stop_on_errors([finding], ["members-overlap"])[0].overridden
