"""Array types, the checks at the border, and fingerprints of content.

Rows ``x`` may be a numpy array ``(n, ...)``, a data frame with named columns, or a sparse matrix ``(n, d)`` of scipy;
the few operations that gnomon needs of each (count, take, concatenate, fingerprint) stand here, by duck typing, so that
the core needs neither pandas nor scipy. A missing number is NaN in all of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.errors import DataError, ModelError, import_extra

Floats: TypeAlias = NDArray[np.floating[Any]]
Float64s: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = Any  # (n, ...) array, a data frame of n rows, or a sparse (n, d) matrix

PROBABILITY_SUM_TOLERANCE = 1e-3


def is_frame(x: Rows) -> bool:
    """Whether rows are a data frame (pandas or alike) and not an array."""
    return hasattr(x, "iloc") and hasattr(x, "columns")


def is_sparse(x: Rows) -> bool:
    """Whether rows are a sparse matrix or array of scipy.

    >>> from scipy.sparse import csr_array
    >>> is_sparse(csr_array(np.eye(2))), is_sparse(np.eye(2))
    (True, False)
    """
    return hasattr(x, "tocsr") and hasattr(x, "nnz")


def count_rows(x: Rows) -> int:
    """Number of rows n."""
    return len(x) if is_frame(x) else int(np.shape(x)[0])


def take_rows(x: Rows, rows: Ints | Bools) -> Rows:
    """The rows at these positions (or under this mask), of the same kind as ``x``."""
    return x.iloc[rows].reset_index(drop=True) if is_frame(x) else x[rows]


def full_parts(n: int, size: int) -> Iterator[Ints]:
    """The n rows in parts of exactly ``size``, for what takes no other number; the last row fills the last part up.

    >>> [part.tolist() for part in full_parts(3, 2)]
    [[0, 1], [2, 2]]
    """
    for start in range(0, n, size):
        yield np.minimum(np.arange(start, start + size, dtype=np.int64), n - 1)


def concat_rows(parts: Sequence[Rows]) -> Rows:
    """Rows of one kind, one part after the other."""
    if is_frame(parts[0]):
        import pandas as pd

        return pd.concat(list(parts), ignore_index=True)
    if is_sparse(parts[0]):
        from scipy.sparse import vstack

        return vstack(list(parts), format="csr")
    return np.concatenate([np.asarray(part) for part in parts])


def frame_of(columns: Mapping[str, Sequence[Any]]) -> Any:
    """A data frame of named columns.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    pd = import_extra("pandas", "data", "a data frame")
    return pd.DataFrame(dict(columns))


@dataclass(frozen=True)
class Place:
    """Where a value stands: the column's name (or number, from 0) and the row, from 0."""

    column: str
    row: int

    def holds(self, what: str) -> str:
        """The place in words."""
        return f"column {self.column} holds {what} (first: row {self.row}, from 0)"


def first_missing(x: Rows) -> Place | None:
    """The first number that is missing (NaN), column by column; None where none is. Text is not looked at.

    >>> first_missing(np.array([[1.0, 2.0], [3.0, np.nan]])).holds("NaN")
    'column 1 holds NaN (first: row 1, from 0)'
    """
    return _first(x, np.isnan)


def first_infinite(x: Rows) -> Place | None:
    """The first number that is infinite, column by column; None where none is."""
    return _first(x, np.isinf)


def _first(x: Rows, test: Callable[[Any], Any]) -> Place | None:
    if is_frame(x):
        for j, name in enumerate(x.columns):
            values = _numbers_of(x.iloc[:, j])
            if values is not None and bool((found := test(values)).any()):
                return Place(f'"{name}"', int(found.argmax()))
        return None
    values = x.data if is_sparse(x) else np.asarray(x)
    if values.dtype.kind != "f" or not (found := test(values)).any():
        return None
    if is_sparse(x):
        rows, columns = (part[found] for part in x.tocoo().coords)
        first = int(np.lexsort((rows, columns))[0])
        return Place(str(columns[first]), int(rows[first]))
    found = found.reshape(len(found), -1)
    column = int(found.any(axis=0).argmax())
    return Place(str(column), int(found[:, column].argmax()))


def _numbers_of(column: Any) -> NDArray[Any] | None:
    """The fractions in a column of a data frame, NaN where one is missing; None where it holds no numbers."""
    values = column_values(column) if getattr(column.dtype, "kind", "O") in "biuf" else np.empty(0, object)
    return values if values.dtype.kind == "f" else None


def sparse_rows(array: NDArray[Any], like: str) -> Rows:
    """An array (n, d) as sparse rows of one of scipy's classes, "csr_array" or "csr_matrix"."""
    from scipy.sparse import csr_array, csr_matrix

    return csr_matrix(array) if like == "csr_matrix" else csr_array(array)


def fingerprint(*parts: Any) -> str:
    """Hex digest (32 digits) of content: arrays, data frames, and anything that JSON can say.

    Equal content gives equal digests; type, shape and order count.

    >>> fingerprint(np.arange(3)) == fingerprint(np.arange(3)), fingerprint([1, 23]) == fingerprint([12, 3])
    (True, False)
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        _feed(digest, part)
    return digest.hexdigest()


def row_digests(x: Rows) -> NDArray[np.object_]:
    """A digest of each row's content, (n,): equal rows have equal digests."""
    if is_frame(x):
        parts = ["\x1f".join(map(str, row)).encode() for row in x.itertuples(index=False, name=None)]
    elif is_sparse(x):
        filled = x[:, :]
        filled.eliminate_zeros()
        values, spans = _one_nan(filled.data), pairwise(filled.indptr.tolist())
        parts = [filled.indices[a:b].astype(np.int64).tobytes() + values[a:b].tobytes() for a, b in spans]
    else:
        flat = np.ascontiguousarray(np.asarray(x).reshape(len(x), -1))
        parts = [row.tobytes() for row in _one_nan(flat)]
    return np.array([hashlib.blake2b(part, digest_size=12).digest() for part in parts], dtype=object)


def _one_nan(values: NDArray[Any]) -> NDArray[Any]:
    """The same with one kind of NaN and one zero."""
    return np.where(np.isnan(values), np.nan, values + 0.0).astype(values.dtype) if values.dtype.kind == "f" else values


def _feed(digest: Any, part: Any) -> None:
    if is_frame(part):
        digest.update(f"frame{len(part)}".encode())
        for name in part.columns:
            digest.update(json.dumps([str(name), str(part[name].dtype)]).encode())
            _feed(digest, _column_array(part[name]))
    elif is_sparse(part):
        digest.update(f"sparse{part.shape}{type(part).__name__}".encode())
        for array in (part.indptr.astype(np.int64), part.indices.astype(np.int64), part.data):
            _feed(digest, array)
    elif isinstance(part, np.ndarray) and part.dtype.kind in "biufc":
        digest.update(f"array{part.dtype.str}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).data.cast("B") if part.size else b"")
    elif isinstance(part, np.ndarray):
        digest.update(f"objects{part.shape}".encode())
        digest.update(json.dumps([str(v) for v in part.reshape(-1)]).encode())
    else:
        digest.update(json.dumps(part, sort_keys=True, default=str).encode() + b"\0")


def _column_array(column: Any) -> NDArray[Any]:
    array = np.asarray(column)
    return array if array.dtype.kind in "biuf" else array.astype(object)


def check_log_probs(log_probs: Any, *, rows: int, classes: int | None, source: str, whole: bool = True) -> Floats:
    """Checks natural-log probabilities ``(n, c)`` and returns them as float32.

    Minus infinity (a probability of exactly 0) is legal; NaN, positive values and rows that do not sum to one are not.
    Answers that show only a part (``whole=False``: the three largest, rounded) need not sum to one.

    Raises:
        ModelError: with what was expected, what came and in which row.
    """
    array = np.asarray(log_probs)
    if array.ndim != 2 or array.shape[0] != rows or (classes is not None and array.shape[1] != classes):
        wanted = f"({rows}, {'c' if classes is None else classes})"
        raise ModelError(f"{source}: expected probabilities of shape {wanted}, got {array.shape}")
    if array.shape[1] < 2:
        raise ModelError(f"{source}: expected at least 2 classes, got {array.shape[1]}")
    array = array.astype(np.float32, copy=False)
    bad = np.isnan(array).any(axis=1)
    if bad.any():
        raise ModelError(f"{source}: {int(bad.sum())} rows of probabilities hold NaN (first: row {int(bad.argmax())})")
    if not whole:
        return array
    sums = np.exp(array.astype(np.float64)).sum(axis=1)
    wrong = np.abs(sums - 1.0) > PROBABILITY_SUM_TOLERANCE
    if wrong.any():
        row = int(wrong.argmax())
        raise ModelError(
            f"{source}: probabilities must sum to 1 in every row, but {int(wrong.sum())} of {rows} rows do not "
            f"(row {row} sums to {sums[row]:.6g}); if the model returns logits, declare them (target.outputs)"
        )
    return array


def log_from_probabilities(probabilities: Any, *, rows: int, classes: int | None, source: str) -> Floats:
    """Natural logs of probabilities ``(n, c)``, checked; a probability of 0 becomes minus infinity."""
    array = np.asarray(probabilities, dtype=np.float64)
    if array.ndim == 2 and (~np.isfinite(array)).any():
        row = int((~np.isfinite(array)).any(axis=1).argmax())
        raise ModelError(f"{source}: probabilities must be finite, but row {row} holds NaN or infinity")
    if array.size and (array.min() < -PROBABILITY_SUM_TOLERANCE or array.max() > 1 + PROBABILITY_SUM_TOLERANCE):
        raise ModelError(
            f"{source}: probabilities must lie in [0, 1], got values from {array.min():.6g} to {array.max():.6g}; "
            "if the model returns logits, declare them (target.outputs)"
        )
    with np.errstate(divide="ignore"):
        logs = np.log(np.clip(array, 0.0, 1.0))
    return check_log_probs(logs, rows=rows, classes=classes, source=source)


def log_from_logits(logits: Any, *, rows: int, classes: int | None, source: str) -> Floats:
    """Log-softmax of logits ``(n, c)``, checked; exact where a probability rounds to 1."""
    array = np.asarray(logits, dtype=np.float64)
    if array.ndim == 2 and (~np.isfinite(array)).any():
        row = int((~np.isfinite(array)).any(axis=1).argmax())
        raise ModelError(f"{source}: logits must be finite, but row {row} holds NaN or infinity")
    if array.ndim == 2:
        array = array - array.max(axis=1, keepdims=True)
        array = array - np.log(np.exp(array).sum(axis=1, keepdims=True))
    return check_log_probs(array, rows=rows, classes=classes, source=source)


def check_labels(labels: Any, *, rows: int, classes: int, source: str) -> Ints:
    """Class ids ``(n,)`` as int64 within ``0 .. classes - 1``.

    Raises:
        DataError: if their number or a value is wrong.
    """
    array = np.asarray(labels)
    if array.shape != (rows,):
        raise DataError(f"{source}: expected {rows} labels, one a row, got shape {array.shape}")
    if array.dtype.kind not in "biu":
        raise DataError(f"{source}: class ids must be integers, got {array.dtype}")
    outside = (array < 0) | (array >= classes)
    if outside.any():
        raise DataError(
            f"{source}: labels must be class ids 0 .. {classes - 1}, "
            f"got {int(array[outside.argmax()])} in row {int(outside.argmax())}"
        )
    return array.astype(np.int64)


def column_values(column: Any) -> NDArray[Any]:
    """One column of a data frame as an array (n,): numbers where it holds numbers, plain objects elsewhere."""
    values = np.asarray(column)
    if values.dtype.kind == "O" and getattr(column.dtype, "kind", "O") in "biuf":
        try:
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))  # pandas' nullable numbers
        except (TypeError, ValueError):
            return values
    return values


def category_values(column: Any) -> tuple[Any, ...] | None:
    """All legal values that a column of pandas' category type declares, in their order; None for other columns."""
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    return None if categories is None else tuple(plain_value(v) for v in categories)


def plain_value(value: Any) -> Any:
    """A category as JSON can say it: text, number, None, or the one NaN."""
    if value is None or type(value).__name__ == "NAType":
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return np.nan
    return value if isinstance(value, str | int | float) else str(value)


def is_missing(value: Any) -> bool:
    """Whether a plain value stands for a missing one."""
    return value is None or (isinstance(value, float) and math.isnan(value))
