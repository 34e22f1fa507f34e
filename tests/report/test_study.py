"""The page of a study: every value of every attack, tints, whiskers in words, and cells that failed."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from tests.report.sample_documents import EPOCHS, HOSTILE, point, rendered, sample_study

from gnomon.core.documents.study import Study
from gnomon.report.sections import Section
from gnomon.report.study import intervals, study_page


def sections(study: Study) -> dict[str, Section]:
    return {section.key: section for section in study_page(study).sections}


def test_there_is_a_section_for_each_key_each_pair_and_the_classes() -> None:
    assert list(sections(sample_study())) == ["failed", "axis-0", "axis-1", "heat-0", "classes", "provenance"]


def test_every_attack_has_a_table_and_the_headline_s_is_open() -> None:
    first, other = sections(sample_study())["axis-0"].tables
    assert (first.title, first.folded) == ("Under Shadow models (Shokri)", "")
    assert other.folded == f"Under Gap {HOSTILE}"
    assert [row[0].text for row in first.rows] == ["5", "20", "80"]
    assert first.rows[0][4].text == "62.0%"
    assert other.rows[0][4].text == "59.0%"


def test_numbers_are_drawn_as_curves_and_names_as_rows() -> None:
    numbers, names = (sections(sample_study())[key].figures for key in ("axis-0", "axis-1"))
    assert [figure.key for figure in numbers][:2] == ["axis-0-accuracies", "axis-0-gap"]
    assert numbers[1].text.startswith(f"Against {EPOCHS}. train-test gap: 5 58.0% (56.0–60.0%)")
    assert names[1].text.startswith("real | a: train-test gap 58.0%")


def test_the_deepest_tint_is_the_largest_value() -> None:
    rows = sections(sample_study())["heat-0"].tables[0].rows
    assert (rows[0][1].heat, rows[-1][-1].heat) == (0.0, 1.0)


def test_a_value_that_was_not_measured_is_a_dash() -> None:
    study = sample_study()
    curves = [c.model_copy(update={"points": [point("5", None), *c.points[1:]]}) for c in study.curves]
    shown = sections(study.model_copy(update={"curves": curves}))["axis-0"]
    assert {cell.text for cell in shown.tables[0].rows[0][1:]} == {"–"}


def test_one_point_that_could_be_measured_is_drawn_on_the_axis_that_was_asked_for() -> None:
    study = sample_study()
    wide = study.axes[0].model_copy(update={"labels": ["100", "5000"], "numbers": [100.0, 5000.0]})
    points = [point("100", 0.5), point("5000", None)]
    curves = [c.model_copy(update={"points": points}) for c in study.curves if c.axis == EPOCHS]
    [drawn, *_] = sections(sample_study(axes=[wide], curves=curves, heats=[]))["axis-0"].figures
    axes = Figure().add_subplot()
    drawn.paint(axes)
    assert axes.get_xlim()[0] < 100 < 5000 < axes.get_xlim()[1]


@pytest.mark.parametrize(
    ("kind", "repeats", "words"),
    [("student", 3, "over 3 seeds (Student)"), ("range", 2, "the range of 2 seeds"), ("audit", 1, "a single audit")],
)
def test_the_whiskers_are_explained(kind: str, repeats: int, words: str) -> None:
    study = sample_study()
    points = [point(label, 0.5, interval=kind, repeats=repeats) for label in ("5", "20", "80")]
    curves = [c.model_copy(update={"points": points}) for c in study.curves]
    assert words in intervals(study.model_copy(update={"curves": curves}))


def test_failed_cells_are_named_everywhere() -> None:
    for format in ("html", "md", "terminal"):
        text = " ".join(rendered("study", format).split())
        assert "Cells that could not be carried out" in text
        assert "ValueError" in text
    assert "failed" not in sections(sample_study(cells=[]))
