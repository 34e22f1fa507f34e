"""Records drawn at random from a feature space, and what a model answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, fingerprint
from gnomon.core.features import FeatureSpace
from gnomon.core.protocols import Model
from gnomon.models.mitigated import ask


@dataclass(frozen=True, eq=False)
class RandomRecords:
    """An observation of a model: its answers to records that nobody holds.

    Attributes:
        x: q records, in the form of the data set's rows.
    """

    x: Rows

    name: ClassVar[str] = "random records"

    @cached_property
    def key(self) -> str:
        """A digest of the records."""
        return f"random records: {fingerprint(self.x)}"

    def of(self, model: Model, asked: Rows = None, labels: Ints | None = None) -> Floats:  # noqa: ARG002 - the protocol's
        """Natural-log probabilities (q, c)."""
        return ask(model, self.x, classes=model.n_classes, source="answers to random records")


def draw_records(space: FeatureSpace, count: int, rng: np.random.Generator) -> RandomRecords:
    """Records whose features are drawn independently and evenly from their legal values.

    >>> from gnomon.core.features import infer_features
    >>> space = infer_features(np.array([[0, 5], [1, 9]]))
    >>> draw_records(space, 3, np.random.default_rng(0)).x.shape
    (3, 2)
    """
    return RandomRecords(space.random(count, rng))
