from __future__ import annotations

import io
import re

from rich.cells import cell_len
from rich.console import Console
from tests.report import sample_documents, sample_records

from gnomon.core.documents.record import Record
from gnomon.report import print_terminal, render
from gnomon.report.formatting import clean


def words(text: str) -> str:
    return re.sub(r"[\s┃]+", "", text)


def test_it_fits_80_columns_without_escape_sequences(terminal: str) -> None:
    assert max(map(cell_len, terminal.splitlines())) <= 80
    assert all(c.isprintable() or c == "\n" for c in terminal)


def test_verdict_and_alarms_come_whole(record: Record, record_name: str) -> None:
    shown = words(sample_documents.rendered(record_name, "terminal"))
    for text in (record.verdict.headline, *record.verdict.sentences, *record.not_tried):
        assert words(clean(text)) in shown
    for finding in record.findings:
        if finding.severity != "note":
            assert words(clean(finding.title)) in shown
            assert words(clean(finding.remedy)) in shown
    for attack in record.attacks:
        assert words(clean(attack.reason or "")) in shown


def test_names_are_no_markup_for_rich() -> None:
    assert "[red]x[/red]" in render(sample_records.hostile(), "terminal")


def test_refusals_have_their_reason() -> None:
    text = render(sample_records.invalid(), "terminal")
    assert "refused (a)" in text
    assert "(a) refused at 0.1%: too few non-members (have 400, need 1000)" in text


def test_a_console_of_any_width_will_do() -> None:
    for width in (40, 60, 200):
        buffer = io.StringIO()
        print_terminal(sample_records.leaking(), Console(file=buffer, width=width))
        assert max(map(cell_len, buffer.getvalue().splitlines())) <= width
        assert words("while wrongly accusing 1 in 1,000.") in words(buffer.getvalue())


def test_no_exposed_records_where_the_order_is_chance() -> None:
    assert "user-0000" in render(sample_records.leaking(), "terminal")
    assert "user-0000" not in render(sample_records.near_chance(), "terminal")


def test_a_long_line_of_a_list_keeps_its_indent() -> None:
    record = sample_records.leaking().model_copy(update={"not_tried": ["word " * 40]})
    lines = render(record, "terminal").partition("What was not tried\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) > 2
    assert all(line.startswith("  ") for line in lines)
