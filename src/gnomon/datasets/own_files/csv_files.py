"""Csv files as people have them: what stands between fields, which decimal sign, which encoding, codes that are text.

What the plan does not say is found out from the file's first lines; what was found, and is not the usual, is said.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError, MissingExtraError, one_line
from gnomon.datasets.own_files.limits import check_csv
from gnomon.datasets.own_files.written_numbers import decimal_sign, without_groups

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
SAMPLE_BYTES = 2**17
SAMPLE_LINES = 100

_COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
_CODE = re.compile(r"0\d+")
_CODE_SOMEWHERE = re.compile(r'(?:^|[,;|\t])"?0\d', re.MULTILINE)


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
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    numbers: tuple[str, ...] = ()
    thousands: str | None = None
    missing: tuple[str, ...] | None = None


@dataclass(frozen=True)
class CsvFile:
    """A file whose form is known, before it is read.

    Attributes:
        place: the file.
        format: how it is written, nothing left open but the decimal sign.
        codes: columns of digits that begin with 0 in some row: text.
        unusual: what was found out and is worth a word.
    """

    place: Path
    format: CsvFormat
    codes: frozenset[str]
    unusual: tuple[str, ...]


def open_csv(place: Path, given: CsvFormat) -> CsvFile:
    """Finds out how a file is written.

    Raises:
        DataError: it can't be read.
    """
    encoding = given.encoding or _encoding(place)
    sample = _sample(place, encoding)
    separator = given.separator or _separator(sample)
    try:
        check_csv(place, separator)
    except OSError as error:
        raise DataError(f"{place.name}: cannot be read as csv ({one_line(error)})") from error
    said = []
    if given.separator is None and separator != ",":
        said.append(f"{NAMES[separator]} between fields")
    if given.encoding is None and encoding not in ("utf-8", "utf-8-sig"):
        said.append(f"encoding {encoding}")
    found = replace(given, separator=separator, encoding=encoding)
    _check_header(place, sample, separator)
    codes = _codes(place, found)
    if codes:
        said.append(
            f"leading zeros kept, as text, in {', '.join(sorted(codes))} "
            f'(data.csv = {{numbers = ["{min(codes)}"]}} reads numbers)'
        )
    return CsvFile(place, found, codes, tuple(said))


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
            return pd.read_csv(
                place,
                low_memory=False,
                index_col=False,
                sep=file.format.separator,
                encoding=file.format.encoding,
                decimal=decimal,
                dtype=kept or None,
                usecols=only,
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


def has_pandas() -> bool:
    """Whether pandas, which reads tables, is installed."""
    try:
        return find_spec("pandas") is not None
    except ImportError:  # somebody keeps it away
        return False


def need_pandas(place: Path) -> None:
    """Refuses a table where pandas is not installed.

    Raises:
        MissingExtraError: it is not.
    """
    if not has_pandas():
        raise MissingExtraError("pandas", "data", f"reading {place.name}")


def _encoding(place: Path) -> str:
    """UTF-8 unless a mark at the start says otherwise, or the start is none; then what Windows writes."""
    start = _start(place)
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    try:
        io.TextIOWrapper(io.BytesIO(start), encoding="utf-8").read()
    except UnicodeDecodeError as error:
        cut = len(start) == SAMPLE_BYTES and error.end >= len(start) - 4  # the sample cuts a letter in two
        return "utf-8" if cut else "cp1252"
    return "utf-8"


def _start(place: Path) -> bytes:
    try:
        with place.open("rb") as stream:
            return stream.read(SAMPLE_BYTES)
    except OSError as error:
        raise DataError(f"{place.name}: cannot be read ({error})") from error


def _sample(place: Path, encoding: str) -> list[str]:
    """The first lines, without one that is cut off."""
    try:
        text = _start(place).decode(encoding, errors="replace")
    except LookupError:
        raise DataError(f'{place.name}: no encoding "{encoding}" is known; for example "utf-8" or "latin-1"') from None
    lines = text.splitlines()
    return lines[: min(SAMPLE_LINES, max(1, len(lines) - 1))] if len(text) >= SAMPLE_BYTES else lines[:SAMPLE_LINES]


def _separator(lines: Sequence[str]) -> str:
    """What parts all lines into the same number of fields, two or more; a comma where nothing does.

    >>> _separator(["a;b", "1,5;2,25"]), _separator(["a,b", "x;y,2"]), _separator(["score", "0,5"])
    (';', ',', ';')
    """
    widths = {s: _widths(lines, s) for s in SEPARATORS}
    even = [s for s, found in widths.items() if found and found[0] > 1 and len(set(found)) == 1]
    if even:
        return max(even, key=lambda s: (widths[s][0], -SEPARATORS.index(s)))
    if widths[","][:1] == [1] and len(lines) > 1 and all(_COMMA_NUMBER.fullmatch(line) for line in lines[1:] if line):
        return ";"  # one column of numbers with decimal commas
    return max(SEPARATORS, key=lambda s: (widths[s][:1] or [0], s == ","))


def _widths(lines: Sequence[str], separator: str) -> list[int]:
    """Fields of each line that is not empty."""
    try:
        return [len(row) for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:  # a field longer than the module takes
        return []


def _check_header(place: Path, lines: Sequence[str], separator: str) -> None:
    """Refuses two columns of one name, which pandas would tell apart by a number."""
    try:
        names = next(csv.reader(lines, delimiter=separator), [])
    except csv.Error:
        return  # reading it will say what is wrong
    twice = [name for name in dict.fromkeys(names) if name.strip("-.0123456789") and names.count(name) > 1]
    if twice:
        raise DataError(f'{place.name}: the column "{twice[0]}" stands there twice')


def _codes(place: Path, found: CsvFormat) -> frozenset[str]:
    """Columns that hold nothing but digits, some of which begin with 0 before others."""
    import pandas as pd

    try:
        with place.open(encoding=found.encoding, errors="replace") as stream:
            if not any(_CODE_SOMEWHERE.search(block) for block in iter(lambda: stream.read(2**20), "")):
                return frozenset()
        frame = pd.read_csv(place, sep=found.separator, encoding=found.encoding, index_col=False, dtype=str)
    except (OSError, ValueError, pd.errors.ParserWarning):
        return frozenset()  # reading it will say what is wrong
    return frozenset(name for name in frame.columns if name not in found.numbers and _is_code(frame[name]))


def _is_code(column: Any) -> bool:
    values = [str(v) for v in column.dropna().unique()]
    return any(_CODE.fullmatch(v) for v in values) and all(v.isascii() and v.isdigit() for v in values)
