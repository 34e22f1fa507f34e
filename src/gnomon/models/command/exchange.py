"""Rows to files that commands read, and answers from files that they write: csv, parquet or npz."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Floats, Rows, count_rows, is_frame
from gnomon.core.data.labels import class_name, match_classes
from gnomon.core.errors import ModelError, import_extra
from gnomon.core.outputs import log_from_outputs

Exchange: TypeAlias = Literal["csv", "parquet", "npz"]
LABEL = "label"  # the column of the labels; in npz files x and y


def write_rows(file: Path, x: Rows, labels: Sequence[Any] | None = None) -> None:
    """Writes rows, and in training their labels in the last column.

    Args:
        file: ends with .csv, .parquet or .npz.
        x: (n, ...) rows; in csv and parquet those of an array have the columns x0, x1, ...
        labels: (n,) as the data have them.

    Raises:
        ModelError: a column is called label.
        MissingExtraError: csv and parquet need pandas.
    """
    if file.suffix == ".npz":
        given = {} if labels is None else {"y": np.asarray(labels)}
        columns = {str(name): np.asarray(x[name]) for name in x.columns} if is_frame(x) else {"x": np.asarray(x)}
        if any(array.dtype.kind == "O" for array in columns.values()):
            columns = {name: a.astype(str) if a.dtype.kind == "O" else a for name, a in columns.items()}
        np.savez(file, **{**columns, **given})  # type: ignore[arg-type] # names of columns are text
        return
    pd = import_extra("pandas", "data", f"files of rows as {file.suffix[1:]}")
    frame = x if is_frame(x) else pd.DataFrame(np.asarray(x).reshape(count_rows(x), -1))
    if not is_frame(x):
        frame.columns = [f"x{j}" for j in range(frame.shape[1])]
    if labels is not None:
        if LABEL in frame.columns:
            raise ModelError(f'a feature is called "{LABEL}", as the labels in the file are; rename it in your data')
        frame = frame.assign(**{LABEL: list(labels)})
    if file.suffix == ".csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file)


def read_answers(file: Path, rows: int, classes: Sequence[str]) -> Floats:
    """Natural-log probabilities, float32 (n, c), from a file of probabilities.

    Columns with the classes' names may come in any order; without names, or with others, they are in the order of the
    classes. For two classes one column will do, that of the second class.

    Raises:
        ModelError: no such file, or something else in it.
    """
    if not file.exists():
        raise ModelError("the command that answers wrote no {answers} file")
    try:
        names, values = _READERS[file.suffix](file, rows)
        array = np.asarray(values, dtype=np.float64)
    except Exception as error:  # of csv, zipfile, zlib, pyarrow, numpy
        raise ModelError(f"the {{answers}} file can't be read as {file.suffix[1:]} of numbers ({error})") from None
    found = None if not names or len(names) != len(classes) else match_classes(list(names), list(classes))
    if found is not None and found.rule != "order" and array.ndim == 2:
        array = array[:, np.argsort(found.places)]
    return log_from_outputs(array, "probabilities", rows=rows, classes=len(classes), source="the {answers} file")


def _read_csv(file: Path, rows: int) -> tuple[list[str], Any]:
    with file.open(newline="", encoding="utf-8") as stream:
        lines = [line for line in csv.reader(stream) if line]
    names: list[str] = []
    if lines and (len(lines) == rows + 1 or not all(_is_number(value) for value in lines[0])):  # classes may be numbers
        names, lines = lines[0], lines[1:]
    return names, [[float(value) for value in line] for line in lines]


def _read_parquet(file: Path, _: int) -> tuple[list[str], Any]:
    import pandas as pd

    frame = pd.read_parquet(file)
    return [class_name(name) for name in frame.columns], frame.to_numpy()


def _read_npz(file: Path, _: int) -> tuple[list[str], Any]:
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        return [], arrays["answers" if "answers" in arrays.files else arrays.files[0]]


_READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
