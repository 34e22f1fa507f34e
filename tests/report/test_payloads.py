"""Every free text of every document, with every payload behind it, in every renderer: it stays text."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.report import sample_documents
from tests.report.payloads import PAYLOADS, steering, with_payloads
from tests.report.test_formats_html import Page
from tests.report.test_text_markdown import outside_of_fences

from gnomon.report import render, write_report
from gnomon.report.formatting import clean
from gnomon.runs.folder import write_columns

DOCUMENTS = ("hostile", "with_people", "bench", "study", "reproduction", "comparison")
TAGS = """html head meta title style link body header main nav section footer div h1 h2 h3 h4 p ul ol li dl dt dd a b
strong em i small span sup table thead tbody tr th td caption details summary pre code figure br figcaption
svg desc defs clippath g path rect circle text use line tspan"""
ATTRIBUTES = """href id class style role rel lang charset name content http-equiv title viewbox transform d x y x1 x2 y1
y2 r cx cy rx width height fill stroke opacity scope clip-path open tabindex colspan data-column"""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_html(name: str) -> None:
    page = render(with_payloads(sample_documents.ALL[name](), len(name)), "html")
    parsed = Page(page)  # every tag that is opened is closed
    assert parsed.open == []
    assert steering(page) == set()
    for tag, attributes in parsed.tags:
        assert tag in TAGS.split()
        for key, value in attributes.items():
            assert key in ATTRIBUTES.split() or re.match(r"(aria|stroke|fill|text|font|stop)-", key), (tag, key)
            if key == "href":
                assert re.match(r"#|data:,$|https://(arxiv\.org/abs|doi\.org)/", value or ""), value
            if key == "style":
                assert "url(" not in (value or "").replace("url(#", "")
            if key == "http-equiv":
                assert value == "Content-Security-Policy"


@pytest.mark.parametrize("shift", range(0, len(PAYLOADS), 12))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_markdown_and_terminal(name: str, shift: int) -> None:
    document = with_payloads(sample_documents.ALL[name](), shift)
    markdown = render(document, "md")
    assert steering(markdown) == set()
    text = outside_of_fences(markdown)
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>|br>)", text)
    for target in re.findall(r"(?<!\\)\]\(([^)]*)\)", text):
        assert re.match(r"https://(arxiv\.org/abs|doi\.org)/[\w./:()-]+$", target), target
    terminal = render(document, "terminal")
    assert steering(terminal) == set()
    assert all(c.isprintable() or c == "\n" for c in terminal)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_holds_the_same_text_without_steering_a_terminal(name: str) -> None:
    for shift in (0, 25):
        document = with_payloads(sample_documents.ALL[name](), shift)
        text = render(document, "json")
        assert steering(text) == set()
        assert type(document).model_validate_json(text) == type(document).model_validate(document.model_dump())
        assert json.loads(text) == document.model_dump(mode="json")


def test_csv(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {"id": list(PAYLOADS), "number": [-0.5] * len(PAYLOADS)}
    columns |= {payload: ["x"] * len(PAYLOADS) for payload in PAYLOADS}
    file = write_columns(columns, tmp_path, "table")[0]
    assert steering(file.read_text(encoding="utf-8")) == set()
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert len(rows) == len(PAYLOADS) + 1
    for row in rows:
        assert all(value == "-0.5" or not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", value) for value in row)
    assert [row[0].removeprefix("'") for row in rows[1:]] == [clean(payload).removeprefix("'") for payload in PAYLOADS]


@pytest.mark.parametrize("key", ["../escaped", "/tmp/escaped", "..", '"><script>', "a" * 300, "\x1b", "\0"])
def test_files_of_figures_stay_next_to_the_report(key: str, tmp_path: Path) -> None:
    made = sample_documents.sample_reproduction()
    ran = made.experiments[0].model_copy(update={"key": key})
    place = tmp_path / "inside"
    write_report(made.model_copy(update={"experiments": [ran, *made.experiments[1:]]}), place / "README.md")
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    files = {path.name for path in place.iterdir()}
    assert set(re.findall(r"\]\(([\w.-]+\.svg)\)", (place / "README.md").read_text())) == files - {"README.md"}
    assert len(files) > 1
