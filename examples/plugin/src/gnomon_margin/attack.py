"""An attack: how far the label's log-probability stands above that of the best other class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack

LOWEST = -100.0  # in the place of the logarithm of 0


@dataclass(frozen=True)
class Margin(Attack):
    """Members are answered with a larger margin between the label and the best other class.

    Attributes:
        power: the margin is raised to this power, its sign kept; an example of an option.
    """

    name: ClassVar[str] = "margin"  # in plans, limits and file names
    title: ClassVar[str] = "Margin of the label"
    paper: ClassVar[str] = "a template, 2026"  # authors and year
    needs: ClassVar[frozenset[Need]] = frozenset({"answers"})  # all else is hidden from it

    power: float = 1.0

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): higher = more likely a member."""
        answers = np.maximum(np.asarray(evidence.require("answers"), dtype=np.float64), LOWEST)
        rows = np.arange(len(answers))
        own = answers[rows, evidence.labels]
        others = answers.copy()
        others[rows, evidence.labels] = -np.inf
        margin = own - others.max(axis=1)
        return np.sign(margin) * np.abs(margin) ** self.power
