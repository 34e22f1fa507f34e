"""A target's answers read as what they are: files of them, what a function returns, and which belongs to which class.

People's functions return labels, the three largest probabilities, per cent, a data frame, one number a row. What they
return to some rows says which; every answer is then read as that, as files of answers are, and shadow models' answers
take the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, take_rows
from gnomon.core.data.dataset import Dataset
from gnomon.core.documents.record import AnswersMap
from gnomon.core.errors import DataError, GnomonError, ModelError, PlanError
from gnomon.core.protocols import AnswerForm, KnownClasses, Model, ModelAbilities
from gnomon.datasets.own_files.answer_files import AnswerTable, answers_in_memory
from gnomon.datasets.own_files.answer_kinds import ColumnRule, could_show
from gnomon.models.callable import CallableModel

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
Rule: TypeAlias = Literal["name", "name within", "number", "order", "position", "one column"]
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
        sentence = f"The target is trained here on these classes: {_first(data.classes)}."
        return AnswersMap(classes=list(data.classes), answers=data.label_names, rule="trained here", sentence=sentence)
    if inner.shown is not None:
        return _map(data, inner.shown.columns, inner.shown.rule, BY_COLUMN[inner.shown.rule])
    if inner.one_column:
        return _map(data, ["the rest", "the one column"], "one column", BY_COLUMN["one column"])
    return _map(data, [f"column {k}" for k in range(data.n_classes)], "position", BY_COLUMN["position"])


def _of_estimator(data: Dataset, model: KnownClasses) -> AnswersMap:
    place = {int(k): i for i, k in enumerate(model.columns)}
    answers = [model.names[place[k]] if k in place else "never" for k in range(data.n_classes)]
    if answers == list(data.classes):
        return _map(data, answers, "name", "by name")
    if data.matched == "numbers":
        return _map(data, answers, "number", "equal numbers")
    return _map(data, answers, "order", "ids, in the order of the labels")


def _map(data: Dataset, answers: Sequence[str], rule: Rule, words: str) -> AnswersMap:
    classes = list(data.classes)
    return AnswersMap(classes=classes, answers=list(answers), rule=rule, sentence=_listed(answers, classes, words))


def _listed(answers: Sequence[str], classes: Sequence[str], words: str) -> str:
    pairs = [f'"{a}" is class "{c}"' for a, c in zip(answers[:SHOWN], classes, strict=False)]
    more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
    return f"The model's answers: {', '.join(pairs)}{more} ({words})."


def _first(classes: Sequence[str]) -> str:
    return ", ".join(classes[:SHOWN]) + (f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else "")


FIRST_ROWS = 200  # that show what the answers are


@dataclass(frozen=True, eq=False)
class FunctionTarget(ModelAbilities):
    """A function whose answers are read as what they are.

    Attributes:
        model: the function.
        classes: the data set's c class names.
        shown: what its answers to some rows were.
    """

    model: CallableModel
    classes: tuple[str, ...]
    shown: AnswerForm

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self.classes)

    @property
    def whole(self) -> bool:
        """Whether its answers sum to 1."""
        return self.shown.reveals == "full"

    @property
    def remarks(self) -> tuple[str, ...]:
        """How its answers are read, where that is not the usual."""
        return (f"The function's answers are {self.shown.said}.",) if self.shown.said else ()

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c), 0 as minus infinity where they are not shown.

        Raises:
            ModelError: the function fails, or answers otherwise than it did at first.
        """
        n = count_rows(x)
        steps = [np.arange(start, min(n, start + self.model.batch)) for start in range(0, n, self.model.batch)]
        parts = [_read(self.model, take_rows(x, step), self.classes, self.shown.reveals) for step in steps]
        for part in parts:
            if part.reveals != self.shown.reveals:
                raise ModelError(
                    f"{self.model.title}: its answers to the first rows were {_words(self.shown.reveals)}, and are "
                    f'{_words(part.reveals)} now; say what they show in target.reveals ("labels", "top:3", "rounded:2")'
                )
        return (
            np.concatenate([part.log_probs for part in parts]) if parts else np.empty((0, self.n_classes), np.float32)
        )


def read_as_it_is(model: Model | None, data: Dataset, reveals: str) -> Model | None:
    """A function's answers read as what they are; any other model as it is.

    Args:
        model: the target.
        data: all rows, of which 200 are queried.
        reveals: what the plan says of the answers; "full" where it says nothing.

    Raises:
        ModelError: the function fails, or returns nothing that can be read.
    """
    if type(model) is not CallableModel or len(data) == 0:
        return model
    rows = np.unique(np.linspace(0, len(data) - 1, FIRST_ROWS).astype(np.int64))
    table = _read(model, take_rows(data.x, rows), data.classes, reveals)
    columns = table.columns
    if table.rule == "position":
        columns = tuple(f"column {name}" for name in columns)
    elif columns[1:] == ("0",):  # of an array
        columns = ("the rest", "the one column")
    return FunctionTarget(model, data.classes, AnswerForm(table.reveals, columns, table.rule, table.said))


def _read(model: CallableModel, rows: Rows, classes: tuple[str, ...], reveals: str) -> AnswerTable:
    answer = model.raw(rows)
    try:
        return answers_in_memory(model.title, answer, classes, count_rows(rows), model.outputs, reveals)
    except ModelError:
        raise
    except GnomonError as error:
        raise ModelError(str(error)) from None


def _words(reveals: str) -> str:
    return {"full": "whole probabilities", "labels": "labels"}.get(reveals, reveals)
