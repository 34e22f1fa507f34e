"""Querying the target for climbers and for labels: one batch a call, counted, checked, never past the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gnomon.core.answers import Reveal
from gnomon.core.arrays import PROBABILITY_SUM_TOLERANCE, Floats, Ints, Rows, check_log_probs, count_rows, take_rows
from gnomon.core.errors import BudgetError, ModelError, UsageError
from gnomon.core.evidence import QueryHandle

Ask: TypeAlias = Callable[[Rows], Floats] | QueryHandle  # rows -> natural-log probabilities (n, c), as far as revealed

LABELS_ONLY = (
    "climbing needs the probability of the class that it climbs, but the target reveals labels only: every step would "
    'be a guess; take shadow data from "noisy" or "marginals" instead'
)


class Asker:
    """A target that is asked in batches; whatever is wrong with an answer is said before anybody reads it."""

    def __init__(
        self, ask: Ask, n_classes: int, reveal: Reveal, budget: int | None, *, labels_will_do: bool = False
    ) -> None:
        if reveal.kind == "labels" and not labels_will_do:
            raise UsageError(LABELS_ONLY)
        if budget is not None and budget < 0:
            raise UsageError(f"expected a query budget of at least 0, got {budget}")
        self._handle = None if callable(ask) else ask
        self._call: Callable[[Rows], Floats] = ask if callable(ask) else ask.ask
        self._n_classes = n_classes
        self._reveal = reveal
        self._whole = bool(getattr(ask, "whole", True))
        self._budget = budget
        self._labels_will_do = labels_will_do
        self.asked = 0

    def left(self) -> int | None:
        """Queries that may still be asked; None without a budget."""
        own = None if self._budget is None else self._budget - self.asked
        theirs = None if self._handle is None else self._handle.remaining
        limits = [limit for limit in (own, theirs) if limit is not None]
        return max(0, min(limits)) if limits else None

    def __call__(self, x: Rows, n: int) -> Floats:
        """Natural-log probabilities (n, c) on n rows.

        Raises:
            ModelError: an answer of another shape, NaN, or no log-probabilities. What was sent is counted all the same:
                the target has seen it.
            BudgetError: the target's own budget was spent by somebody else; then nothing is counted.
            UsageError: the first answers show labels only.
        """
        first = self.asked == 0
        self.asked += n
        try:
            answers = np.asarray(self._call(x))
        except BudgetError:
            self.asked -= n
            raise
        answers = self._check(answers, n)
        if first and not self._labels_will_do and _labels_only(answers):
            raise UsageError(LABELS_ONLY)
        return answers

    def _check(self, answers: Floats, n: int) -> Floats:
        if answers.ndim == 2 and len(answers) == n and answers.shape[1] != self._n_classes:
            raise ModelError(
                f"the target answered with {answers.shape[1]} classes where {self._n_classes} are expected"
            )
        full = self._reveal.kind == "full"
        checked = check_log_probs(
            answers, rows=n, classes=self._n_classes, source="the target", whole=full and self._whole
        )
        if not full and checked.size and checked.max() > np.log1p(PROBABILITY_SUM_TOLERANCE):
            raise ModelError(f"the target: expected natural-log probabilities, got values up to {checked.max():.6g}")
        return checked


def _labels_only(answers: Floats) -> bool:
    """Whether every answer is one certain class and nothing else; exact zeros, not small numbers."""
    return bool(
        len(answers)
        and (np.isneginf(answers).sum(axis=1) == answers.shape[1] - 1).all()
        and (answers.max(axis=1) >= -PROBABILITY_SUM_TOLERANCE).all()
    )


BATCH = 4096


@dataclass(frozen=True)
class Labelled:
    """Records with the labels that the target gave them.

    Attributes:
        x: n rows.
        y: (n,) class ids.
        queries: what the labels cost.
        unseen: names of the classes that the target gave to no record.
    """

    x: Rows
    y: Ints
    queries: int
    unseen: tuple[str, ...]


def label_by_target(
    x: Rows, ask: Ask, classes: tuple[str, ...], *, reveal: Reveal | None = None, budget: int | None = None
) -> Labelled:
    """Asks the target for the class of each record, in batches; a target that reveals labels only will do.

    Args:
        x: (n, ...) rows.
        ask: rows -> natural-log probabilities (n, c), or a query handle.
        classes: the c class names, in the order of their ids.
        reveal: what the target reveals of its answers.
        budget: most queries; one a record.

    Raises:
        UsageError: the budget does not allow one query a record; then nothing is asked.
        ModelError: answers of another shape, NaN, or no log-probabilities.

    >>> def ask(x):
    ...     return np.log(np.where(x > 0.5, [[0.1, 0.9]], [[0.8, 0.2]]))
    >>> label_by_target(np.array([[0.2], [0.7]]), ask, ("no", "yes")).y.tolist()
    [0, 1]
    """
    n = count_rows(x)
    asker = Asker(ask, len(classes), reveal or Reveal(), budget, labels_will_do=True)
    left = asker.left()
    if left is not None and left < n:
        raise UsageError(f"labelling {n} records takes {n} queries, but {left} are left; ask for fewer records")
    labels = [np.zeros(0, dtype=np.int64)]
    for start in range(0, n, BATCH):
        rows = np.arange(start, min(start + BATCH, n))
        labels.append(asker(take_rows(x, rows), len(rows)).argmax(axis=1).astype(np.int64))
    y = np.concatenate(labels)
    seen = np.bincount(y, minlength=len(classes)) > 0
    return Labelled(x, y, asker.asked, tuple(name for name, there in zip(classes, seen, strict=True) if not there))
