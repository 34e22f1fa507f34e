"""A mitigation of the answers: no probability above a ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.mitigations import AnswerMap, Known
from gnomon.mitigations.base import OfAnswers, Range


@dataclass(frozen=True)
class Ceiling(OfAnswers):
    """What the largest probability has above the ceiling goes to the other classes, in equal parts."""

    name: ClassVar[str] = "ceiling"
    title: ClassVar[str] = "Ceiling of the probabilities"
    paper: ClassVar[str] = "a baseline"
    examples: ClassVar[tuple[str, ...]] = ("ceiling:0.9",)
    range: ClassVar[Range | None] = Range("the largest probability", above=0.5, most=1.0)

    most: float

    def fit(self, known: Known, n_classes: int, seed: int) -> AnswerMap:  # noqa: ARG002 - fitted to nothing
        """The ceiling, for answers of so many classes."""
        return Lowered(self.most)


@dataclass(frozen=True)
class Lowered:
    """A fitted ceiling; a class of its own, because it travels to workers."""

    most: float

    def __call__(self, answers: Floats, /) -> Floats:
        """Natural-log probabilities (n, c) in, the same shape out."""
        shares = np.exp(np.asarray(answers, dtype=np.float64))
        over = np.maximum(shares - self.most, 0.0)
        spread = over.sum(axis=1, keepdims=True) / (shares.shape[1] - 1)
        lowered = np.where(over > 0, self.most, shares + spread)
        with np.errstate(divide="ignore"):
            return np.log(lowered).astype(np.float32)
