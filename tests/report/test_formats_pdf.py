"""PDF: printed by a browser that is there, whole or not at all."""

import re
from pathlib import Path

import pytest
from tests.report import sample_records

from gnomon.core.errors import StoreError, UsageError
from gnomon.report import formats, render, write_report
from gnomon.report.formats import BROWSER, find_browser, write_pdf


def test_a_report_s_front_part_is_printed_on_at_most_eight_pages_of_a4(tmp_path: Path) -> None:
    if find_browser() is None:
        pytest.skip("no Chromium, Chrome or Edge on this machine")
    place = tmp_path / "report.pdf"
    front, divided, _ = render(sample_records.leaking(), "html").partition('<div class="appendix">')
    write_pdf(front, place)
    content = place.read_bytes()
    assert divided
    assert content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 8
    [[width, height]] = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[0 0 ([^]]+)]", content)}
    assert (round(width), round(height)) == (595, 842)
    assert [p.name for p in tmp_path.iterdir()] == ["report.pdf"]


def test_a_suffix_asks_for_a_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnomon.report.formats.write_pdf", lambda html, path: path.write_text(html[:15]))
    write_report(sample_records.bare(), tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_text() == "<!DOCTYPE html>"


def test_without_a_browser_the_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BROWSER, raising=False)
    monkeypatch.setattr(formats, "ELSEWHERE", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="printed by Chromium, Chrome or Edge, and none was found"):
        write_pdf("<p>x", tmp_path / "report.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BROWSER, str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="GNOMON_BROWSER: expected a program"):
        find_browser()


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo no display >&2; exit 1", "no display"), ("exit 3", "exit code 3"), ("sleep 60", "stopped after 1 s")],
)
def test_a_browser_that_prints_nothing_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nexec sh -c '{script}'\n")
    browser.chmod(0o755)
    monkeypatch.setenv(BROWSER, str(browser))
    monkeypatch.setattr(formats, "LONGEST", 1)
    with pytest.raises(StoreError, match=rf"printed no PDF \({said}\); write \.html"):
        write_pdf("<p>x", tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()
