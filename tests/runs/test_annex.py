"""The annex states what its record holds, names nobody unless asked, and promises nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.report import sample_records
from tests.report.sample_records import estimate
from tests.runs.test_folder_bench import pair

from gnomon.auditing.decision.decide import with_decision
from gnomon.auditing.results.threat_model import FAMILIES
from gnomon.auditing.verdict.leak import rounded_up
from gnomon.core.documents.annex import Annex
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import MostExposed
from gnomon.core.errors import UsageError
from gnomon.report import render
from gnomon.report.formatting import moment
from gnomon.runs.annex import DECISIONS, NO_EVIDENCE, SIGNATURES, WITHHELD, make_annex
from gnomon.runs.folder import add_bench

WORST = MostExposed(
    unit="person", first="Ahab", ranked=16, members=16, right=estimate(0.99, 0.2), level=0.95, tried=[8, 16]
)
RELEASE = {"context": "public-weights", "purpose": "triage", "unit": "person"}


def decided(name: str = "with_people", **plan: Any) -> Record:
    record = sample_records.ALL[name]()
    return with_decision(record.model_copy(update={"plan": {**record.plan, **plan}}), WORST, ["l2:1e-2"])


@pytest.mark.parametrize("format", ["html", "md", "json", "terminal"])
@pytest.mark.parametrize("kind", ["edpb", "tre"])
def test_nobody_is_named_unless_asked(kind: Any, format: str) -> None:
    record = decided()
    ids = {e.id for e in record.exposed} | {"Ahab"}
    text = render(make_annex(record, kind), format)
    assert not any(one in text for one in ids)
    assert "withheld" in " ".join(text.split())
    shown = render(make_annex(record, kind, show_ids=True), format)
    assert "Ahab" in shown


@pytest.mark.parametrize("name", sorted(sample_records.ALL))
def test_no_annex_promises(name: str) -> None:
    annex = make_annex(decided(name), "edpb")
    for word in ("anonymous", "compliant", " safe", "private"):
        assert word not in annex.decision.lower()
        assert word not in annex.asked.lower()
    assert annex.decision == DECISIONS[annex.level]
    assert [c.family for c in annex.coverage if c.shown == NO_EVIDENCE][-1].startswith("Property inference")


def test_where_nothing_was_found_an_interval_off_guessing_is_explained() -> None:
    record = sample_records.undecided()
    name = record.verdict.attack
    for low, told in ((0.51, True), (0.49, False)):
        area = estimate(0.53, 0.53 - low)
        attacks = [a.model_copy(update={"auc": area}) if a.name == name else a for a in record.attacks]
        made = make_annex(with_decision(record.model_copy(update={"attacks": attacks}), None, None), "tre")
        assert any("one attack on its own" in line for line in made.results) == told


def test_facts_are_the_record_s() -> None:
    record = decided(release=RELEASE)
    annex = make_annex(record, "edpb")
    assert annex.identity["Data (fingerprint)"] == record.data.fingerprint
    assert annex.identity["Made"] == record.provenance.created
    assert annex.release.model_dump() == RELEASE
    assert annex.most_exposed == WORST.model_copy(update={"first": WITHHELD})
    assert annex.worst_slice is not None
    assert annex.worst_slice.auc.low == max(s.auc.low for s in record.slices[0].slices if s.auc)
    assert annex.worst_slice.level == record.slices[0].level
    assert set(annex.tests) == {"Scope", "Frequency", "Quantity", "Quality"}
    assert f"{record.data.members:,} members" in annex.tests["Quantity"]
    assert record.verdict.headline in annex.results
    assert any("reads its weights" in flag for flag in annex.flags)
    attack = next(a for a in record.attacks if a.name == record.verdict.attack)
    assert [a.auc for a in annex.attackers] == [attack.auc]
    assert len(annex.attackers) == 1
    for line in record.not_tried:
        assert f"Not tried: {line}." in annex.limits


KNOWN = {"5", "28", "2024", "3.3.07", "3.3.09"}  # false alarms of the joint test; legal texts
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)*(?!\w)")


def untraced(annex: Annex, record: Record) -> set[str]:
    """Numbers of an annex that stand nowhere in its record, neither as they are nor rounded, nor as a percentage."""
    drawn = {"attacks": {"__all__": {"roc", "histogram"}}}  # so many points that any number stands among them
    leaves = list(_leaves(record.model_dump(mode="json", exclude=drawn)))
    ran = [a for a in record.attacks if a.status == "ok"]
    values = [float(one) for one in leaves if isinstance(one, (int, float))]
    values += [len(record.attacks), len(ran), sum(a.queries for a in ran), len(FAMILIES)]
    values += [sum(f.severity != "note" for f in record.findings)]
    texts = [moment(record.provenance.created), *(one for one in leaves if isinstance(one, str))]
    known = KNOWN.union(*map(NUMBER.findall, texts))
    for value in [*values, *(100 * one for one in values)]:
        known |= {f"{value:,.{digits}f}" for digits in range(5)} | {f"{value:.{digits}g}" for digits in (2, 3, 6)}
        known.add(rounded_up(value))
    return set(NUMBER.findall(render(annex, "md"))) - known


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


@pytest.mark.parametrize("name", sorted(sample_records.ALL))
def test_every_number_of_an_annex_stands_in_its_record(name: str) -> None:
    record = decided(name, release=RELEASE)
    annex = make_annex(record, "edpb")
    assert untraced(annex, record) == set()
    wrong = annex.model_copy(update={"results": [*annex.results, "AUC 0.98765"]})
    assert untraced(wrong, record) == {"0.98765"}


def test_an_auc_that_audits_find_is_the_same_number_everywhere_and_none_smaller() -> None:
    record = decided("undecided")
    verdict = record.verdict.model_copy(update={"detectable_auc": 0.741})
    assert (
        "an AUC of 0.75 in four" in make_annex(record.model_copy(update={"verdict": verdict}), "edpb").tests["Quality"]
    )


def test_what_was_not_there_is_not_spoken_of() -> None:
    record = decided("undecided").model_copy(update={"shadows": None, "slices": []})
    annex = make_annex(record, "edpb")
    assert "shadow models may hold" not in annex.tests["Scope"]
    assert "Most exposed slice: not measured" in render(annex, "md")


def test_a_model_file_is_named_by_its_hash_and_a_model_without_one_is_called_so() -> None:
    record = decided()
    assert "trained in the audit" in make_annex(record, "tre").identity["Model file"]
    prints = {"model file (SHA-256)": "ab" * 32}
    made = record.provenance.model_copy(update={"fingerprints": prints})
    assert (
        make_annex(record.model_copy(update={"provenance": made}), "tre").identity["Model file (SHA-256)"] == "ab" * 32
    )


def test_measures_stand_before_and_after() -> None:
    record, bench = pair()
    found = make_annex(add_bench(record, bench), "edpb").measures
    assert found
    assert all("before 0." in m.effect and "after 0." in m.effect and not m.taken for m in found)
    assert make_annex(record, "edpb").measures == []


def test_a_research_environment_reads_the_structure_before_the_attacks() -> None:
    orders = {kind: render(make_annex(decided(), kind), "md") for kind in ("edpb", "tre")}
    assert orders["tre"].index("## What the model itself holds") < orders["tre"].index("## Coverage")
    assert orders["edpb"].index("## Coverage") < orders["edpb"].index("## What the model itself holds")
    for kind, text in orders.items():
        for who in SIGNATURES[kind]:
            assert who in text


def test_json_reads_back() -> None:
    annex = make_annex(decided(), "edpb")
    assert Annex.model_validate(json.loads(render(annex, "json"))) == annex


def test_a_record_without_a_decision_has_no_annex() -> None:
    with pytest.raises(UsageError, match="run the audit again"):
        make_annex(sample_records.leaking(), "edpb")
