"""How values are spelt: no digit that is not deserved, no sign lost, nothing that a terminal or a page could run."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.documents.schema import Estimate
from gnomon.report.formatting import (
    clean,
    clean_lines,
    counted,
    duration,
    moment,
    number,
    numbers,
    one_in,
    paper_link,
    points,
    rate,
    score,
    share,
    shares,
    tpr_at,
)


@settings(max_examples=60)
@given(st.floats(0, 1))
def test_a_share_reads_back_close_and_is_never_rounded_to_none_or_all(value: float) -> None:
    text = share(value)
    read = float(text.strip("<>%")) / 100
    if text[0] in "<>":
        assert (read > value) == (text[0] == "<")
    else:
        assert math.isclose(read, value, rel_tol=0.05)
    assert (text == "0%") == (value == 0)
    assert (text == "100%") == (value == 1)


@settings(max_examples=60)
@given(st.floats(-1, 1), st.floats(0, 0.5))
def test_both_ends_of_an_interval_stand_in_order(middle: float, spread: float) -> None:
    estimate = Estimate(value=middle, low=middle - spread, high=middle + spread)
    low, high = numbers(estimate).replace(" to ", "–").split("–")
    assert float(low.replace("−", "-")) <= float(high.replace("−", "-"))


def test_an_interval_below_zero_is_written_with_words() -> None:
    below = Estimate(value=0.0, low=-0.125, high=0.25)
    assert shares(below) == "−12.5% to 25.0%"
    assert numbers(below) == "−0.125 to 0.250"
    assert (points(-0.125), number(-0.5), score(-1.5)) == ("−12.5", "−0.500", "−1.500")


def test_rates_and_counts() -> None:
    assert rate(1e-4) == "0.01%"
    assert "0.1%" in tpr_at(0.001)
    assert tpr_at(None) == "AUC"
    assert one_in(1 / 3000) == "1 in 3,000"
    assert [counted(n, "query", "queries") for n in (0, 1, 2000)] == ["0 queries", "1 query", "2,000 queries"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.00 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3599.6, "1 h 0 min"), (7261, "2 h 1 min")],
)
def test_a_duration_never_shows_sixty_of_anything(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_moments_are_in_utc_and_what_is_none_is_cleaned() -> None:
    assert moment("2026-03-04T10:20:30+02:00") == "2026-03-04 08:20 UTC"
    assert moment("2026-03-04T10:20:30") == "2026-03-04 10:20 UTC"
    assert "\x1b" not in moment("\x1b[31mnow")


@settings(max_examples=60)
@given(st.text())
def test_text_from_outside_is_one_line_without_control_characters(text: str) -> None:
    assert all(c.isprintable() or c in " \N{NO-BREAK SPACE}" for c in clean(text))
    assert len(clean(text)) == len(text)
    assert clean_lines(text).count("\n") == text.count("\n")


def test_papers_are_linked_by_number_or_doi() -> None:
    assert paper_link("Yeom et al. 2018, arXiv:1709.01604") == "https://arxiv.org/abs/1709.01604"
    assert paper_link("see 10.1109/SP.2017.41).") == "https://doi.org/10.1109/SP.2017.41"
    assert paper_link("javascript:alert(1)") == ""
