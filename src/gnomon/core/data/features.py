"""FeatureSpace: what a legal record is, feature by feature, and how it is inferred from rows.

The space is what "a random record", "flip" and "marginal" mean. It is inferred from rows (`infer_features`), declared
by the user (`feature_space`), or given by an attacker who holds no rows at all: ranges are enough.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Rows, category_values, column_values, is_frame, is_sparse, plain_value
from gnomon.core.data.feature_space import MAX_WHOLE, Codes, Feature, FeatureSpace, Kind, feature_space
from gnomon.core.data.layouts import layout_of, row_count
from gnomon.core.errors import DataError

__all__ = ["Codes", "Feature", "FeatureSpace", "Kind", "feature_space", "infer_features"]

BLOCK_NUMBERS = 2**24
MIN_ROWS_FOR_GROUPS = 50  # below this, columns may add up to 1 by chance


def infer_features(x: Rows, *, one_hot: bool = True) -> FeatureSpace:
    """The feature space that rows span: kinds by value, ranges by extremes, and the form of the rows.

    Args:
        x: array (n, d) or (n, ...), flattened to d columns, a data frame of n rows and d columns, or a sparse matrix.
        one_hot: whether to look for one-hot groups: neighbouring 0/1 columns, none of them always 1, of which exactly
            one is 1 in every row. With fewer than 50 rows no group is believed. A group that is not seen so must be
            declared; in sparse rows none is looked for.

    Returns:
        One feature a column or group: 0/1 is binary; text, objects and pandas' categories are categorical (booleans
        binary); whole numbers are integer; the rest is real.

    Raises:
        DataError: no rows, or infinity.
    """
    n = row_count(x)
    if is_frame(x):
        singles = [_of_column(str(name), j, x.iloc[:, j]) for j, name in enumerate(x.columns)]
    elif is_sparse(x):
        singles, one_hot = _of_sparse(x), False
    else:
        x = np.asarray(x)
        singles = _of_array(x.reshape(n, -1))
    if one_hot and n >= MIN_ROWS_FOR_GROUPS:
        bits = [j for j, f in enumerate(singles) if f.kind == "binary" and not f.missing]
        singles = _join_groups(singles, bits, x, n)
    return FeatureSpace(tuple(singles), layout_of(x))


def _of_array(flat: NDArray[Any]) -> list[Feature]:
    if flat.dtype.kind not in "biuf":
        raise DataError(f"expected an array of numbers, got {flat.dtype}; give mixed columns as a data frame")
    low, high = (np.asarray(f.reduce(flat, axis=0), dtype=np.float64) for f in (np.fmin, np.fmax))  # NaN is left out
    whole, missing = np.ones(len(low), dtype=bool), np.zeros(len(low), dtype=bool)
    if flat.dtype.kind == "f":
        for part in _column_blocks(flat):
            block = flat[:, part]
            fractions = block != np.round(block)
            if np.isnan(block).any():
                missing[part] = np.isnan(block).any(axis=0)
                fractions &= ~np.isnan(block)
            whole[part] = ~fractions.any(axis=0)
    return [_of_range(f"x{j}", j, low[j], high[j], whole=whole[j], missing=missing[j]) for j in range(len(low))]


def _of_sparse(x: Rows) -> list[Feature]:
    low, high = (part.toarray().reshape(-1).astype(np.float64) for part in (x.nanmin(axis=0), x.nanmax(axis=0)))
    fractions, missing = np.zeros(x.shape[1], dtype=bool), np.zeros(x.shape[1], dtype=bool)
    fractions[x.indices[(x.data != np.round(x.data)) & ~np.isnan(x.data)]] = True
    missing[x.indices[np.isnan(x.data)]] = True
    return [_of_range(f"x{j}", j, low[j], high[j], whole=not fractions[j], missing=missing[j]) for j in range(len(low))]


def _column_blocks(flat: NDArray[Any]) -> list[slice]:
    """A few columns at a time, so that wide data need no copy of all of them."""
    size = max(1, BLOCK_NUMBERS // len(flat))
    return [slice(start, start + size) for start in range(0, flat.shape[1], size)]


def _of_column(name: str, position: int, column: Any) -> Feature:
    values, declared = column_values(column), category_values(column)
    if declared is None and values.dtype.kind in "biuf":
        gone = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
        known = values[~gone] if (~gone).any() else np.zeros(1)
        whole = known.dtype.kind != "f" or bool((known == np.round(known)).all())
        return _of_range(name, position, float(known.min()), float(known.max()), whole=whole, missing=gone.any())
    seen = {plain_value(v) for v in values}
    ordered = [*(declared or ()), *sorted(seen - set(declared or ()), key=lambda v: (type(v).__name__, str(v)))]
    return Feature(name, "categorical", (position,), values=tuple(ordered))


def _of_range(
    name: str, position: int, low: float, high: float, *, whole: bool | np.bool_, missing: bool | np.bool_
) -> Feature:
    if math.isnan(low):  # nothing is known of it
        low = high = 0.0
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DataError(f'column "{name}" holds infinity; replace it')
    gone = bool(missing)
    if whole and low >= 0 and high <= 1:
        return Feature(name, "binary", (position,), missing=gone)
    whole = whole and max(-low, high) <= MAX_WHOLE
    return Feature(name, "integer" if whole else "real", (position,), low=low, high=high, missing=gone)


def _join_groups(singles: list[Feature], bits: list[int], x: Rows, n: int) -> list[Feature]:
    """Joins runs of neighbouring binary columns of which exactly one is 1 in every row."""
    if len(bits) < 2:
        return singles

    def column(j: int) -> NDArray[Any]:
        return np.asarray((column_values(x.iloc[:, j]) if is_frame(x) else x.reshape(n, -1)[:, j]) != 0)

    ones = np.array([np.count_nonzero(column(j)) for j in bits])
    total = np.concatenate([[0], np.cumsum(ones)])
    joined: dict[int, tuple[int, ...]] = {}  # first column -> columns
    start = 0
    while start < len(bits):
        # A group's ones add up to n, so its end follows from the counts; only then are the rows themselves compared.
        end = int(np.searchsorted(total, total[start] + n, side="left"))
        columns = tuple(bits[start:end])
        exact = end <= len(bits) and total[end] - total[start] == n and len(columns) > 1
        neighbours = exact and columns == tuple(range(columns[0], columns[0] + len(columns)))
        varying = exact and ones[start] > 0 and int(ones[start:end].max()) < n
        if neighbours and varying and bool((np.sum([column(j) for j in columns], axis=0) == 1).all()):
            joined[columns[0]] = columns
            start = end
        else:
            start += 1
    inside = {c for columns in joined.values() for c in columns}
    return [
        Feature(_group_name([singles[c].name for c in joined[j]]), "categorical", joined[j]) if j in joined else f
        for j, f in enumerate(singles)
        if j in joined or j not in inside
    ]


def _group_name(names: list[str]) -> str:
    """The common start of the columns' names ("sex_" of "sex_f" and "sex_m"), else first..last."""
    start = names[0]
    while start and not all(name.startswith(start) for name in names):
        start = start[:-1]
    stem = start.rstrip("_=-. ")
    return stem if len(stem) > 1 else f"{names[0]}..{names[-1]}"
