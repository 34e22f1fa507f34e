"""Noise: every probability is disturbed, always the same way for the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.special import ndtri

from gnomon.core.arrays import Floats
from gnomon.core.mitigations import Known
from gnomon.defences.chance import draw_uniform
from gnomon.defences.strength import number


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
class Noise:
    """Normal noise on the probabilities, drawn from the answer itself: asking again averages nothing away.

    Attributes:
        deviation: standard deviation of the noise on a probability. The label may change.
    """

    name: ClassVar[str] = "noise"
    title: ClassVar[str] = "Noise on answers"
    paper: ClassVar[str] = "a baseline"
    acts_on: ClassVar[Literal["answers"]] = "answers"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("noise:0.05", "noise:1")

    deviation: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.05".

        Raises:
            UsageError: no number > 0.
        """
        return cls(number(strength, cls.name, what="standard deviation", above=0))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.deviation:g}"

    def fit(self, known: Known, n_classes: int, seed: int) -> Disturbed:  # noqa: ARG002 - the protocol's arguments
        """Every model has noise of its own."""
        return Disturbed(self.deviation, seed)
