"""Size of leaves: no leaf answers for a single record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.defences.estimators import limit
from gnomon.defences.networks import cannot
from gnomon.defences.strength import whole
from gnomon.models.sklearn import SklearnTrainer


@dataclass(frozen=True)
class Leaf:
    """No leaf of a tree answers for fewer rows than this.

    For scikit-learn's trees, forests and boosting, also inside a pipeline; what is stricter already stays.

    Attributes:
        rows: training rows of a leaf, at least.
    """

    name: ClassVar[str] = "leaf"
    title: ClassVar[str] = "Size of leaves"
    paper: ClassVar[str] = "a baseline"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("leaf:20",)

    rows: int

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "20".

        Raises:
            UsageError: no whole number >= 2.
        """
        return cls(whole(strength, cls.name, least=2, what="rows"))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.rows}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The bound is set wherever the estimator has min_samples_leaf.

        Raises:
            UsageError: the trainer grows no trees.
        """
        bounded = limit(trainer, "min_samples_leaf", self._bound) if isinstance(trainer, SklearnTrainer) else None
        if bounded is None:
            raise cannot(trainer, self.name)
        return bounded

    def _bound(self, old: float) -> int:
        return max(old, self.rows) if isinstance(old, int) else self.rows
