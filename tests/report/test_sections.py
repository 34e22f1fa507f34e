"""The blocks of a report: how values become cells, what is cut and folded, and what is left out when it is empty."""

from __future__ import annotations

from gnomon.core.documents.record import Estimate, TprAtFpr
from gnomon.report.sections import NONE, Cell, Section, area, cell, filled, fold, rate, table

SHARE = Estimate(value=0.45, low=0.41, high=0.49)


def test_values_are_spelt_by_their_kind() -> None:
    assert cell(SHARE) == Cell("45.0%", ("41.0–49.0%",))
    assert [cell(value).text for value in (0.5, 1234, "as it is", None)] == ["50.0%", "1,234", "as it is", "–"]
    assert cell(None).muted
    assert cell(Cell("own", heat=0.3)).heat == 0.3
    assert area(SHARE) == Cell("0.450", ("0.410–0.490",))
    assert (area(0.5).text, area(None)) == ("0.500", NONE)


def test_a_rate_is_found_refused_or_unknown() -> None:
    points = [TprAtFpr(fpr=0.1, tpr=SHARE), TprAtFpr(fpr=0.001, tpr=None, refused="too few")]
    assert [rate(points, fpr).text for fpr in (0.1, 0.001, 0.01, None)] == ["45.0%", "refused", "–", "–"]


def test_the_first_columns_hold_text() -> None:
    made = table("t", "T", ("a", "b", "c"), [("x", "y", 1)], left=2)
    assert [column.numeric for column in made.columns] == [False, False, True]
    assert [one.text for one in made.rows[0]] == ["x", "y", "1"]


def test_a_cut_table_says_how_many_rows_it_hides() -> None:
    made = table("t", "T", ("a", "b", "c"), [(str(i), i, i) for i in range(5)], notes=(("a", "why"),))
    short = made.cut(3, 2)
    assert (len(short.rows), len(short.columns), len(short.rows[0]), short.hidden) == (3, 2, 2, 2)
    assert short.notes == made.notes
    assert made.cut(5).hidden == 0


def test_folding_loses_no_row() -> None:
    made = table("t", "T", ("a",), [(str(i),) for i in range(5)])
    first, rest = fold(made, 3, "slices")
    assert first.rows + rest.rows == made.rows
    assert (rest.folded, rest.key, first.folded) == ("Further 2 slices", "t-rest", "")
    assert fold(made, 5, "slices")[0].rows == made.rows
    assert len(fold(made, 5, "slices")) == 1


def test_a_section_without_content_is_left_out() -> None:
    nothing = table("t", "T", ("a",), [])
    full = Section("b", "B", notes=("x",))
    assert filled(Section("a", "A", "only a lead", tables=(nothing,)), None, full) == (full,)
    assert filled(Section("c", "C", parts=(full,))) != ()
