"""Columns of rows as a booster knows them: their order by name, and categories as their codes were made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gnomon.core.arrays import Rows, is_frame
from gnomon.core.errors import ModelError, did_you_mean

COUNTED = re.compile(r"(f|Column_)?\d+")  # names that libraries give to columns without a name


@dataclass(frozen=True)
class KnownColumns:
    """What a booster knows of the columns of its rows.

    Attributes:
        width: how many there are.
        names: their names in order; empty where the model was trained on an array.
        categories: of each column that holds categories, these in the order of their codes.
        kinds: what the library calls the kind of each column; empty where it does not say.
    """

    width: int
    names: tuple[str, ...] = ()
    categories: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()

    def align(self, x: Rows) -> Rows:
        """Rows with the columns in the model's order and categories as it codes them; an array comes back as it is.

        Raises:
            ModelError: another number of columns, or other names.

        >>> KnownColumns(2, ("a", "b")).align(np.zeros((1, 3)))
        Traceback (most recent call last):
        gnomon.core.errors.ModelError: the model takes rows of 2 columns, got 3
        """
        given = [str(name) for name in x.columns] if is_frame(x) else []
        width = len(given) if is_frame(x) else int(np.prod(np.shape(x)[1:]))
        if width != self.width:
            raise ModelError(f"the model takes rows of {self.width} columns, got {width}{self._difference(given)}")
        if not is_frame(x):
            return x
        if self.names:
            x = x.iloc[:, self._order(given)]
        frame = x.copy()
        frame.columns = list(self.names) if self.names else given
        for name, known in self.categories.items():
            frame[name] = coded(frame[name], known)
        return frame

    def _order(self, given: Sequence[str]) -> list[int]:
        place = {_plain(name): i for i, name in enumerate(given)}
        ours = [_plain(name) for name in self.names]
        if all(name in place for name in ours):
            return [place[name] for name in ours]
        if all(COUNTED.fullmatch(name) for name in self.names):
            return list(range(self.width))
        strange = next(name for name, plain in zip(self.names, ours, strict=True) if plain not in place)
        raise ModelError(f'the model takes a column "{strange}", which the rows have not{did_you_mean(strange, given)}')

    def _difference(self, given: Sequence[str]) -> str:
        known = {_plain(name) for name in self.names}
        more = [name for name in given if _plain(name) not in known]
        fewer = [name for name in self.names if _plain(name) not in {_plain(n) for n in given}]
        named = self.names and given
        return (
            f' (not of the model: "{more[0]}")' if named and more else f' (no "{fewer[0]}")' if named and fewer else ""
        )


def found_categories(x: Rows, names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """For each of these columns its values in sorted order, as pandas codes them; a column of categories has its own.

    >>> found_categories(np.zeros((2, 1)), ["a"])
    {}
    """
    if not is_frame(x):
        return {}
    place = {_plain(str(name)): name for name in x.columns}
    found: dict[str, tuple[Any, ...]] = {}
    for name in names:
        column = x[place[_plain(name)]] if _plain(name) in place else None
        if column is not None and not hasattr(column.dtype, "categories"):
            values = column.dropna().unique().tolist()
            text = any(isinstance(value, str) for value in values)
            found[name] = tuple(sorted({str(v) for v in values} if text else set(values)))
    return found


def coded(column: Any, known: Sequence[Any]) -> Any:
    """A column as these categories; numbers in it stay numbers where the categories are such."""
    import pandas as pd

    values = column
    if not hasattr(column.dtype, "categories") and any(isinstance(value, str) for value in known):
        values = column.astype(object).where(column.isna(), column.astype(str))
    return values.astype(pd.CategoricalDtype(list(known)))


def _plain(name: str) -> str:
    return "_".join(name.split(" "))  # LightGBM writes no spaces
