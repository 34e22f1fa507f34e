"""The most exposed: the interval holds for the number that was chosen, whatever number that is."""

import numpy as np
import pytest
from tests.auditing.worlds import people

from gnomon.auditing.decision.decide import most_exposed_units, rank


def test_on_pure_noise_the_bound_is_above_chance_in_one_audit_of_forty_at_most() -> None:
    rng = np.random.default_rng(0)
    high = 0
    for _ in range(400):
        member = rng.permutation(np.arange(300) < 150)
        found = rank(rng.normal(size=300), member, np.arange(300), "record", 0.95)
        assert found is not None
        high += found.right.low > 0.5
    assert high <= 19  # 10 are expected at most (one side of the error): a binomial exceeds 19 with chance 0.003


def test_the_bound_holds_for_the_luckiest_of_twelve_attacks() -> None:
    rng = np.random.default_rng(0)
    member, high, alone = np.arange(300) < 150, 0, 0
    for _ in range(100):
        scores = rng.normal(size=(12, 300))
        for among in (1, 12):
            found = [rank(one, member, np.arange(300), "record", 0.95, among) for one in scores]
            some = any(f.right.low > 0.5 for f in found if f)
            high, alone = high + (among > 1 and some), alone + (among == 1 and some)
    assert high <= 8  # one side of the error: 2.5 are expected at most
    assert alone > 8  # unpaid


@pytest.mark.parametrize(("members", "others"), [(150, 150), (50, 250), (250, 50)])
def test_the_share_is_that_of_even_numbers_of_members_and_others(members: int, others: int) -> None:
    member = np.arange(members + others) < members
    rng = np.random.default_rng(1)
    found = [rank(rng.normal(size=len(member)), member, np.arange(len(member)), "record", 0.95) for _ in range(200)]
    assert np.mean([f.right.value for f in found if f]) == pytest.approx(0.55, abs=0.06)  # the luckiest size is taken


def test_whoever_is_surely_in_is_found_and_the_first_member_is_named() -> None:
    member = np.zeros(400, dtype=bool)
    member[:200] = True
    scores = np.where(np.arange(400) < 30, 5.0, 0.0) + 0.001 * np.random.default_rng(2).permutation(400)
    scores[399] = 9.0
    found = rank(scores, member, np.array([f"r{i}" for i in range(400)]), "record", 0.95)
    assert found is not None
    assert (found.ranked, found.level) == (32, 0.95)
    assert found.members in (30, 31)  # all thirty, not the non-member above them, and perhaps one by chance
    assert found.right.low > 0.6
    assert found.first.startswith("r")
    assert found.first != "r399"


def test_persons_are_ranked_where_groups_are_given() -> None:
    world = people(3, gap=2.0)
    found = most_exposed_units(world.attempt.scored.name, [world.attempt], world.case, 0.95)
    assert found is not None
    assert found.unit == "person"
    assert found.right.low > 0.8
    assert max(found.tried) <= 0.25 * 200  # persons, not rows


def test_too_few_rank_nobody() -> None:
    assert rank(np.arange(20.0), np.arange(20) > 9, np.arange(20), "record", 0.95) is None
    assert rank(np.arange(99.0), np.zeros(99, bool), np.arange(99), "record", 0.95) is None
