"""A function as target: whatever it returns is read as what it is, as files of answers are.

People's functions return labels, the three largest probabilities, per cent, a data frame, one number a row. What they
return to some rows says which; every answer is then read as that, and shadow models' answers take the same step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.core.arrays import Floats, Rows, count_rows, take_rows
from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import GnomonError, ModelError
from gnomon.core.protocols import AnswerForm, Model, ModelAbilities
from gnomon.datasets.own_files.answer_files import AnswerTable, answers_in_memory
from gnomon.models.callable import CallableModel

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
