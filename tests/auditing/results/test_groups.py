"""Persons: how scores add up, whole groups on one side, and who is left out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from tests.auditing.worlds import People, people

from gnomon.auditing.checks.preflight import groups_mixed
from gnomon.auditing.inputs.roles import RowSplit, draw_roles, draw_training_rows
from gnomon.auditing.results.figures import LOG_ODDS, RANKS, Truth, combine, measure_groups
from gnomon.auditing.results.scoring import Rehearsed
from gnomon.core.documents.record_parts import GroupResult
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.plan import Plan, make_plan
from gnomon.core.seeds import Seeds
from gnomon.shadow.masks import draw_shadows
from gnomon.stats.roc import auc


def measured(world: People) -> GroupResult | None:
    return measure_groups(world.attempt, Truth.of(world.case), world.plan.statistics)


@pytest.mark.parametrize(("rehearsals", "rule"), [(4, LOG_ODDS), (0, RANKS)])
def test_a_household_leaks_as_much_as_its_records_add_up_to(rehearsals: int, rule: str) -> None:
    """Five records with gap 1 each are one look with gap sqrt(5): the best possible AUC is known."""
    found = [measured(people(seed, households=400, rehearsals=rehearsals)) for seed in range(6)]
    areas = [f.auc.value for f in found if f is not None]
    assert np.mean(areas) == pytest.approx(ndtr(np.sqrt(5) / np.sqrt(2)), abs=0.01)
    assert found[0] is not None
    assert (found[0].rule, found[0].members, found[0].nonmembers, found[0].mixed) == (rule, 200, 200, 0)
    assert found[0].rows == 5.0


def test_on_noise_households_show_nothing() -> None:
    missed = 0
    for seed in range(40):
        found = measured(people(seed, gap=0.0, rehearsals=2))
        assert found is not None
        missed += not found.auc.low <= 0.5 <= found.auc.high
    assert missed <= 6


def test_groups_on_both_sides_are_left_out() -> None:
    world = people(0, households=600, size=3, whole=False)
    found = measured(world)
    assert found is not None
    assert found.mixed > 300
    assert found.members + found.nonmembers + found.mixed == 600
    finding = groups_mixed(world.data, world.roles)
    assert finding is not None
    assert finding.code == "groups-mixed"
    assert groups_mixed(people(0).data, people(0).roles) is None


@pytest.mark.parametrize("settings", [{"households": 18}, {"size": 1}])
def test_too_few_groups_or_groups_of_one_say_nothing(settings: dict[str, int]) -> None:
    assert measured(people(0, **settings)) is None


def plan(**data: object) -> Plan:
    return make_plan({"view": "auditor", "data": {"source": "x", "split_by_group": True, **data}})


@given(n=st.integers(8, 200), groups=st.integers(4, 40), seed=st.integers(0, 3))
def test_no_household_is_parted(n: int, groups: int, seed: int) -> None:
    ids = np.random.default_rng(seed).integers(0, groups, n)
    try:
        parts = draw_training_rows(n, plan().data, Seeds(seed), ids)
    except UsageError:
        return
    sides = [set(ids[p].tolist()) for p in (parts.members, parts.nonmembers, parts.extra)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert len(parts.members) <= n // 2
    assert sorted(np.concatenate([parts.members, parts.nonmembers, parts.extra]).tolist()) == list(range(n))


def test_the_asked_sizes_are_met_where_groups_allow() -> None:
    ids = np.arange(900) // 3
    parts = draw_training_rows(900, plan(rows=600, train_size=200).data, Seeds(0), ids)
    assert (len(parts.members), len(parts.nonmembers)) == (198, 402 - 3)
    roles = draw_roles(parts, plan(rows=600, train_size=200), Seeds(0), ids)
    assert not set(ids[roles.train]) & set(ids[roles.nonmembers])
    assert not set(ids[roles.train]) & set(ids[roles.population])


def test_a_split_by_group_without_groups_is_refused() -> None:
    with pytest.raises(PlanError, match="has no groups"):
        draw_training_rows(100, plan().data, Seeds(0), None)


def test_one_group_only_is_refused() -> None:
    with pytest.raises(UsageError, match="too large"):
        draw_training_rows(100, plan().data, Seeds(0), np.zeros(100))


def test_shadows_are_trained_on_whole_groups_but_for_the_one_at_the_cut() -> None:
    pool = np.arange(100, 400)
    ids = np.random.default_rng(0).integers(0, 60, 300)
    drawn = draw_shadows(pool, 6, 150, np.random.default_rng(1), ids)
    for train in drawn.train:
        inside = np.isin(pool, train)
        share = np.bincount(ids, inside, minlength=60) / np.maximum(np.bincount(ids, minlength=60), 1)
        assert ((share > 0) & (share < 1)).sum() <= 2
        assert len(train) == 150
    plain = draw_shadows(pool, 2, 150, np.random.default_rng(1))
    assert len(plain.train[0]) == 150


@pytest.mark.parametrize("rehearsals", [4, 0])
def test_persons_whose_records_score_alike_tie_in_any_order(rehearsals: int) -> None:
    """Every member household has a twin among the others with the same scores: sums that depend on the order of
    records would break the ties, by the last bits of numbers.
    """
    world = people(3, households=200, size=9, rehearsals=rehearsals)
    rng, groups = np.random.default_rng(0), world.data.groups[world.case.audited]
    inside, outside = (np.unique(groups[world.case.member == side]) for side in (True, False))
    scores = np.empty(len(groups))
    for one, other in zip(inside, outside, strict=True):
        values = rng.normal(0.5, 1.5, 9)
        scores[groups == one], scores[groups == other] = values, rng.permutation(values)
    scored = replace(world.attempt.scored, scores=scores)
    found = measured(replace(world, attempt=replace(world.attempt, scored=scored)))
    assert found is not None
    assert found.auc.value == 0.5


@pytest.mark.parametrize(("most", "fewest"), [((5, 5), (4, 4)), ((6, 10), (3, 5)), ((1, 9), (1, 9))])
@pytest.mark.parametrize("rehearsals", [4, 0])
def test_the_number_of_a_persons_records_is_no_evidence(
    most: tuple[int, int], fewest: tuple[int, int], rehearsals: int
) -> None:
    """Sums of odds that are not 0 on average grow with the records: noise told 99 of 100 members with 5 of them from
    others with 4.
    """
    rng = np.random.default_rng(most[1])
    sizes = np.concatenate([rng.integers(low, high + 1, 200) for low, high in (most, fewest)])
    groups = rng.permutation(np.repeat(np.arange(400), sizes))
    member = groups < 200
    scores = rng.exponential(size=len(groups)) - 1.5
    played = people(0, gap=1.0, rehearsals=rehearsals).attempt.rehearsed.played
    found = combine(scores, Rehearsed(played=played), groups, member, np.arange(200))
    assert auc(found[:200], found[200:]).value == pytest.approx(0.5, abs=0.1)
    alike = combine(np.zeros(len(groups)), Rehearsed(played=played), groups, member, np.arange(200))
    assert auc(alike[:200], alike[200:]).value == pytest.approx(0.5, abs=0.01)


def test_persons_who_leak_with_unequal_numbers_of_records_are_still_found() -> None:
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(200), np.repeat([9, 4], 100)))
    member = groups < 100
    scores = member + rng.normal(size=len(groups))
    found = combine(scores, people(0).attempt.rehearsed, groups, member, np.arange(100))
    assert auc(found[:100], found[100:]).value == pytest.approx(ndtr(np.sqrt(4) / np.sqrt(2)), abs=0.03)


@pytest.mark.parametrize("view", ["auditor", "adversary"])
def test_others_lose_no_single_records_to_the_attacker_where_persons_stand_on_one_side(view: str) -> None:
    groups = np.arange(4000) // 5
    given_plan = make_plan({"view": view, "data": {"members": "m", "nonmembers": "n"}, "shadow": {"size": 400}})
    roles = draw_roles(RowSplit(np.arange(2000), np.arange(2000, 4000), np.arange(0)), given_plan, Seeds(0), groups)
    left = np.bincount(groups[roles.nonmembers], minlength=800)[400:]
    assert len(roles.nonmembers) < 2000
    assert np.count_nonzero((left > 0) & (left < 5)) <= 1
    assert len(np.intersect1d(groups[roles.nonmembers], groups[roles.population])) <= 1
