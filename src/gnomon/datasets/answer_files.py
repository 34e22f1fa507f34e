"""A file of answers: one probability row for each audited row, for people who may not export the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, check_log_probs, log_from_logits, log_from_probabilities
from gnomon.core.errors import DataError, UsageError, did_you_mean
from gnomon.datasets.files import NPZ, SUFFIXES, check_path, read_frame, read_npz

READERS: dict[str, Callable[..., Floats]] = {
    "probabilities": log_from_probabilities,
    "logits": log_from_logits,
    "log_probabilities": check_log_probs,
}
KEY = "answers"


def read_answers(
    path: str | Path,
    outputs: Literal["probabilities", "logits", "log_probabilities"] = "probabilities",
    classes: Sequence[str] | None = None,
    rows: int | None = None,
) -> Floats:
    """Reads a model's answers, one row for each audited row, in the order of the rows' file.

    Args:
        path: csv or parquet with one column a class and nothing else, or npz with the array ``answers`` (or one array
            only).
        outputs: what the numbers are.
        classes: the data set's class names. Columns that bear these names are put into their order; columns with
            other names (p0, p1, ...) are taken as they come.
        rows: how many answers there must be.

    Returns:
        Natural-log probabilities, float32 (n, c).

    Raises:
        DataError: no such file, unreadable, columns that are not numbers, or another number of rows or classes.
        ModelError: NaN, or probabilities that do not sum to one.
        UsageError: an unknown extension or kind of output.
        MissingExtraError: csv and parquet need pandas, parquet pyarrow too.
    """
    if outputs not in READERS:
        raise UsageError(f'no outputs "{outputs}"{did_you_mean(outputs, READERS)}')
    place = check_path(path, SUFFIXES)
    table = _from_arrays(place) if place.suffix.lower() in NPZ else _from_frame(place, classes)
    if table.ndim != 2 or table.dtype.kind not in "iuf":
        raise DataError(f"{place.name}: expected numbers of shape (n, c), got {table.dtype} of shape {table.shape}")
    if len(table) == 0 or (rows is not None and len(table) != rows):
        wanted = "at least one row" if rows is None else f"{rows} rows, one for each audited row"
        raise DataError(f"{place.name}: expected {wanted}, got {len(table)}")
    if classes is not None and table.shape[1] != len(classes):
        raise DataError(f"{place.name}: expected {len(classes)} columns, one a class, got {table.shape[1]}")
    return READERS[outputs](table, rows=len(table), classes=None, source=place.name)


def _from_arrays(place: Path) -> NDArray[Any]:
    arrays = read_npz(place)
    if KEY in arrays:
        return arrays[KEY]
    if len(arrays) != 1:
        raise DataError(f'{place.name}: no array "{KEY}"{did_you_mean(KEY, arrays)}')
    return next(iter(arrays.values()))


def _from_frame(place: Path, classes: Sequence[str] | None) -> NDArray[Any]:
    frame = read_frame(place)
    named = [name for name in frame.columns if classes is not None and name in classes]
    if classes is not None and named:
        missing = [name for name in classes if name not in named]
        extra = [name for name in frame.columns if name not in classes]
        if missing:
            raise DataError(f'{place.name}: no column for the class "{missing[0]}", though others bear class names')
        if extra:
            raise DataError(f'{place.name}: the column "{extra[0]}" bears no class name, though others do')
        frame = frame[list(classes)]
    elif any(_is_fraction(name) for name in frame.columns):
        raise DataError(f"{place.name}: its first line is numbers; expected a line of column names")
    for name in frame.columns:
        if frame[name].dtype.kind not in "iuf":
            raise DataError(f'{place.name}: expected one column of numbers a class, but "{name}" holds other things')
    return np.asarray(frame.to_numpy())


def _is_fraction(name: str) -> bool:
    """Whether a column's name is a number that no class would be called by."""
    try:
        return not float(name).is_integer()
    except (ValueError, OverflowError):
        return False
