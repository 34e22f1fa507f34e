"""The start of a csv file: encoding, lines before the header, what stands between fields; and what is no csv at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
OTHERS = (  # how files begin that are something else under the name of a csv file
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet"),
    (b"PAR1", "a parquet file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "an array of numpy"),
    (b'{"', "JSON"),
    (b"[{", "JSON"),
    (b"<!", "HTML"),
    (b"<html", "HTML"),
    (b"<?xml", "XML"),
)
SAMPLE_BYTES = 2**17
SAMPLE_LINES = 100

COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
_NAMED_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True)
class CsvStart:
    """How a file begins.

    Attributes:
        encoding: of its text.
        separator: what stands between its fields.
        before: how many lines stand before the header.
        header: the fields of the header.
    """

    encoding: str
    separator: str
    before: int
    header: tuple[str, ...]


def look_at(place: Path, encoding: str | None = None, separator: str | None = None) -> CsvStart:
    """How a file begins, as far as that is not known.

    Raises:
        DataError: it can't be read, or is no csv file.
    """
    start = _start(place)
    _check_kind(place, start, encoding)
    encoding = encoding or _encoding(start)
    lines = _sample(place, start, encoding)
    named = _NAMED_SEPARATOR.fullmatch(lines[0]) if lines else None  # as spreadsheets write it
    before = 1 if named else next((i for i, line in enumerate(lines) if not line.startswith("#")), 0)
    separator = separator or (named[1] if named else separator_of(lines[before:]))
    widths = [len(_fields(line, separator)) for line in lines[max(0, before - 1) : before + 1]]
    if not named and before and widths[0] == widths[-1] > 1:  # "#id,a,b" is a header
        before -= 1
    header = next((fields for line in lines[before:] if (fields := _fields(line, separator))), [])
    return CsvStart(encoding, separator, before, tuple(header))


def separator_of(lines: Sequence[str]) -> str:
    """What parts all lines into the same number of fields, two or more; a comma where nothing does.

    >>> separator_of(["a;b", "1,5;2,25"]), separator_of(["a,b", "x;y,2"]), separator_of(["score", "0,5"])
    (';', ',', ';')
    """
    widths = {s: _widths(lines, s) for s in SEPARATORS}
    even = [s for s, found in widths.items() if found and found[0] > 1 and len(set(found)) == 1]
    if even:
        return max(even, key=lambda s: (widths[s][0], -SEPARATORS.index(s)))
    if widths[","][:1] == [1] and len(lines) > 1 and all(COMMA_NUMBER.fullmatch(line) for line in lines[1:] if line):
        return ";"  # one column of numbers with decimal commas
    return max(SEPARATORS, key=lambda s: (widths[s][:1] or [0], s == ","))


def _widths(lines: Sequence[str], separator: str) -> list[int]:
    """Fields of each line that is not empty."""
    try:
        return [len(row) for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:  # a field longer than the module takes
        return []


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []  # reading it will say what is wrong


def _check_kind(place: Path, start: bytes, encoding: str | None) -> None:
    """Refuses what is no csv file, whatever its name."""
    if not start.strip():
        raise DataError(f"{place.name}: is empty")
    other = next((what for begin, what in OTHERS if start.lstrip().lower().startswith(begin.lower())), None)
    if other is not None:
        raise DataError(f"{place.name}: is {other} and no csv file; export it as csv, or name it after what it is")
    wide = any(start.startswith(mark) for mark, name in MARKS if name == "utf-16") or encoding is not None
    if b"\0" in start and not wide:
        raise DataError(
            f"{place.name}: holds NUL bytes, as UTF-16 without its mark does; say [data] csv = "
            '{encoding = "utf-16-le"}, or write it anew as UTF-8'
        )


def _encoding(start: bytes) -> str:
    """UTF-8 unless a mark at the start says otherwise, or the start is none; then what Windows writes."""
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


def _sample(place: Path, start: bytes, encoding: str) -> list[str]:
    """The first lines, without one that is cut off."""
    try:
        text = start.decode(encoding, errors="replace")
    except LookupError:
        raise DataError(f'{place.name}: no encoding "{encoding}" is known; for example "utf-8" or "latin-1"') from None
    lines = text.splitlines()
    return lines[: min(SAMPLE_LINES, max(1, len(lines) - 1))] if len(text) >= SAMPLE_BYTES else lines[:SAMPLE_LINES]
