"""Rows as JSON has them: text, numbers, truth values, and null for what is missing."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.core.arrays import Rows, count_rows, is_frame


@dataclass(frozen=True)
class RequestRows:
    """Some rows, as they are sent.

    Attributes:
        columns: names of the columns; x0, x1, ... for rows of an array.
        rows: n rows, lists of plain values (nested where a row has several dimensions).
        ids: n names of the rows, by their content.
        named: the columns' names are the user's own.
    """

    columns: tuple[str, ...]
    rows: list[list[Any]]
    ids: tuple[str, ...]
    named: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def records(self) -> list[dict[str, Any]]:
        """Rows as objects by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def make_batch(x: Rows) -> RequestRows:
    """Rows of an array or a data frame as they are sent.

    >>> make_batch(np.array([[1.5, 2.0]])).rows
    [[1.5, 2.0]]
    """
    if is_frame(x):
        names = tuple(str(name) for name in x.columns)
        columns = [[_plain(value) for value in x.iloc[:, j].tolist()] for j in range(len(names))]
        rows = [list(row) for row in zip(*columns, strict=True)]
    else:
        array = np.asarray(x).reshape(count_rows(x), -1) if np.ndim(x) == 1 else np.asarray(x)
        names = tuple(f"x{j}" for j in range(array.shape[1]))
        rows = _finite(array)
    return RequestRows(names, rows, tuple(row_id(names, row) for row in rows), is_frame(x))


def row_id(names: tuple[str, ...], row: list[Any]) -> str:
    """32 hex digits that stand for a row's content."""
    text = json.dumps([names, row], ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _finite(array: Any) -> list[Any]:
    listed: list[Any] = array.tolist()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return [_plain_nested(row) for row in listed]
    return listed


def _plain_nested(value: Any) -> Any:
    return [_plain_nested(v) for v in value] if isinstance(value, list) else _plain(value)


def _plain(value: Any) -> Any:
    """A value that JSON can write; null where it is missing (JSON has no word for NaN and infinity)."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
