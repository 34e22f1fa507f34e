"""What a file claims to hold, looked at before it is read: what would fill the memory or take minutes is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.system import too_large

MOST_COLUMNS = 20_000  # of a table: each has a type, checks and a name of its own
LINE_BYTES = 2**26
CHUNK_BYTES = 2**20
CELL_BYTES = 8  # of a number, or of a reference to text
FEW_ROWS = 64


def check_csv(place: Path, separator: str = ",") -> None:
    """Refuses a csv file with more columns, or a longer line, than can be read in a moment.

    Args:
        place: the file.
        separator: what stands between its fields.

    Raises:
        DataError: such a file.
        OSError: it can't be read.
    """
    _refuse(place, too_large(place.stat().st_size))
    length, line, columns, mark = 0, 1, 0, separator.encode()
    with place.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            first, *others = chunk.split(b"\n")
            if line == 1:
                columns += first.count(mark)
                _check_columns(place, columns + 1)
            length += len(first)
            for part in (*others, None):
                if length > LINE_BYTES:
                    _refuse(place, f"line {line} is longer than {LINE_BYTES / 2**20:g} MB")
                if part is not None:
                    length, line = len(part), line + 1


def check_parquet(place: Path) -> None:
    """Refuses a parquet file that holds more than fits in memory, or what is no table: lists, records, bytes.

    Its footer says how many values there are. What they take is not known from there where a text stands once and is
    repeated: where this could be too much, the texts are measured without being repeated.

    Raises:
        DataError: such a file.
        ImportError: pyarrow is not installed.
        OSError, ValueError: it can't be read.
    """
    import pyarrow as pa
    from pyarrow import parquet

    found = parquet.read_metadata(place)
    _check_columns(place, found.num_columns)
    for column in found.schema.to_arrow_schema():
        if pa.types.is_nested(column.type) or column.type in (pa.binary(), pa.large_binary(), pa.binary_view()):
            _refuse(place, f'column "{column.name}" holds {column.type}; turn it into numbers or text')
    groups = [found.row_group(i) for i in range(found.num_row_groups)]
    stored = sum(group.total_byte_size for group in groups)
    cells = found.num_rows * found.num_columns * CELL_BYTES
    _refuse(place, too_large(max(stored, cells)))
    if too_large(sum(group.total_byte_size * group.num_rows for group in groups)) is not None:
        for size in _text_sizes(place):
            cells += size
            _refuse(place, too_large(cells))


def _text_sizes(place: Path) -> Iterator[int]:
    """Bytes of the texts of a parquet file, each as often as it stands there, part by part."""
    import pyarrow as pa
    from pyarrow import parquet

    texts = (pa.string(), pa.large_string(), pa.string_view())
    names = [column.name for column in parquet.read_schema(place) if column.type in texts]
    with parquet.ParquetFile(place, read_dictionary=names) as whole, parquet.ParquetFile(place) as plain:
        for group in range(whole.num_row_groups):
            for name in names:
                try:
                    yield from map(_bytes_in, whole.read_row_group(group, [name]).column(0).chunks)
                except OSError:  # texts that are stored as what they share with the one before
                    yield from (batch.nbytes for batch in plain.iter_batches(FEW_ROWS, [group], [name]))


def _bytes_in(texts: Any) -> int:
    """Bytes of the texts of a pyarrow array, of which each may stand there once and be repeated."""
    from pyarrow import compute

    lengths = compute.binary_length(texts.dictionary).take(texts.indices)
    return int(compute.sum(lengths).as_py() or 0)


def check_npz(place: Path) -> None:
    """Refuses an archive whose members need more memory than there is, unpacked.

    Raises:
        DataError: such a file.
        OSError, BadZipFile: it can't be read.
    """
    with zipfile.ZipFile(place) as archive:
        _refuse(place, too_large(sum(member.file_size for member in archive.infolist())))


def _check_columns(place: Path, columns: int) -> None:
    if columns > MOST_COLUMNS:
        _refuse(place, f"has more than {MOST_COLUMNS:,} columns; give that many numbers as one array in an .npz file")


def _refuse(place: Path, reason: str | None) -> None:
    if reason is not None:
        raise DataError(f"{place.name}: {reason}")
