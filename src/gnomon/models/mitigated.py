"""A model whose answers go through a mitigation before anybody sees them: a Model again.

Records drawn at random from a feature space, and what a model answers to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, check_log_probs, count_rows, fingerprint
from gnomon.core.data.features import FeatureSpace
from gnomon.core.mitigations import AnswerMap
from gnomon.core.protocols import Model


@dataclass(frozen=True, eq=False)
class MitigatedModel:
    """A model behind a mitigation of its answers.

    Attributes:
        model: who answers.
        mitigation: fitted to this model; what it lets through need not sum to 1.

    >>> import numpy as np
    >>> from gnomon.core.answers import Reveal
    >>> from gnomon.models.callable import CallableModel
    >>> model = CallableModel(lambda x: np.tile([0.5, 0.3, 0.2], (len(x), 1)))
    >>> np.exp(MitigatedModel(model, Reveal("top", 2).apply).log_probs(np.zeros((1, 4)))).round(1)
    array([[0.5, 0.3, 0. ]], dtype=float32)
    """

    model: Model
    mitigation: AnswerMap

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return self.model.n_classes

    def log_probs(self, x: Rows) -> Floats:
        """What is let through of the model's natural-log probabilities, float32 (n, c)."""
        answers = self.model.log_probs(x)
        n = count_rows(x)
        checked = check_log_probs(answers, rows=n, classes=answers.shape[-1], source="the model behind a mitigation")
        return self.mitigation(checked)


def ask(model: Model, x: Rows, *, classes: int | None, source: str) -> Floats:
    """A model's checked answers; those of a mitigated model need not sum to 1.

    Raises:
        ModelError: no probabilities, or not of this shape.
    """
    whole = not isinstance(model, MitigatedModel)
    return check_log_probs(model.log_probs(x), rows=count_rows(x), classes=classes, source=source, whole=whole)


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

    >>> from gnomon.core.data.features import infer_features
    >>> space = infer_features(np.array([[0, 5], [1, 9]]))
    >>> draw_records(space, 3, np.random.default_rng(0)).x.shape
    (3, 2)
    """
    return RandomRecords(space.random(count, rng))
