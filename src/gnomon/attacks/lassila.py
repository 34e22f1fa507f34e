"""Lassila, Östman, Ngo and Graell i Amat 2025 (BASE): the target's loss with one normaliser a record.

The score is -loss(x) - log of the mean over shadow models of exp(-loss(x)), that is, the log of RMIA's ratio without
its population. Formula and authors as recalled; that it orders records as RMIA does is shown by Brännvall 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.shadow_rows import OnlineOffline
from gnomon.core.arrays import Floats
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import variant
from gnomon.stats.signals import LOG_TINY, confidence, loss


@dataclass(frozen=True)
class Lassila(OnlineOffline):
    """BASE: log p(x) under the target, less the log of its mean over all shadow models (offline: those without it).

    Score: in nats; 0 means as likely under the target as under models at large.

    Attributes:
        online: with models that were trained on the record (`base`), or without (`base_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Lassila().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("base", "base_offline")
    heading: ClassVar[str] = "BASE"
    paper: ClassVar[str] = "Lassila, Östman, Ngo, Graell i Amat 2025"

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in nats."""
        return base_scores(evidence.signal(loss), self.shadows_of(evidence).signal(confidence))


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
