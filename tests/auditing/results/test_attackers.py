"""The ladder, the agreement of attacks and the curve over shadow models, on worlds whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.worlds import case_of

import gnomon
from gnomon.attacks import make_attack
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import Prepared, prepare
from gnomon.auditing.results.attackers import Judge, climb_ladder, lesser_answers, look_further
from gnomon.auditing.results.scoring import Attempt, Scored, attempt
from gnomon.core.answers import Reveal, ShadowAnswers
from gnomon.core.evidence import Evidence
from gnomon.core.plan import Plan, TrainerPlan, make_plan
from gnomon.core.seeds import Seeds
from gnomon.store.arrays import ArrayStore

PLAN = make_plan({"data": {"source": "digits"}, "attacks": {"rehearsals": 3}})
SEEDS = Seeds(0)


def world(
    seed: int = 0, *, leak: float = 2.0, n: int = 1000, m: int = 8, c: int = 5, online: bool = True, spread: float = 2.0
) -> AuditCase:
    """Records of differing difficulty; a model raises the logit of the label of those that it was trained on."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, c, n)
    hard, effect = rng.normal(1.5, spread, n), leak * rng.uniform(0, 2, n)
    inside = rng.random((m, n)) < 0.5
    inside[1::2] = ~inside[0::2]
    member = rng.random(n) < 0.5

    def answers(trained: Any) -> Any:
        logits = rng.normal(0, 0.3, (n, c))
        logits[np.arange(n), labels] += hard + effect * trained + rng.normal(0, 0.5, n)
        return (logits - np.logaddexp.reduce(logits, axis=1)[:, None]).astype(np.float32)

    held = [answers(row) for row in inside]
    everywhere = np.ones((m, n), bool)
    shadows = ShadowAnswers(held, np.arange(n), labels, inside, everywhere, hide_members=not online, paired=True)
    pool = replace(shadows, hide_members=False)
    evidence = Evidence(labels=labels, n_classes=c, answers=answers(member), shadows=shadows, pool=pool)
    return case_of(evidence, member)


def judge(case: AuditCase, plan: Plan = PLAN, fpr: float = 0.01) -> Judge:
    return Judge(case, plan.attacks, plan.statistics.confidence, SEEDS, fpr)


def settled(plan: Plan) -> Prepared:
    return prepare(
        plan,
        load_inputs(plan.model_copy(update={"trainer": TrainerPlan(kind="torch")})),
        ArrayStore(Path()),
    )


def tried(case: AuditCase, *names: str) -> list[Attempt]:
    return [attempt(make_attack(name), case.evidence, 3, (0.01,), SEEDS) for name in names]


def test_every_rung_stands_in_order_and_more_knowledge_finds_more() -> None:
    case = world()
    rungs = climb_ladder([], judge(case))
    assert [r.key for r in rungs] == ["labels", "top:3", "rounded:1", "answers", "offline", "online"]
    found = {r.key: r for r in rungs}
    assert found["offline"].attack == "lira_offline"
    assert found["online"].attack == "lira"
    assert [r.chosen_on for r in rungs] == ["no choice", *["shadows"] * 5]  # one attack reads labels
    assert found["labels"].auc.high < found["answers"].auc.low
    assert found["answers"].auc.high < found["offline"].auc.low
    assert found["offline"].auc.value < found["online"].auc.value
    assert found["online"].tpr.tpr is not None
    assert found["answers"].tpr.tpr is not None
    assert found["online"].tpr.tpr.low > found["answers"].tpr.tpr.value


@pytest.mark.parametrize("seed", range(3))
def test_whoever_sees_only_labels_does_not_take_the_entropy(seed: int) -> None:
    """Nothing leaks, so rehearsals favour whatever is constant."""
    first = climb_ladder([], judge(world(seed, leak=0.0)))[0]
    assert (first.key, first.attack, first.chosen_on) == ("labels", "gap", "no choice")


def test_a_rung_sees_no_more_than_it_says() -> None:
    """Two worlds that look alike through labels, and differ in every probability, have one first rung."""
    case = world()
    answers = case.evidence.answers
    assert answers is not None
    sharper = 3 * answers
    sharper = (sharper - np.logaddexp.reduce(sharper, axis=1)[:, None]).astype(np.float32)
    other = replace(case, evidence=replace(case.evidence, answers=sharper))
    one, two = (climb_ladder([], judge(c)) for c in (case, other))
    assert one[0] == two[0]
    assert one[0].attack == "gap"
    assert one[3].auc != two[3].auc


def test_no_leak_no_ladder_to_climb() -> None:
    for seed in range(3):
        plan = make_plan({"data": {"source": "digits"}, "statistics": {"confidence": 0.9999}})
        for rung in climb_ladder([], judge(world(seed, leak=0.0), plan)):
            assert rung.auc.low <= 0.5 <= rung.auc.high, rung


def test_the_offline_attacker_has_no_online_rung() -> None:
    keys = [r.key for r in climb_ladder([], judge(world(online=False)))]
    assert keys[-1] == "offline"


def test_the_audits_own_attacks_stand_on_the_rungs_that_they_fit() -> None:
    case = world()
    attempts = tried(case, "bavaria", "bavaria_offline", "loss")
    rungs = {r.key: r for r in climb_ladder(attempts, judge(case))}
    assert rungs["offline"].attack == "bavaria_offline"
    assert rungs["online"].attack == "bavaria"


def test_attacks_that_ask_and_attacks_that_see_gradients_have_their_own_rungs() -> None:
    case = world()
    plain, strong = tried(case, "loss", "lira")

    def needing(name: str, source: Attempt, *needs: str) -> Attempt:
        changed = replace(source.scored, name=name, needs=sorted(needs))
        return Attempt(changed, type(source.rehearsed)())

    attempts = [
        needing("boundary", plain, "labels", "query", "x"),
        needing("gradient_norm", strong, "gradients"),
        needing("gradient_input", plain, "gradients"),
        needing("insider", strong, "gradients", "membership_half"),
    ]
    rungs = climb_ladder(attempts, judge(case))
    assert [r.key for r in rungs] == [
        "labels",
        "queries",
        "top:3",
        "rounded:1",
        "answers",
        "offline",
        "online",
        "gradients",
    ]
    found = {r.key: (r.attack, r.chosen_on) for r in rungs}
    assert found["queries"] == ("boundary", "no choice")
    assert found["gradients"] == ("gradient_norm", "audited rows")
    assert "boundary" not in {r.attack for r in rungs if r.key != "queries"}
    rounded = replace(case, evidence=case.evidence.through(Reveal("rounded", 1)))
    assert [r.key for r in climb_ladder(attempts[:1], judge(rounded))][:2] == ["queries", "answers"]


def test_the_audited_rows_do_not_choose() -> None:
    """Membership turned around changes every figure and no choice."""
    case = world()
    turned = case_of(case.evidence, ~case.member)
    straight, around = (climb_ladder([], judge(c)) for c in (case, turned))
    assert [r.attack for r in straight] == [r.attack for r in around]
    assert all(r.auc.value < 0.5 for r in around)


@pytest.mark.parametrize("rehearsals", [0, 3])
def test_without_rehearsals_the_audited_rows_choose_and_it_says_so(rehearsals: int) -> None:
    case = world(m=2) if rehearsals else world()
    plan = make_plan({"data": {"source": "digits"}, "attacks": {"rehearsals": rehearsals}})
    rungs = climb_ladder([], judge(case, plan))
    assert {r.chosen_on for r in rungs[1:]} == {"audited rows"}


def test_a_broken_attack_costs_its_place_only() -> None:
    case = world()
    broken = Attempt(Scored("bavaria", "B", "", ["answers", "shadows"], {}, "failed"), tried(case, "loss")[0].rehearsed)
    assert climb_ladder([broken], judge(case))[-1].attack == "lira"


@pytest.mark.parametrize(
    ("reveal", "classes", "kinds"),
    [
        (Reveal(), 10, ["labels", "top", "rounded"]),
        (Reveal(), 3, ["labels", "rounded"]),
        (Reveal("top", 5), 10, ["labels", "top"]),
        (Reveal("top", 3), 10, ["labels"]),
        (Reveal("rounded", 2), 10, []),
        (Reveal("labels"), 10, []),
    ],
)
def test_only_what_the_target_could_reveal_less(reveal: Reveal, classes: int, kinds: list[str]) -> None:
    assert [r.kind for r, _ in lesser_answers(reveal, classes)] == kinds


def test_a_plan_can_do_without() -> None:
    case, plan = world(), make_plan({"data": {"source": "digits"}, "attacks": {"ladder": False}})
    nothing = look_further([], None, case, settled(plan))
    assert nothing == {}
    bare = replace(case, evidence=replace(case.evidence, shadows=None, pool=None))
    assert look_further([], None, bare, settled(PLAN)) == nothing


def test_an_audit_fills_the_record_and_the_report_shows_it() -> None:
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    model = DecisionTreeClassifier(random_state=0).fit(x[:800], y[:800])
    record = gnomon.audit(
        model, (x[:800], y[:800]), (x[800:], y[800:]), shadows=4, attacks=("loss", "lira", "shokri"), workers=1
    ).record
    assert [r.key for r in record.ladder][-1] == "online"
    assert record.by_shadows is not None
    page = gnomon.render(record, "html")
    for anchor in ("ladder", "by-shadows"):
        assert f'id="{anchor}"' in page
    assert "What more knowledge buys" in gnomon.render(record, "terminal")
    again = gnomon.audit(
        model,
        (x[:800], y[:800]),
        (x[800:], y[800:]),
        shadows=4,
        attacks=("loss",),
        workers=1,
        plan={"attacks": {"ladder": False}},
    ).record
    assert again.ladder == []
    assert 'id="ladder"' not in gnomon.render(again, "html")
