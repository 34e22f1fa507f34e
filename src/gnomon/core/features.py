"""FeatureSpace: what a legal record is, feature by feature.

The space is what "a random record", "flip" and "marginal" mean. It is inferred from rows, declared by the user, or
given by an attacker who holds no rows at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gnomon.core.arrays import Rows, is_frame

Kind = Literal["binary", "categorical", "integer", "real"]
MAX_CATEGORIES = 64


@dataclass(frozen=True)
class Feature:
    """One feature: its kind, its legal values and the columns of ``x`` that hold it.

    A ``categorical`` feature over several columns is a one-hot group: exactly one of its columns is 1.
    """

    name: str
    kind: Kind
    columns: tuple[int, ...]  # positions in x; more than one only for a one-hot group
    low: float = 0.0  # smallest legal value (binary, integer, real)
    high: float = 1.0  # largest legal value
    values: tuple[Any, ...] = ()  # legal values of a categorical feature that stands in one column


@dataclass(frozen=True)
class FeatureSpace:
    """The features of a record, in the order of their columns."""

    features: tuple[Feature, ...]

    def __len__(self) -> int:
        return len(self.features)

    @property
    def is_binary(self) -> bool:
        """Whether every feature is one bit in one column."""
        return all(f.kind == "binary" and len(f.columns) == 1 for f in self.features)


def infer_features(x: Rows) -> FeatureSpace:
    """The feature space that rows span: kinds by value, ranges by extremes.

    Args:
        x: array (n, d) or (n, ...), flattened to d columns, or a data frame of n rows and d columns.

    Returns:
        One feature a column: 0/1 is binary; text, objects and booleans are categorical (booleans binary); whole
        numbers are integer; the rest is real.
    """
    if is_frame(x):
        return FeatureSpace(tuple(_of_column(str(name), j, np.asarray(x[name])) for j, name in enumerate(x.columns)))
    flat = np.asarray(x).reshape(len(x), -1)
    return FeatureSpace(tuple(_of_column(f"x{j}", j, flat[:, j]) for j in range(flat.shape[1])))


def _of_column(name: str, position: int, column: Any) -> Feature:
    if column.dtype.kind not in "biuf":
        values = tuple(sorted({str(v) for v in column}))
        return Feature(name, "categorical", (position,), values=values)
    low, high = float(column.min()), float(column.max())
    if column.dtype.kind == "b" or (low >= 0 and high <= 1 and np.isin(column, (0, 1)).all()):
        return Feature(name, "binary", (position,))
    whole = column.dtype.kind in "iu" or bool((column == np.round(column)).all())
    return Feature(name, "integer" if whole else "real", (position,), low=low, high=high)
