"""The tables of attacks: which is stressed, what is refused and why, and what is folded."""

from __future__ import annotations

from tests.report import sample_records

from gnomon.report.audit.attacks import all_attacks, exposed, headliner
from gnomon.report.sections import Section, Table


def tables(section: Section) -> dict[str, Table]:
    return {table.key: table for table in section.tables}


def test_attacks_come_by_auc_and_the_headline_is_stressed() -> None:
    whole = tables(all_attacks(sample_records.leaking()))["attacks"]
    areas = [float(row[1].text) for row in whole.rows]
    assert areas == sorted(areas, reverse=True)
    assert [row[0].text for row in whole.rows if row[0].tag] == ["Likelihood ratio, online (LiRA)"]


def test_repeated_reasons_share_a_footnote() -> None:
    whole = tables(all_attacks(sample_records.invalid()))["attacks"]
    marks = {cell.mark for row in whole.rows for cell in row if cell.mark}
    assert marks == {letter for letter, _ in whole.notes} == {"a", "b"}
    assert whole.notes[0] == ("a", "refused at 0.1%: too few non-members (have 400, need 1000)")


def test_the_other_attacks_are_folded() -> None:
    made = tables(all_attacks(sample_records.leaking()))
    for key in ("priors", "percentiles"):
        assert not made[key].folded
        assert made[f"other-{key}"].folded == "The other attacks"
    names = {row[0].text for key in ("priors", "other-priors") for row in made[key].rows}
    assert len(names) == len(sample_records.TITLES)


def test_without_a_headline_the_best_attack_speaks() -> None:
    found = headliner(sample_records.invalid())
    assert found is not None
    assert found.name == "loss"
    assert headliner(sample_records.bare().model_copy(update={"attacks": []})) is None


def test_no_exposed_record_is_lost() -> None:
    section = exposed(sample_records.leaking())
    first, rest = section.tables
    ids = [row[0].text for table in (first, rest) for row in table.rows]
    assert ids == [one.id for one in sample_records.leaking().exposed]
    assert len(first.rows) == 20
    assert rest.folded == "Further 20 records"
    assert exposed(sample_records.bare()).empty


def test_a_record_without_a_finished_attack_says_so() -> None:
    record = sample_records.bare()
    section = all_attacks(record.model_copy(update={"attacks": []}))
    assert section.sentences == ("No attack finished.",)
    assert not section.empty
