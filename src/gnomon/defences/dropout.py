"""Dropout: hidden units are left out at random while a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.networks import cannot, change_network
from gnomon.defences.strength import number
from gnomon.models.networks import BUILT_IN
from gnomon.models.torch_trainer import TorchTrainer

BELOW_ONE = 0.99  # of a hundred units one is left


@dataclass(frozen=True)
class Dropout:
    """Every hidden unit of the fully connected layers is left out of a step with some probability.

    Attributes:
        rate: that probability.
    """

    name: ClassVar[str] = "dropout"
    title: ClassVar[str] = "Dropout"
    paper: ClassVar[str] = "Srivastava et al. 2014"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("dropout:0.5",)

    rate: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.5".

        Raises:
            UsageError: no number > 0 and < 1.
        """
        return cls(number(strength, cls.name, what="rate", above=0, most=BELOW_ONE))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.rate:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The rate is set, whatever it was.

        Raises:
            UsageError: the trainer trains no network of ours (mlp, cnn) with hidden layers.
        """

        def change(network: TorchTrainer) -> TorchTrainer:
            if network.module not in BUILT_IN or not network.hidden:
                raise cannot(trainer, self.name)
            return replace(network, dropout=self.rate)

        return change_network(trainer, self.name, change)
