"""Text read as numbers, dates and counters: against the standard library, form by form."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.auditing.checks.columns import form_of, read_counters, read_dates, read_numbers

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = [EPOCH + timedelta(days=float(d)) for d in np.random.default_rng(0).uniform(-3000, 25000, 60)]


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y"),
        *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.123Z", "%Y-%m-%d %H:%M:%S+02:00", "%d.%m.%Y %H:%M"),
        "%m/%d/%Y %I:%M %p",
    ],
)
def test_dates_in_every_form(form: str) -> None:
    dates = read_dates([m.strftime(form) for m in MOMENTS])
    assert dates is not None
    floor = "%H" not in form and "%I" not in form
    wanted = np.array([(m - EPOCH).total_seconds() / 86400 for m in MOMENTS])
    np.testing.assert_allclose(dates.days, np.floor(wanted) if floor else wanted, atol=1e-3)
    assert dates.month.tolist() == [m.month for m in MOMENTS]
    assert dates.weekday.astype(int).tolist() == [m.weekday() for m in MOMENTS]
    if not floor:
        assert dates.hour.tolist() == [m.hour for m in MOMENTS]


def test_short_years_and_empty_texts() -> None:
    dates = read_dates(["1.2.99", "1.2.05", ""])
    assert dates is not None
    assert [datetime(1970, 1, 1) + timedelta(days=d) for d in dates.days[:2]] == [
        datetime(1999, 2, 1),
        datetime(2005, 2, 1),
    ]
    assert np.isnan(dates.days[2])


@pytest.mark.parametrize("texts", [["12", "13"], ["a", "b"], ["", ""], ["10.5", "3.25"], ["1.2.3.4", "10.0.0.1"]])
def test_what_is_no_date_is_not_read_as_one(texts: list[str]) -> None:
    assert read_dates(texts) is None


@pytest.mark.parametrize("texts", [["a1", "2"], ["", " "], ["12.3.2024"], ["-"], ["1e999"]])
def test_what_is_no_number_is_not_read_as_one(texts: list[str]) -> None:
    assert read_numbers(texts) is None


def test_the_longest_run_of_digits_counts() -> None:
    found = read_counters(["A1-000077", "B2-000078", "x"])
    assert found is not None
    assert found[:2].tolist() == [77, 78]
    assert read_counters(["a", "b", "c1"]) is None


def test_blank_text_has_one_edge() -> None:
    assert [form_of(text) for text in ("", " ", "  ")] == ["", "_", "_"]


@settings(max_examples=60)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_any_text_can_be_read(texts: list[str]) -> None:
    read_numbers(texts), read_dates(texts), read_counters(texts)
    assert all(len(form_of(text)) <= len(text) for text in texts)
