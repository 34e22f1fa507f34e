"""Files of members, non-members and pool, united into one data set whose classes and columns agree.

Further rows of the user's own that go with a data set: a file of the same columns and classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Ints, Rows, concat_rows, is_frame
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import DataError, did_you_mean
from gnomon.datasets.own_files.files import FileRows, read_rows


@dataclass(frozen=True)
class Tables:
    """One data set made of several files, and which rows came from which.

    Attributes:
        dataset: all rows: members, then non-members, then pool.
        members: positions of the members' rows.
        nonmembers: positions of the non-members' rows.
        pool: positions of the pool's rows; empty without a pool.
    """

    dataset: Dataset
    members: Ints
    nonmembers: Ints
    pool: Ints


def read_tables(
    members: str | Path,
    nonmembers: str | Path,
    pool: str | Path | None = None,
    label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    known: Sequence[Any] | None = None,
) -> Tables:
    """Reads the user's files into one data set.

    Columns of non-members and pool are put into the members' order, and a column has one type in all files. Classes
    are the distinct labels of all files together. Without ``id`` a row is called ``members:12`` after its file's role
    and its position there, from 0.

    Args:
        members: file of rows that the target was trained on (csv, parquet, npz).
        nonmembers: file of rows that it was not trained on.
        pool: file of further rows that the attacker holds, or None.
        label: column of the labels (npz: key, by default ``y``).
        id: column of row ids.
        group: column of the person or household a row belongs to.
        known: the labels that the model knows, in the order of its answers.

    Raises:
        DataError: a file can't be read, the files do not agree, or a label that the model does not know.
        UsageError: an unknown extension, or no label column named.
        MissingExtraError: csv and parquet need pandas, parquet pyarrow too.
    """
    roles = {"members": members, "nonmembers": nonmembers} | ({} if pool is None else {"pool": pool})
    parts = [replace(read_rows(path, label, id, group), source=f"{Path(path).name}") for path in roles.values()]
    dataset = make_dataset(
        unite_rows(parts),
        _unite_labels([part.y for part in parts]),
        known=known,
        ids=_unite_ids(parts, list(roles)),
        groups=_unite_groups(parts),
        name=Path(members).stem,
        note=f"the user's own files: {', '.join(part.source for part in parts)}",
    )
    ends = np.cumsum([len(part.y) for part in parts])
    spans = [np.arange(end - len(part.y), end, dtype=np.int64) for part, end in zip(parts, ends, strict=True)]
    return Tables(dataset, spans[0], spans[1], spans[2] if pool is not None else np.empty(0, np.int64))


def unite_rows(parts: Sequence[FileRows]) -> Rows:
    """The rows of all parts, one after the other, with the first part's columns and one type a column.

    Raises:
        DataError: tables and arrays, or columns that differ.
    """
    first = parts[0]
    for part in parts[1:]:
        if is_frame(part.x) != is_frame(first.x):
            raise DataError(f"{first.source} and {part.source}: expected tables only or npz only, got one of each")
        if not is_frame(first.x) and part.x.shape[1:] != first.x.shape[1:]:
            raise DataError(
                f"{part.source}: expected rows of shape {first.x.shape[1:]} as in {first.source}, "
                f"got {part.x.shape[1:]}"
            )
    if not is_frame(first.x):
        return concat_rows([part.x for part in parts])
    for part in parts[1:]:
        _check_columns(first, part)
    frames = [part.x[list(first.x.columns)] for part in parts]
    types = {name: _unite_type(name, parts, [frame[name] for frame in frames]) for name in first.x.columns}
    return concat_rows([frame.astype(types) for frame in frames])


def _check_columns(first: FileRows, part: FileRows) -> None:
    expected, got = list(first.x.columns), list(part.x.columns)
    missing = [name for name in expected if name not in got]
    extra = [name for name in got if name not in expected]
    if missing:
        hint = did_you_mean(missing[0], extra) if extra else ""
        raise DataError(f'{part.source}: no column "{missing[0]}", which {first.source} has{hint}')
    if extra:
        hint = did_you_mean(extra[0], expected)
        raise DataError(f'{part.source}: the column "{extra[0]}" does not stand in {first.source}{hint}')


def _unite_type(name: str, parts: Sequence[FileRows], columns: Sequence[Any]) -> Any:
    """The one type of a column over all files; numbers in one and text in another are refused."""
    import pandas as pd

    types = [column.dtype for column in columns]
    kinds = [_kind(column) for column in columns]
    told = next((kind for kind in kinds if kind != "nothing"), "numbers")
    for part, kind in zip(parts, kinds, strict=True):
        if kind == "nothing" and told == "numbers":
            raise DataError(f'{part.source}: column "{name}" is empty; fill it or drop it from every file')
        if kind not in ("nothing", told):
            other = parts[kinds.index(told)]
            raise DataError(f'column "{name}" holds {told} in {other.source} but {kind} in {part.source}')
    if all(dtype == types[0] for dtype in types):
        return types[0]
    if told == "numbers":
        return np.result_type(*types)
    if all(isinstance(dtype, pd.CategoricalDtype) for dtype in types):
        return pd.api.types.union_categoricals(list(columns), ignore_order=True).dtype
    return object if told == "text" else "datetime64[ns]"


def _kind(column: Any) -> str:
    if column.isna().all():
        return "nothing"
    if column.dtype.kind in "biuf":
        return "numbers"
    return "dates" if column.dtype.kind in "mM" else "text"


def _unite_labels(labels: Sequence[NDArray[Any]]) -> NDArray[Any]:
    numbers = [part.dtype.kind in "biu" for part in labels]
    return np.concatenate([*labels] if all(numbers) else [part.astype(str) for part in labels])


def _unite_ids(parts: Sequence[FileRows], roles: Sequence[str]) -> NDArray[Any]:
    named = []
    for part, role in zip(parts, roles, strict=True):
        made = np.array([f"{role}:{row}" for row in range(len(part.y))])
        named.append(made if part.ids is None else part.ids.astype(str))
    return np.concatenate(named)


def _unite_groups(parts: Sequence[FileRows]) -> NDArray[Any] | None:
    groups = [part.groups for part in parts if part.groups is not None]
    if not groups:
        return None
    if len(groups) < len(parts):
        lacking = next(part.source for part in parts if part.groups is None)
        raise DataError(f"{lacking}: expected groups as in the other files, got none")
    return _unite_labels(groups)


@dataclass(frozen=True)
class FurtherRows:
    """A data set's rows with those of a file behind them, and the file's class ids (k,)."""

    x: Rows
    y: Ints


def read_further_rows(
    path: str | Path, data: Dataset, label: str | None, id: str | None, group: str | None
) -> FurtherRows:
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
    return FurtherRows(unite_rows([first, found]), np.array([known[name] for name in names], dtype=np.int64))
