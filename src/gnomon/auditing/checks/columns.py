"""Columns read as what they are: numbers, values, dates, counters, text; each reading a block of features.

Nothing here looks at the sides. One column has several readings, because two sides may differ in any of them: in the
values, in the decimals that were kept, in the day that a text names, in what is missing, in how a text is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnomon.core.arrays import Ints, Rows, column_values, is_frame, is_missing, is_sparse, plain_value
from gnomon.stats.permutation.shift import Block
from gnomon.stats.samples import Doubles

MOST_COLUMNS = 800  # of an array; more are thinned, drawn at random
MANY_COLUMNS = 100  # beyond, a column of numbers has one reading
LEVELS = 10  # bins of equal size
MOST_VALUES = 2000  # of a column, each counted for itself; beyond, rare ones are hashed
HASHED = 64  # buckets of the rest
FEW_VALUES = 64  # beyond, whole numbers have digits worth a look, and text is written rather than chosen
CATEGORIES = 100  # that a tree may tell apart
GRAMS = 512  # buckets of a text's character n-grams
LETTERS = 400  # of a text that are looked at for n-grams: as many from its end as from its start
REPEATS = 0.5  # distinct values a row, below which values are worth counting
DECIMALS = 6


@dataclass(frozen=True)
class Reading:
    """One way to read one column.

    Attributes:
        column: its name.
        way: how it is read, in words that follow the column's name; empty for plain numbers.
        block: (n, k) features, dense or sparse.
    """

    column: str
    way: str
    block: Block


@dataclass(frozen=True)
class Columns:
    """All readings, and the numbers (n, p) that a tree may combine."""

    readings: list[Reading]
    names: list[str]  # (p,) the column of each number
    numbers: Doubles
    categorical: list[bool] = field(default_factory=list)  # (p,)


@dataclass(frozen=True)
class _Plain:
    """One number a row, for trees."""

    values: Doubles
    categorical: bool = False


def read_columns(x: Rows, labels: Ints, rng: np.random.Generator) -> Columns:
    """Readings of all columns and of the label.

    Args:
        x: n rows, an array or a data frame.
        labels: (n,) class ids.
        rng: thins arrays of more than 800 columns.
    """
    found = list(_of_frame(x) if is_frame(x) else _of_sparse(x) if is_sparse(x) else _of_array(np.asarray(x), rng))
    codes = labels.astype(np.float64)
    found.append(("the label", [("", _values(codes))], _Plain(codes, categorical=codes.max() < CATEGORIES)))
    readings = [Reading(name, way, block) for name, parts, _ in found for way, block in parts if block is not None]
    return Columns(
        readings,
        [name for name, _, _ in found],
        np.column_stack([plain.values for _, _, plain in found]),
        [plain.categorical for _, _, plain in found],
    )


_Column = tuple[str, list[tuple[str, Block | None]], _Plain]


def _of_array(x: NDArray[Any], rng: np.random.Generator) -> Iterator[_Column]:
    flat = x.reshape(len(x), -1)
    kept = np.arange(flat.shape[1])
    if len(kept) > MOST_COLUMNS:
        kept = np.sort(rng.permutation(len(kept))[:MOST_COLUMNS])
    for j in kept:
        column = flat[:, j].astype(np.float64)
        yield f'column "x{j}"', _of_numbers(column, len(kept)), _Plain(column)


def _of_sparse(x: Rows) -> Iterator[_Column]:
    """The columns that are filled most often: random ones of a table of words are empty in nearly every row."""
    filled = np.bincount(x.indices, minlength=x.shape[1])
    kept = np.sort(np.argsort(-filled, kind="stable")[:MOST_COLUMNS])
    dense = x[:, kept].toarray().astype(np.float64)
    for j, column in zip(kept, dense.T, strict=True):
        yield f'column "x{j}"', _of_numbers(column, len(kept)), _Plain(column)


def _of_frame(x: Rows) -> Iterator[_Column]:
    for j, name in enumerate(x.columns):
        values = column_values(x.iloc[:, j])
        title = f'column "{name}"'
        if values.dtype.kind in "mM":
            values = _as_objects(values)
        if values.dtype.kind in "biuf":
            numbers = values.astype(np.float64)
            yield title, _of_numbers(numbers, x.shape[1]), _Plain(numbers)
        else:
            yield (title, *_of_objects(values))


def _as_objects(values: NDArray[Any]) -> NDArray[Any]:
    """Dates and spans as text, missing ones as None."""
    texts: NDArray[Any] = values.astype(str).astype(object)
    texts[np.isnat(values)] = None
    return texts


def _of_numbers(values: Doubles, columns: int) -> list[tuple[str, Block | None]]:
    gone = np.isnan(values)
    missing = [(", by what is missing", _values(gone.astype(np.float64)))] if gone.any() else []
    if columns > MANY_COLUMNS:
        return [("", _moments(values)), *missing]
    plain = [("", _level(values)), (", value by value", _values(values)), (", by its digits", _digits(values))]
    return plain + missing


def _of_objects(values: NDArray[Any]) -> tuple[list[tuple[str, Block | None]], _Plain]:
    """Readings of text and of mixed objects; worked out once for each distinct value."""
    plain = [plain_value(v) for v in values]
    missing = np.array([is_missing(v) for v in plain])
    texts, place = np.unique(np.array(["" if is_missing(v) else str(v) for v in plain]), return_inverse=True)
    kinds = np.array([0.0 if is_missing(v) else 1.0 + (crc32(type(v).__name__.encode()) % 97) for v in plain])
    words = [str(t) for t in texts]
    parts: list[tuple[str, Block | None]] = [(", by what is missing and by type", _values(kinds))]
    codes = place.astype(np.float64)
    parts.append((", value by value", _values(codes)))
    lengths = np.array([len(w) for w in words], dtype=np.float64)[place]
    best = _Plain(lengths) if len(words) > CATEGORIES else _Plain(codes, categorical=True)
    numbers, dates, counters = read_numbers(words), read_dates(words), read_counters(words)
    if dates is not None:
        parts += [(" read as a date", _level(dates.days[place]))]
        calendar = {"month": dates.month, "weekday": dates.weekday, "hour": dates.hour}
        parts += [(f", by the {unit} of its date", _values(part[place])) for unit, part in calendar.items()]
        best = _Plain(np.where(missing, np.nan, dates.days[place]))
    elif numbers is not None:
        parts += [(f" read as a number{way}", block) for way, block in _of_numbers(numbers[place], 1)[::2]]
        best = _Plain(numbers[place])
    elif counters is not None:
        parts += [(f", by the number in its text{way}", block) for way, block in _of_numbers(counters[place], 1)[::2]]
        best = _Plain(counters[place]) if len(words) > CATEGORIES else best
    if len(words) > 2:
        parts.append((", by the length of its text", _level(lengths)))
        parts.append((", by the form of its text", _values(_hashed([form_of(w[:LETTERS]) for w in words])[place])))
    if len(words) > FEW_VALUES:
        parts.append((", by its first letters", _values(_hashed([w[:3] for w in words])[place])))
        parts.append((", by its last letters", _values(_hashed([w[-3:] for w in words])[place])))
        parts.append((", by its wording", _wording(words, place)))
    return parts, best


def _level(values: Doubles) -> Block | None:
    """Rank, squared rank and bins of equal size (n, 12); a missing value lies in the middle."""
    from scipy.stats import rankdata

    known = np.isfinite(values)
    if not known.any() or np.ptp(values[known]) == 0:
        return None
    rank = np.zeros(len(values))
    rank[known] = 2 * (rankdata(values[known]) - 0.5) / known.sum() - 1
    bins = np.minimum(((rank + 1) / 2 * LEVELS).astype(np.int64), LEVELS - 1)
    return np.column_stack([rank, rank**2 - (rank**2).mean(), np.eye(LEVELS, dtype=np.float32)[bins]])


def _moments(values: Doubles) -> Block | None:
    """Standardised value and its square (n, 2), or the value alone of a bit; a missing value lies in the middle."""
    known = values[~np.isnan(values)]
    spread = known.std() if len(known) else 0.0
    if spread == 0:
        return None
    z = np.where(np.isnan(values), 0.0, np.clip((values - known.mean()) / spread, -5, 5))
    return z[:, None] if len(np.unique(values[:1000])) == 2 else np.column_stack([z, z**2 - (z**2).mean()])


def _values(codes: Doubles) -> Block | None:
    """One bit for each value that occurs often enough (sparse); rare values share hashed ones."""
    distinct, place, count = np.unique(codes, return_inverse=True, return_counts=True, equal_nan=True)
    if not 1 < len(distinct) <= max(REPEATS * len(codes), 2):
        return None
    if len(distinct) > MOST_VALUES:
        often = np.argsort(np.argsort(-count, kind="stable"), kind="stable")
        place = np.where(often < MOST_VALUES, often, MOST_VALUES + np.arange(len(distinct)) % HASHED)[place]
    n = len(codes)
    return csr_array((np.ones(n, dtype=np.float32), (np.arange(n), place)))


def _digits(values: Doubles) -> Block | None:
    """Last digit of whole numbers of many values, or how many decimals are kept, and whether in single precision."""
    known = np.where(np.isfinite(values), values, 0.0)
    if len(np.unique(known)) <= FEW_VALUES:
        return None
    whole = known == np.round(known)
    last = np.abs(known) % 10
    codes = np.where(whole, np.where(np.abs(known) % 100 == 0, 10, last), 11.0 + _decimals(known))
    codes += np.where(whole | (known != known.astype(np.float32)), 0, 20)
    return _values(np.where(np.isfinite(values), codes, -1.0))


def _decimals(values: Doubles) -> Doubles:
    """Decimals that a number is written with, up to six; seven stands for more."""
    result = np.full(len(values), DECIMALS + 1.0)
    for d in range(DECIMALS, -1, -1):
        scaled = values * 10.0**d
        result[np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(1.0, np.abs(scaled))] = d
    return result


def _hashed(texts: list[str]) -> Doubles:
    return np.array([crc32(t.encode()) for t in texts], dtype=np.float64)


def _wording(words: list[str], place: Ints) -> Block:
    """Hashed n-grams of one to three characters (n, 512), each text of length one (Weinberger et al., 2009)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(
        analyzer="char", ngram_range=(1, 3), n_features=GRAMS, lowercase=False, alternate_sign=False, dtype=np.float32
    )
    cut = [w if len(w) <= LETTERS else w[: LETTERS // 2] + w[-LETTERS // 2 :] for w in words]
    return vectorizer.transform(cut).toarray()[place]


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
