"""What a report says of what the attacker has; records without these parts must still render."""

from __future__ import annotations

import re

import pytest
from tests.report import sample_records

from gnomon.core.documents.record import (
    Agreement,
    ByShadows,
    Estimate,
    Record,
    Rung,
    ShadowGain,
    ShadowPoint,
    ShadowSourceFacts,
    SourceAttack,
    TprAtFpr,
)
from gnomon.report import render
from gnomon.report.audit.attackers import sources as section_on_sources


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
    assert section_on_sources(with_sources(*sources)) is None
    assert 'id="sources"' not in render(with_sources(*sources), "html")


def point(rate: float | None) -> TprAtFpr:
    if rate is None:
        return TprAtFpr(fpr=0.01, tpr=None, refused="too few non-members (have 40, need 100)")
    return TprAtFpr(fpr=0.01, tpr=sample_records.estimate(rate, 0.03), false_positives=1)


def rung(title: str, area: float, rate: float | None, **changes: object) -> Rung:
    figures = Rung(
        key="labels",
        title=title,
        attack="gap",
        attack_title="Correctness (gap)",
        chosen_on="shadows",
        auc=sample_records.estimate(area, 0.01),
        tpr=point(rate),
    )
    return figures.model_copy(update=changes)


def with_ladder(*rungs: Rung) -> Record:
    return sample_records.leaking().model_copy(update={"ladder": list(rungs)})


def grown(*, area: tuple[float, float, float], rate: tuple[float, float, float] | None) -> Record:
    def gain(values: tuple[float, float, float]) -> Estimate:
        return Estimate(value=values[0], low=values[1], high=values[2])

    curve = ByShadows(
        attack="lira",
        attack_title="LiRA, online",
        fpr=0.01,
        rows=3200,
        points=[
            ShadowPoint(count=4, auc=sample_records.estimate(0.9, 0.01), tpr=point(None if rate is None else 0.3)),
            ShadowPoint(count=8, auc=sample_records.estimate(0.95, 0.01), tpr=point(None if rate is None else 0.4)),
        ],
        gain=ShadowGain(before=4, after=8, auc=gain(area), tpr=None if rate is None else gain(rate)),
    )
    return sample_records.leaking().model_copy(update={"by_shadows": curve})


def test_the_ladder_is_told_rung_by_rung_everywhere() -> None:
    record = with_ladder(rung("label <only>", 0.7, 0.02), rung("full vector", 0.9, 0.3, chosen_on="audited rows"))
    page, twin, terminal = (render(record, kind) for kind in ("html", "md", "terminal"))
    assert "label &lt;only&gt;" in page
    assert "<only>" not in page
    ladder = page[page.index('id="ladder"') :]
    assert ladder.index("label &lt;only&gt;") < ladder.index("full vector")
    assert 'id="ladder-tpr-text"' in page
    assert 'id="ladder-auc-text"' in page
    for text in (page, twin):
        assert "the audited rows" in text
        assert "that flatters it" in text
    assert "knowledge buys TPR at 1% FPR: label <only> 2.0%, full vector 30.0%" in " ".join(terminal.split())
    assert max(map(len, terminal.splitlines())) <= 80


def test_a_ladder_without_a_rate_speaks_of_the_auc() -> None:
    record = with_ladder(rung("label", 0.7, None), rung("vector", 0.9, None))
    page = render(record, "html")
    assert 'id="ladder-tpr-text"' not in page
    assert "have 40, need 100" in page
    assert "buys AUC: label 0.700, vector 0.900" in " ".join(render(record, "terminal").split())


@pytest.mark.parametrize(
    ("area", "rate", "words"),
    [
        ((0.02, 0.01, 0.03), (0.1, -0.1, 0.3), "would probably find more"),
        ((0.001, -0.01, 0.02), (0.1, 0.05, 0.15), "would probably find more"),
        ((0.002, 0.001, 0.003), (0.1, -0.1, 0.3), "may still help a little"),
        ((0.002, -0.001, 0.005), (0.1, -0.1, 0.3), "would hardly help"),
        ((-0.01, -0.02, -0.005), None, "would hardly help"),
    ],
)
def test_the_curve_says_whether_more_shadows_would_help(
    area: tuple[float, float, float], rate: tuple[float, float, float] | None, words: str
) -> None:
    record = grown(area=area, rate=rate)
    page, twin = render(record, "html"), render(record, "md")
    for text in (page, twin):
        assert "Going from 4 to 8 shadow models" in text
        assert words in text
    assert ("TPR at 1% FPR by" in page) == (rate is not None)
    assert 'id="by-shadows-plot-text"' in page


def test_agreement_is_a_tinted_table_with_chance_beside_it() -> None:
    found = Agreement(
        top=32,
        rows=3200,
        attacks=["lira", "shokri"],
        overlap=[[1.0, 0.4], [0.4, 1.0]],
        member_share=[0.97, 0.91],
        chance=0.005,
    )
    record = sample_records.leaking().model_copy(update={"agreement": found})
    page, twin = render(record, "html"), render(record, "md")
    assert page.count("var(--member) 22%") == 2
    for text in (page, twin):
        assert "40.0%" in text
        assert "97.0%" in text
        assert "random overlap in 0.50%" in text


def test_a_record_of_an_older_version_renders() -> None:
    new = ("ladder", "agreement", "by_shadows", "shadow_sources")
    old = {k: v for k, v in sample_records.leaking().model_dump(mode="json").items() if k not in new}
    page = render(Record.model_validate(old), "html")
    for key in ("ladder", "agreement", "by-shadows", "sources"):
        assert f'id="{key}"' not in page
