"""Augmentation: a network never sees quite the same row twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from gnomon.mitigations.base import InTraining, Range
from gnomon.models import torch as networks

if TYPE_CHECKING:
    from gnomon.models.torch import TorchTrainer


@dataclass(frozen=True)
class Augment(InTraining):
    """Bits of tables are flipped, images mirrored and shifted, anew at every step.

    Attributes:
        rate: probability that a bit is flipped; of images the longest shift, as a share of their side.
    """

    name: ClassVar[str] = "augmentation"
    title: ClassVar[str] = "Data augmentation"
    examples: ClassVar[tuple[str, ...]] = ("augmentation", "augmentation:0.1")
    range: ClassVar[Range | None] = Range("rate", above=0, most=0.49)

    rate: float = 0.05

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """What is done to the rows is set, whatever it was."""
        return replace(network, augmentation=networks.TrainingAugmentation(self.rate))
