"""Yeom, Giacomelli, Fredrikson and Jha 2018: overfitting alone gives members away.

Two attacks without any shadow model or training: "right answer, so a member" (the gap attack, whose balanced accuracy
is 1/2 + (training accuracy - test accuracy) / 2), and a threshold on the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack
from gnomon.stats.signals import correct, loss

PAPER = "Yeom, Giacomelli, Fredrikson, Jha 2018"


@dataclass(frozen=True)
class Gap(Attack):
    """Says "member" where the model's predicted class is right: the baseline that every attack must beat.

    It needs the predicted label only. The score is 1.0 (right) or 0.0 (wrong), so it has one operating point.

    >>> from gnomon.testing import gaussian_world
    >>> world = gaussian_world(np.random.default_rng(0))
    >>> sorted(set(Gap().score(world.evidence, np.random.default_rng(0)).tolist()))
    [0.0, 1.0]
    """

    name: ClassVar[str] = "gap"
    title: ClassVar[str] = "Gap (right or wrong)"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"labels"})
    threshold: ClassVar[float | None] = 0.5

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): 1.0 where the most probable class is the label, else 0.0."""
        return correct(evidence.require("answers"), evidence.labels)


@dataclass(frozen=True)
class Loss(Attack):
    """One threshold on the loss: members are answered with a smaller one.

    Score: minus the cross-entropy loss, in nats. The paper puts the threshold at the mean training loss, a number that
    the attacker must be told; here it is calibrated on shadow models, if there are any.

    >>> from gnomon.testing import gaussian_world
    >>> world = gaussian_world(np.random.default_rng(0), n=2000, gap=2.0, spread=1.5)
    >>> scores = Loss().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    name: ClassVar[str] = "loss"
    title: ClassVar[str] = "Loss threshold"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers"})

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [-103.28, 0]: minus the loss."""
        return -loss(evidence.require("answers"), evidence.labels)
