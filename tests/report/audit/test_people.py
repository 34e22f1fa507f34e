"""Persons, slices and risk are reported in every format, and hostile names stay names."""

import pytest
from tests.report import sample_documents, sample_records
from tests.report.test_formats_html import Page

from gnomon.core.documents.record import Record
from gnomon.report.audit.people import affected, people
from gnomon.report.sections import Section


def section(record: Record, key: str) -> Section:
    return next(found for found in (*affected(record), *people(record)) if found is not None and found.key == key)


@pytest.mark.parametrize("format", ["html", "md", "terminal"])
def test_every_format_has_the_sections(format: str) -> None:
    text = sample_documents.rendered("with_people", format)
    for title in (
        "Who can be accused",
        "Other trainings of the recipe",
        "Whole persons",
        "Leakage by age:15",
        "The risk of single records",
    ):
        assert title in text
        assert title not in sample_documents.rendered("leaking", format)


@pytest.mark.parametrize("basis", ["audited records", "withheld"])
def test_risk_that_does_not_rest_on_shadows_says_so(basis: str) -> None:
    record = sample_records.with_people()
    assert record.risk is not None
    change = {"basis": basis, "reason": "what they stated did not come true on the audited records"}
    if basis == "withheld":
        change |= {"calibration_error": None, "file": None, "bands": [], "shadow_bands": record.risk.bands}
    changed = record.model_copy(update={"risk": record.risk.model_copy(update=change)})
    text = section(changed, "risk").lead
    assert "what they stated did not come true on the audited records" in text
    assert ("Nothing is stated" in text) == (basis == "withheld")
    assert ("learned on the audited records" in text) == (basis == "audited records")


def test_the_page_says_what_the_figures_mean() -> None:
    text = Page(sample_documents.rendered("with_people", "html")).text
    assert "213 persons whose records were all trained on with 452 of whom none was. 3 persons with records on" in text
    assert "All slices together have 30 intervals; each is given at a confidence of 99.8%" in text
    assert "The most exposed slice is age 14 : its AUC lies 0.280 above that of age 0" in text
    assert "lie 1.3 (0.0 to 2.0) points apart on average" in text
    assert "is 0.82 (1: always the same records are exposed, 0: chance decides)" in text
    assert "risk.csv" in text
    assert "120 accused 9 of them wrongly" in text
    assert "refused too few (have 50)" in text
    assert "0.910 0.860–0.960 from 0.900 to 0.920" in text
    assert "<script" not in sample_documents.rendered("with_people", "html")


def test_slices_come_by_exposure_those_too_small_last_and_the_rest_folded() -> None:
    first, rest = section(sample_records.with_people(), "slices").tables
    assert first.rows[0][0].text.startswith("age 14")
    assert len(first.rows) == 12
    assert rest.rows[-1][3].detail == ("too few records",)
    assert "<summary>Further 3 slices</summary>" in sample_documents.rendered("with_people", "html")


def test_what_all_slices_share_is_said_once() -> None:
    sample = sample_records.with_people()
    both = section(sample.model_copy(update={"slices": [*sample.slices, sample.slices[0]]}), "slices")
    assert "All slices together have" in both.lead
    assert not any("together" in one.lead for one in both.tables)
    assert len(both.brief) == 2


def test_without_a_threshold_no_column_claims_one() -> None:
    sample = sample_records.with_people()
    bare = [one.model_copy(update={"recall": None, "fpr": None}) for one in sample.slices[0].slices]
    slicing = sample.slices[0].model_copy(update={"slices": bare})
    found = section(sample.model_copy(update={"slices": [slicing]}), "slices")
    assert "threshold" in section(sample, "slices").lead and "threshold" not in found.lead
    assert [len(row) for row in found.tables[0].rows] == [len(found.tables[0].columns)] * len(found.tables[0].rows)


def test_a_disparity_that_may_be_chance_is_called_so() -> None:
    sample = sample_records.with_people()
    gap = sample.slices[0].disparity
    assert gap is not None
    chance = sample.slices[0].model_copy(update={"disparity": gap.model_copy(update={"low": -0.01})})
    assert "which may be chance" in section(sample.model_copy(update={"slices": [chance]}), "slices").tables[0].lead


def test_a_rate_that_no_group_resolves_has_no_column() -> None:
    titles = [c.title for c in section(sample_records.with_people(), "persons").tables[0].columns]
    assert len([t for t in titles if t.startswith("Person, TPR")]) == 2
    assert not any("0.1%" in t for t in titles)


def test_whole_persons_begin_with_the_headline_and_fold_away_what_is_more_than_a_screen() -> None:
    record = sample_records.with_people()
    one = next(a for a in record.attacks if a.groups is not None and a.auc is not None)
    many = [one.model_copy(update={"name": f"a{i}", "title": f"A{i}"}) for i in range(9)]
    verdict = record.verdict.model_copy(update={"attack": "a8"})
    shown, rest = section(record.model_copy(update={"attacks": many, "verdict": verdict}), "persons").tables
    assert [row[0].text for row in shown.rows] == ["A8", "A0", "A1", "A2", "A3", "A4"]
    assert rest.folded == "Further 3 attacks" and len(rest.rows) == 3
