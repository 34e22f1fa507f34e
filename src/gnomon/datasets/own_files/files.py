"""One file of the user's own: csv, parquet or npz, read into rows, labels, ids and groups, and checked."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Rows, is_frame, is_sparse
from gnomon.core.data.dataset import EXACT, one_label_a_row, plain_rows
from gnomon.core.errors import DataError, MissingExtraError, UsageError, did_you_mean, import_extra, one_line
from gnomon.datasets.own_files.csv_files import CsvFormat, open_csv, read_csv, refuse_twice
from gnomon.datasets.own_files.limits import check_npz, check_parquet

CSV, PARQUET, NPZ = (".csv", ".tsv"), (".parquet", ".pq"), (".npz",)
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z")
USUAL = CsvFormat()
SPARSE = frozenset({"format", "shape", "data"})  # what scipy writes of every sparse matrix
SUFFIXES = (*CSV, *PARQUET, *NPZ)
_FRACTION = re.compile(r"[+-]?\d*\.\d*[1-9]\d*([eE][+-]?\d+)?")
_UNNAMED = re.compile(r"(Unnamed: \d+(\.\d+)?)?")
PLAIN = {str, bool, int, float, Decimal}
Features: TypeAlias = Literal["needed", "optional", "none"]  # of a file of rows, where answers are given next to it


@dataclass(frozen=True)
class FileRows:
    """What one file holds.

    Attributes:
        source: the file's name, for messages.
        x: data frame of n rows (csv, parquet), array (n, ...) or sparse matrix (n, d) (npz).
        y: (n,) labels as they stand in the file.
        ids: (n,) the user's row ids, or None.
        groups: (n,) groups, or None.
        notes: what was done to read it, where that is not the usual: clauses that follow the file's name.
    """

    source: str
    x: Rows
    y: NDArray[Any]
    ids: NDArray[Any] | None
    groups: NDArray[Any] | None
    notes: tuple[str, ...] = ()


def read_rows(
    path: str | Path,
    label: str | None,
    id: str | None = None,
    group: str | None = None,
    csv: CsvFormat = USUAL,
    text: frozenset[str] = frozenset(),
    features: Features = "needed",
) -> FileRows:
    """Reads one file of labelled rows.

    Args:
        path: csv or parquet (needs the extra ``data``), or npz with the arrays ``x``, ``y`` and, if wanted, ``ids``
            and ``groups``; in the place of ``x`` the arrays of a sparse matrix, as scipy.sparse.save_npz writes them.
        label: column of the labels (npz: key, by default ``y``).
        id: column of row ids (npz: key, by default ``ids`` if there is one).
        group: column of the person or household a row belongs to (npz: key, by default ``groups`` if there is one).
        csv: how csv files are written, as far as that is known.
        text: columns whose digits are codes, and keep their zeros.
        features: whether the file must hold some. Rows without any are (n, 0); with "none" whatever else the file holds
            is left out.

    Raises:
        DataError: no such file, unreadable, no rows, a column that is missing, missing labels, infinity.
        UsageError: an unknown extension, or no label column named.
        MissingExtraError: the file needs pandas or pyarrow.
    """
    place = check_path(path, SUFFIXES)
    if place.suffix.lower() in NPZ:
        rows = _from_arrays(place, _kept(read_npz(place), features), label or "y", id, group)
    else:
        frame, notes = read_frame(place, (label, id, group), csv, text)
        rows = replace(_from_frame(place.name, frame, label, id, group, features), notes=notes)
    if len(rows.y) == 0:
        raise DataError(f"{place.name}: expected at least one row, got none")
    _check_ids(place.name, rows.ids)
    return rows


def check_path(path: str | Path, suffixes: tuple[str, ...]) -> Path:
    """The path, if it is a file with one of these extensions."""
    place = Path(path)
    if place.suffix.lower() not in suffixes:
        hint = "; unpack it first" if place.suffix.lower() in PACKED else ""
        raise UsageError(f'{place}: expected a file ending in {", ".join(suffixes)}, got "{place.suffix}"{hint}')
    if not place.is_file():
        raise DataError(f"{place}: {'a folder, not a file' if place.is_dir() else 'no such file'}")
    return place


def read_npz(place: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an npz file; Python objects in it are refused."""
    try:
        with place.open("rb") as stream:
            if not zipfile.is_zipfile(stream):
                raise DataError(f"{place.name}: cannot be read as npz (not as numpy.savez writes it, or cut off)")
            check_npz(place)
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
    except MemoryError as error:
        raise DataError(f"{place.name}: claims to hold more than fits in memory ({error})") from error
    except DataError:
        raise
    except Exception as error:  # of a damaged archive, of zlib and lzma, of other compressions, of numpy
        reason = "it holds Python objects, not plain arrays" if "allow_pickle" in str(error) else f"damaged? {error}"
        raise DataError(f"{place.name}: cannot be read as npz ({reason})") from error


def read_frame(
    place: Path,
    asked: Sequence[str | None] = (),
    csv: CsvFormat = USUAL,
    text: frozenset[str] = frozenset(),
) -> tuple[Any, tuple[str, ...]]:
    """A csv or parquet file as a data frame, and what was done to read it.

    Column names are text; of its index, only the names asked for are kept.
    """
    import_extra("pandas", "data", f"reading {place.name}")
    notes: tuple[str, ...] = ()
    if place.suffix.lower() in CSV:
        opened = open_csv(place, csv)
        frame, notes = read_csv(opened, text | opened.codes, asked)
    else:
        frame = _read_parquet(place)
    named = [name for name in frame.index.names if name is not None and name in asked and name not in frame.columns]
    frame = frame.reset_index(named).reset_index(drop=True) if named else frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    refuse_twice(place.name, list(frame.columns))
    return frame, notes


def check_header(source: str, names: Sequence[str]) -> None:
    """Refuses a first line of numbers that was taken for names.

    Raises:
        DataError: some name is a number with decimals.
    """
    if any(_FRACTION.fullmatch(name) for name in names):
        raise DataError(f"{source}: its first line is numbers; expected a line of column names")


def nameless_columns(x: Rows) -> dict[str, str]:
    """Columns without a name, as pandas calls them, that say nothing of a row, and what they are.

    Leading ones that hold another whole number in each row count them; empty ones follow a separator at a line's end.
    """
    found: dict[str, str] = {}
    for i, name in enumerate(x.columns if is_frame(x) else ()):
        if not isinstance(name, str) or not _UNNAMED.fullmatch(name):
            continue
        if x[name].isna().all():
            found[name] = "empty"
        elif len(found) == i and x[name].dtype.kind in "iu" and x[name].is_unique:
            found[name] = "counting"
    return found


def _read_parquet(place: Path) -> Any:
    import pandas as pd

    try:
        check_parquet(place)
        return pd.read_parquet(place)
    except MemoryError as error:
        raise DataError(f"{place.name}: needs more memory than there is") from error
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data", f"reading {place.name}") from error
    except (OSError, ValueError, EOFError) as error:  # ArrowInvalid is a ValueError
        line = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{place.name}: cannot be read as parquet ({line})") from error


def _kept(arrays: dict[str, Any], features: Features) -> dict[str, Any]:
    """The arrays of a file; without features, rows of no column in their place."""
    if features == "needed" or (features == "optional" and ("x" in arrays or set(arrays) >= SPARSE)):
        return arrays
    lengths = [len(array) for array in arrays.values() if array.ndim]
    return {**arrays, "x": np.empty((max(lengths, default=0), 0))}


def _from_frame(
    source: str, frame: Any, label: str | None, id: str | None, group: str | None, features: Features
) -> FileRows:
    if label is None or label not in frame.columns:
        check_header(source, list(frame.columns))
    if label is None:
        raise UsageError(f"{source}: name the column that holds the labels (label){_known(frame.columns)}")
    named = [name for name in (label, id, group) if name is not None]
    if len(set(named)) < len(named):
        raise UsageError(f"label, id and group must be different columns, got {', '.join(named)}")
    for name in named:
        if name not in frame.columns:
            raise DataError(f'{source}: no column "{name}"{did_you_mean(name, frame.columns)}')
        _check_filled(source, frame, name, "the label is missing" if name == label else "")
    x = frame[[]] if features == "none" else frame.drop(columns=named)
    if x.shape[1] == 0 and features == "needed":
        raise DataError(f"{source}: no feature columns besides {', '.join(named)}")
    for name in named:
        _check_scalars(source, name, frame[name])
    return FileRows(
        source=source,
        x=plain_numbers(source, x) if x.shape[1] else np.empty((len(frame), 0)),
        y=read_labels(source, _array(frame[label])),
        ids=None if id is None else check_ids(source, frame, id),
        groups=None if group is None else _array(frame[group]),
    )


def _from_arrays(place: Path, arrays: dict[str, Any], label: str, id: str | None, group: str | None) -> FileRows:
    source, sparse = place.name, set(arrays) >= SPARSE and "x" not in arrays
    for name in (*(() if sparse else ("x",)), label, *(name for name in (id, group) if name is not None)):
        if name not in arrays:
            how = (
                f"; a sparse matrix has no labels: write them next to it, "
                f'numpy.savez("{source}", **numpy.load("{source}"), {label}=labels)'
            )
            raise DataError(f'{source}: no array "{name}"{how if sparse else did_you_mean(name, arrays)}')
    x = _sparse_matrix(place) if sparse else arrays["x"]
    optional = {"ids": arrays.get(id or "ids"), "groups": arrays.get(group or "groups")}
    if len(x.shape) < 2 or (0 in x.shape[1:] and x.shape[1:] != (0,)):
        raise DataError(f"{source}: expected x of shape (n, d) or (n, ...), got {x.shape}")
    y = one_label_a_row(arrays[label], x.shape[0], source)
    for name, array in optional.items():
        if array is not None and array.shape != x.shape[:1]:
            raise DataError(f"{source}: expected {name} of shape ({x.shape[0]},), one a row of x, got {array.shape}")
    x = plain_rows(x, source)
    for name, array in {label: y, **optional}.items():
        if array is not None and array.dtype.kind not in "biufUM":
            raise DataError(f"{source}: expected {name} to hold numbers or text, got {array.dtype}")
    return FileRows(source, x, read_labels(source, y), optional["ids"], optional["groups"])


def _sparse_matrix(place: Path) -> Rows:
    """The sparse matrix in an npz file, as scipy writes it."""
    from scipy.sparse import load_npz

    try:
        matrix: Any = load_npz(place)
        return matrix.tocsr()
    except Exception as error:  # whatever is wrong with the arrays
        raise DataError(f"{place.name}: cannot be read as a sparse matrix ({one_line(error)})") from error


def rows_in_npz(x: Rows) -> dict[str, Any]:
    """The arrays under which an npz file holds rows."""
    if not is_sparse(x):
        return {"x": np.asarray(x)}
    matrix = x.tocsr()
    return {"format": b"csr", "shape": matrix.shape, "data": matrix.data} | {
        "indices": matrix.indices,
        "indptr": matrix.indptr,
        "_is_array": type(matrix).__name__ == "csr_array",
    }


def plain_numbers(source: str, x: Any) -> Any:
    """A table with numbers in numpy's own types, NaN where one is missing.

    Raises:
        DataError: two columns of one name, a column of objects, or infinity, which is named with its row.
    """
    from pandas.api.types import is_bool_dtype, is_extension_array_dtype, is_integer_dtype, is_numeric_dtype

    refuse_twice(source, list(x.columns))
    plain: dict[str, str] = {}
    for name in x.columns:
        column = x[name]
        if Decimal in _check_scalars(source, name, column):
            plain[name] = "float64"
        if is_numeric_dtype(column.dtype) and is_extension_array_dtype(column.dtype):
            whole = "int64" if is_integer_dtype(column.dtype) else "float64"
            whole = "bool" if is_bool_dtype(column.dtype) else whole
            plain[name] = "float64" if column.isna().any() else whole
    return plain_rows(x.astype(plain) if plain else x, source)


def _check_scalars(source: str, name: str, column: Any) -> set[type]:
    """The types of a column of objects; lists, bytes and others, which no model could be handed, are refused."""
    if column.dtype.kind == "c":
        raise DataError(f'{source}: column "{name}" holds complex numbers; turn them into numbers or text')
    if column.dtype != object:
        return set()
    kinds = {type(v) for v in column.dropna()}
    odd = {kind for kind in kinds - PLAIN if not issubclass(kind, (str, np.generic, date, time))}
    if odd:
        kind = min(kind.__name__ for kind in odd)
        raise DataError(f'{source}: column "{name}" holds {kind} objects; turn them into numbers or text')
    return kinds


def check_ids(source: str, frame: Any, name: str) -> NDArray[Any]:
    """A frame's column of row ids as text (n,).

    Raises:
        DataError: a row has none.
    """
    _check_filled(source, frame, name)
    return _array(frame[name]).astype(str)


def _check_filled(source: str, frame: Any, name: str, what: str = "") -> None:
    if frame[name].isna().any():
        what = what or f'column "{name}" is empty'
        raise DataError(f"{source}: {what} in row {int(frame[name].isna().argmax())} (from 0)")


def _check_ids(source: str, ids: NDArray[Any] | None) -> None:
    if ids is None:
        return
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < len(ids):
        raise DataError(
            f'{source}: the id "{values[counts.argmax()]}" stands in {counts.max()} rows; an id names one row '
            "(the person or household of a row is a group)"
        )


def read_labels(source: str, labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as whole numbers, truth values or text, so that 1 and 1.0 are one class."""
    if labels.dtype.kind == "f":
        wrong = ~np.isfinite(labels) | (labels != np.round(labels)) | (np.abs(labels) > EXACT)
        if wrong.any():
            row = int(wrong.argmax())
            if np.isnan(labels[row]):
                raise DataError(f"{source}: the label is missing in row {row} (from 0)")
            raise DataError(f"{source}: labels must be classes, got {labels[row]} in row {row} (from 0)")
        return labels.astype(np.int64)
    return labels if labels.dtype.kind in "biu" else labels.astype(str)


def _array(column: Any) -> NDArray[Any]:
    array = np.asarray(column)
    if array.dtype.kind == "O" and all(isinstance(v, (int, float, np.number)) for v in array):
        return np.array(array.tolist())  # numbers in a type with room for missing ones: none is missing here
    return array


def _known(columns: Any) -> str:
    names = [str(name) for name in columns]
    return f"; its columns are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
