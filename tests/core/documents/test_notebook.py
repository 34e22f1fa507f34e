"""What a notebook shows of a record, and its attacks as a table."""

from collections.abc import Callable

import pytest
from tests.report import sample_records

from gnomon.core.documents.notebook import attack_columns, attack_frame, summary_html
from gnomon.core.documents.record import Record


@pytest.mark.parametrize("make", sample_records.ALL.values(), ids=sample_records.ALL)
def test_every_record_shows_its_verdict_and_its_attacks_in_a_few_kilobytes(make: Callable[[], Record]) -> None:
    record = make()
    shown = record._repr_html_()
    assert shown == summary_html(record)
    assert shown.count("<tr>") == 1 + sum(a.status == "ok" for a in record.attacks)
    assert len(shown) < 20_000
    assert "<script" not in shown


def test_a_hostile_name_is_text() -> None:
    assert "&lt;script&gt;" in sample_records.hostile()._repr_html_()


def test_columns_hold_the_record_s_own_values() -> None:
    record = sample_records.leaking()
    columns = attack_columns(record.attacks)
    assert {len(values) for values in columns.values()} == {len(record.attacks)}
    areas = [a for a in columns["auc"] if a is not None]
    assert areas == sorted(areas, reverse=True)
    assert columns["auc"][len(areas) :] == [None] * (len(record.attacks) - len(areas))
    for i, name in enumerate(columns["attack"]):
        attack = next(a for a in record.attacks if a.name == name)
        assert columns["reason"][i] == attack.reason
        for point in attack.tpr_at_fpr:
            low = columns[f"tpr@{point.fpr:g}.low"][i]
            assert low == (None if point.tpr is None else point.tpr.low)


def test_a_frame_has_a_row_for_each_attack() -> None:
    pytest.importorskip("pandas")
    record = sample_records.leaking()
    frame = attack_frame(record.attacks)
    assert frame.equals(record.to_frame())
    assert list(frame["attack"]) == attack_columns(record.attacks)["attack"]
