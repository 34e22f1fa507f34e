"""Rounding: probabilities to a few decimals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Known
from gnomon.defences.shown import Shown
from gnomon.defences.strength import whole


@dataclass(frozen=True)
class Rounding:
    """All probabilities, rounded to ``decimals``; they need not sum to 1 any more, and the largest may tie.

    >>> Rounding.parse("1")
    Rounding(decimals=1)
    """

    name: ClassVar[str] = "round"
    title: ClassVar[str] = "Rounding"
    paper: ClassVar[str] = "Shokri et al. 2017"
    acts_on: ClassVar[Literal["answers"]] = "answers"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("round1", "round3")

    decimals: int

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "1".

        Raises:
            UsageError: no whole number >= 1.
        """
        return cls(whole(strength, cls.name, least=1, what="decimals"))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}{self.decimals}"

    def fit(self, known: Known, n_classes: int, seed: int) -> Shown:  # noqa: ARG002 - the protocol's arguments
        """The same for every model."""
        return Shown("rounded", self.decimals)
