"""Networks that are trained for another objective than the plain cross-entropy (`gnomon.models.torch.objectives`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from gnomon.core.errors import UsageError
from gnomon.mitigations.base import InTraining, Range
from gnomon.models import torch as networks

if TYPE_CHECKING:
    from gnomon.models.torch import TorchTrainer
    from gnomon.models.torch.stacks.mlp_stack import Objective


@dataclass(frozen=True)
class ForObjective(InTraining):
    """A network trained for an objective of one number, its only field."""

    def objective(self) -> Objective:
        """What the network is trained for."""
        raise NotImplementedError

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """The network with the objective.

        Raises:
            UsageError: it already has one.
        """
        if network.objective is not None:
            had = network.objective.name
            raise UsageError(f'mitigation "{self.name}": the network is already trained for {had}; take one of the two')
        return replace(network, objective=self.objective())


@dataclass(frozen=True)
class SmoothLabels(ForObjective):
    """A share of every label's probability is spread evenly over all classes, so that certainty costs something."""

    name: ClassVar[str] = "label_smoothing"
    title: ClassVar[str] = "Label smoothing"
    paper: ClassVar[str] = "Szegedy et al. 2016"
    examples: ClassVar[tuple[str, ...]] = ("label_smoothing:0.1",)
    range: ClassVar[Range | None] = Range("share", above=0, most=1)

    share: float

    def objective(self) -> Objective:
        """Labels with a share of their probability spread over all classes."""
        return networks.LabelSmoothing(self.share)


@dataclass(frozen=True)
class Relax(ForObjective):
    """The training loss is held at a level, by gradient ascent and flatter answers below it.

    Attributes:
        alpha: the level, in nats; about the loss on fresh rows is where members and non-members look alike.
    """

    name: ClassVar[str] = "relaxloss"
    title: ClassVar[str] = "RelaxLoss"
    paper: ClassVar[str] = "Chen et al. 2022"
    examples: ClassVar[tuple[str, ...]] = ("relaxloss:0.5",)
    range: ClassVar[Range | None] = Range("alpha", least=0)

    alpha: float

    def objective(self) -> Objective:
        """A loss that is held at the level."""
        return networks.RelaxLoss(self.alpha)


@dataclass(frozen=True)
class HampTraining(ForObjective):
    """Soft labels of high entropy, and a bonus for entropy of the answer; what HAMP does at test time is apart from it.

    Attributes:
        gamma: share of the largest entropy, ln c, that the soft labels have.
    """

    name: ClassVar[str] = "hamp_training"
    title: ClassVar[str] = "HAMP, training"
    paper: ClassVar[str] = "Chen and Pattabiraman 2024"
    examples: ClassVar[tuple[str, ...]] = ("hamp_training", "hamp_training:0.5")
    range: ClassVar[Range | None] = Range("gamma", above=0, most=1)

    gamma: float = 0.8

    def objective(self) -> Objective:
        """Soft labels, and a bonus for entropy."""
        return networks.HighEntropy(self.gamma)
