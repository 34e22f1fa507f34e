"""Which answer of the target belongs to which class of the data, in words and for the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gnomon.core.data.dataset import Dataset
from gnomon.core.data.labels import class_name
from gnomon.core.documents.record import AnswersMap
from gnomon.core.protocols import KnownClasses, Model, ModelAbilities
from gnomon.datasets.own_files.answer_columns import ColumnRule
from gnomon.datasets.own_files.answer_files import AnswerTable

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
