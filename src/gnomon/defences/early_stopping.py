"""Early stopping: training ends before the rows are learnt by heart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.estimators import stop_early
from gnomon.defences.networks import cannot, change_network
from gnomon.defences.strength import whole
from gnomon.models.sklearn import SklearnTrainer


@dataclass(frozen=True)
class EarlyStopping:
    """Training ends after so many epochs without a better loss on a tenth of the rows, held out for it.

    scikit-learn's estimators do it their own way (n_iter_no_change), where they can.

    Attributes:
        patience: epochs.
    """

    name: ClassVar[str] = "early_stopping"
    title: ClassVar[str] = "Early stopping"
    paper: ClassVar[str] = "a baseline"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("early_stopping:5",)

    patience: int

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "5".

        Raises:
            UsageError: no whole number >= 1.
        """
        return cls(whole(strength, cls.name, least=1, what="patience"))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.patience}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The patience is set, whatever it was.

        Raises:
            UsageError: the trainer has no epochs to stop after.
        """
        if isinstance(trainer, SklearnTrainer):
            stopped = stop_early(trainer, self.patience)
            if stopped is None:
                raise cannot(trainer, self.name)
            return stopped
        return change_network(trainer, self.name, lambda network: replace(network, patience=self.patience))
