"""Files of answers put together, and which answer of a target belongs to which class, in words and for the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.dataset import Dataset
from gnomon.core.data.labels import class_name
from gnomon.core.documents.record import AnswersMap
from gnomon.core.errors import DataError, PlanError
from gnomon.core.protocols import KnownClasses, Model, ModelAbilities
from gnomon.datasets.own_files.answer_columns import ColumnRule
from gnomon.datasets.own_files.answer_files import AnswerTable
from gnomon.datasets.own_files.answer_kinds import could_show

DISTINCT = 10  # answers from which on two tables are not alike by chance


def united_answers(tables: Sequence[AnswerTable], data: Dataset, spans: Sequence[Ints]) -> Floats:
    """Natural-log probabilities (N, c) of all rows, from those of members and non-members; NaN elsewhere.

    Raises:
        DataError: both tables hold the same answers.
    """
    first, second = tables[0].log_probs, tables[-1].log_probs
    if np.array_equal(first, second) and len(np.unique(first, axis=0)) >= DISTINCT:
        raise DataError("the answers to members and to non-members are the same in every row; give those to each side")
    answers = np.full((len(data), data.n_classes), np.nan, dtype=np.float32)
    for table, rows in zip(tables, spans, strict=False):
        answers[rows] = table.log_probs
    return answers


def revealed_by(tables: Sequence[AnswerTable]) -> str:
    """What files of answers show, as a plan says it.

    Rounded answers of a model that is sure of its members sum to 1, and look whole: they show what the other file does.

    Raises:
        PlanError: they show different things.
    """
    kinds = sorted({table.reveals for table in tables})
    limited = [kind for kind in kinds if kind != "full"]
    whole = [np.exp(table.log_probs.astype(np.float64)) for table in tables if table.reveals == "full"]
    if len(limited) == 1 and all(could_show(probabilities, limited[0]) for probabilities in whole):
        return limited[0]
    parted = [kind.partition(":") for kind in kinds]
    if len({word for word, _, _ in parted}) > 1:
        raise PlanError(
            f"target: the members' answers and the non-members' show different things ({' and '.join(kinds)}); export "
            "both alike, or say what both show in target.reveals"
        )
    return f"{parted[0][0]}:{max(int(amount) for _, _, amount in parted)}" if parted[0][1] else kinds[0]


SHOWN = 4
BY_COLUMN: dict[ColumnRule, str] = {
    "name": "by name",
    "name within": "by the class name within the column's",
    "number": "by the number in the column's name, in the order of the classes",
    "position": "by position, in the order of the classes",
    "one column": "one column; the other class has the rest",
}
BY_ROW = {
    "ids": "Answers and rows are matched by their ids.",
    "assumed": "The files of answers hold no ids: their order was assumed to be that of the rows.",
}


def map_answers(data: Dataset, model: Model | None, tables: Sequence[AnswerTable]) -> AnswersMap:
    """The map of a target that is given, of its files of answers, or of one that is trained here.

    Args:
        data: the rows.
        model: the target if it is there and has answered; a function may have shown only then that it has one column.
        tables: its answers, if only these are given.
    """
    if tables:
        first, *others = tables
        also = [t for t in others if t.columns != first.columns]
        sentence = _listed(first.columns, data.classes, BY_COLUMN[first.rule])
        if also:
            sentence += f" In the other file: {_listed(also[0].columns, data.classes, BY_COLUMN[also[0].rule])}"
        read = dict.fromkeys(part for table in tables for part in table.said.split(", ") if part)
        sentence += f" They are {', '.join(read)}." if read else ""
        rows: Literal["ids", "assumed"] = "ids" if all(table.by_ids for table in tables) else "assumed"
        return AnswersMap(
            classes=list(data.classes),
            answers=list(first.columns),
            rule=first.rule,
            sentence=f"{sentence} {BY_ROW[rows]}",
            rows=rows,
        )
    plain = ModelAbilities.of(model).plain
    inner = ModelAbilities.of(model if plain is None else plain)
    if inner.known is not None:
        return _of_estimator(data, inner.known)
    if model is None:
        answers = [class_name(label) for label in data.labels or data.classes]
        sentence = f"The target is trained here on these classes: {_first(data.classes)}."
        return AnswersMap(classes=list(data.classes), answers=answers, rule="trained here", sentence=sentence)
    if inner.shown is not None:
        return AnswersMap(
            classes=list(data.classes),
            answers=list(inner.shown.columns),
            rule=inner.shown.rule,
            sentence=_listed(inner.shown.columns, data.classes, BY_COLUMN[inner.shown.rule]),
        )
    one = inner.one_column
    places = ["the rest", "the one column"] if one else [f"column {k}" for k in range(data.n_classes)]
    words = BY_COLUMN["one column" if one else "position"]
    return AnswersMap(
        classes=list(data.classes),
        answers=places,
        rule="one column" if one else "position",
        sentence=_listed(places, data.classes, words),
    )


def _of_estimator(data: Dataset, model: KnownClasses) -> AnswersMap:
    known = [class_name(label) for label in model.labels]
    place = {int(k): i for i, k in enumerate(model.columns)}
    answers = [known[place[k]] if k in place else "never" for k in range(data.n_classes)]
    same = answers == list(data.classes)
    words = "by name" if same else "equal numbers" if data.matched == "numbers" else "ids, in the order of the labels"
    sentence = _listed(answers, data.classes, words)
    return AnswersMap(
        classes=list(data.classes),
        answers=answers,
        rule="name" if same else "number" if data.matched == "numbers" else "order",
        sentence=sentence,
    )


def _listed(answers: Sequence[str], classes: Sequence[str], words: str) -> str:
    pairs = [f'"{a}" is class "{c}"' for a, c in zip(answers[:SHOWN], classes, strict=False)]
    more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
    return f"The model's answers: {', '.join(pairs)}{more} ({words})."


def _first(classes: Sequence[str]) -> str:
    return ", ".join(classes[:SHOWN]) + (f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else "")
