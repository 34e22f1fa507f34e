"""The page of an audit: the order of its sections, its figures, and what an invalid audit does not show."""

from __future__ import annotations

import pytest
from tests.report import sample_records

from gnomon.core.documents.record import ModelFacts, Record
from gnomon.report.audit.page import CHOICES, LOWER_BOUND, NO_VERDICT, PERSONAL, audit_page
from gnomon.report.formats import render
from gnomon.report.sections import Figure


def figures(record: Record) -> dict[str, Figure]:
    shown = ("pictures", "more-pictures")
    return {f.key: f for s in audit_page(record).sections if s.key in shown for f in s.figures}


def test_sections_stand_in_order_and_every_table_has_its_own_key() -> None:
    page = audit_page(sample_records.with_people())
    keys = [section.key for section in page.sections]
    assert keys == [
        *("findings", "pictures", "threat-model", "persons", "slices", "not-tried"),
        *("more-pictures", "all-attacks", "exposed", "accusations", "repeats", "risk", "notes", "provenance"),
    ]
    first = [section.key for section in page.sections if not section.appendix]
    assert first == keys[: len(first)]
    assert first[-1] == "not-tried"
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
    assert audit_page(sample_records.undecided()).caveat == LOWER_BOUND, "where nothing was found no attack is headline"


def test_figures_are_those_that_the_record_has_values_for() -> None:
    every = ["dots-found", "dots-accused", "roc-log", "gap", "roc-linear", "scores", "classes"]
    assert list(figures(sample_records.leaking())) == every
    dotless = [key for key in every if not key.startswith("dots")]
    assert list(figures(sample_records.near_chance())) == [key for key in dotless if key != "classes"]
    assert "dots-found" not in figures(sample_records.invalid())
    assert figures(sample_records.bare()) == {}


@pytest.mark.parametrize(("fpr", "found", "others"), [(0.001, "31 of 100", "1 of 1,000"), (0.1, "91", "10 of 100")])
def test_the_first_picture_speaks_of_the_rate_of_the_headline(fpr: float, found: str, others: str) -> None:
    record = sample_records.leaking()
    spoken = record.model_copy(update={"verdict": record.verdict.model_copy(update={"fpr": fpr})})
    shown = figures(spoken)
    assert shown["dots-found"].title.startswith(found)
    assert shown["dots-accused"].title.startswith(others)


def test_the_first_picture_counts_persons_where_the_headline_does() -> None:
    record = sample_records.with_people()
    verdict = record.verdict.model_copy(update={"unit": "person", "fpr": 0.01})
    shown = figures(record.model_copy(update={"verdict": verdict}))
    assert shown["dots-found"].title == "90 of 100 persons with training records found"
    assert shown["dots-accused"].title == "1 of 100 other persons wrongly accused"
    assert "not whole persons" in shown["roc-log"].lead  # what it shows at that rate is another share
    assert "persons" not in figures(record)["roc-log"].lead


def test_a_report_that_names_records_says_that_it_is_personal_data_itself() -> None:
    assert audit_page(sample_records.leaking()).notice == PERSONAL
    assert audit_page(sample_records.bare()).notice == ""
    for format in ("html", "md", "terminal"):
        assert "personal data themselves" in " ".join(render(sample_records.leaking(), format).replace("┃", "").split())


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


def test_a_note_without_a_remedy_asks_for_nothing() -> None:
    note = sample_records.finding("library-warnings", "note", "libraries warned 3 times", remedy="")
    page = audit_page(sample_records.leaking().model_copy(update={"findings": [note]}))
    [told] = [remark for section in page.sections for remark in section.remarks if remark.code == "library-warnings"]
    assert all(not text.startswith("What to do") for text in told.texts)
