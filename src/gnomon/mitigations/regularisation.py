"""What keeps a model from learning single records by heart.

Networks and estimators: penalty, dropout, early stopping, augmentation. Trees: bounds of depth and of leaves.
Networks alone: other objectives than the plain cross-entropy (`gnomon.models.torch.objectives`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Trainer, TrainerAbilities
from gnomon.mitigations.base import InTraining, Range, bounded
from gnomon.models import torch as networks
from gnomon.models.estimators import penalties
from gnomon.models.sklearn import SklearnTrainer

if TYPE_CHECKING:
    from gnomon.models.torch import TorchTrainer
    from gnomon.models.torch.stacks.mlp_stack import Objective


@dataclass(frozen=True)
class L2(InTraining):
    """Mean loss plus lambda / 2 times the sum of squared weights.

    Networks get it as weight decay. scikit-learn's estimators get it in their own parameter (C, alpha,
    l2_regularization), reckoned from the number of rows, so that lambda means the same everywhere.

    Attributes:
        strength: lambda.
    """

    name: ClassVar[str] = "l2"
    title: ClassVar[str] = "L2 penalty"
    paper: ClassVar[str] = "Shokri et al. 2017"
    examples: ClassVar[tuple[str, ...]] = ("l2:0.001", "l2:1e-2")
    range: ClassVar[Range | None] = Range("lambda", above=0)

    strength: float

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """The penalty is set to lambda, whatever it was."""
        return replace(network, weight_decay=self.strength)

    def on_estimator(self, trainer: SklearnTrainer) -> SklearnTrainer | None:
        """The same, where the estimator has such a penalty."""
        return replace(trainer, l2=self.strength) if penalties(trainer.estimator, self.strength, 1) else None

    def restrains(self, trainer: Trainer, rows: int) -> bool:
        """Whether the penalty is above that which the recipe has already (C = 1 is a lambda of 0.002 on 500 rows)."""
        network: TorchTrainer | None = TrainerAbilities.of(trainer).network
        if network is not None:
            return self.strength > network.weight_decay
        if not isinstance(trainer, SklearnTrainer):
            return super().restrains(trainer, rows)
        if trainer.l2 is not None:
            return self.strength > trainer.l2
        own = trainer.estimator.get_params(deep=True)
        asked = penalties(trainer.estimator, self.strength, rows)
        return any(value < own[name] if name.endswith("C") else value > own[name] for name, value in asked.items())


@dataclass(frozen=True)
class Dropout(InTraining):
    """Every hidden unit of the fully connected layers is left out of a step with some probability.

    Attributes:
        rate: that probability.
    """

    name: ClassVar[str] = "dropout"
    title: ClassVar[str] = "Dropout"
    paper: ClassVar[str] = "Srivastava et al. 2014"
    examples: ClassVar[tuple[str, ...]] = ("dropout:0.5",)
    range: ClassVar[Range | None] = Range("rate", above=0, most=0.99)  # of a hundred units one is left

    rate: float

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """The rate is set, whatever it was, in a network of ours (mlp, cnn) with hidden layers."""
        return replace(network, dropout=self.rate) if network.built_in and network.hidden else None


@dataclass(frozen=True)
class EarlyStopping(InTraining):
    """Training ends after so many epochs without a better loss on a tenth of the rows, held out for it.

    scikit-learn's estimators do it their own way (n_iter_no_change), where they can.

    Attributes:
        patience: epochs.
    """

    name: ClassVar[str] = "early_stopping"
    title: ClassVar[str] = "Early stopping"
    examples: ClassVar[tuple[str, ...]] = ("early_stopping:5",)
    range: ClassVar[Range | None] = Range("patience", whole=True, least=1)

    patience: int

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:
        """The patience is set, whatever it was."""
        return replace(network, patience=self.patience)

    def on_estimator(self, trainer: SklearnTrainer) -> SklearnTrainer | None:
        """The same, with early stopping switched on where that is a parameter of its own."""
        stopped = bounded(trainer, "n_iter_no_change", lambda _: self.patience)
        return stopped and (bounded(stopped, "early_stopping", lambda _: True) or stopped)


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


@dataclass(frozen=True)
class Depth(InTraining):
    """Trees grow no deeper than this: every leaf answers for more rows. What is stricter already stays.

    Attributes:
        depth: levels, at most.
    """

    name: ClassVar[str] = "depth"
    title: ClassVar[str] = "Depth of trees"
    examples: ClassVar[tuple[str, ...]] = ("depth:8",)
    range: ClassVar[Range | None] = Range("depth", whole=True, least=1)

    depth: int

    def on_estimator(self, trainer: SklearnTrainer) -> SklearnTrainer | None:
        """The bound is set wherever the estimator has max_depth, also inside a pipeline."""
        return bounded(trainer, "max_depth", lambda old: self.depth if old is None or old < 1 else min(old, self.depth))


@dataclass(frozen=True)
class Leaf(InTraining):
    """No leaf of a tree answers for fewer rows than this. What is stricter already stays.

    Attributes:
        rows: training rows of a leaf, at least.
    """

    name: ClassVar[str] = "leaf"
    title: ClassVar[str] = "Size of leaves"
    examples: ClassVar[tuple[str, ...]] = ("leaf:20",)
    range: ClassVar[Range | None] = Range("rows", whole=True, least=2)

    rows: int

    def on_estimator(self, trainer: SklearnTrainer) -> SklearnTrainer | None:
        """The bound is set wherever the estimator has min_samples_leaf, also inside a pipeline."""
        return bounded(trainer, "min_samples_leaf", lambda old: max(old, self.rows) if type(old) is int else self.rows)


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
