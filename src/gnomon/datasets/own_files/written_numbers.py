"""Numbers that a csv file writes in ways of its own: decimal commas, and digits in groups of three.

1.234,5 and 1,234.5 are one number in two countries; 1,234 is two numbers. What decides is whatever else stands in the
file; where nothing does, it is refused, for a guess would be wrong by a factor of a thousand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from gnomon.core.errors import DataError

SPACES = (" ", "\u00a0", "\u202f", "'", "\u2019")  # that group digits, and nothing else in a number

_COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
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
    return any("," in v for v in values) and all(_COMMA_NUMBER.fullmatch(v) for v in values)


def _has_points(column: Any) -> bool:
    """Whether a column of numbers shows that a point is the decimal sign, and groups no thousands."""
    if column.dtype.kind != "f":
        return False
    values = np.abs(column.to_numpy()[np.isfinite(column.to_numpy())])
    parts = values != np.round(values)
    return bool((parts & ((values < 1) | (values >= 1000) | (np.round(values, 3) != values))).any())
