"""Augmentation: a network never sees quite the same row twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.networks import change_network
from gnomon.defences.strength import number
from gnomon.models.augmentation import Augmentation


@dataclass(frozen=True)
class Augment:
    """Bits of tables are flipped, images mirrored and shifted, anew at every step.

    Attributes:
        rate: probability that a bit is flipped; of images the longest shift, as a share of their side.
    """

    name: ClassVar[str] = "augmentation"
    title: ClassVar[str] = "Data augmentation"
    paper: ClassVar[str] = "a baseline"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("augmentation", "augmentation:0.1")

    rate: float = 0.05

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.05", or nothing.

        Raises:
            UsageError: no number > 0 and < 0.5.
        """
        return cls(number(strength, cls.name, what="rate", above=0, most=0.49)) if strength else cls()

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.rate:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """What is done to the rows is set, whatever it was.

        Raises:
            UsageError: the trainer trains no network.
        """
        moved = Augmentation(self.rate)
        return change_network(trainer, self.name, lambda network: replace(network, augmentation=moved))
