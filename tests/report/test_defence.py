"""A bench in every format: nothing but the document is shown, and text from outside stays text."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from tests.report.sample_defences import PLAIN, option, sample_defence

from gnomon.core.documents.defence import Advice, Answer, DefenceReport
from gnomon.report import render, write_report
from gnomon.report.defence import defence_page
from gnomon.report.svg import drawn

NOTHING = Advice(answer="nothing audited", choice=None, headline="Nothing.", sentences=[])


def test_every_format_holds_the_recommendation_and_every_mitigation() -> None:
    bench = sample_defence()
    for format in ("html", "md", "terminal"):
        text = render(bench, format)
        assert " ".join(bench.advice.headline.split()[:4]) in text
        assert "depth:3" in text
        assert "adversarial:3" in text


def test_html_fetches_nothing_and_runs_nothing() -> None:
    page = render(sample_defence(), "html")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(src|href)="(?!#|data:|https://(arxiv|doi)\.org)', page)
    assert page.count("<svg") >= 4


def test_every_id_in_the_page_is_there_once() -> None:
    ids = re.findall(r'\sid="([^"]+)"', render(sample_defence(), "html"))
    assert len(ids) == len(set(ids))


def test_the_matrix_marks_the_strongest_attack_of_each_mitigation() -> None:
    text = render(sample_defence(), "md")
    row = next(line for line in text.splitlines() if line.startswith("| Label only: robustness"))
    assert row.count("(*)") == 1


def test_a_bench_with_no_comparison_still_renders() -> None:
    alone = sample_defence(options=[PLAIN], searches=[], advice=NOTHING)
    for format in ("html", "md", "terminal"):
        assert "Nothing." in render(alone, format)


@pytest.mark.parametrize("answer", get_args(Answer))
def test_the_badge_says_what_the_headline_says(answer: Answer) -> None:
    page = defence_page(sample_defence(advice=NOTHING.model_copy(update={"answer": answer})))
    assert (page.label in ("A mitigation helps", "Helps at a price")) == answer.startswith("helps")
    assert (page.level == "leaks") == (answer == "none helps"), "what shows no difference is no alarm"


def test_in_a_crowd_the_frontier_keeps_its_names_and_no_name_covers_another() -> None:
    bench = sample_defence()
    crowd = [
        option(f"dropout:0.{i}", 0.20 + 0.004 * i, 0.7, 0.60 + 0.002 * (i % 7), None).model_copy(
            update={"frontier": False}
        )
        for i in range(10, 40)
    ] + [option("the best one", 0.15, 0.7, 0.65, None).model_copy(update={"frontier": True})]
    crowded = bench.model_copy(update={"results": [bench.results[0], *crowd]})
    found = next(s for s in defence_page(crowded).sections if s.key == "pictures").figures[0]
    names = re.findall(r">([^<]+)</text>", drawn(found))
    assert "the best one" in names
    assert 0 < sum("dropout" in name for name in names) < 30


def test_without_a_rate_the_area_speaks() -> None:
    assert "AUC of the strongest attack" in render(sample_defence(fpr=None), "html")


def test_json_is_the_document(tmp_path: Path) -> None:
    write_report(sample_defence(), tmp_path / "b.json")
    assert DefenceReport.model_validate(json.loads((tmp_path / "b.json").read_text())) == sample_defence()
