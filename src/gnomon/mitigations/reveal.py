"""Less of an answer is revealed: the steps of `gnomon.core.answers.Reveal` as mitigations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.mitigations.base import OfAnswers, Range, whole

RENORMALISED = "renormalised"


@dataclass(frozen=True)
class Shown:
    """A part of each answer.

    Attributes:
        kind: what is shown, as in `Reveal`.
        amount: k of "top", d of "rounded".
        renormalised: whether what is shown is scaled to sum to 1.
    """

    kind: Literal["labels", "top", "rounded"]
    amount: int = 0
    renormalised: bool = False

    def __call__(self, answers: Floats, /) -> Floats:
        """What is shown of natural-log probabilities (n, c); minus infinity where nothing is."""
        shown = Reveal(self.kind, self.amount).apply(answers)
        return normalise(shown) if self.renormalised else shown


def keep_label(shown: Floats, answers: Floats) -> Floats:
    """The same (n, c), with the most probable class of ``answers`` on top where it has lost its place to a tie.

    >>> keep_label(np.log([[0.5, 0.5]]), np.log([[0.4, 0.6]])).argmax()
    np.int64(1)
    """
    labels = answers.argmax(axis=1)
    lost = np.flatnonzero(shown.argmax(axis=1) != labels)
    kept = shown.copy()
    kept[lost, labels[lost]] = np.nextafter(shown[lost].max(axis=1), np.inf, dtype=shown.dtype)
    return kept


def normalise(log_probs: Floats) -> Floats:
    """Natural-log probabilities (n, c), float32, scaled so that every row sums to 1; a row of zeros becomes even.

    >>> np.exp(normalise(np.log([[0.3, 0.1]]))).round(2).tolist()
    [[0.75, 0.25]]
    """
    logs = np.asarray(log_probs, dtype=np.float64)
    logs = np.where(np.isneginf(logs).all(axis=1, keepdims=True), 0.0, logs)
    top = logs.max(axis=1, keepdims=True)
    scaled: Floats = (logs - top - np.log(np.exp(logs - top).sum(axis=1, keepdims=True))).astype(np.float32)
    return scaled


@dataclass(frozen=True)
class Labels(OfAnswers):
    """Probability 1 for the most probable class, 0 for all others.

    >>> nobody = np.empty((0, 2))
    >>> answer = Labels().fit(Known(nobody, np.empty(0, int), nobody, np.empty(0, int), nobody), 2, 0)
    >>> np.exp(answer(np.log([[0.4, 0.6]]))).tolist()
    [[0.0, 1.0]]
    """

    name: ClassVar[str] = "labels"
    title: ClassVar[str] = "Label only"
    paper: ClassVar[str] = "Shokri et al. 2017"
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("labels",)

    def fit(self, known: Known, n_classes: int, seed: int) -> Shown:  # noqa: ARG002 - the protocol's arguments
        """The same for every model."""
        return Shown("labels")


@dataclass(frozen=True)
class Rounding(OfAnswers):
    """All probabilities, rounded to ``decimals``; they need not sum to 1 any more, and the largest may tie.

    >>> Rounding.parse("1").label
    'round1'
    """

    name: ClassVar[str] = "round"
    title: ClassVar[str] = "Rounding"
    paper: ClassVar[str] = "Shokri et al. 2017"
    examples: ClassVar[tuple[str, ...]] = ("round1", "round3")
    range: ClassVar[Range | None] = Range("decimals", whole=True, least=1)
    joins: ClassVar[str] = ""

    decimals: int

    def fit(self, known: Known, n_classes: int, seed: int) -> Shown:  # noqa: ARG002 - the protocol's arguments
        """The same for every model."""
        return Shown("rounded", self.decimals)


@dataclass(frozen=True)
class Top(OfAnswers):
    """The k largest probabilities as they are, all others 0.

    Attributes:
        k: entries to keep.
        renormalised: scale them to sum to 1, so that what the others held can't be told.

    >>> Top.parse("3").label, Top.parse("3:renormalised").label
    ('top3', 'top3:renormalised')
    """

    name: ClassVar[str] = "top"
    title: ClassVar[str] = "Top k"
    paper: ClassVar[str] = "Shokri et al. 2017"
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("top3", "top1", "top:3:renormalised")

    k: int
    renormalised: bool = False

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "3" or "3:renormalised".

        Raises:
            UsageError: k is no whole number >= 1, or another word behind it.
        """
        k, _, word = strength.partition(":")
        if word not in ("", RENORMALISED):
            raise UsageError(f'mitigation "top": expected top:K or top:K:{RENORMALISED}, got "top:{strength}"')
        return cls(whole(k, cls.name, least=1, what="entries to keep"), word == RENORMALISED)

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"top{self.k}" + (f":{RENORMALISED}" if self.renormalised else "")

    def fit(self, known: Known, n_classes: int, seed: int) -> Shown:  # noqa: ARG002 - the protocol's arguments
        """The same for every model.

        Raises:
            UsageError: more entries than there are classes.
        """
        if self.k > n_classes:
            raise UsageError(f'mitigation "top": {self.k} entries to keep, but there are only {n_classes} classes')
        return Shown("top", self.k, self.renormalised)
