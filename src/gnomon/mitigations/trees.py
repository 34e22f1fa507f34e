"""Trees whose leaves answer for no single record: bounds for scikit-learn's trees, forests and boosting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gnomon.mitigations.base import InTraining, Range, bounded
from gnomon.models.sklearn import SklearnTrainer


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
