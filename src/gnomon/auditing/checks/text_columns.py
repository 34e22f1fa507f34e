"""What text holds beside its letters: numbers, dates, counters, a form. Nothing here looks at the sides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnomon.stats.samples import Doubles

MOST_PARSED = 0.9  # share of the texts that must be numbers (or dates) for a column to be read so
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DIGITS = 15  # of a counter; beyond, floats would round

_CLOCK = r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:[.,]\d+)? ?(?P<half>[AaPp][Mm])?.*)?$"
_FORMS = tuple(
    re.compile(form + _CLOCK)
    for form in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<between>[-/. ])(?P<second_part>\d{1,2})[-/. ](?P<year>\d{4}|\d{2})",
        r"(?P<day>\d{1,2})[-/. ]+(?P<name>[A-Za-z]{3})[a-z]*[-/., ]+(?P<year>\d{4}|\d{2})",
        r"(?P<name>[A-Za-z]{3})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4}|\d{2})",
    )
)
_NUMBER = re.compile(r"[-+]?(\d[\d ']*)?[.,]?\d+([eE][-+]?\d+)?%?$")
_RUN = re.compile(r"\d+")


@dataclass(frozen=True)
class Dates:
    """Dates in text, (n,) each; NaN where a text holds none."""

    days: Doubles  # since 1970, with the time of day as a fraction
    month: Doubles
    weekday: Doubles
    hour: Doubles


def read_numbers(texts: Sequence[str]) -> Doubles | None:
    """Numbers (n,) if nearly all non-empty texts are numbers; a comma may stand for the point.

    >>> read_numbers(["1,5", "-2", "3e2", "40%"])
    array([  1.5,  -2. , 300. ,  40. ])
    """
    values = np.array([_number(text.strip()) for text in texts], dtype=np.float64)
    return values if _nearly_all(values, texts) else None


def _number(text: str) -> float:
    if not _NUMBER.match(text):
        return np.nan
    plain = text.rstrip("%").replace(" ", "").replace("'", "").replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def read_dates(texts: Sequence[str]) -> Dates | None:
    """Dates if nearly all non-empty texts are dates (2024-03-01, 1.3.2024, 3/1/2024, 1 Mar 2024; a time may follow).

    Of two small numbers the first is the day if one of the column's is above 12, the second if one of these is; where
    neither shows it, day comes first before a dot and month before a slash or a dash.

    >>> dates = read_dates(["31.12.1999", "1.1.2000 12:00"])
    >>> (dates.days - 10956).tolist(), dates.month.tolist(), dates.hour.tolist()
    ([0.0, 1.5], [12.0, 1.0], [0.0, 12.0])
    """
    found = [_match(text.strip()) for text in texts]
    if not _nearly_all(np.array([np.nan if m is None else 0.0 for m in found]), texts):
        return None
    pairs = [m for m in found if m is not None and "first" in m.groupdict()]
    day_first = _day_first(pairs)
    parts = np.array([[np.nan] * 6 if m is None else _parts(m, day_first) for m in found], dtype=np.float64)
    year, month, day, hour, minute, second = parts.T
    legal = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (hour < 25)
    whole = np.where(legal, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    start = whole.astype("datetime64[M]").astype("datetime64[D]").astype(np.float64)
    days = np.where(legal, start + day - 1, np.nan)
    clock = (hour + minute / 60 + second / 3600) / 24
    return Dates(days + clock, np.where(legal, month, np.nan), (days + 3) % 7, np.where(legal, hour, np.nan))


def _match(text: str) -> re.Match[str] | None:
    return next((m for m in (form.match(text) for form in _FORMS) if m is not None), None)


def _day_first(pairs: Sequence[re.Match[str]]) -> bool:
    """Whether the day stands before the month in dates like 1/3/2024."""
    first = max((int(m["first"]) for m in pairs), default=0)
    second = max((int(m["second_part"]) for m in pairs), default=0)
    if max(first, second) > 12:
        return first > 12
    return any(m["between"] == "." for m in pairs)


def _parts(match: re.Match[str], day_first: bool) -> tuple[float, ...]:
    """Year, month, day, hour, minute, second."""
    found = match.groupdict()
    year = int(found["year"])
    year += 0 if year > 99 else 2000 if year < 70 else 1900
    if "first" in found:
        pair = int(found["first"]), int(found["second_part"])
        day, month = pair if day_first else pair[::-1]
    else:
        day = int(found["day"])
        month = _month(found["name"]) if "name" in found else int(found["month"])
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"].lower() == "pm")
    return year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0)


def _month(name: str) -> int:
    """1 to 12, or 0 for another word."""
    return MONTHS.index(name.lower()) + 1 if name.lower() in MONTHS else 0


def read_counters(texts: Sequence[str]) -> Doubles | None:
    """The longest run of digits of each text (n,), if half of the texts hold one; NaN where there is none.

    >>> read_counters(["MRN-000123/A", "MRN-000456/B", "none"])
    array([123., 456.,  nan])
    """
    runs = [max(_RUN.findall(text), key=len, default="") for text in texts]
    values = np.array([float(run[:DIGITS]) if run else np.nan for run in runs])
    return values if np.isfinite(values).mean() >= 0.5 else None


def form_of(text: str) -> str:
    """Kinds of characters instead of characters, repeats told once: what stays if all letters change.

    >>> form_of("Dr. Ada 0042"), form_of(" ok")
    ('Aa. Aa 9', '_a')
    """
    if not text.strip():
        return "_" * bool(text)
    kinds = [_kind(letter) for letter in text]
    short = [k for i, k in enumerate(kinds) if i == 0 or k != kinds[i - 1]]
    edges = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
    middle = short[1 if edges[0] else 0 : len(short) - (1 if edges[1] else 0)]
    return "_" * bool(edges[0]) + "".join(middle) + "_" * bool(edges[1])


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "9"
    if letter.isalpha():
        return ("A" if letter.isupper() else "a") if letter.isascii() else "é"
    return letter


def _nearly_all(values: Doubles, texts: Sequence[str]) -> bool:
    full = np.array([bool(text.strip()) for text in texts])
    return bool(full.any()) and bool(np.isfinite(values[full]).mean() >= MOST_PARSED)
