"""Label only: the predicted class, and nothing of how sure the model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from gnomon.core.mitigations import Known
from gnomon.defences.shown import Shown
from gnomon.defences.strength import nothing


@dataclass(frozen=True)
class Labels:
    """Probability 1 for the most probable class, 0 for all others.

    >>> import numpy as np
    >>> nobody = np.empty((0, 2))
    >>> answer = Labels().fit(Known(nobody, np.empty(0, int), nobody, np.empty(0, int), nobody), 2, 0)
    >>> np.exp(answer(np.log([[0.4, 0.6]]))).tolist()
    [[0.0, 1.0]]
    """

    name: ClassVar[str] = "labels"
    title: ClassVar[str] = "Label only"
    paper: ClassVar[str] = "Shokri et al. 2017"
    acts_on: ClassVar[Literal["answers"]] = "answers"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("labels",)

    @classmethod
    def parse(cls, strength: str) -> Self:
        """Without any strength."""
        nothing(strength, cls.name)
        return cls()

    @property
    def label(self) -> str:
        """As the plan has it."""
        return self.name

    def fit(self, known: Known, n_classes: int, seed: int) -> Shown:  # noqa: ARG002 - the protocol's arguments
        """The same for every model."""
        return Shown("labels")
