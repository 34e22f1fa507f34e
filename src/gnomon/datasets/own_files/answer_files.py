"""A file of answers: one probability row for each audited row, for people who may not export the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Ints, check_log_probs, is_frame
from gnomon.core.data.labels import class_name, first_unknown
from gnomon.core.errors import DataError, ModelError, did_you_mean
from gnomon.core.outputs import Outputs, check_outputs, is_one_column, log_from_outputs
from gnomon.datasets.own_files import files
from gnomon.datasets.own_files.answer_kinds import (
    AnswerKind,
    ColumnRule,
    class_of,
    from_labels,
    kind_of,
    match_columns,
    share_of,
)
from gnomon.datasets.own_files.csv_files import CsvFormat, has_pandas

SMALLER = 0.006  # by which a largest probability of two decimals may miss 1 / c
_RANKED = re.compile(r"top|rank|largest|highest|best|sorted", re.IGNORECASE)
KEY, CLASSES, CONFIDENCE = "answers", "classes", "confidence"


@dataclass(frozen=True)
class Answers:
    """Answers as a file or a caller holds them.

    Attributes:
        table: (n, c) numbers, or (n,) numbers or labels.
        names: of the columns, where they have some.
        ids: (n,) row ids, or None.
        confidence: (n,) the probability of each label, where the table is one of labels.
    """

    table: NDArray[Any]
    names: list[str] | None = None
    ids: NDArray[Any] | None = None
    confidence: NDArray[Any] | None = None


@dataclass(frozen=True)
class AnswerTable:
    """Answers of a file, in the order of the classes.

    Attributes:
        log_probs: natural-log probabilities, float32 (n, c).
        columns: what each class's column is called in the file, in the order of the classes; of a file without names
            its position, from 0.
        rule: what the columns were matched by.
        by_ids: whether the answers were matched to rows by ids; otherwise the rows' order was assumed.
        reveals: what they show, as a plan says it.
        said: how they were read, where that is not the usual.
    """

    log_probs: Floats
    columns: tuple[str, ...]
    rule: ColumnRule
    by_ids: bool = False
    reveals: str = "full"
    said: str = ""


def read_answers(
    path: str | Path,
    outputs: Outputs = "probabilities",
    classes: Sequence[str] | None = None,
    rows: int | None = None,
    id: str | None = None,
    ids: NDArray[Any] | None = None,
    reveals: str = "full",
    ignore: Sequence[str] = (),
    csv: CsvFormat = files.USUAL,
) -> AnswerTable:
    """Reads a model's answers, one row for each audited row: matched by ids, or in the order of the rows' file.

    Args:
        path: csv or parquet with one column a class, and perhaps one of row ids; or npz with the array ``answers`` (or
            one array only) and, if wanted, ``classes``, the names of its columns, ``ids``, and next to labels their
            ``confidence``. For two classes one column is enough. A column of predicted labels may stand alone, or with
            one of their probabilities; next to one column a class it is left out.
        outputs: what the numbers are.
        classes: the data set's class names. Columns are matched by them: a column is called after its class, or its
            name holds one class name (``prob_yes``), or the columns are numbered in the order of the classes. A npz
            array without names is taken in that order.
        rows: how many answers there must be.
        id: column of row ids (npz: key, by default ``ids``), if the file has it.
        ids: the rows' ids, in the order that is wanted.
        reveals: what the answers show, as a plan says it. With "full" it is found out where probabilities do not sum to
            1: in per cent, rounded (``rounded:2``), the largest only (``top:3``), or one column of predicted labels.
        ignore: columns to leave out, such as that of the true labels; not one of numbers that is called after a class.
        csv: how csv files are written, as far as that is known.

    Raises:
        DataError: no such file, unreadable, columns that are not numbers or name no class, another number of rows or
            classes, or ids that are not the rows'.
        ModelError: NaN, or probabilities that do not sum to one.
        UsageError: an unknown extension or kind of output.
        MissingExtraError: csv and parquet need pandas, parquet pyarrow too.
    """
    check_outputs(outputs)
    place = files.check_path(path, files.SUFFIXES)
    if place.suffix.lower() in files.NPZ:
        found = _from_arrays(place, id)
    else:
        frame, _ = files.read_frame(place, (id,), csv)
        left_out = [*(n for n in ignore if not _holds_answers(frame, n, classes)), *files.nameless_columns(frame)]
        found = _from_frame(
            place.name, frame.drop(columns=[n for n in left_out if n != id and n in frame.columns]), id, classes
        )
    return _in_classes(place.name, found, outputs, classes, rows, ids, reveals)


def answers_in_memory(
    name: str, given: Any, classes: Sequence[str], rows: int, outputs: Outputs = "probabilities", reveals: str = "full"
) -> AnswerTable:
    """Answers that a Python caller gives, held to what files are held to.

    Args:
        name: what messages call them.
        given: an array (n, c) in the order of the classes, one number or one label a row, or a data frame with columns
            as in a file, also as a list of its rows as dicts.
        classes: the data set's class names.
        rows: how many answers there must be.
        outputs: what the numbers are.
        reveals: what the answers show, as a plan says it.

    Raises:
        DataError: columns that name no class, or another number of rows.
        ModelError: NaN, or probabilities that do not sum to one.
    """
    if isinstance(given, list) and given and has_pandas() and all(isinstance(row, dict) for row in given):
        import pandas as pd

        given = pd.DataFrame(given)
    if is_frame(given):
        found = _from_frame(name, given.rename(columns=str), None, classes)
    else:
        try:
            table = np.asarray(given)
        except (TypeError, ValueError):
            raise DataError(f"{name}: expected an array (n, c), got {type(given).__name__} of unequal rows") from None
        if table.ndim not in (1, 2):
            raise DataError(f"{name}: expected an array (n, c), got {type(given).__name__} of shape {table.shape}")
        found = Answers(table.astype(str) if table.dtype.kind == "O" else table)
    return _in_classes(name, found, outputs, classes, rows, None, reveals)


def _in_classes(
    source: str,
    found: Answers,
    outputs: Outputs,
    classes: Sequence[str] | None,
    rows: int | None,
    ids: NDArray[Any] | None,
    reveals: str,
) -> AnswerTable:
    """Answers in the order of the classes, read as what they are."""
    table, names, own, confidence = found.table, found.names, found.ids, found.confidence
    if table.ndim == 1:
        table = table[:, None]
    labels = from_labels(table[:, 0], classes, confidence) if classes is not None and is_one_column(table) else None
    if labels is None and (table.dtype.kind not in "iuf" or confidence is not None):
        if classes is not None and table.dtype.kind == "U" and table.shape[1] == 1 and confidence is None:
            found_label = table[first_unknown(table[:, 0].tolist(), classes), 0]
            raise DataError(f'{source}: the label "{found_label}" is none of the classes ({_some(classes)})')
        raise DataError(f"{source}: expected numbers of shape (n, c), got {table.dtype} of shape {table.shape}")
    if len(table) == 0 or (rows is not None and len(table) != rows):
        wanted = "at least one row" if rows is None else f"{rows} rows, one for each audited row"
        raise DataError(f"{source}: expected {wanted}, got {len(table)}")
    by_ids = own is not None and ids is not None
    if own is not None and ids is not None:
        places = _places_of(source, ids.astype(str), own)
        table, labels = table[places], None if labels is None else labels.at(places)
    if labels is not None and classes is not None:
        if confidence is not None:
            _check_largest(source, labels, len(classes))
        return _shown(source, labels, tuple(classes), "name", by_ids)
    if is_one_column(table):
        return replace(_one_column(source, table, names, outputs, classes), by_ids=by_ids)
    table, columns, rule = _in_order(source, table, names, classes)
    kind = kind_of(table, reveals) if outputs == "probabilities" else None
    if kind is None or (kind.reveals, kind.said) == ("full", ""):
        try:
            logs = log_from_outputs(table, outputs, rows=len(table), classes=None, source=source)
        except ModelError as error:
            if "must sum to 1" not in str(error):
                raise
            raise ModelError(
                f'{error}; if it rounds, or shows the largest only, say so: target.reveals = "rounded:2" or "top:3"'
            ) from None
        return AnswerTable(logs, columns, rule, by_ids)
    return _shown(source, kind, columns, rule, by_ids)


def _check_largest(source: str, labels: AnswerKind, classes: int) -> None:
    """Refuses probabilities next to labels that are not the largest, as those of true labels may be."""
    least = float(labels.probabilities.sum(axis=1).min())
    if least < 1 / classes - SMALLER:
        raise DataError(
            f"{source}: next to labels stand numbers down to {least:.3g}, and the largest of {classes} probabilities "
            f"is {1 / classes:.3g} or more: they are not those of predicted labels; give one column a class"
        )


def _shown(source: str, kind: AnswerKind, columns: tuple[str, ...], rule: ColumnRule, by_ids: bool) -> AnswerTable:
    """Answers that show a part of the probabilities."""
    with np.errstate(divide="ignore"):
        logs = np.log(kind.probabilities)
    checked = check_log_probs(logs, rows=len(logs), classes=None, source=source, whole=False)
    return AnswerTable(checked, columns, rule, by_ids, kind.reveals, kind.said)


def _places_of(source: str, ids: NDArray[Any], own: NDArray[Any]) -> Ints:
    """For each row the position of its answer."""
    values, counts = np.unique(own, return_counts=True)
    if len(values) < len(own):
        raise DataError(f'{source}: the id "{values[counts.argmax()]}" stands there {counts.max()} times')
    order = np.argsort(own)
    places: Ints = order[np.searchsorted(own, ids, sorter=order).clip(max=len(own) - 1)].astype(np.int64)
    lost = own[places] != ids
    if lost.any():
        raise DataError(
            f'{source}: expected an answer for each row, by its id, but there is none for "{ids[lost.argmax()]}" '
            f"({int(lost.sum())} of {len(ids)} rows); are the files of answers swapped, or these other ids?"
        )
    return places


def _in_order(
    source: str, table: NDArray[Any], names: Sequence[str] | None, classes: Sequence[str] | None
) -> tuple[NDArray[Any], tuple[str, ...], ColumnRule]:
    """The columns in the order of the classes."""
    count = table.shape[1]
    if classes is not None and count != len(classes):
        _check_names(source, names, classes)
        raise DataError(f"{source}: expected {len(classes)} columns, one a class, got {count}")
    if names is None:
        return table, tuple(map(str, range(count))), "position"
    found = match_columns(names, [str(k) for k in range(count)] if classes is None else classes)
    if found is not None and found.rule == "number" and all(map(_RANKED.search, names)):
        raise DataError(
            f"{source}: the columns {', '.join(names[:8])} are ranks, which do not say whose probabilities they are; "
            "call the columns after the classes, or give the predicted label next to the largest one"
        )
    if found is not None:
        return table[:, found.places], tuple(names[i] for i in found.places), found.rule
    if classes is None:
        return table, tuple(names), "position"
    _check_names(source, names, classes)
    raise DataError(
        f"{source}: the columns {', '.join(names[:8])} do not say which class they belong to; call them after the "
        f'classes ({_some(classes)}), for example "prob_{classes[0]}", or number them from 0 in this order'
    )


def _some(classes: Sequence[str]) -> str:
    return ", ".join(classes[:8]) + (", ..." if len(classes) > 8 else "")


def _check_names(source: str, names: Sequence[str] | None, classes: Sequence[str]) -> None:
    """Names the column or class that is amiss where some columns are called after classes."""
    named = [] if names is None else [name for name in names if name in classes]
    missing = [name for name in classes if name not in named]
    extra = [] if names is None else [name for name in names if name not in classes]
    if named and missing:
        raise DataError(f'{source}: no column for the class "{missing[0]}", though others bear class names')
    if named and extra:
        raise DataError(
            f'{source}: the column "{extra[0]}" bears no class name, though others do; a column of row ids must be the '
            "one that data.id names"
        )


def _one_column(
    source: str, table: NDArray[Any], names: Sequence[str] | None, outputs: Outputs, classes: Sequence[str] | None
) -> AnswerTable:
    """Answers of two classes from one column: that of the class that its name holds, otherwise of the second one."""
    if classes is not None and len(classes) != 2:
        raise DataError(
            f"{source}: expected {len(classes)} columns, one a class, got 1; a single score is enough for two classes "
            "only, or next to a column of predicted labels; labels alone must be the classes' names "
            f"({_some(classes)})"
        )
    name = "0" if names is None else names[0]
    if names is not None and name.isdigit():
        raise DataError(
            f'{source}: its one column is called "{name}", which may be a class or a mere number; call it after the '
            "class whose probability it holds"
        )
    held = 1 if names is None or classes is None else class_of(name, classes)
    shares = share_of(table) if outputs == "probabilities" else None
    logs = log_from_outputs(table if shares is None else shares, outputs, rows=len(table), classes=2, source=source)
    other, said = f"not {name}", "" if shares is None else "in per cent"
    return (
        AnswerTable(logs[:, ::-1], (name, other), "one column", said=said)
        if held == 0
        else AnswerTable(logs, (other, name), "one column", said=said)
    )


def _from_arrays(place: Path, id: str | None) -> Answers:
    arrays = files.read_npz(place)
    ids = arrays.pop(id or "ids", None) if len(arrays) > 1 else None
    names, confidence = (arrays.pop(key, None) if len(arrays) > 1 else None for key in (CLASSES, CONFIDENCE))
    if KEY not in arrays and len(arrays) != 1:
        raise DataError(f'{place.name}: no array "{KEY}"{did_you_mean(KEY, arrays)}')
    table = arrays[KEY] if KEY in arrays else next(iter(arrays.values()))
    if ids is not None and ids.shape != table.shape[:1]:
        raise DataError(f"{place.name}: expected an id for each answer, got {ids.shape} for {table.shape}")
    own = None if ids is None else ids.astype(str)
    if confidence is not None and confidence.shape != table.shape[:1]:
        raise DataError(
            f"{place.name}: expected a {CONFIDENCE} for each answer, got {confidence.shape} for {table.shape}"
        )
    if names is None:
        return Answers(table, None, own, confidence)
    if names.shape != table.shape[1:]:
        raise DataError(f"{place.name}: expected {CLASSES} to name each column, got {names.shape} for {table.shape}")
    return Answers(table, [class_name(name) for name in names.tolist()], own, confidence)


def _from_frame(source: str, frame: Any, id: str | None, classes: Sequence[str] | None) -> Answers:
    ids = None
    if id is not None and id in frame.columns:
        ids, frame = files.check_ids(source, frame, id), frame.drop(columns=[id])
    frame = frame if classes is None else _without_labels(frame, classes)
    names = [str(name) for name in frame.columns]
    files.check_header(source, names)
    labels, confidence = _labels_in(frame, names, classes)
    if labels is not None and not frame[labels].isna().any():
        column = frame[labels]
        table = column.to_numpy() if column.dtype.kind in "biu" else column.astype(str).to_numpy(dtype=str)
        sure = None if confidence is None else np.asarray(frame[confidence].to_numpy(), dtype=np.float64)
        return Answers(np.asarray(table), [labels], ids, sure)
    frame = frame.apply(_without_percent_signs)
    for name in names:
        if frame[name].dtype.kind not in "iuf":
            held = frame[name].dropna().astype(str)
            first = f'"{held.iloc[0][:40]}"' if len(held) else "nothing"
            raise DataError(f'{source}: expected one column of numbers a class, but "{name}" holds {first}')
    return Answers(np.asarray(frame.to_numpy()), names, ids)


def _without_percent_signs(column: Any) -> Any:
    """A column of text such as "12.5%" as numbers, which are then read as per cent; any other as it is."""
    if column.dtype.kind in "biufmM":
        return column
    bare = column.astype(str).str.strip()
    numbers = bare.str.removesuffix("%").str.strip()
    return numbers.astype(np.float64) if bare.str.fullmatch(r"\d+(\.\d+)?\s*%").all() else column


def _without_labels(frame: Any, classes: Sequence[str]) -> Any:
    """The frame without labels, true or predicted, that stand next to one column of probabilities a class."""
    whole = [name for name in frame.columns if frame[name].dtype.kind != "f"]
    labels = [name for name in whole if {class_name(v) for v in frame[name].dropna().unique()} <= set(classes)]
    return frame.drop(columns=labels) if len(frame.columns) - len(labels) == len(classes) else frame


def _labels_in(frame: Any, names: Sequence[str], classes: Sequence[str] | None) -> tuple[str | None, str | None]:
    """The column of predicted labels, if the frame holds nothing else, and the column of their probabilities."""
    if len(names) == 1:
        return (names[0] if frame[names[0]].dtype.kind not in "iuf" else None), None
    real = [name for name in names if frame[name].dtype.kind == "f"]
    if len(names) != 2 or len(real) != 1 or classes is None or match_columns(names, classes) is not None:
        return None, None
    return next(name for name in names if name not in real), real[0]


def _holds_answers(frame: Any, name: str, classes: Sequence[str] | None) -> bool:
    """Whether a column holds the numbers of the class that it is called after, as the true labels may be, too."""
    return name in (classes or ()) and name in frame.columns and frame[name].dtype.kind in "iuf"
