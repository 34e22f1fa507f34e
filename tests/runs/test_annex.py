"""The annex states what its record holds, names nobody unless asked, and promises nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.report import sample_records
from tests.report.sample_records import estimate
from tests.runs.test_bench import pair

from gnomon.auditing.decision.decide import with_decision
from gnomon.core.documents.annex import Annex
from gnomon.core.documents.decision import MostExposed
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError
from gnomon.report import render
from gnomon.runs.annex import DECISIONS, NO_EVIDENCE, SIGNATURES, WITHHELD, make_annex
from gnomon.runs.bench import add_bench

WORST = MostExposed(
    unit="person", first="Ahab", ranked=16, members=16, right=estimate(0.99, 0.2), level=0.95, tried=[8, 16]
)
RELEASE = {"context": "public-weights", "purpose": "triage", "unit": "person"}


def decided(name: str = "with_people", **plan: Any) -> Record:
    record = sample_records.ALL[name]()
    return with_decision(record.model_copy(update={"plan": {**record.plan, **plan}}), WORST, ["l2"])


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
    left = record.model_copy(update={"not_tried": ["lira (LiRA): skipped, no shadow models", "updates"]})
    limits = make_annex(left, "edpb").limits
    assert limits[-2:] == ["Attacks that did not run: lira (the report says why).", "Not tried: updates."]


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
