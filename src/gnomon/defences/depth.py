"""Depth of trees: no leaf answers for a single record."""

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
class Depth:
    """Trees grow no deeper than this: every leaf answers for more rows.

    For scikit-learn's trees, forests and boosting, also inside a pipeline; what is stricter already stays.

    Attributes:
        depth: levels, at most.
    """

    name: ClassVar[str] = "depth"
    title: ClassVar[str] = "Depth of trees"
    paper: ClassVar[str] = "a baseline"
    acts_on: ClassVar[Literal["training"]] = "training"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("depth:8",)

    depth: int

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "8".

        Raises:
            UsageError: no whole number >= 1.
        """
        return cls(whole(strength, cls.name, least=1, what="depth"))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.depth}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - the protocol's
        """The bound is set wherever the estimator has max_depth.

        Raises:
            UsageError: the trainer grows no trees.
        """
        bounded = limit(trainer, "max_depth", self._bound) if isinstance(trainer, SklearnTrainer) else None
        if bounded is None:
            raise cannot(trainer, self.name)
        return bounded

    def _bound(self, old: int | None) -> int:
        return self.depth if old is None else min(old, self.depth)
