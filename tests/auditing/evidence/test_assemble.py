from dataclasses import replace

import numpy as np
import pytest
from tests.auditing.results.test_attackers import judge, world
from tests.auditing.worlds import people

from gnomon.attacks import ATTACKS, make_attack
from gnomon.auditing.evidence.assemble import AuditCase, QueryPlan, TargetAnswers, asked_rows, assemble, model_facts
from gnomon.auditing.results.attackers import by_shadows, climb_ladder
from gnomon.auditing.results.variation import cut_rows, measure_slices
from gnomon.core.answers import Reveal
from gnomon.core.data.dataset import Roles, make_dataset
from gnomon.core.seeds import Seeds
from gnomon.shadow.masks import draw_shadows
from gnomon.shadow.pool import PoolAnswers
from gnomon.stats.roc import auc

N, M, C = 900, 16, 4
MEMBERS, OTHERS = np.arange(300), np.arange(300, N)


def noise_case(view: str, overlap: bool, seed: int = 0) -> AuditCase:
    """Answers that have nothing to do with who was trained on what."""
    rng = np.random.default_rng(seed)
    data = make_dataset(rng.normal(size=(N, 3)), rng.integers(0, C, N))
    nonmembers = OTHERS[:300]
    pool = (OTHERS if overlap else OTHERS[300:]) if view == "adversary" else np.concatenate([MEMBERS, nonmembers])
    population = np.setdiff1d(OTHERS, nonmembers)
    roles = Roles(MEMBERS, nonmembers, pool, population, MEMBERS, view)
    drawn = draw_shadows(pool, M, len(pool) // 2, rng)
    asked = asked_rows(roles)
    answers = [np.log(rng.dirichlet(np.ones(C), len(asked))).astype(np.float32) for _ in range(M + 1)]
    pooled = PoolAnswers(answers[1:], ["k"] * M, [True] * M, 1, 0.0)
    return assemble(
        data,
        roles,
        QueryPlan(asked),
        TargetAnswers(answers[0]),
        (drawn, pooled),
        reveal=Reveal(),
        query=None,
        seeds=Seeds(seed),
    )


@pytest.mark.parametrize("attack", [a.name for a in ATTACKS])
@pytest.mark.parametrize(("view", "overlap"), [("adversary", False), ("adversary", True), ("auditor", False)])
def test_on_noise_no_attack_finds_members_whatever_the_view(attack: str, view: str, overlap: bool) -> None:
    """The design itself must give nothing away: not by order, not by how many answers are hidden."""
    case = noise_case(view, overlap)
    made = make_attack(attack)
    if case.evidence.missing(made.needs) is not None:
        pytest.skip("not for this view")
    scores = np.asarray(made.score(case.evidence.view(made.needs), np.random.default_rng(0)))
    found = auc(scores[case.member], scores[~case.member], confidence=0.9999)
    assert found.low <= 0.5 <= found.high, found


def test_order_gives_no_membership_away() -> None:
    member = noise_case("auditor", False).member
    assert 100 < int(member[:300].sum()) < 200


def test_members_are_hidden_as_often_as_nonmembers_where_the_pool_overlaps() -> None:
    case = noise_case("adversary", True)
    assert case.evidence.shadows is not None
    hidden = case.evidence.shadows.member.sum(axis=0)
    assert abs(hidden[case.member].mean() - hidden[~case.member].mean()) < 0.5


def test_facts_of_the_target_are_plain_averages() -> None:
    answers = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 1.0]], np.float32).clip(1e-45))
    facts = model_facts(answers, np.array([0, 0, 0, 0]), np.array([True, True, False, False]), 2)
    assert (facts.train_accuracy, facts.test_accuracy) == (0.5, 0.5)
    assert facts.train_loss == pytest.approx(-np.log([0.9, 0.2]).mean(), rel=1e-5)
    assert np.isfinite(facts.test_loss)


def test_the_more_non_members_stand_in_the_pool_the_more_they_judge_each_other() -> None:
    def mutual(shared: int, view: str = "adversary") -> float:
        members, others, pool = np.arange(60), np.arange(60, 120), np.arange(120 - shared, 180 - shared)
        data = make_dataset(np.zeros((180, 1)), np.arange(180) % 2)
        roles = Roles(members, others, pool, pool[:0], members, view)
        return AuditCase(noise_case("adversary", False).evidence, roles.audited, data, roles).judging.wider(needs)

    needs = {"answers", "shadows_out"}
    assert mutual(60) == pytest.approx(2**0.5)
    assert 1.0 == mutual(0) < mutual(30) < mutual(60)
    assert mutual(60, "auditor") == 1.0
    needs = {"answers", "pool"}
    assert mutual(60) == 1.0
    needs = {"answers", "membership_half"}
    assert mutual(0, "auditor") == pytest.approx(2**0.5)


def in_the_pool(case: AuditCase) -> AuditCase:
    """The same audit, were all its non-members the attacker's pool."""
    return replace(case, roles=replace(case.roles, view="adversary", pool=case.roles.nonmembers))


def test_every_interval_of_an_offline_attack_knows_of_non_members_that_judge_each_other() -> None:
    """Slices, rungs and the curve by shadow models: all as wide as the attack's own."""
    alone = world(n=300, online=False)
    pairs = [(case, in_the_pool(case)) for case in (alone, people(0, slices=("class",)).case)]
    for one, other in zip(*(climb_ladder([], judge(case)) for case in pairs[0]), strict=True):
        assert (one.auc.low > other.auc.low) == (one.key == "offline"), one.key
    curves = [by_shadows(judge(case, fpr=0.1)) for case in pairs[0]]
    assert curves[0] is not None
    assert curves[1] is not None
    assert all(a.auc.low > b.auc.low for a, b in zip(curves[0].points, curves[1].points, strict=True))
    drawn = people(0, slices=("class",))
    cuts, offline = cut_rows(("class",), drawn.data), replace(drawn.attempt.scored, needs=["answers", "shadows_out"])
    for attack, wider in ((drawn.attempt.scored, False), (offline, True)):
        apart, shared = (measure_slices(cuts, "loss", [attack], case, drawn.plan.statistics)[0] for case in pairs[1])
        for a, b in zip(apart.slices, shared.slices, strict=True):
            assert a.auc is not None
            assert b.auc is not None
            assert (a.auc.low > b.auc.low) == wider


def test_a_part_holds_its_own_non_members_that_judge_each_other() -> None:
    """Two thirds of the pool stand in the first half: those 20 of 40 rows there, and 10 rows in the other."""
    members, others, pool = np.arange(80), np.arange(80, 160), np.concatenate([np.arange(80, 100), np.arange(120, 130)])
    data = make_dataset(np.zeros((160, 1)), np.arange(160) % 2)
    case = replace(
        noise_case("adversary", False), data=data, roles=Roles(members, others, pool, pool[:0], members, "adversary")
    )
    first = (np.arange(160) < 40) | ((np.arange(160) >= 80) & (np.arange(160) < 120))
    assert case.judging_in(first).by_pool == pytest.approx(20 / 40)
    assert case.judging_in(~first).by_pool == pytest.approx(10 / 40)
    assert case.judging.by_pool == pytest.approx(30 / 80)
    assert case.judging_in(first & (np.arange(160) < 80)).by_pool == 0.0


def test_copies_of_a_row_on_one_side_are_one_unit() -> None:
    """Rows a, a, b on one side and b, c, c on the other: b stands on both sides, and each of its rows for itself."""
    rows = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]])
    data = make_dataset(rows, np.arange(6) % 2)
    roles = Roles(np.arange(3), np.arange(3, 6), np.empty(0, np.int64), np.empty(0, np.int64), np.arange(3), "auditor")
    case = AuditCase(noise_case("adversary", False).evidence, np.array([5, 0, 2, 4, 3, 1]), data, roles)
    assert case.units is not None
    assert case.sides is not None
    first, *others = case.units
    assert (first == others[2], others[0] == others[4], len(set(case.units))) == (True, True, 4)
    assert case.distinct.tolist() == [0, 1, 2, 4]
    assert (len(set(case.sides.members)), len(set(case.sides.nonmembers)), case.sides.mixed) == (2, 2, False)
