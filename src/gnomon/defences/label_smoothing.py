"""Label smoothing: no answer is rewarded for certainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.networks import train_for
from gnomon.defences.strength import number
from gnomon.models.objectives import LabelSmoothing


@dataclass(frozen=True)
class SmoothLabels:
    """A share of every label's probability is spread evenly over all classes, so that certainty costs something.

    Attributes:
        share: that is spread.
    """

    name: ClassVar[str] = "label_smoothing"
    title: ClassVar[str] = "Label smoothing"
    paper: ClassVar[str] = "Szegedy et al. 2016"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("label_smoothing:0.1",)

    share: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.1".

        Raises:
            UsageError: no number > 0 and <= 1.
        """
        return cls(number(strength, cls.name, what="share", above=0, most=1))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.share:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The network is trained for it instead of the plain cross-entropy.

        Raises:
            UsageError: the trainer trains no network, or already trains for something else.
        """
        return train_for(trainer, self.name, LabelSmoothing(self.share))
