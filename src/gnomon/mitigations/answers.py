"""What is done to answers: less of them is revealed, or they are flattened, disturbed or exchanged for others.

It is always the same for the same answer: a mitigation that drew anew for each query could be undone by asking again
and averaging, so chance is keyed by the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import ndtri

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.core.seeds import GOLDEN, mix
from gnomon.mitigations.base import OfAnswers, Range

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
        return cls(Range("entries to keep", whole=True, least=1).read(k, cls.name), word == RENORMALISED)

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


DECIMALS = 2  # of the log-probabilities: how many rows are asked at once changes the last bits of an answer
LOWEST = -1e6  # stands for minus infinity


def draw_uniform(answers: Floats, count: int, seed: int) -> Floats:
    """Numbers (n, count) in (0, 1), each row decided by that row of the answers (to two decimals) and the seed.

    Args:
        answers: (n, c) natural-log probabilities.
        count: numbers a row.
        seed: the owner's secret; who knows it can compute the draws.

    >>> answers = np.log([[0.2, 0.8], [0.5, 0.5]])
    >>> draws = draw_uniform(answers, 3, seed=7)
    >>> bool((draw_uniform(answers[1:], 3, seed=7) == draws[1:]).all())
    True
    """
    whole = np.round(np.maximum(np.asarray(answers, dtype=np.float64), LOWEST) * 10**DECIMALS).astype(np.int64)
    state = np.full(len(whole), np.uint64(seed % 2**64))
    for column in whole.T:
        state = mix(state + GOLDEN ^ mix(column.astype(np.uint64)))
    places = np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
    bits = mix(state[:, None] + places[None, :])
    uniform: Floats = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return uniform


@dataclass(frozen=True)
class Flattened:
    """exp(z_i / t) / sum_j exp(z_j / t), where log-probabilities serve as logits z."""

    t: float

    def __call__(self, answers: Floats, /) -> Floats:
        """Flattened natural-log probabilities (n, c)."""
        return keep_label(normalise(np.asarray(answers, dtype=np.float64) / self.t), answers)


@dataclass(frozen=True)
class Temperature(OfAnswers):
    """Logits are divided by ``t`` before the softmax: with a large t all answers look alike, the label stays.

    >>> np.exp(Flattened(2.0)(np.log([[0.2, 0.8]]))).round(3)
    array([[0.333, 0.667]], dtype=float32)
    """

    name: ClassVar[str] = "temperature"
    title: ClassVar[str] = "Temperature"
    paper: ClassVar[str] = "Shokri et al. 2017"
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("temperature5", "temperature20", "temperature:1e12")
    range: ClassVar[Range | None] = Range("t", above=0)
    joins: ClassVar[str] = ""

    t: float

    def fit(self, known: Known, n_classes: int, seed: int) -> Flattened:  # noqa: ARG002 - the protocol's arguments
        """The same for every model."""
        return Flattened(self.t)


@dataclass(frozen=True)
class Disturbed:
    """Normal noise of one standard deviation, added to probabilities; below 0 is cut off, the rest sums to 1."""

    deviation: float
    seed: int

    def __call__(self, answers: Floats, /) -> Floats:
        """Disturbed natural-log probabilities (n, c)."""
        logs = np.asarray(answers, dtype=np.float64)
        noise = self.deviation * ndtri(draw_uniform(logs, logs.shape[1], self.seed))
        disturbed = np.maximum(np.exp(logs) + noise, 0.0)
        gone = disturbed.sum(axis=1) == 0  # everything was cut off: the label is what is left
        disturbed[gone, logs[gone].argmax(axis=1)] = 1.0
        with np.errstate(divide="ignore"):
            shown: Floats = np.log(disturbed / disturbed.sum(axis=1, keepdims=True)).astype(np.float32)
        return shown


@dataclass(frozen=True)
class Noise(OfAnswers):
    """Normal noise on the probabilities, drawn from the answer itself: asking again averages nothing away.

    Attributes:
        deviation: standard deviation of the noise on a probability. The label may change.
    """

    name: ClassVar[str] = "noise"
    title: ClassVar[str] = "Noise on answers"
    paper: ClassVar[str] = "a baseline"
    examples: ClassVar[tuple[str, ...]] = ("noise:0.05", "noise:1")
    range: ClassVar[Range | None] = Range("standard deviation", above=0)

    deviation: float

    def fit(self, known: Known, n_classes: int, seed: int) -> Disturbed:  # noqa: ARG002 - the protocol's arguments
        """Every model has noise of its own."""
        return Disturbed(self.deviation, seed)


@dataclass(frozen=True, eq=False)
class Ranked:
    """Scores of random records, given out in the order of an answer; which record's follows from the answer."""

    scores: Floats  # (q, c) natural-log probabilities, each row in descending order
    seed: int

    def __call__(self, answers: Floats, /) -> Floats:
        """Natural-log probabilities (n, c) of random records in the order of the answers."""
        chosen = (draw_uniform(answers, 1, self.seed)[:, 0] * len(self.scores)).astype(np.int64)
        order = np.argsort(-np.asarray(answers), axis=1, kind="stable")
        shown = np.empty(answers.shape, np.float32)
        np.put_along_axis(shown, order, self.scores[chosen], axis=1)
        return keep_label(shown, answers)


@dataclass(frozen=True)
class HampAnswers(OfAnswers):
    """The order of the classes stays, and so does the label; how sure the model is of this record is gone.

    Chen and Pattabiraman draw a random record anew for each query; here the answer decides which, so that asking again
    shows nothing more.
    """

    name: ClassVar[str] = "hamp_answers"
    title: ClassVar[str] = "HAMP's scores of random records"
    paper: ClassVar[str] = "Chen & Pattabiraman 2024"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset({"random"})
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("hamp_answers",)

    def fit(self, known: Known, n_classes: int, seed: int) -> Ranked:  # noqa: ARG002 - the protocol's arguments
        """Keeps what the model answers to random records.

        Raises:
            UsageError: there are no such answers.
        """
        if len(known.random) == 0:
            raise UsageError(f'mitigation "{self.name}" needs the model\'s answers to random records, got none')
        return Ranked(-np.sort(-np.asarray(known.random, dtype=np.float32), axis=1), seed)
