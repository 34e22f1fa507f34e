"""Further rows of the user's own that go with a data set: a file of the same columns and classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gnomon.core.arrays import Ints, Rows
from gnomon.core.data import Dataset
from gnomon.core.errors import DataError, did_you_mean
from gnomon.datasets.files import FileRows, read_rows
from gnomon.datasets.tables import unite_rows


@dataclass(frozen=True)
class Further:
    """A data set's rows with those of a file behind them, and the file's class ids (k,)."""

    x: Rows
    y: Ints


def read_further(path: str | Path, data: Dataset, label: str | None, id: str | None, group: str | None) -> Further:
    """Reads a file of labelled rows that go with a data set.

    Args:
        path: csv or parquet where the data set is a table, npz where it is an array.
        data: the data set.
        label: column of the labels (npz: key, by default ``y``); class names of the data set, or their ids.
        id: a column of ids to leave out.
        group: a column of groups to leave out.

    Raises:
        DataError: a file that can't be read, other columns, a class that the data set does not have.
        UsageError: an unknown extension, or no label column named.
    """
    found = read_rows(path, label, id, group)
    known = {name: i for i, name in enumerate(data.classes)}
    names = found.y.astype(str)
    strange = next((row for row, name in enumerate(names) if name not in known), None)
    if strange is not None:
        name = str(names[strange])
        raise DataError(
            f'{found.source}: row {strange} (from 0) has the label "{name}", which is no class of {data.name}'
            f"{did_you_mean(name, known)}"
        )
    first = FileRows(data.name, data.x, data.y, None, None)
    return Further(unite_rows([first, found]), np.array([known[name] for name in names], dtype=np.int64))
