"""Csv files as people have them: what stands between fields, which decimal sign, which encoding, codes that are text.

What the plan does not say is found out from the file's first lines; what was found, and is not the usual, is said.

Numbers may be written with decimal commas, or with digits in groups of three. 1.234,5 and 1,234.5 are one number in two
countries; 1,234 is two numbers. What decides is whatever else stands in the file; where nothing does, it is refused,
for a guess would be wrong by a factor of a thousand.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import DataError, one_line
from gnomon.datasets.own_files.csv_start import COMMA_NUMBER, CsvStart, look_at
from gnomon.datasets.own_files.limits import check_csv

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_CODE = re.compile(r"0\d+")


@dataclass(frozen=True)
class CsvFormat:
    """How a csv file is written; what is None is found out.

    Attributes:
        separator: what stands between fields: one character.
        decimal: the decimal sign of numbers: "." or ",".
        encoding: of its text, as Python names it.
        numbers: columns that are numbers although some begin with 0; others are codes, and text.
        thousands: what groups the digits of numbers.
        missing: words that stand for a missing value, next to empty fields; None: those that pandas takes for it.
        padded: spaces around names and texts belong to them; otherwise they are left out where the header has any.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    numbers: tuple[str, ...] = ()
    thousands: str | None = None
    missing: tuple[str, ...] | None = None
    padded: bool = False


@dataclass(frozen=True)
class CsvFile:
    """A file whose form is known, before it is read.

    Attributes:
        place: the file.
        format: how it is written, nothing left open but the decimal sign.
        codes: columns of digits that begin with 0 in some row: text.
        unusual: what was found out and is worth a word.
        names: of its columns, where spaces around them are left out; None: as they stand there.
        before: how many lines stand before the header.
    """

    place: Path
    format: CsvFormat
    codes: frozenset[str] = frozenset()
    unusual: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    before: int = 0


def open_csv(place: Path, given: CsvFormat) -> CsvFile:
    """Finds out how a file is written.

    Raises:
        DataError: it can't be read.
    """
    start = look_at(place, given.encoding, given.separator)
    try:
        check_csv(place, start.separator)
    except OSError as error:
        raise DataError(f"{place.name}: cannot be read as csv ({one_line(error)})") from error
    # pandas would tell two columns of one name apart by a number
    refuse_twice(place.name, [name for name in start.header if name.strip("-.0123456789 ")])
    names = None if given.padded else _without_spaces(start.header)
    found = CsvFile(
        place,
        replace(given, separator=start.separator, encoding=start.encoding),
        names=names,
        before=start.before,
    )
    codes, said = _codes(found), _unusual(start, given, names)
    if codes:
        said.append(
            f"leading zeros kept, as text, in {', '.join(sorted(codes))} "
            f'(data.csv = {{numbers = ["{min(codes)}"]}} reads numbers)'
        )
    return replace(found, codes=codes, unusual=tuple(said))


def _unusual(start: CsvStart, given: CsvFormat, names: tuple[str, ...] | None) -> list[str]:
    said = []
    if given.separator is None and start.separator != ",":
        said.append(f"{NAMES.get(start.separator, repr(start.separator))} between fields")
    if given.encoding is None and start.encoding not in ("utf-8", "utf-8-sig"):
        said.append(f"encoding {start.encoding}")
    if start.before:
        said.append(f"without {start.before} {'line' if start.before == 1 else 'lines'} before the header")
    if names is not None:
        said.append("without spaces around names and texts")
    return said


def _without_spaces(header: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names of a header without spaces around them; None where there are none."""
    bare = tuple(name.strip() or f"Unnamed: {i}" for i, name in enumerate(header))
    return bare if any(name != name.strip() for name in header) else None


def read_csv(file: CsvFile, text: frozenset[str], asked: Sequence[str | None] = ()) -> tuple[Any, tuple[str, ...]]:
    """The data frame in a file, and what was unusual about it.

    Args:
        file: as `open_csv` found it.
        text: columns whose digits are codes, in this file or in one that goes with it.
        asked: columns of labels, ids and groups, whose words are what they are: "NA" and "None" are no gaps.

    Raises:
        DataError: rows of other lengths than the header, text that the encoding does not have, or numbers that may be
            thousands or decimals.
    """
    given = file.format
    frame = _parse(file, text, given.decimal or ".")
    said = list(file.unusual)
    may_be = [name for name in frame.columns if name not in text and name not in asked]
    decimal = given.decimal or ("." if given.thousands else decimal_sign(file.place.name, frame, may_be))
    if given.decimal is None and decimal == ",":
        frame = _parse(file, text, ",")
        said.append("decimal commas")
    grouped = {name: without_groups(frame[name], decimal, given.thousands) for name in may_be}
    grouped = {name: column for name, column in grouped.items() if column is not None}
    if grouped:
        frame = frame.assign(**grouped)
        said.append(f"digits in groups in {', '.join(grouped)}")
    gaps = [n for n in frame.columns if frame[n].dtype.kind not in "biufmM" and frame[n].isna().any()]
    return (frame, tuple(said)) if not gaps else _with_words(file, frame, gaps, asked, said)


def _with_words(
    file: CsvFile, frame: Any, gaps: list[str], asked: Sequence[str | None], said: Sequence[str]
) -> tuple[Any, tuple[str, ...]]:
    """The frame with the words of labels, ids and groups in it; words elsewhere that were taken for gaps are said."""
    words = _parse(file, frozenset(gaps), ".", missing=(), only=gaps)
    kept = {name: words[name] for name in gaps if name in asked}
    taken = {n: sorted(set(words[n][frame[n].isna()].dropna())) for n in gaps if n not in kept}
    taken = {name: found for name, found in taken.items() if found} if file.format.missing is None else {}
    more = [
        f"{', '.join(map(repr, found))} in {name} taken for missing (data.csv = {{missing = []}} keeps words)"
        for name, found in taken.items()
    ]
    return frame.assign(**kept), (*said, *more)


def _parse(
    file: CsvFile,
    text: frozenset[str],
    decimal: str,
    missing: tuple[str, ...] | None = None,
    only: list[str] | None = None,
) -> Any:
    """The table, or some of its columns, with these or the usual words for missing values."""
    import pandas as pd

    place = file.place
    kept = dict.fromkeys(text, str)
    gaps = file.format.missing if missing is None else missing
    words: dict[str, Any] = {} if gaps is None else {"keep_default_na": False, "na_values": ["", *gaps]}
    try:
        with warnings.catch_warnings():  # fields beyond the header would be dropped with a warning
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                place,
                low_memory=False,
                decimal=decimal,
                dtype=kept or None,
                usecols=only,
                **_reading(file),
                **words,
            )
    except MemoryError as error:
        raise DataError(f"{place.name}: needs more memory than there is") from error
    except pd.errors.ParserWarning as error:
        raise DataError(f"{place.name}: its rows have more fields than its header has names") from error
    except (OSError, ValueError, EOFError, LookupError) as error:  # ParserError, UnicodeDecodeError are ValueErrors
        line = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{place.name}: cannot be read as csv ({line}); if it is written otherwise than most, say how: "
            '[data] csv = {separator = ";", decimal = ",", encoding = "latin-1"}'
        ) from error

    return frame if file.names is None else frame.apply(lambda column: _stripped(column, column.name in kept))


def _stripped(column: Any, is_code: bool) -> Any:
    """A column of text without spaces around its values; numbers, where it then holds nothing else."""
    import pandas as pd

    if column.dtype.kind in "biufmM":
        return column
    bare = column.map(lambda value: value.strip() if isinstance(value, str) else value)
    try:
        return bare if is_code else pd.to_numeric(bare)
    except ValueError:
        return bare


def _reading(file: CsvFile) -> dict[str, Any]:
    """What pandas must know of a file's form."""
    form = {"sep": file.format.separator, "encoding": file.format.encoding, "index_col": False}
    named = {} if file.names is None else {"names": list(file.names), "header": 0, "skipinitialspace": True}
    return {**form, **named, "skiprows": file.before}


def has_pandas() -> bool:
    """Whether pandas, which reads tables, is installed."""
    try:
        return find_spec("pandas") is not None
    except ImportError:  # somebody keeps it away
        return False


def refuse_twice(source: str, names: Sequence[str]) -> None:
    """Refuses two columns of one name.

    Raises:
        DataError: there are such.
    """
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise DataError(f'{source}: the column "{twice}" stands there twice')


def _codes(file: CsvFile) -> frozenset[str]:
    """Columns that hold nothing but digits, some of which begin with 0 before others."""
    import pandas as pd

    somewhere = re.compile(rf'(?:^|{re.escape(str(file.format.separator))}) *"?0\d', re.MULTILINE)
    try:
        with file.place.open(encoding=file.format.encoding, errors="replace") as stream:
            if not any(somewhere.search(block) for block in iter(lambda: stream.read(2**20), "")):
                return frozenset()
        frame = pd.read_csv(file.place, dtype=str, **_reading(file))
    except (OSError, ValueError, pd.errors.ParserWarning):
        return frozenset()  # reading it will say what is wrong
    return frozenset(name for name in frame.columns if name not in file.format.numbers and _is_code(frame[name]))


def _is_code(column: Any) -> bool:
    values = [str(v).strip() for v in column.dropna().unique()]
    return any(_CODE.fullmatch(v) for v in values) and all(v.isascii() and v.isdigit() for v in values)


SPACES = (" ", "\u00a0", "\u202f", "'", "\u2019")  # that group digits, and nothing else in a number

_GROUP_OR_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def decimal_sign(source: str, frame: Any, columns: Sequence[str]) -> str:
    """The decimal sign of a file whose table was read as if it were a point.

    Args:
        source: the file, for messages.
        frame: the table.
        columns: those that may hold numbers.

    Raises:
        DataError: values such as 1,234, and nothing says whether they are thousands or decimals.
    """
    found = {name: [v for v in _texts(frame[name]) if "," in v] for name in columns if _has_commas(frame[name])}
    if any(not _GROUP_OR_DECIMALS.fullmatch(v) for values in found.values() for v in values):
        return ","
    if found and not any(_has_points(frame[name]) for name in columns):
        name, values = next(iter(found.items()))
        raise DataError(
            f'{source}: column "{name}" holds {values[0]}, which may be thousands or decimals; say which: [data] '
            'csv = {thousands = ","} or {decimal = ","}'
        )
    return "."


def without_groups(column: Any, decimal: str, thousands: str | None) -> Any | None:
    """A column of text as numbers, if it holds nothing but numbers, some with their digits in groups; otherwise None.

    Args:
        column: a column of a data frame.
        decimal: the decimal sign of the file.
        thousands: what groups digits; None: a point, comma, space or apostrophe that is not the decimal sign.

    >>> import pandas as pd
    >>> without_groups(pd.Series(["1.234,5", "12", None]), ",", None).tolist()
    [1234.5, 12.0, nan]
    >>> without_groups(pd.Series(["1.23", "12"]), ",", None) is None
    True
    """
    texts = _texts(column)
    for mark in (*SPACES, ",", ".") if thousands is None else (thousands,):
        number = re.compile(rf"[+-]?([1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+|\d+)({re.escape(decimal)}\d+)?")
        if mark != decimal and any(mark in v for v in texts) and all(number.fullmatch(v) for v in texts):
            plain = column.str.strip().str.replace(mark, "", regex=False).str.replace(decimal, ".", regex=False)
            numbers = plain.astype(object).where(column.notna(), np.nan).astype(np.float64)
            return numbers if decimal in "".join(texts) or column.isna().any() else numbers.astype(np.int64)
    return None


def _texts(column: Any) -> list[str]:
    """The distinct values of a column of text; none of any other."""
    if getattr(column.dtype, "kind", "O") in "biufmM":
        return []
    return [str(v).strip() for v in column.dropna().unique()]


def _has_commas(column: Any) -> bool:
    """Whether a column of text is numbers with commas, at least one of them."""
    values = _texts(column)
    return any("," in v for v in values) and all(COMMA_NUMBER.fullmatch(v) for v in values)


def _has_points(column: Any) -> bool:
    """Whether a column of numbers shows that a point is the decimal sign, and groups no thousands."""
    if column.dtype.kind != "f":
        return False
    values = np.abs(column.to_numpy()[np.isfinite(column.to_numpy())])
    parts = values != np.round(values)
    return bool((parts & ((values < 1) | (values >= 1000) | (np.round(values, 3) != values))).any())
