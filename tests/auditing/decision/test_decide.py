"""What follows for whoever decides: the question, who is exposed, how strong the evidence is, limits of a gate."""

import pytest
from tests.report.sample_records import bare, invalid, leaking, near_chance, undecided, with_people

from gnomon.auditing.decision.decide import exposed_slice, limits, with_decision
from gnomon.core.documents.record import JointResult, Record
from gnomon.core.documents.record_parts import Decision, MostExposed
from gnomon.core.documents.schema import Estimate
from gnomon.runs.gate import gate


def decided(record: Record, worst: MostExposed | None = None, able: tuple[str, ...] | None = None) -> Decision:
    found = with_decision(record, worst, able).decision
    assert found is not None
    return found


def proven() -> Record:
    """A leak that chance explains less than once in a thousand times."""
    record = leaking()
    tested = [JointResult(name=record.verdict.attack or "", p=0.0001, found=True, by="auc")]
    return record.model_copy(update={"verdict": record.verdict.model_copy(update={"tested": tested})})


@pytest.mark.parametrize(
    ("record", "asked", "strength"),
    [
        (leaking(), "Is it acceptable for", "limited"),
        (proven(), "Is it acceptable for", "strong"),
        (near_chance(), "Is this evidence enough for", "limited"),
        (undecided(), "None yet: this audit is no basis", "weak"),
        (invalid(), "None: the audit has to be repaired first.", "none"),
    ],
)
def test_each_level_asks_its_own_question(record: Record, asked: str, strength: str) -> None:
    found = decided(record)
    assert found.asked.startswith(asked)
    assert found.strength == strength
    assert found.evidence.lower().startswith({"none": "no evidence"}.get(strength, strength))
    assert not (strength == "none" and found.exposed), "a verdict that does not count accuses nobody"


@pytest.mark.parametrize("record", [leaking(), near_chance(), undecided(), invalid(), bare()])
def test_no_level_calls_a_model_safe(record: Record) -> None:
    found = decided(record)
    words = " ".join([found.asked, found.evidence, *found.exposed, *(one.remedy for one in found.to_do)]).lower()
    assert not {"safe", "anonymous", "compliant", "private"} & set(words.replace(".", " ").replace(",", " ").split())


def test_the_declared_release_stands_in_the_question() -> None:
    record = leaking()
    served = record.model_copy(update={"plan": {**record.plan, "release": {"context": "api-labels"}}})
    assert "a service that answers with labels" in decided(served).asked
    asked = decided(record.model_copy(update={"plan": {}})).asked
    assert "the release that is planned" in asked and "declares no release" in asked


@pytest.mark.parametrize(("low", "explains"), [(0.4, True), (0.7, False)])
def test_the_most_exposed_are_held_against_chance(low: float, explains: bool) -> None:
    worst = MostExposed(
        unit="record", first="r1", ranked=10, members=8, right=Estimate(value=0.8, low=low, high=0.95), level=0.95,
        tried=[10],
    )  # fmt: skip
    [line] = [s for s in decided(near_chance(), worst).exposed if s.startswith("Most exposed records")]
    assert ("chance (50%) explains" in line) is explains
    [line] = [s for s in decided(leaking(), worst).exposed if s.startswith("Most exposed records")]
    assert f"between {low:.0%} and 95%" in line


def test_who_is_exposed_is_answered_also_where_nothing_was_found() -> None:
    for record in (undecided(), near_chance(), bare()):
        share, worst, group = decided(record).exposed
        assert share.startswith("Share: none")
        assert worst == "Most exposed: not measured (too few were ranked)."
        assert group.startswith("Most exposed group: ")


def test_where_members_stand_below_others_the_most_exposed_group_does_so_most() -> None:
    record = with_people()
    slices = [s.model_copy(update={"slices": [one for one in s.slices if one.auc]}) for s in record.slices]
    record = record.model_copy(update={"slices": slices})
    above = exposed_slice(record)
    tested = [JointResult(name=record.verdict.attack or "", p=0.0001, found=True, reversed=True, by="auc")]
    turned = record.model_copy(update={"verdict": record.verdict.model_copy(update={"tested": tested})})
    below = exposed_slice(turned)
    assert above and below
    areas = [one.auc for division in slices for one in division.slices if one.auc]
    assert above[2].low == max(area.low for area in areas)
    assert below[2].high == min(area.high for area in areas) < above[2].low
    [line] = [s for s in decided(turned).exposed if s.startswith("Most exposed group")]
    assert "by the upper end" in line and below[1].name in line


def test_the_most_exposed_group_is_held_against_chance_and_all_intervals_against_all_divisions() -> None:
    record = with_people()
    for low, explains in ((0.4, True), (0.6, False)):
        part = record.slices[0].slices[0].model_copy(update={"auc": Estimate(value=0.7, low=low, high=0.8)})
        slicing = record.slices[0].model_copy(update={"slices": [part], "intervals": 26})
        [line] = [s for s in decided(record.model_copy(update={"slices": [slicing]})).exposed if "group" in s]
        assert ("chance (0.5) explains" in line) is explains
        assert "all 26 intervals of all groups hold together" in line


def test_a_limit_that_is_advised_is_one_that_the_leak_does_not_meet() -> None:
    record = leaking()
    both, area = limits(record)
    assert both.endswith(f" and {area}")  # of few records a rate alone may be unresolved when the leak comes back
    for limit in both.split(" and "):
        assert [one.state for one in gate(record, [limit]).held if one.attack == record.verdict.attack] == [
            "not met"
        ], limit
    assert limits(near_chance())[0] == limits(near_chance())[1]


def test_only_mitigations_that_can_be_tried_are_advised() -> None:
    without, with_all = (
        decided(leaking()),
        decided(leaking(), able=("l2:1e-2", "dropout:0.5", "early_stopping:5", "dp:8")),
    )
    tried = [name for one in without.to_do for name in one.tries]
    assert len([name for one in with_all.to_do for name in one.tries]) > len(tried)
    for one in with_all.to_do:
        assert ("gnomon defend " in one.evidence) is bool(one.tries)
        if {"top1", "labels"} & set(one.tries):  # an audit's folder holds its plan
            assert "gnomon defend RUN/plan.toml --try" in one.evidence
