"""What drawings share: names that cover nothing, ticks that say what they are, whiskers in words."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text

from gnomon.core.documents.record import Estimate
from gnomon.report.plots.axes import CHANCE, described, name_dots, ticks, whiskers
from gnomon.report.svg import drawn

SHARE = Estimate(value=0.6, low=0.55, high=0.65)


def named(points: list[tuple[str, float, float, bool]]) -> list[Text]:
    axes = Canvas().add_subplot()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    name_dots(axes, points)
    return list(axes.texts)


def test_names_that_must_stand_do_and_the_others_cover_nothing() -> None:
    crowd = [(f"name {i}", 0.5 + 0.03 * (i % 6), 0.5 + 0.03 * (i // 6), False) for i in range(36)]
    texts = named([*crowd, ("must", 0.58, 0.58, True)])
    assert "must" in " ".join(text.get_text() for text in texts)
    assert 0 < len(texts) < 37
    boxes = [(*text.get_position(), len(text.get_text())) for text in texts]
    for (x, y, wide), (other_x, other_y, other_wide) in itertools.combinations(boxes, 2):
        apart = x + 0.0185 * wide <= other_x or other_x + 0.0185 * other_wide <= x or abs(y - other_y) >= 0.0599
        assert apart, (x, y, other_x, other_y)


def test_dots_in_one_place_share_a_name() -> None:
    [text] = named([(f"n{i}", 0.5, 0.5, True) for i in range(5)])
    assert text.get_text() == "n0, n1, n2, +2"


@pytest.mark.parametrize("x", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("y", [0.0, 0.5, 1.0])
def test_a_name_stays_inside(x: float, y: float) -> None:
    [text] = named([("a name of some length", x, y, True)])
    left, middle = text.get_position()
    assert left >= -0.011
    assert left + 0.0185 * len(text.get_text()) <= 1.041
    assert -0.02 <= middle <= 1.01


def test_ticks_are_where_they_were_asked_for_and_nowhere_else() -> None:
    axes = Canvas().add_subplot()
    axes.set_xscale("log")
    axes.set_xlim(0.001, 1)
    ticks(axes.xaxis, [0.001, 0.1, 1.0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1%", "10%", "100%"]
    assert {label.get_text() for label in axes.get_xticklabels(minor=True)} <= {""}


def test_whiskers_show_and_say_every_value() -> None:
    rows = [("real", (SHARE, None)), ("made up", (None, SHARE))]
    figure = whiskers("w", "T", rows, ("accuracy", "precision"), 0.5)
    assert (
        figure.text
        == described(rows, ("accuracy", "precision"))
        == ("real: accuracy 60.0% (55.0–65.0%); made up: precision 60.0% (55.0–65.0%).")
    )
    assert figure.legend == (("mark-1", "accuracy"), ("mark-2", "precision"), CHANCE)
    svg = drawn(figure)
    for words in (">real<", ">made up<", ">accuracy and precision<"):
        assert words in svg
