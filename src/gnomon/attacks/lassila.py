"""Lassila, Östman, Ngo and Graell i Amat 2025 (BASE): the target's loss with one normaliser a record.

The score is -loss(x) - log of the mean over shadow models of exp(-loss(x)), that is, the log of RMIA's ratio without
its population. Formula and authors as recalled; that it orders records as RMIA does is shown by Brännvall 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gnomon.attacks.demand import demand
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.stats.signals import LOG_TINY, confidence, loss

PAPER = "Lassila, Östman, Ngo, Graell i Amat 2025"


@dataclass(frozen=True)
class Lassila:
    """BASE online: log p(x) under the target, less the log of its mean over all shadow models.

    Score: in nats; 0 means as likely under the target as under models at large.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Lassila().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    name: ClassVar[str] = "base"
    title: ClassVar[str] = "BASE, online"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in nats."""
        return _score(evidence, demand(evidence.shadows, "shadow models"))


@dataclass(frozen=True)
class LassilaOffline:
    """BASE offline: as online, with the mean over models that were not trained on the record.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = LassilaOffline().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    name: ClassVar[str] = "base_offline"
    title: ClassVar[str] = "BASE, offline"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows_out"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in nats."""
        return _score(evidence, replace(demand(evidence.shadows, "shadow models"), hide_members=True))


def base_scores(observed: Floats, probabilities: Floats) -> Floats:
    """BASE on arrays.

    Args:
        observed: (n,) the target's loss, in nats.
        probabilities: (m, n) of the true label under the shadow models; NaN where hidden. A row that is hidden in all
            of them takes the overall mean.

    Returns:
        (n,) in nats, higher = member.

    >>> base_scores(-np.log([0.9]), np.array([[0.4], [0.5]])).round(6)
    array([0.693147])
    """
    seen = ~np.isnan(probabilities)
    total = np.where(seen, probabilities, 0.0).sum(axis=0, dtype=np.float64)
    count = seen.sum(axis=0)
    overall = total.sum() / max(1, count.sum())
    mean = np.where(count > 0, total / np.maximum(count, 1), overall)
    return np.asarray(-observed - np.maximum(np.log(np.maximum(mean, np.finfo(float).tiny)), LOG_TINY))


def _score(evidence: Evidence, shadows: ShadowAnswers) -> Floats:
    observed = loss(demand(evidence.answers, "the target's answers"), evidence.labels)
    return base_scores(observed, shadows.signal(confidence))
