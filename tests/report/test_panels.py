"""What a report shows beside the main figures; records without these parts must still render."""

from __future__ import annotations

import re

import pytest
from tests.report import sample_records

from gnomon.core.record import Record, ShadowSourceFacts, SourceAttack
from gnomon.report import render
from gnomon.report.panels import panels


def source(
    name: str, accuracy: float, attacks: tuple[str, ...] = ("salem", "shokri"), **changes: object
) -> ShadowSourceFacts:
    figures = [
        SourceAttack(
            name=attack,
            auc=sample_records.estimate(accuracy, 0.01),
            accuracy=sample_records.estimate(accuracy - 0.1 * (attack == "salem"), 0.02),
            precision=None if attack == "salem" else sample_records.estimate(accuracy - 0.05, 0.03),
            recall=sample_records.estimate(0.9, 0.02),
        )
        for attack in attacks
    ]
    facts = ShadowSourceFacts(source=name, rows=2610, shadow_test_accuracy=0.6, attacks=figures)
    return facts.model_copy(update=changes)


def with_sources(*sources: ShadowSourceFacts) -> Record:
    return sample_records.leaking().model_copy(update={"shadow_sources": list(sources)})


CLIMBED = source(
    "climbing",
    0.71,
    queries=33_314,
    queries_per_record=12.76,
    unreached=["type <3>", "type 4"],
    notes=["it stopped early"],
)


def test_sources_are_told_in_the_order_of_the_plan_with_what_they_cost() -> None:
    record = with_sources(source("real", 0.93), source("noisy:0.1", 0.87), CLIMBED)
    page, twin, terminal = (render(record, kind) for kind in ("html", "md", "terminal"))
    for text in (twin, terminal):
        places = [re.search(rf"^(\| )?{name}\b", text, re.MULTILINE) for name in ("real", "noisy:0.1", "climbing")]
        starts = [place.start() for place in places if place is not None]
        assert len(starts) == 3
        assert starts == sorted(starts)
    for words in ("33,314", "12.8", "it stopped early", "type 4"):
        assert words in page
        assert words in twin
    assert "type &lt;3&gt;" in page
    assert "type <3>" not in page
    assert "33,314" in terminal
    assert max(map(len, terminal.splitlines())) <= 80


def test_the_picture_of_the_sources_shows_shokri_with_its_intervals() -> None:
    page = render(with_sources(source("real", 0.93), CLIMBED), "html")
    text = re.search(r'<desc id="sources-plot-text">(.*?)</desc>', page)
    assert text is not None
    assert text[1].startswith("real: balanced accuracy 93.0% (91.0–95.0%), precision 88.0%")
    assert "climbing: balanced accuracy 71.0%" in text[1]


def test_without_shokri_the_first_attack_is_pictured_even_if_it_accuses_nobody() -> None:
    page = render(with_sources(source("real", 0.93, ("salem",)), source("noisy", 0.8, ("salem",))), "html")
    text = re.search(r'<desc id="sources-plot-text">(.*?)</desc>', page)
    assert text is not None
    assert text[1] == "real: balanced accuracy 83.0% (81.0–85.0%); noisy: balanced accuracy 70.0% (68.0–72.0%)."


def test_one_made_source_shows_its_cost_and_no_comparison() -> None:
    record = with_sources(CLIMBED)
    page = render(record, "html")
    assert "33,314" in page
    assert "sources-plot" not in page
    assert "33,314" not in render(record, "terminal")


@pytest.mark.parametrize("sources", [[], [source("real", 0.9)]])
def test_real_rows_alone_need_no_words(sources: list[ShadowSourceFacts]) -> None:
    assert panels(with_sources(*sources)) == ()
    assert 'id="sources"' not in render(with_sources(*sources), "html")
