"""What to do now, as a section of the report."""

from tests.report.sample_records import bare, leaking

from gnomon.auditing.decision.decide import with_decision
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Measured
from gnomon.core.documents.schema import Estimate
from gnomon.report.audit.decision import NOTHING, measure_todo, what_to_do
from gnomon.report.audit.page import audit_page


def decided(record: Record) -> Record:
    return with_decision(record, None, None)


def test_each_thing_to_do_has_its_number_help_measure_and_limit() -> None:
    record = decided(leaking())
    section = what_to_do(record)
    assert section is not None
    assert record.decision is not None
    assert [r.label for r in section.remarks] == [str(i + 1) for i in range(len(record.decision.to_do))]
    for remark, one in zip(section.remarks, record.decision.to_do, strict=True):
        assert remark.title == one.title
        assert one.limit in remark.texts[3]
        assert remark.texts[2].endswith(one.evidence)


def test_nothing_to_do_comes_with_what_was_not_tested() -> None:
    record = decided(leaking())
    assert record.decision is not None
    empty = record.model_copy(update={"decision": record.decision.model_copy(update={"to_do": []})})
    section = what_to_do(empty)
    assert section is not None
    assert section.lead == NOTHING
    assert section.notes == tuple(empty.not_tried) != ()
    assert section.brief == (NOTHING, *(f"  - {line}" for line in empty.not_tried))  # a terminal lists it too
    assert "not-tried" not in [one.key for one in audit_page(empty).sections]  # once is enough
    assert "not-tried" in [one.key for one in audit_page(record).sections]
    assert what_to_do(bare().model_copy(update={"decision": None})) is None


def test_what_was_measured_stands_in_place_of_what_would_measure_it() -> None:
    record = decided(leaking())
    assert record.decision is not None
    one = record.decision.to_do[0]
    assert measure_todo(one) == one.evidence
    before, after = (Estimate(value=v, low=v - 0.05, high=v + 0.05) for v in (0.5, 0.1))
    done = Measured(label="l2:0.01", effect="better", before=before, after=after, fpr=0.01, accuracy=None)
    failed = Measured(label="dropout", effect=None, before=None, after=None, fpr=None, accuracy=None)
    said = measure_todo(one.model_copy(update={"measured": [done, failed]}))
    assert said == "l2:0.01 leaks significantly less (TPR at 1% FPR 50.0%, then 10.0%). dropout could not be audited."
