from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report import sample_documents, sample_records

from gnomon.core.documents.record import Record
from gnomon.report import render, write_report
from gnomon.report.formatting import clean
from gnomon.report.text import escape

CELL = re.compile(r"(?<!\\)(?:\\\\)*\|")


def outside_of_fences(text: str) -> str:
    return re.sub(r"^(`{3,})\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def tables(text: str) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in outside_of_fences(text).split("\n"):
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_every_table_has_a_rule_and_rows_of_one_width(markdown: str) -> None:
    found = tables(markdown)
    assert len(found) >= 2
    for table in found:
        widths = {len(CELL.findall(line)) for line in table}
        assert len(widths) == 1, table[:3]
        assert re.fullmatch(r"\|( -{3}:? \|)+", table[1]), table[1]


def test_a_table_stands_apart_from_the_text_around_it(markdown: str) -> None:
    lines = outside_of_fences(markdown).split("\n")
    for before, line in itertools.pairwise(lines):
        if line.startswith("|") != before.startswith("|"):
            assert not line or not before, (before, line)


def test_the_twin_tells_what_the_page_tells(record: Record, record_name: str) -> None:
    markdown = sample_documents.rendered(record_name, "md")
    plain = " ".join(re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", markdown).split())
    words = [record.verdict.headline, *record.verdict.sentences, *record.not_tried, record.data.fingerprint]
    for finding in record.findings:
        words += [finding.code, finding.title, finding.explanation, finding.remedy]
    for attack in record.attacks:
        words += [attack.title, attack.paper, attack.reason or "", *attack.notes]
    words += [exposed.id for exposed in record.exposed]
    for word in words:
        assert " ".join(clean(word).split()) in plain, word


def test_hostile_text_is_no_markup() -> None:
    text = outside_of_fences(render(sample_records.hostile(), "md"))
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>|br>)", text)
    assert "\n# heading" not in text


@given(st.text())
def test_escaped_text_never_ends_a_cell_or_a_line(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    assert not CELL.search(escaped)
    assert re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", escaped) == " ".join(clean(text).split())


def test_a_fence_is_longer_than_any_run_of_ticks_in_it() -> None:
    record = sample_records.bare().model_copy(update={"recipe": {"ticks": "````"}})
    text = render(record, "md")
    assert "\n`````\n{" in text
    assert text.count("`````") == 2


@pytest.mark.parametrize("name", ["bench", "leaking", "study"])
@pytest.mark.parametrize(("file", "prefix"), [("r.md", "r-"), ("README.md", "")])
def test_a_file_s_figures_lie_next_to_it(name: str, file: str, prefix: str, tmp_path: Path) -> None:
    write_report(sample_documents.ALL[name](), tmp_path / file)
    links = re.findall(r"\]\(([\w.-]+\.svg)\)", (tmp_path / file).read_text(encoding="utf-8"))
    assert len(links) >= 2
    assert sorted(links) == sorted(path.name for path in tmp_path.glob("*.svg"))
    assert all(link.startswith(prefix) for link in links)
    for link in links:
        ElementTree.parse(tmp_path / link)


def test_without_files_the_figures_are_told_in_words() -> None:
    text = sample_documents.rendered("leaking", "md")
    assert ".svg" not in text
    assert "Curves: Likelihood ratio, online (LiRA), AUC 0.967" in text.replace("\\", "")
    assert "**31 of 100 training records found**: Interval 30.2–32.2%." in text
