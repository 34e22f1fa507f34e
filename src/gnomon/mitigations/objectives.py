"""Networks that are trained for another objective than the plain cross-entropy (`gnomon.models.torch.objectives`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from gnomon.core.errors import UsageError
from gnomon.mitigations.base import InTraining, Range
from gnomon.models.torch.mlp_stack import Objective
from gnomon.models.torch.objectives import HighEntropy, LabelSmoothing, RelaxLoss
from gnomon.models.torch.trainer import TorchTrainer


@dataclass(frozen=True)
class ForObjective(InTraining):
    """A network trained for an objective of one number, its only field."""

    objective: ClassVar[Callable[[float], Objective]]

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """The network with the objective.

        Raises:
            UsageError: it already has one.
        """
        if network.objective is not None:
            had = getattr(network.objective, "name", type(network.objective).__name__)
            raise UsageError(f'mitigation "{self.name}": the network is already trained for {had}; take one of the two')
        [value] = vars(self).values()
        return replace(network, objective=type(self).objective(value))


@dataclass(frozen=True)
class SmoothLabels(ForObjective):
    """A share of every label's probability is spread evenly over all classes, so that certainty costs something."""

    name: ClassVar[str] = "label_smoothing"
    title: ClassVar[str] = "Label smoothing"
    paper: ClassVar[str] = "Szegedy et al. 2016"
    examples: ClassVar[tuple[str, ...]] = ("label_smoothing:0.1",)
    range: ClassVar[Range | None] = Range("share", above=0, most=1)
    objective = LabelSmoothing

    share: float


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
    objective = RelaxLoss

    alpha: float


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
    objective = HighEntropy

    gamma: float = 0.8
