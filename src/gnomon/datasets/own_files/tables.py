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

from gnomon.core.arrays import Ints, Rows, concat_rows, count_rows, is_frame, is_sparse
from gnomon.core.data.dataset import Dataset, make_dataset, one_label_a_row, plain_rows
from gnomon.core.data.labels import class_name
from gnomon.core.errors import DataError, UsageError, did_you_mean
from gnomon.datasets.own_files import files
from gnomon.datasets.own_files.csv_files import CsvFormat, has_pandas, open_csv


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
    columns: Sequence[str] | None = None,
    csv: CsvFormat = files.USUAL,
    features: files.Features = "needed",
) -> Tables:
    """Reads the user's files into one data set.

    Columns are put into the model's order, or else the members', and a column has one type in all files. Classes are
    the distinct labels of all files together. Without ``id`` a row is called ``members:12`` after its file's role
    and its position there, from 0.

    Args:
        members: file of rows that the target was trained on (csv, parquet, npz).
        nonmembers: file of rows that it was not trained on.
        pool: file of further rows that the attacker holds, or None.
        label: column of the labels (npz: key, by default ``y``).
        id: column of row ids.
        group: column of the person or household a row belongs to.
        known: the labels that the model knows, in the order of its answers.
        columns: the names of the columns that the model was trained on, in its order.
        csv: how csv files are written, as far as that is known.
        features: whether the files must hold some; see `read_rows`.

    Raises:
        DataError: a file can't be read, the files do not agree, or a label that the model does not know.
        UsageError: an unknown extension, or no label column named.
        MissingExtraError: csv and parquet need pandas, parquet pyarrow too.
    """
    roles = {"members": members, "nonmembers": nonmembers} | ({} if pool is None else {"pool": pool})
    places = [Path(path) for path in roles.values()]
    tables = [files.check_path(place, files.SUFFIXES) for place in places]
    csv = replace(csv, padded=label is not None and label != label.strip())
    text = frozenset().union(
        *(open_csv(p, csv).codes for p in tables if p.suffix.lower() in files.CSV and has_pandas())
    )
    parts = [files.read_rows(path, label, id, group, csv, text, features) for path in places]
    united = unite_parts(parts, columns)
    dataset = make_dataset(
        united.x,
        united.y,
        known=known,
        ids=_unite_ids(parts, list(roles)),
        groups=united.groups,
        name=Path(members).stem,
        note=f"the user's own files: {', '.join(part.source for part in parts)}{united.note}",
    )
    ends = np.cumsum([len(part.y) for part in parts])
    spans = [np.arange(end - len(part.y), end, dtype=np.int64) for part, end in zip(parts, ends, strict=True)]
    return Tables(dataset, spans[0], spans[1], spans[2] if pool is not None else np.empty(0, np.int64))


def table_in_memory(name: str, given: Any, *, answered: bool = False) -> files.FileRows:
    """Rows and labels that a Python caller gives, held to what files are held to.

    Args:
        name: what messages call it.
        answered: the model's answers are given, so that rows may be None: labels only.
        given: (x, y).

    Raises:
        DataError: rows or labels that are none.
        UsageError: anything but a pair.
    """
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        if isinstance(given, (str, Path)):
            got = f'the path "{given}" (for files there are gnomon audit and gnomon.datasets.read_tables)'
        else:
            got = f"{len(given)} parts" if isinstance(given, (tuple, list)) else type(given).__name__
            got = "None" if given is None else got
        raise UsageError(
            f"{name}: expected (x, y), the rows and their labels, got {got}; an audit compares rows inside with rows "
            "outside, and groups have an argument of their own"
        )
    if answered and given[0] is None:
        n = count_rows(given[1]) if hasattr(given[1], "__len__") and not isinstance(given[1], str) else 0
        labels = files.read_labels(name, one_label_a_row(given[1], n, name))
        return files.FileRows(name, np.empty((n, 0)), labels, None, None)
    x = plain_rows(given[0], name)
    x = files.plain_numbers(name, x) if is_frame(x) else x
    n = count_rows(x)
    if n == 0:
        raise DataError(f"{name}: expected at least one row, got none")
    return files.FileRows(name, x, files.read_labels(name, one_label_a_row(given[1], n, name)), None, None)


@dataclass(frozen=True)
class UnitedParts:
    """Several tables as one.

    Attributes:
        x: all rows, one part after the other.
        y: (n,) labels.
        groups: (n,) groups, or None.
        note: what was done to the parts, in words that follow their names; empty where it is the usual.
    """

    x: Rows
    y: NDArray[Any]
    groups: NDArray[Any] | None
    note: str


def unite_parts(parts: Sequence[files.FileRows], columns: Sequence[str] | None = None) -> UnitedParts:
    """Parts from files or from memory as one table: the same columns in one order, one type a column.

    An unnamed column that is empty, or counts the rows as pandas' index does, is left out, unless the model knows it.

    Args:
        parts: of members, non-members and further rows.
        columns: the names of the columns that the model was trained on, in its order; None where it names none.

    Raises:
        DataError: tables and arrays, columns that differ, or that the model does not know.
    """
    known = set(columns or ())
    plain, said = [], []
    for part in parts:
        nameless = {name: what for name, what in files.nameless_columns(part.x).items() if name not in known}
        done = [*part.notes, *(f"without the {what} column {name}" for name, what in nameless.items())]
        if done:
            said.append(f"{part.source}: {', '.join(done)}")
        plain.append(replace(part, x=part.x.drop(columns=list(nameless))) if nameless else part)
    if columns is not None and is_frame(plain[0].x):
        lacking = (
            "which the model was trained on (a column named as label, id or group is no feature: name a copy of it)"
        )
        _check_columns(columns, plain[0], lacking, "is none that the model was trained on")
        plain[0] = replace(plain[0], x=plain[0].x[list(columns)])
    x = unite_rows(plain)
    note = f". Read as: {'; '.join(said)}" if said else ""
    return UnitedParts(x, _unite_labels([part.y for part in plain]), _unite_groups(plain), note)


def unite_rows(parts: Sequence[files.FileRows]) -> Rows:
    """The rows of all parts, one after the other, with the first part's columns and one type a column.

    Raises:
        DataError: tables and arrays, or columns that differ.
    """
    first = parts[0]
    for part in parts[1:]:
        forms = _form(first.x), _form(part.x)
        if forms[0] != forms[1]:
            raise DataError(
                f"{first.source} and {part.source}: expected rows in one form, got {forms[0]} and {forms[1]}; columns "
                "are never matched by their position alone"
            )
        if not is_frame(first.x) and part.x.shape[1:] != first.x.shape[1:]:
            raise DataError(
                f"{part.source}: expected rows of shape {first.x.shape[1:]} as in {first.source}, "
                f"got {part.x.shape[1:]}"
            )
    if not is_frame(first.x):
        return concat_rows([part.x for part in parts])
    for part in parts[1:]:
        _check_columns(list(first.x.columns), part, f"which {first.source} has", f"does not stand in {first.source}")
    frames = [part.x[list(first.x.columns)] for part in parts]
    types = {name: _unite_type(name, parts, [frame[name] for frame in frames]) for name in first.x.columns}
    return concat_rows([frame.astype(types) for frame in frames])


def _form(x: Rows) -> str:
    return "a table with named columns" if is_frame(x) else "a sparse matrix" if is_sparse(x) else "an array"


def _check_columns(expected: Sequence[Any], part: files.FileRows, lacking: str, strange: str) -> None:
    """Refuses a table that lacks a column, or has one more."""
    got = list(part.x.columns)
    missing = [name for name in expected if name not in got]
    extra = [name for name in got if name not in expected]
    if missing:
        hint = did_you_mean(str(missing[0]), map(str, extra)) if extra else ""
        raise DataError(f'{part.source}: no column "{missing[0]}", {lacking}{hint}')
    if extra:
        hint = did_you_mean(str(extra[0]), map(str, expected))
        raise DataError(
            f'{part.source}: the column "{extra[0]}" {strange}{hint}; leave it out, or name it as id or group'
        )


def _unite_type(name: str, parts: Sequence[files.FileRows], columns: Sequence[Any]) -> Any:
    """The one type of a column over all files; numbers in one and text in another are refused."""
    import pandas as pd

    types = [column.dtype for column in columns]
    kinds = [_kind(column) for column in columns]
    told = next((kind for kind in kinds if kind != "nothing"), "numbers")
    for part, kind in zip(parts, kinds, strict=True):
        if kind not in ("nothing", told):
            other = parts[kinds.index(told)]
            raise DataError(f'column "{name}" holds {told} in {other.source} but {kind} in {part.source}')
    if set(kinds) == {"nothing"}:
        return np.dtype(np.float64)
    if all(dtype == types[0] for dtype in types):
        return types[0]
    if told == "numbers":
        numbers = [dtype for dtype, kind in zip(types, kinds, strict=True) if kind == "numbers"]
        return np.result_type(*numbers, *([np.float64] if "nothing" in kinds else []))
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
    if all(numbers):
        return np.concatenate([*labels])
    return np.concatenate([np.array([class_name(v) for v in part.tolist()], dtype=str) for part in labels])


def _unite_ids(parts: Sequence[files.FileRows], roles: Sequence[str]) -> NDArray[Any]:
    named = []
    for part, role in zip(parts, roles, strict=True):
        made = np.array([f"{role}:{row}" for row in range(len(part.y))])
        named.append(made if part.ids is None else part.ids.astype(str))
    return np.concatenate(named)


def _unite_groups(parts: Sequence[files.FileRows]) -> NDArray[Any] | None:
    groups = [part.groups for part in parts if part.groups is not None]
    if not groups:
        return None
    if len(groups) < len(parts):
        lacking = next(part.source for part in parts if part.groups is None)
        raise DataError(f"{lacking}: expected groups as in the other files, got none")
    return _unite_labels(groups)


def read_further_rows(
    path: str | Path,
    data: Dataset,
    label: str | None,
    id: str | None,
    group: str | None,
    csv: CsvFormat = files.USUAL,
) -> tuple[Rows, Ints]:
    """Reads a file of labelled rows that go with a data set.

    Returns the data set's rows with those of the file behind them, and the file's class ids (k,).

    Args:
        path: csv or parquet where the data set is a table, npz where it is an array.
        data: the data set.
        label: column of the labels (npz: key, by default ``y``); class names of the data set, or their ids.
        id: a column of ids to leave out.
        group: a column of groups to leave out.
        csv: how csv files are written, as far as that is known.

    Raises:
        DataError: a file that can't be read, other columns, a class that the data set does not have.
        UsageError: an unknown extension, or no label column named.
    """
    own = list(data.x.columns) if is_frame(data.x) else []
    text = frozenset(name for name in own if _kind(data.x[name]) == "text")
    found = files.read_rows(path, label, id, group, csv, text)
    nameless = [name for name in files.nameless_columns(found.x) if name not in own]
    found = replace(found, x=found.x.drop(columns=nameless)) if nameless else found
    known = {name: i for i, name in enumerate(data.classes)}
    names = found.y.astype(str)
    strange = next((row for row, name in enumerate(names) if name not in known), None)
    if strange is not None:
        name = str(names[strange])
        raise DataError(
            f'{found.source}: row {strange} (from 0) has the label "{name}", which is no class of {data.name}'
            f"{did_you_mean(name, known)}"
        )
    first = files.FileRows(data.name, data.x, data.y, None, None)
    return unite_rows([first, found]), np.array([known[name] for name in names], dtype=np.int64)
