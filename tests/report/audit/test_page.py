"""The page of an audit: the order of its sections, its figures, and what an invalid audit does not show."""

from __future__ import annotations

import pytest
from tests.report import sample_records

from gnomon.core.documents.record import ModelFacts, Record
from gnomon.report.audit.page import CHOICES, LOWER_BOUND, NO_VERDICT, audit_page
from gnomon.report.sections import Figure


def figures(record: Record) -> dict[str, Figure]:
    return {f.key: f for s in audit_page(record).sections if s.key == "pictures" for f in s.figures}


def test_sections_stand_in_order_and_every_table_has_its_own_key() -> None:
    page = audit_page(sample_records.with_people())
    keys = [section.key for section in page.sections]
    assert keys[:3] == ["findings", "pictures", "all-attacks"]
    assert keys[-4:] == ["threat-model", "not-tried", "notes", "provenance"]
    tables = [table.key for section in page.sections for table in section.tables if table.rows]
    assert len(tables) == len(set(tables))


def test_warnings_stand_above_the_figures_and_notes_below() -> None:
    page = audit_page(sample_records.leaking())
    found = {s.key: [r.tone for r in s.remarks] for s in page.sections if s.remarks}
    assert found == {"findings": ["warning"], "notes": ["note"]}
    errors = next(s for s in audit_page(sample_records.invalid()).sections if s.key == "findings")
    assert [r.label for r in errors.remarks] == ["Error, overridden in the plan", "Warning"]


def test_the_caveat_says_who_chose_the_headline_attack() -> None:
    assert audit_page(sample_records.leaking()).caveat == f"{LOWER_BOUND} {CHOICES['shadows']}"
    assert audit_page(sample_records.invalid()).caveat == NO_VERDICT


def test_figures_are_those_that_the_record_has_values_for() -> None:
    every = ["dots-found", "dots-accused", "roc-log", "roc-linear", "scores", "classes", "gap"]
    assert list(figures(sample_records.leaking())) == every
    assert list(figures(sample_records.near_chance())) == [key for key in every if key != "classes"]
    assert "dots-found" not in figures(sample_records.invalid())
    assert figures(sample_records.bare()) == {}


@pytest.mark.parametrize(
    ("train", "test", "bars"), [(1.0, None, [1.0]), (None, 0.25, [0.25]), (0.9, 0.5, [0.9, 0.5]), (None, None, [])]
)
def test_bars_are_as_long_as_the_accuracies(train: float | None, test: float | None, bars: list[float]) -> None:
    target = ModelFacts(train_size=9, train_accuracy=train, test_accuracy=test, train_loss=None, test_loss=None)
    record = sample_records.leaking().model_copy(update={"target": target, "shadows": None})
    gap = figures(record).get("gap")
    assert (gap is None) == (not bars)
    if gap is not None and gap.table is not None:
        assert [row[2].bar for row in gap.table.rows] == bars
