"""RelaxLoss: members' loss is kept where everybody's is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.networks import train_for
from gnomon.defences.strength import number
from gnomon.models.objectives import RelaxLoss


@dataclass(frozen=True)
class Relax:
    """The training loss is held at a level, by gradient ascent and flatter answers below it.

    Attributes:
        alpha: the level, in nats; about the loss on fresh rows is where members and non-members look alike.
    """

    name: ClassVar[str] = "relaxloss"
    title: ClassVar[str] = "RelaxLoss"
    paper: ClassVar[str] = "Chen et al. 2022"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("relaxloss:0.5",)

    alpha: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.5".

        Raises:
            UsageError: no number >= 0.
        """
        return cls(number(strength, cls.name, what="alpha", least=0))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.alpha:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The network is trained for it instead of the plain cross-entropy.

        Raises:
            UsageError: the trainer trains no network, or already trains for something else.
        """
        return train_for(trainer, self.name, RelaxLoss(self.alpha))
