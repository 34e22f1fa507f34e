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
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    numbers: tuple[str, ...] = ()


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
    codes = _codes(place, found)
    if codes:
        said.append(
            f"leading zeros kept, as text, in {', '.join(sorted(codes))} "
            f'(data.csv = {{numbers = ["{min(codes)}"]}} reads numbers)'
        )
    return CsvFile(place, found, codes, tuple(said))


def read_csv(file: CsvFile, text: frozenset[str]) -> tuple[Any, tuple[str, ...]]:
    """The data frame in a file, and what was unusual about it.

    Args:
        file: as `open_csv` found it.
        text: columns whose digits are codes, in this file or in one that goes with it.

    Raises:
        DataError: rows of other lengths than the header, or text that the encoding does not have.
    """
    frame = _parse(file, text, file.format.decimal or ".")
    if file.format.decimal is not None or file.format.separator == ",":
        return frame, file.unusual
    commas = [name for name in frame.columns if name not in text and _has_decimal_commas(frame[name])]
    if not commas:
        return frame, file.unusual
    return _parse(file, text, ","), (*file.unusual, "decimal commas")


def _parse(file: CsvFile, text: frozenset[str], decimal: str) -> Any:
    import pandas as pd

    place = file.place
    kept = dict.fromkeys(text, str)
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


def _has_decimal_commas(column: Any) -> bool:
    """Whether a column of text is numbers with a decimal comma, at least one of them."""
    if getattr(column.dtype, "kind", "O") in "biufmM":
        return False
    values = [str(v) for v in column.dropna().unique()]
    return any("," in v for v in values) and all(_COMMA_NUMBER.fullmatch(v) for v in values)


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
