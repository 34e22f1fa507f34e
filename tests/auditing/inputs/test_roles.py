from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.auditing.inputs.roles import RowSplit, draw_roles, draw_training_rows, nonmembers_to_give, shadow_size
from gnomon.core.errors import DataError, UsageError
from gnomon.core.plan import Plan, make_plan
from gnomon.core.seeds import Seeds


def plan(view: str = "auditor", shadows: dict[str, Any] | None = None, **data: Any) -> Plan:
    return make_plan({"view": view, "data": {"source": "x", **data}, "shadow": shadows or {}})


def drawn(n: int, p: Plan) -> Any:
    return draw_roles(draw_training_rows(n, p.data, Seeds(0)), p, Seeds(0))


@given(n=st.integers(4, 300), view=st.sampled_from(["adversary", "auditor"]), seed=st.integers(0, 3))
def test_members_and_nonmembers_never_meet_whatever_the_size(n: int, view: str, seed: int) -> None:
    p = plan(view, {"count": 0} if n < 12 else {"size": max(1, n // 8)})
    roles = draw_roles(draw_training_rows(n, p.data, Seeds(seed)), p, Seeds(seed))
    assert len(roles.members) == n // 2
    assert len(roles.nonmembers) > 0
    assert not set(roles.members) & set(roles.nonmembers)
    assert not set(roles.train) & set(roles.population)
    for part in (roles.members, roles.nonmembers, roles.pool, roles.population):
        assert len(set(part.tolist())) == len(part)


def test_the_adversarys_pool_holds_no_member_and_no_audited_nonmember() -> None:
    roles = drawn(5010, plan("adversary", train_size=1600))
    assert not set(roles.pool) & set(roles.members)
    assert not set(roles.pool) & set(roles.nonmembers)
    assert len(roles.pool) >= 1.5 * 1600


def test_location_setting_eight_hundred_kept_apart() -> None:
    roles = drawn(5010, plan("adversary", train_size=1600, nonmember_size=800))
    assert (len(roles.members), len(roles.nonmembers), len(roles.pool)) == (1600, 800, 2610)
    assert not set(roles.pool) & set(roles.nonmembers)


def test_location_setting_with_the_papers_numbers_overlaps_when_asked() -> None:
    roles = drawn(5010, plan("adversary", train_size=1600, nonmember_size=1600, keep_apart=False))
    assert (len(roles.nonmembers), len(roles.pool)) == (1600, 3410)
    assert set(roles.nonmembers) <= set(roles.pool)


def test_too_few_rows_to_keep_apart_overlap_by_default() -> None:
    roles = drawn(1000, plan("adversary", train_size=600))
    assert set(roles.nonmembers) <= set(roles.pool)


def test_the_auditors_pool_is_what_is_audited() -> None:
    roles = drawn(10000, plan(train_size=5000, rows=8000))
    assert set(roles.pool) == set(roles.audited)
    assert len(roles.population) == 2000, "rows beyond data.rows serve as population"
    assert not set(roles.population) & set(roles.pool)


def test_shadow_size_follows_the_target_and_leaves_rows_out() -> None:
    p = plan(train_size=900, population_size=0)
    assert shadow_size(drawn(1000, p), p.shadow.size) == 750
    p = plan(train_size=500, population_size=0)
    assert shadow_size(drawn(1000, p), p.shadow.size) == 500


@pytest.mark.parametrize(
    ("view", "data", "message"),
    [
        ("auditor", {"train_size": 100}, "leave no non-members"),
        ("auditor", {"rows": 101}, "the data set has 100"),
        ("auditor", {"nonmember_size": 60}, "only 50 are there"),
        ("auditor", {"population_size": 50}, "only 50 are there"),
        ("adversary", {"nonmember_size": 40, "keep_apart": True}, "kept apart"),
    ],
)
def test_what_the_rows_do_not_allow_is_refused(view: str, data: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        drawn(100, plan(view, **data))


def test_no_members_is_refused() -> None:
    with pytest.raises(DataError, match="members and non-members"):
        draw_roles(RowSplit(np.arange(0), np.arange(3), np.arange(0)), plan(), Seeds(0))


@given(
    n=st.integers(12, 300),
    share=st.floats(0.01, 0.9),
    view=st.sampled_from(["adversary", "auditor"]),
    rows=st.booleans(),
    whole=st.booleans(),
)
def test_rows_set_aside_are_nobody_elses(n: int, share: float, view: str, rows: bool, whole: bool) -> None:
    size = max(1, int(share * (n // 2)))
    groups = np.repeat(np.arange(n), 2)[:n] if whole else None
    values = {"reference_size": size, "split_by_group": whole} | ({"rows": n - n // 4} if rows else {})
    p = plan(view, {"count": 0}, **values)
    parts = draw_training_rows(n, p.data, Seeds(1), groups)
    try:
        roles = draw_roles(parts, p, Seeds(1), groups)
    except UsageError as error:
        assert "reference_size" in str(error)
        return
    assert len(set(roles.reference.tolist())) == size
    for part in (roles.train, roles.members, roles.nonmembers, roles.pool, roles.population):
        assert not set(part.tolist()) & set(roles.reference.tolist())


def test_rows_out_of_play_are_set_aside_first_and_a_file_of_the_attackers_never() -> None:
    p = plan(rows=200, train_size=100, reference_size=50)
    parts = draw_training_rows(300, p.data, Seeds(0))
    assert set(draw_roles(parts, p, Seeds(0)).reference) <= set(parts.extra)
    given_pool = make_plan({"data": {"members": "m", "nonmembers": "n", "pool": "p", "reference_size": 10}})
    own = RowSplit(np.arange(50), np.arange(50, 100), np.arange(100, 200))
    assert set(draw_roles(own, given_pool, Seeds(0)).reference) <= set(own.nonmembers)


def test_without_rows_set_aside_roles_are_what_they_were() -> None:
    roles = drawn(3000, plan())
    assert len(roles.reference) == 0
    assert len(roles.members) + len(roles.nonmembers) + len(roles.population) == 3000


def test_more_rows_set_aside_than_there_are_are_refused() -> None:
    with pytest.raises(UsageError, match=r"reference_size: 50 rows wanted, but only 50 are no members"):
        drawn(100, plan(reference_size=50))


@pytest.mark.parametrize("audited", [100, 1000, 10_000])
@pytest.mark.parametrize("extra", [0, 700])
@pytest.mark.parametrize(
    ("view", "shadows", "data"),
    [
        ("auditor", {}, {}),
        ("auditor", {}, {"reference_size": 300}),
        ("auditor", {}, {"population_size": 900}),
        ("auditor", {}, {"nonmember_size": 50}),
        ("adversary", {}, {}),
        ("adversary", {"size": 2000}, {"keep_apart": True}),
        ("adversary", {"count": 0}, {}),
    ],
)
def test_as_many_non_members_as_are_named_are_enough(
    view: str, shadows: dict[str, Any], data: dict[str, Any], extra: int, audited: int
) -> None:
    p, known = plan(view, shadows, **data), RowSplit(np.arange(500), np.arange(500, 560), np.arange(560, 560 + extra))
    found = nonmembers_to_give(audited, known, p)
    followed = plan(
        view, shadows, **{**data, **({"nonmember_size": found.nonmember_size} if found.nonmember_size else {})}
    )
    more = RowSplit(np.arange(500), np.arange(5000, 5000 + found.nonmembers), np.arange(560, 560 + extra))
    assert len(draw_roles(more, followed, Seeds(1)).nonmembers) >= audited


def test_a_fifth_that_is_held_out_for_the_attacker_is_counted() -> None:
    known = RowSplit(np.arange(500), np.arange(500, 1000), np.arange(0))
    assert nonmembers_to_give(10_000, known, plan()).nonmembers == 12_499
    given = RowSplit(np.arange(500), np.arange(500, 10_500), np.arange(0))
    assert len(draw_roles(given, plan(), Seeds(0)).nonmembers) == 8000  # what 10,000 lead to
