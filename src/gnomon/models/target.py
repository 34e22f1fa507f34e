"""A model as others meet it: behind mitigations, and to attackers revealing what it reveals, queries counted."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Rows, check_log_probs, count_rows
from gnomon.core.errors import BudgetError, UsageError, did_you_mean
from gnomon.core.evidence import QueryHandle
from gnomon.core.mitigations import AnswerMap
from gnomon.core.protocols import Model, ModelAbilities


@dataclass(frozen=True, eq=False)
class MitigatedModel(ModelAbilities):
    """A model behind a mitigation of its answers.

    Attributes:
        model: who answers.
        mitigation: fitted to this model; what it lets through need not sum to 1.

    >>> import numpy as np
    >>> from gnomon.core.answers import Reveal
    >>> from gnomon.models.callable import CallableModel
    >>> model = CallableModel(lambda x: np.tile([0.5, 0.3, 0.2], (len(x), 1)))
    >>> np.exp(MitigatedModel(model, Reveal("top", 2).apply).log_probs(np.zeros((1, 4)))).round(1)
    array([[0.5, 0.3, 0. ]], dtype=float32)
    """

    model: Model
    mitigation: AnswerMap

    @property
    def plain(self) -> Model:
        """Who answers."""
        return self.model

    @property
    def whole(self) -> bool:
        """What is let through need not sum to 1."""
        return False

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return self.model.n_classes

    def log_probs(self, x: Rows) -> Floats:
        """What is let through of the model's natural-log probabilities, float32 (n, c)."""
        answers = self.model.log_probs(x)
        n = count_rows(x)
        checked = check_log_probs(answers, rows=n, classes=answers.shape[-1], source="the model behind a mitigation")
        return self.mitigation(checked)


def ask(model: Model, x: Rows, *, classes: int | None, source: str) -> Floats:
    """A model's checked answers; those of a mitigated model need not sum to 1.

    Raises:
        ModelError: no probabilities, or not of this shape.
    """
    whole = ModelAbilities.of(model).whole
    return check_log_probs(model.log_probs(x), rows=count_rows(x), classes=classes, source=source, whole=whole)


class Target:
    """The thing under attack: a query handle (`gnomon.core.evidence.QueryHandle`) over a model.

    Attributes:
        asked: rows asked so far.
    """

    def __init__(self, model: Model, reveal: Reveal | None = None, budget: int | None = None) -> None:
        """Wraps a model.

        Args:
            model: who answers.
            reveal: how much of an answer is shown; by default all.
            budget: most rows that may be asked; None for no limit.
        """
        self.model = model
        self.reveal = reveal or Reveal()
        self.budget = budget
        self.asked = 0

    @property
    def whole(self) -> bool:
        """Whether the model's own answers sum to 1; behind a mitigation they need not."""
        return ModelAbilities.of(self.model).whole

    @property
    def remaining(self) -> int | None:
        """Rows that may still be asked, or None without a budget."""
        return None if self.budget is None else self.budget - self.asked

    def ask(self, x: Rows) -> Floats:
        """What the target reveals of its answers to n rows: natural-log probabilities, float32 (n, c).

        Raises:
            BudgetError: the rows would pass the budget; then nothing is asked.
            ModelError: the model answers with something else than probabilities.
        """
        n = count_rows(x)
        if self.remaining is not None and n > self.remaining:
            raise BudgetError(f"query budget: {n} rows asked, {self.remaining} of {self.budget} left; nothing was sent")
        self.asked += n
        answers = ask(self.model, x, classes=self.model.n_classes, source="target")
        return self.reveal.apply(answers)

    def charge(self, n: int) -> None:
        """Counts n rows that were asked of the model beside this handle.

        Raises:
            BudgetError: the rows pass the budget; then they are not counted.
        """
        if self.remaining is not None and n > self.remaining:
            raise BudgetError(f"query budget: {n} rows asked, {self.remaining} of {self.budget} left")
        self.asked += n


class Allowance:
    """A part of a target's budget: a query handle that stops earlier than the one behind it.

    Attributes:
        asked: rows asked through this handle.
    """

    def __init__(self, handle: QueryHandle, limit: int | None) -> None:
        """Limits a handle.

        Args:
            handle: who is asked; its own budget holds as well.
            limit: most rows through this handle; None for what the handle behind it allows.
        """
        self._handle = handle
        self._limit = limit
        self.asked = 0

    @property
    def remaining(self) -> int | None:
        """Rows that may still be asked, or None without any budget."""
        behind = self._handle.remaining
        if self._limit is None:
            return behind
        own = self._limit - self.asked
        return own if behind is None else min(own, behind)

    def ask(self, x: Rows) -> Floats:
        """What the target reveals of its answers to n rows: natural-log probabilities, float32 (n, c).

        Raises:
            BudgetError: the rows would pass the allowance; then nothing is asked.
            ModelError: the model answers with something else than probabilities.
        """
        n, left = count_rows(x), self.remaining
        if left is not None and n > left:
            raise BudgetError(f"query budget: {n} rows asked, {left} left for this attack; nothing was sent")
        answers = self._handle.ask(x)
        self.asked += n
        return answers


def parse_reveal(text: str) -> Reveal:
    """What a target reveals, from a word of the plan: full, labels, top:K or rounded:D.

    >>> parse_reveal("top:3")
    Reveal(kind='top', amount=3, margins=False)
    """
    kind, _, amount = text.partition(":")
    if kind in ("full", "labels") and not amount:
        return Reveal("full" if kind == "full" else "labels")
    if kind in ("top", "rounded"):
        if not amount.isdigit() or (kind == "top" and int(amount) == 0):
            raise UsageError(f'target.reveals: expected {kind}:NUMBER, e.g. {kind}:3, got "{text}"')
        return Reveal("top" if kind == "top" else "rounded", int(amount))
    raise UsageError(
        f'target.reveals: "{text}" is unknown{did_you_mean(kind, ("full", "labels", "top:3", "rounded:3"))}'
    )
