"""Each rule applies where its value says so and nowhere else; a limit that it names catches the leak."""

from __future__ import annotations

from typing import Any

import pytest
from tests.report import sample_records
from tests.report.sample_records import estimate, finding

from gnomon.auditing.decision.decide import UNDECLARED, limits, with_decision
from gnomon.auditing.decision.rules import GAPS, MOST, RULES
from gnomon.auditing.evidence.access import SEES_SHADOWS
from gnomon.auditing.verdict.speak import MISSING
from gnomon.core.documents.record import ClassResult, JointResult, Record, Rung, TprAtFpr
from gnomon.core.documents.record_parts import Appetite, MostExposed, StructureFacts
from gnomon.core.documents.schema import Estimate
from gnomon.mitigations import make_mitigation
from gnomon.runs.gate import gate

DECLARED = {"release": {"context": "api-scores"}}
WORST = MostExposed(
    unit="record",
    first="user-1",
    ranked=16,
    members=16,
    right=Estimate(value=1.0, low=0.8, high=1.0),
    level=0.95,
    tried=[8, 16],
)


def decided(record: Record, worst: MostExposed | None = None, able: Any = (), **plan: Any) -> Record:
    return with_decision(record.model_copy(update={"plan": {**record.plan, **DECLARED, **plan}}), worst, able)


def codes(record: Record, worst: MostExposed | None = None, **plan: Any) -> list[str]:
    found = decided(record, worst, **plan).decision
    assert found is not None
    return [one.code for one in found.to_do]


def rung(key: str, area: float) -> Rung:
    return Rung(
        key=key, title=key, attack="loss", attack_title="Loss", chosen_on="shadows", auc=estimate(area, 0.01),
        tpr=TprAtFpr(fpr=0.01, tpr=estimate(0.1, 0.01)),
    )  # fmt: skip


def looked(*found: tuple[str, str]) -> StructureFacts:
    return StructureFacts(
        model="SVC", rows=9, values=[], findings=[finding(c, s, c) for c, s in found], appetite=Appetite()
    )


def test_a_leak_of_an_overfitted_model_says_so_and_quiet_models_say_less() -> None:
    assert codes(sample_records.leaking())[0] == "overfitted"
    quiet = sample_records.near_chance()
    assert codes(quiet) == []
    assert codes(quiet, release={}) == []
    undeclared = decided(quiet, release={}).decision
    assert undeclared is not None and undeclared.asked.endswith(UNDECLARED)
    assert codes(sample_records.undecided()) == ["not-decided"]
    assert codes(sample_records.invalid())[0] == "audit-has-errors"


@pytest.mark.parametrize(
    ("changes", "worst", "code"),
    [
        ({"structure": looked(("stored-rows", "error"))}, None, "stored-rows"),
        ({"structure": looked(("small-leaves", "warning"))}, None, "held-rows"),
        ({"ladder": [rung("labels", 0.6), rung("answers", 0.7)]}, None, "telling-answers"),
    ],
)
def test_a_rule_applies_where_its_value_says_so(changes: dict[str, Any], worst: MostExposed | None, code: str) -> None:
    record = sample_records.leaking().model_copy(update={"findings": []})
    assert code not in codes(record)
    assert code in codes(record.model_copy(update=changes), worst)


def test_answers_that_tell_no_more_than_labels_are_no_advice() -> None:
    even = sample_records.leaking().model_copy(update={"ladder": [rung("labels", 0.7), rung("answers", 0.705)]})
    assert "telling-answers" not in codes(even)


@pytest.mark.parametrize("context", ["public-weights", "internal"])
def test_answers_are_not_advised_to_those_who_let_others_look_into_the_model(context: str) -> None:
    """Whoever holds the file goes round what is done to its answers."""
    told = sample_records.leaking().model_copy(update={"ladder": [rung("labels", 0.6), rung("answers", 0.7)]})
    even = sample_records.leaking().model_copy(update={"target": sample_records.near_chance().target})
    assert "telling-answers" in codes(told) and "leak" in codes(even)
    for record in (told, even):
        found = decided(record, able=["l2:1e-2"], release={"context": context}).decision
        assert found is not None
        assert "telling-answers" not in [todo.code for todo in found.to_do]
        assert {one for todo in found.to_do for one in todo.tries} == {"l2:1e-2"}


def test_what_the_structure_says_is_advised_in_its_own_words() -> None:
    looks = looked(("small-leaves", "warning"), ("unique-answers", "warning"), ("rare-categories", "note"))
    said = ["Grow leaves.", "Round answers.", "Group."]
    each = [f.model_copy(update={"remedy": words}) for f, words in zip(looks.findings, said, strict=True)]
    looks = looks.model_copy(update={"findings": each})
    found = decided(sample_records.leaking().model_copy(update={"structure": looks})).decision
    assert found is not None
    [one] = [todo for todo in found.to_do if todo.code == "held-rows"]
    assert one.remedy == "Grow leaves. Round answers."


@pytest.mark.parametrize(("context", "told"), [(None, True), ("api-scores", True), ("api-labels", False)])
def test_labels_are_not_advised_to_a_release_that_shows_nothing_else(context: str | None, told: bool) -> None:
    record = sample_records.leaking().model_copy(update={"ladder": [rung("labels", 0.6), rung("answers", 0.7)]})
    found = decided(record, release={"context": context}).decision
    assert found is not None
    assert ("telling-answers" in [todo.code for todo in found.to_do]) == told


def test_what_an_undecided_audit_lacks_is_named_in_words_with_what_to_do() -> None:
    assert set(GAPS) == set(MISSING)
    record = sample_records.undecided()
    verdict = record.verdict.model_copy(update={"missing": ["few-records", "no-queries"]})
    found = decided(record.model_copy(update={"verdict": verdict})).decision
    assert found is not None
    [one] = [todo for todo in found.to_do if todo.code == "not-decided"]
    assert all(word in one.meaning for word in ("too few records", "labels only", "few-records, no-queries"))
    assert one.remedy == f"{GAPS['few-records'][1]} {GAPS['no-queries'][1]}"


def test_outliers_are_a_cause_only_where_most_are_hardly_exposed() -> None:
    record = sample_records.leaking()
    assert "outlying-records" not in codes(record, WORST)
    weak = [a.model_copy(update={"auc": estimate(0.55, 0.02)}) for a in record.attacks]
    assert "outlying-records" in codes(record.model_copy(update={"attacks": weak}), WORST)


def test_members_below_others_are_no_hardly_exposed_members() -> None:
    """An AUC of 0.19 is as telling as one of 0.81, and a class with a higher one is exposed less."""
    record = sample_records.leaking()
    name = record.verdict.attack or ""
    tested = [JointResult(name=name, p=0.0001, found=True, reversed=True, by="auc")]
    below = record.verdict.model_copy(update={"tested": tested})
    for area, hardly in ((0.19, False), (0.45, True)):
        attacks = [a.model_copy(update={"auc": estimate(area, 0.02)}) for a in record.attacks]
        turned = record.model_copy(update={"attacks": attacks, "verdict": below})
        assert ("outlying-records" in codes(turned, WORST)) == hardly
    ladder = [rung("labels", 0.4), rung("answers", 0.3)]
    for verdict, told in ((record.verdict, False), (below, True)):
        assert ("telling-answers" in codes(record.model_copy(update={"verdict": verdict, "ladder": ladder}))) == told


def test_small_classes_are_exposed_more_in_the_direction_that_was_found() -> None:
    record = sample_records.leaking()
    name = record.verdict.attack or ""
    classes = [
        ClassResult(
            name=str(i),
            members=5 if i < 3 else 50,
            nonmembers=9,
            precision=None,
            recall=None,
            auc=0.4 if i < 3 else 0.2,
        )
        for i in range(6)
    ]
    attacks = [a.model_copy(update={"classes": classes}) if a.name == name else a for a in record.attacks]
    for turned, told in ((False, True), (True, False)):
        tested = [JointResult(name=name, p=0.0001, found=True, reversed=turned, by="auc")]
        verdict = record.verdict.model_copy(update={"tested": tested})
        found = record.model_copy(update={"attacks": attacks, "verdict": verdict})
        assert ("few-rows-a-class" in codes(found)) == told


def test_persons_that_are_exposed_more_than_records_are_named() -> None:
    assert "whole-persons" in codes(sample_records.with_people())
    assert "whole-persons" not in codes(sample_records.leaking())


@pytest.mark.parametrize(
    ("release", "target", "words"),
    [
        ({"context": "public-weights"}, {}, "no attack that reads its weights ran"),
        ({"context": "api-scores"}, {"reveals": "labels"}, "shows whole answers"),
        ({"context": "api-labels", "unit": "person"}, {}, "given no groups"),
        ({"context": "api-labels"}, {"reveals": "labels"}, ""),
    ],
)
def test_attacks_weaker_than_the_release_are_flagged(
    release: dict[str, str], target: dict[str, str], words: str
) -> None:
    found = decided(sample_records.leaking(), release=release, target=target).decision
    assert found is not None
    assert words in " ".join(found.flags)
    assert bool(found.flags) == bool(words)


def test_shadow_models_that_no_attack_used_are_no_attack_with_shadow_models() -> None:
    record = sample_records.leaking()
    plain = [a.model_copy(update={"needs": ["answers"]}) for a in record.attacks]
    alone = record.model_copy(update={"attacks": plain})
    assert record.shadows is not None
    found = decided(alone, release={"context": "api-scores"}).decision
    assert found is not None
    assert "No attack with shadow models ran" in " ".join(found.flags)
    assert "attacks.names" in next(one.remedy for one in found.to_do if one.code == "weaker-than-release")


def test_only_what_the_trainer_can_do_is_advised_and_five_things_at_most() -> None:
    held = looked(("stored-rows", "error"), ("small-leaves", "warning"))
    ladder = [rung("labels", 0.6), rung("answers", 0.7)]
    record = sample_records.with_people().model_copy(update={"structure": held, "ladder": ladder})
    found = decided(record, able=["l2:1e-2"]).decision
    assert found is not None
    assert len(found.to_do) == MOST
    tries = {one for todo in found.to_do for one in todo.tries}
    assert tries == {"l2:1e-2", "labels", "top1", "round1"}
    assert [one.code for one in found.to_do] == [r.code for r in RULES if r.code in {t.code for t in found.to_do}]


@pytest.mark.parametrize(("target", "told"), [({"model": "m.skops"}, True), ({}, False)])
def test_the_command_measures_mitigations_in_training_of_a_given_model_too(target: dict[str, str], told: bool) -> None:
    ladder = [rung("labels", 0.6), rung("answers", 0.7)]
    record = sample_records.leaking().model_copy(update={"ladder": ladder})
    found = decided(record, able=["l2:1e-2"], target=target).decision
    assert found is not None
    lines = {one.code: one.evidence for one in found.to_do}
    assert lines["overfitted"].startswith("gnomon defend RUN/plan.toml --try l2:1e-2 --to RUN-defend measures it")
    assert ("what the model's recipe makes" in lines["overfitted"]) == told
    assert "recipe" not in lines["telling-answers"]


def test_every_try_is_a_mitigation() -> None:
    for rule in RULES:
        for label in rule.tries:
            assert make_mitigation(label).label.startswith(label.partition(":")[0])


@pytest.mark.parametrize("name", ["leaking", "with_people"])
def test_the_limit_that_is_named_catches_the_leak(name: str) -> None:
    record = sample_records.ALL[name]()
    attack = next(a for a in record.attacks if a.name == record.verdict.attack)
    alone = record.model_copy(update={"attacks": [attack], "findings": []})
    assert gate(alone, limits(alone)[0].split(" and ")).code == 1
    small = attack.model_copy(update={"auc": estimate(0.55, 0.02), "tpr_at_fpr": []})
    slight = alone.model_copy(update={"attacks": [small]})
    assert limits(slight)[0] == "auc<=0.52"
    assert gate(slight, [limits(slight)[0]]).code == 1
    tail = alone.model_copy(
        update={"attacks": [attack.model_copy(update={"auc": estimate(0.5, 0.05), "tpr_at_fpr": []})]}
    )
    assert limits(tail)[0] == "verdict<=leaks_some"  # of a few records: no AUC below which it would not be met
    assert gate(tail, [limits(tail)[0]]).code == 1


def test_no_sentence_promises() -> None:
    for name, make in sample_records.ALL.items():
        found = decided(make(), WORST if name != "bare" else None).decision
        assert found is not None
        text = found.model_dump_json().lower()
        for word in ("anonymous", "compliant", "is safe", "private"):
            assert word not in text
        assert found.asked


def test_what_chance_explains_is_called_so() -> None:
    noise = WORST.model_copy(update={"members": 9, "right": Estimate(value=0.56, low=0.3, high=0.8)})
    found = decided(sample_records.near_chance(), noise).decision
    assert found is not None
    assert any("chance (50%) explains" in line for line in found.exposed)
    assert found.strength == "limited"


def inside(reason: str, **plan: Any) -> str:
    """The remedy for weights that no attack read."""
    record = sample_records.near_chance()
    looking = record.attacks[0].model_copy(
        update={"name": "nasr", "status": "skipped", "reason": reason, "needs": ["inside"], "auc": None}
    )
    attacks = [*(a for a in record.attacks if not {"inside", "gradients"} & set(a.needs)), looking]
    found = decided(
        record.model_copy(update={"attacks": attacks}), release={"context": "public-weights"}, **plan
    ).decision
    assert found is not None
    [one] = [todo for todo in found.to_do if todo.code == "weaker-than-release"]
    return one.remedy


def test_weights_that_no_attack_read_are_advised_on_by_what_can_be_done() -> None:
    """Naming attacks does not help where they can't run: a forest has no gradients, exported answers no weights."""
    assert inside(SEES_SHADOWS) == "Name the attacks that look inside in attacks.names: nasr."
    assert inside("needs white-box access (a torch network)").startswith("No attack of this audit can read the weights")
    assert inside(SEES_SHADOWS, target={"endpoint": "http://host"}).startswith("Give the model itself in target.model")


def test_a_leak_is_weighed_before_what_else_could_be_tested() -> None:
    record = sample_records.leaking()
    found = codes(record, release={"context": "api-scores", "unit": "person"})
    assert "weaker-than-release" not in found[:1]
    assert [code for code in found if code in ("overfitted", "weaker-than-release")] in (
        ["overfitted", "weaker-than-release"],
        ["overfitted"],
    )


@pytest.mark.parametrize(("severity", "code"), [("error", "stored-rows"), ("warning", "held-rows")])
def test_a_finding_of_the_structure_names_a_limit_that_catches_it(severity: str, code: str) -> None:
    record = sample_records.near_chance().model_copy(update={"structure": looked(("small-leaves", severity))})
    found = decided(record).decision
    assert found is not None
    [todo] = [one for one in found.to_do if one.code == code]
    assert gate(record, [todo.limit]).code == 1
