"""Less of an answer is shown: the steps of `gnomon.core.answers.Reveal` as fitted mitigations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats


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
