"""Temperature: flatter answers in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.mitigations import Known
from gnomon.defences.shown import keep_label, normalise
from gnomon.defences.strength import number


@dataclass(frozen=True)
class Flattened:
    """exp(z_i / t) / sum_j exp(z_j / t), where log-probabilities serve as logits z."""

    t: float

    def __call__(self, answers: Floats, /) -> Floats:
        """Flattened natural-log probabilities (n, c)."""
        return keep_label(normalise(np.asarray(answers, dtype=np.float64) / self.t), answers)


@dataclass(frozen=True)
class Temperature:
    """Logits are divided by ``t`` before the softmax: with a large t all answers look alike, the label stays.

    >>> import numpy as np
    >>> np.exp(Flattened(2.0)(np.log([[0.2, 0.8]]))).round(3)
    array([[0.333, 0.667]], dtype=float32)
    """

    name: ClassVar[str] = "temperature"
    title: ClassVar[str] = "Temperature"
    paper: ClassVar[str] = "Shokri et al. 2017"
    acts_on: ClassVar[Literal["answers"]] = "answers"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("temperature5", "temperature20", "temperature:1e12")

    t: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "5".

        Raises:
            UsageError: no number > 0.
        """
        return cls(number(strength, cls.name, what="t", above=0))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}{self.t:g}"

    def fit(self, known: Known, n_classes: int, seed: int) -> Flattened:  # noqa: ARG002 - the protocol's arguments
        """The same for every model."""
        return Flattened(self.t)
