"""Layout: how rows are held (an array of one type, or a data frame of named columns), apart from what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from gnomon.core.arrays import Rows, column_values, count_rows, is_frame, is_missing, is_sparse, sparse_rows
from gnomon.core.errors import DataError, import_extra


@dataclass(frozen=True)
class Layout:
    """The outer form of rows: what a drawn record must look like for a model to read it.

    Attributes:
        dtype: type of the array; not used for a data frame.
        shape: shape of one row of the array; empty means flat, as many columns as the features need.
        columns: (name, type) of each column of a data frame; empty for an array.
        sparse: scipy's class of sparse rows, "csr_array" or "csr_matrix"; empty for others. Their codes are dense.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    columns: tuple[tuple[str | int, str], ...] = ()
    sparse: str = ""

    @property
    def is_frame(self) -> bool:
        """Whether rows are a data frame."""
        return bool(self.columns)

    def read(self, x: Rows, width: int) -> list[NDArray[Any]] | NDArray[Any]:
        """The columns of rows: an (n, d) array, or a list of d columns (n,) of a data frame.

        Raises:
            DataError: rows of another form.
        """
        if self.is_frame != is_frame(x):
            wanted, came = ("a data frame", "an array") if self.is_frame else ("an array", "a data frame")
            raise DataError(f"expected rows as {wanted}, got {came}")
        if not self.is_frame:
            array = x.toarray() if is_sparse(x) else np.asarray(x)
            flat = array.reshape(len(array), -1) if array.size else array.reshape(len(array), width)
            if flat.shape[1] != width:
                raise DataError(f"expected rows of {width} columns, got {flat.shape[1]}")
            return flat
        missing = [str(name) for name, _ in self.columns if name not in x.columns]
        if missing:
            raise DataError(f"the data frame lacks the columns {', '.join(missing)}")
        return [column_values(x[name]) for name, _ in self.columns]

    def write_array(self, columns: NDArray[Any]) -> Rows:
        """An (n, d) array in the type and shape of this layout."""
        array = columns.astype(self.dtype, copy=False)
        if self.sparse:
            return sparse_rows(array, self.sparse)
        return array.reshape(len(array), *self.shape) if self.shape else array

    def write_frame(self, columns: Sequence[NDArray[Any]], categories: Sequence[Sequence[Any] | None]) -> Rows:
        """A data frame of these d columns (n,); ``categories`` holds the legal values of the categorical ones."""
        pd = _pandas()
        series = {}
        for (name, dtype), column, values in zip(self.columns, columns, categories, strict=True):
            if dtype == "category":
                series[name] = pd.Categorical(column, categories=[v for v in values or () if not is_missing(v)])
            else:
                series[name] = pd.Series(column).astype(dtype)
        return pd.DataFrame(series)


def texts_of(x: Any) -> Rows | None:
    """One text a row, from a list, a vector or a series, as a data frame of one column; None for anything else."""
    series = hasattr(x, "iloc") and not hasattr(x, "columns")
    if not series and not isinstance(x, (list, tuple, np.ndarray)):
        return None
    if isinstance(x, np.ndarray) and (x.ndim != 1 or x.dtype.kind not in "OUT"):
        return None
    values = x.dropna() if series else x
    if len(values) == 0 or not all(isinstance(v, str) for v in values):
        return None
    return x.to_frame("text") if series else _pandas().DataFrame({"text": list(x)})


def layout_of(x: Rows) -> Layout:
    """The layout of these rows."""
    if is_frame(x):
        return Layout(columns=tuple((_plain_name(name), str(x[name].dtype)) for name in x.columns))
    if is_sparse(x):
        return Layout(dtype=x.dtype.str, sparse=type(x).__name__)
    array = np.asarray(x)
    return Layout(dtype=array.dtype.str, shape=array.shape[1:] if array.ndim > 2 or not array.size else ())


def row_count(x: Rows) -> int:
    """Number of rows, at least one.

    Raises:
        DataError: no rows.
    """
    n = count_rows(x)
    if n == 0:
        raise DataError("expected at least one row to infer features from, got none; declare the features instead")
    return n


def _plain_name(name: Any) -> str | int:
    return int(name) if isinstance(name, int | np.integer) and not isinstance(name, bool) else str(name)


def _pandas() -> Any:
    return import_extra("pandas", "data", "making rows with named columns")
