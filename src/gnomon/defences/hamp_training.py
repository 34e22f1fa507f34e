"""HAMP's training: answers are taught to be unsure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.networks import train_for
from gnomon.defences.strength import number
from gnomon.models.objectives import HighEntropy


@dataclass(frozen=True)
class HampTraining:
    """Soft labels of high entropy, and a bonus for entropy of the answer; what HAMP does at test time is apart from it.

    Attributes:
        gamma: share of the largest entropy, ln c, that the soft labels have.
    """

    name: ClassVar[str] = "hamp_training"
    title: ClassVar[str] = "HAMP, training"
    paper: ClassVar[str] = "Chen and Pattabiraman 2024"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("hamp_training", "hamp_training:0.5")

    gamma: float = 0.8

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.8", or nothing.

        Raises:
            UsageError: no number > 0 and <= 1.
        """
        return cls(number(strength, cls.name, what="gamma", above=0, most=1)) if strength else cls()

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.gamma:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The network is trained for it instead of the plain cross-entropy.

        Raises:
            UsageError: the trainer trains no network, or already trains for something else.
        """
        return train_for(trainer, self.name, HighEntropy(self.gamma))
