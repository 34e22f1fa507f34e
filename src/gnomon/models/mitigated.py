"""A model whose answers go through a mitigation before anybody sees them: a Model again."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.arrays import Floats, Rows, check_log_probs, count_rows
from gnomon.core.mitigations import AnswerMap
from gnomon.core.protocols import Model, ModelAbilities


@dataclass(frozen=True, eq=False)
class MitigatedModel(ModelAbilities):
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
    def plain(self) -> Model:
        """Who answers."""
        return self.model

    @property
    def whole(self) -> bool:
        """What is let through need not sum to 1."""
        return False

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
    whole = ModelAbilities.of(model).whole
    return check_log_probs(model.log_probs(x), rows=count_rows(x), classes=classes, source=source, whole=whole)
