"""The page of a comparison: what changed, attack by attack, with its interval."""

from __future__ import annotations

import pytest
from tests.report.sample_defences import around, change
from tests.report.sample_documents import sample_comparison

from gnomon.core.documents.comparison import Change, FigureChange
from gnomon.report.comparison import LABELS, comparison_page
from gnomon.report.sections import LEVELS, Table


def tables(**changes: object) -> dict[str, Table]:
    return {t.key: t for s in comparison_page(sample_comparison(**changes)).sections for t in s.tables}


@pytest.mark.parametrize("kind", LABELS)
def test_every_outcome_has_a_level_that_the_style_sheet_knows(kind: Change) -> None:
    page = comparison_page(sample_comparison(change=kind))
    assert page.level in LEVELS
    assert page.label == LABELS[kind][1]


def test_both_values_and_their_difference_are_shown() -> None:
    [row] = tables()["overall"].rows
    assert row[2].text == "0.800 → 0.700"
    assert row[2].detail == ("−0.100", "−0.110 to −0.090", "better")


def test_an_attack_that_cannot_be_compared_says_why() -> None:
    row = tables()["attacks"].rows[1]
    assert (row[1].text, row[1].detail) == ("not comparable", ("only the first run has it",))
    assert row[2].text == "–"


def test_a_rate_that_no_attack_resolves_has_no_column() -> None:
    refused = FigureChange(
        figure="TPR at 1% FPR", first=None, second=0.2, difference=None, change="not comparable", refused="too few"
    )
    attack = change("better", -0.1)
    both = attack.model_copy(update={"figures": [*attack.figures, refused]})
    assert [c.title for c in tables(attacks=[both])["attacks"].columns] == ["Attack", "Change", "AUC"]
    known = refused.model_copy(update={"first": 0.1, "difference": around(0.1, 0.05), "refused": None})
    mixed = attack.model_copy(update={"figures": [*attack.figures, known]})
    rows = tables(attacks=[both, mixed])["attacks"].rows
    assert (rows[0][3].text, rows[0][3].detail) == ("refused", ("too few",))
    assert rows[1][3].text == "10.0% → 20.0%"
    assert rows[1][3].detail[0] == "+10.0 points"


def test_the_interval_over_trainings_is_the_one_that_counts() -> None:
    attack = change("within noise", 0.02)
    wide = [attack.figures[0].model_copy(update={"retrained": around(0.02, 0.3)})]
    [row] = tables(overall=attack.model_copy(update={"figures": wide}))["overall"].rows
    assert row[2].detail[1] == "−0.280 to 0.320"


def test_a_run_without_an_accuracy_has_a_dash() -> None:
    rows = {row[0].text: row for row in tables()["runs"].rows}
    assert [cell.text for cell in rows["Accuracy on training rows"][1:]] == ["100%", "100%"]
    assert [cell.text for cell in rows["Accuracy on rows it never saw"][1:]] == ["–", "–"]
