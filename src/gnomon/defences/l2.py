"""L2: large weights cost something, so that single records can't be learnt by heart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.networks import cannot, change_network
from gnomon.defences.strength import number
from gnomon.models.penalties import penalties
from gnomon.models.sklearn import SklearnTrainer


@dataclass(frozen=True)
class L2:
    """Mean loss plus lambda / 2 times the sum of squared weights.

    Networks get it as weight decay. scikit-learn's estimators get it in their own parameter (C, alpha,
    l2_regularization), reckoned from the number of rows, so that lambda means the same everywhere.

    Attributes:
        strength: lambda.
    """

    name: ClassVar[str] = "l2"
    title: ClassVar[str] = "L2 penalty"
    paper: ClassVar[str] = "Shokri et al. 2017"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("l2:0.001", "l2:1e-2")

    strength: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "1e-3".

        Raises:
            UsageError: no number > 0.
        """
        return cls(number(strength, cls.name, what="lambda", above=0))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.strength:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The penalty is set to lambda, whatever it was.

        Raises:
            UsageError: the trainer has no weights, or no L2 penalty on them.
        """
        if isinstance(trainer, SklearnTrainer):
            if not penalties(trainer.estimator, self.strength, 1):
                raise cannot(trainer, self.name)
            return replace(trainer, l2=self.strength)
        return change_network(trainer, self.name, lambda network: replace(network, weight_decay=self.strength))
