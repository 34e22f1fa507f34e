"""The figures of an audit: axes that begin where something is known, and descriptions that name the curves."""

from __future__ import annotations

import pytest
from tests.report.sample_records import attack

from gnomon.core.documents.record import Curve
from gnomon.report.plots.audit import _visible, classes, lowest_rate, roc, scores
from gnomon.report.sections import table
from gnomon.report.svg import drawn

NOTHING = table("t", "T", ("a",), [])


def test_a_logarithmic_axis_begins_at_one_non_member() -> None:
    assert lowest_rate(1600) == 1 / 1600
    assert lowest_rate(3) == 0.1
    assert lowest_rate(10**9) == 1e-5


def test_a_curve_is_cut_at_the_edge_in_a_straight_line() -> None:
    curve = Curve(fpr=[0, 0.2, 1], tpr=[0, 0.5, 1], low=[0, 0.4, 1], high=[0, 0.6, 1])
    x, y, low, high = _visible(curve, 0.1)
    assert x == [0.1, 0.2, 1]
    assert y == pytest.approx([0.25, 0.5, 1])
    assert low == pytest.approx([0.2, 0.4, 1])
    assert high == pytest.approx([0.3, 0.6, 1])
    assert _visible(curve, 0.0)[0] == [0, 0.2, 1]


@pytest.mark.parametrize(("floor", "words"), [(0.001, "are logarithmic, from 0.10% to"), (0.0, "run from 0% to")])
def test_a_roc_says_its_axes_and_its_curves(floor: float, words: str) -> None:
    figure = roc("r", "T", "", [attack("lira"), attack("loss")], floor)
    assert words in figure.text
    assert "Likelihood ratio, online (LiRA), AUC 0.967; Loss, AUC 0.905" in figure.text
    assert [kind for kind, _ in figure.legend] == ["curve-1", "curve-2", "chance"]


def test_the_threshold_is_in_the_legend_only_where_there_is_one() -> None:
    one = attack("loss")
    assert one.histogram is not None
    kinds = [
        [kind for kind, _ in scores(a, one.histogram, NOTHING).legend] for a in (one, attack("loss", at_threshold=None))
    ]
    assert kinds == [["area-member", "area-other", "rule"], ["area-member", "area-other"]]


def test_the_most_exposed_classes_are_named() -> None:
    names = [f"class {i}" for i in range(20)]
    one = attack("loss", classes=names)
    worst = sorted(one.classes, key=lambda c: -(c.auc or 0))[:3]
    svg = drawn(classes(one, NOTHING))
    assert all(c.name in svg for c in worst)
    assert sum(f">{name}<" in svg for name in names) <= 3
