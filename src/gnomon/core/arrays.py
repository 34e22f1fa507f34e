"""Array types, the checks at the border, and fingerprints of content.

Rows ``x`` may be a numpy array ``(n, ...)`` or a data frame with named columns; the few operations that gnomon needs
of either (count, take, concatenate, fingerprint) stand here, by duck typing, so that the core needs no pandas.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.errors import DataError, MissingExtraError, ModelError

Floats: TypeAlias = NDArray[np.floating[Any]]
Float64s: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = Any  # (n, ...) array, or a data frame of n rows

PROBABILITY_SUM_TOLERANCE = 1e-3


def is_frame(x: Rows) -> bool:
    """Whether rows are a data frame (pandas or alike) and not an array."""
    return hasattr(x, "iloc") and hasattr(x, "columns")


def count_rows(x: Rows) -> int:
    """Number of rows n."""
    return len(x) if is_frame(x) else int(np.shape(x)[0])


def take_rows(x: Rows, rows: Ints | Bools) -> Rows:
    """The rows at these positions (or under this mask), of the same kind as ``x``."""
    return x.iloc[rows].reset_index(drop=True) if is_frame(x) else x[rows]


def concat_rows(parts: Sequence[Rows]) -> Rows:
    """Rows of one kind, one part after the other."""
    if is_frame(parts[0]):
        import pandas as pd

        return pd.concat(list(parts), ignore_index=True)
    return np.concatenate([np.asarray(part) for part in parts])


def frame_of(columns: Mapping[str, Sequence[Any]]) -> Any:
    """A data frame of named columns.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("pandas", "data", "a data frame") from error
    return pd.DataFrame(dict(columns))


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
    else:
        flat = np.ascontiguousarray(np.asarray(x).reshape(len(x), -1))
        parts = [row.tobytes() for row in flat]
    return np.array([hashlib.blake2b(part, digest_size=12).digest() for part in parts], dtype=object)


def _feed(digest: Any, part: Any) -> None:
    if is_frame(part):
        digest.update(f"frame{len(part)}".encode())
        for name in part.columns:
            digest.update(json.dumps([str(name), str(part[name].dtype)]).encode())
            _feed(digest, _column_array(part[name]))
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
            f"(row {row} sums to {sums[row]:.6g}); if the model returns logits, declare them"
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
            "if the model returns logits, declare them"
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
