"""Answers only, as a Model: for people who may export a model's predictions, but not the model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, check_log_probs, count_rows, is_frame
from gnomon.core.errors import ModelError

AGREEMENT = 1e-4


@dataclass(frozen=True, eq=False)
class AnswersModel:
    """A model that is known by its answers to certain rows, and can be asked about no other.

    Rows are found by their content, so they may come in any order.

    Attributes:
        x: the n rows that were answered (array or data frame).
        answers: natural-log probabilities (n, c) of these rows.

    Raises:
        ModelError: answers that are no log-probabilities or not as many as rows; when asked, a row without an answer,
            or equal rows with different answers.

    >>> import numpy as np
    >>> model = AnswersModel(np.array([[1, 2], [3, 4]]), np.log([[0.9, 0.1], [0.2, 0.8]]))
    >>> np.exp(model.log_probs(np.array([[3, 4]]))).round(1)
    array([[0.2, 0.8]], dtype=float32)
    """

    x: Rows
    answers: Floats

    def __post_init__(self) -> None:
        checked = check_log_probs(self.answers, rows=count_rows(self.x), classes=None, source="the answers")
        object.__setattr__(self, "answers", checked)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return int(self.answers.shape[1])

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c), of rows that stand in the answers."""
        if x is self.x:
            return self.answers
        index, clashing = self._index
        wanted = _row_keys(x)
        for row, key in enumerate(wanted):
            if key not in index:
                raise ModelError(
                    f"row {row} has no answer: answers are given for {count_rows(self.x)} rows, and a model that is "
                    "known by its answers cannot be asked about others; use attacks that need no further queries"
                )
            if key in clashing:
                raise ModelError(
                    f"row {row} stands among the answered rows more than once, with different answers; "
                    "drop the duplicates"
                )
        positions: Ints = np.array([index[key] for key in wanted], dtype=np.int64)
        return self.answers[positions]

    @cached_property
    def _index(self) -> tuple[dict[bytes, int], set[bytes]]:
        """Position of each row's content, and the contents that were answered in two ways."""
        index: dict[bytes, int] = {}
        clashing: set[bytes] = set()
        for row, key in enumerate(_row_keys(self.x)):
            first = index.setdefault(key, row)
            if first != row and not np.allclose(
                np.exp(self.answers[first]), np.exp(self.answers[row]), rtol=0, atol=AGREEMENT
            ):
                clashing.add(key)
        return index, clashing


def _row_keys(x: Rows) -> list[bytes]:
    """A digest of each row's content."""
    if is_frame(x):
        columns = [np.asarray(x[name]) for name in x.columns]
        numbers = [c.dtype.kind in "biuf" for c in columns]
        values = [
            (c.astype(np.float64) if number else c.astype(object)).tolist()
            for c, number in zip(columns, numbers, strict=True)
        ]
        return [hashlib.blake2b(repr(row).encode(), digest_size=16).digest() for row in zip(*values, strict=True)]
    array = np.ascontiguousarray(x, dtype=np.float64) + 0.0  # one zero, not two
    flat = array.reshape(len(array), int(np.prod(array.shape[1:])))
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in flat]
