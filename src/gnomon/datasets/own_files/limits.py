"""What a file claims to hold, looked at before it is read: what would fill the memory or take minutes is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.machine import too_large

MOST_COLUMNS = 20_000  # of a table: each has a type, checks and a name of its own
LINE_BYTES = 2**26
CHUNK_BYTES = 2**20
CELL_BYTES = 8  # of a number, or of a reference to text


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
    """Refuses a parquet file whose footer announces more than can be held.

    Raises:
        DataError: such a file.
        ImportError: pyarrow is not installed.
        OSError, ValueError: it can't be read.
    """
    from pyarrow import parquet

    found = parquet.read_metadata(place)
    _check_columns(place, found.num_columns)
    stored = sum(found.row_group(i).total_byte_size for i in range(found.num_row_groups))
    _refuse(place, too_large(max(stored, found.num_rows * found.num_columns * CELL_BYTES)))


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
