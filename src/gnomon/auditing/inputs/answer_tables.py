"""The answers to members and those to non-members, put together; what both of them show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import DataError, PlanError
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
