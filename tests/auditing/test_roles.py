from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.auditing.roles import Parts, draw_roles, draw_training_rows, shadow_size
from gnomon.core.errors import DataError, UsageError
from gnomon.core.plan import Plan, make_plan
from gnomon.core.seeds import Seeds


def plan(view: str = "auditor", shadows: dict[str, Any] | None = None, **data: Any) -> Plan:
    return make_plan({"view": view, "data": {"source": "x", **data}, "shadow": shadows or {}})


def drawn(n: int, p: Plan) -> Any:
    return draw_roles(draw_training_rows(n, p, Seeds(0)), p, Seeds(0))


@given(n=st.integers(4, 300), view=st.sampled_from(["adversary", "auditor"]), seed=st.integers(0, 3))
def test_members_and_nonmembers_never_meet_whatever_the_size(n: int, view: str, seed: int) -> None:
    p = plan(view, {"count": 0} if n < 12 else {"size": max(1, n // 8)})
    roles = draw_roles(draw_training_rows(n, p, Seeds(seed)), p, Seeds(seed))
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
    assert shadow_size(drawn(1000, p), p) == 750
    p = plan(train_size=500, population_size=0)
    assert shadow_size(drawn(1000, p), p) == 500


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
        draw_roles(Parts(np.arange(0), np.arange(3), np.arange(0)), plan(), Seeds(0))
