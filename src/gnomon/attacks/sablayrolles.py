"""Sablayrolles, Douze, Schmid, Ollivier and Jégou 2019: a loss threshold for every record.

Under a posterior proportional to exp(-loss / T), the best attack there is compares the loss with a threshold of the
record's own; the paper takes the mean over models with and without the record. White-box access would add nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.shadow_rows import OnlineOffline
from gnomon.core.arrays import Bools, Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import variant
from gnomon.stats.laws.moments import group_moments
from gnomon.stats.signals import loss


@dataclass(frozen=True)
class Sablayrolles(OnlineOffline):
    """A threshold a record, halfway between the mean loss of models with it and of models without it.

    Offline, mean IN is unknown for the record; the usual variant puts the threshold at mean OUT, which ranks like
    difficulty calibration (`watson`). Here mean IN is estimated as a fixed share of mean OUT, learned on the pool, so
    the threshold is (1 + share) / 2 of mean OUT.

    Score: the record's threshold less the target's loss, in nats; 0 is the decision.

    Attributes:
        online: with models that were trained on the record (`sablayrolles`), or without (`sablayrolles_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Sablayrolles().score(world.evidence, np.random.default_rng(0))
    >>> float(((scores >= 0) == world.member).mean()) > 0.8
    True
    """

    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("sablayrolles", "sablayrolles_offline")
    heading: ClassVar[str] = "A loss threshold a record"
    paper: ClassVar[str] = "Sablayrolles, Douze, Schmid, Ollivier, Jégou 2019"
    offline_reads: ClassVar[frozenset[Need]] = frozenset({"pool"})
    threshold: ClassVar[float | None] = 0.0

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in nats: the record's threshold less the target's loss."""
        if self.online:
            return sablayrolles_scores(*evidence.signals(loss))
        pool = evidence.require("pool")
        known = group_moments(pool.signal(loss), pool.member)
        share = known.inside.overall_mean / max(known.outside.overall_mean, np.finfo(float).tiny)
        share = float(np.clip(share, 0.0, 1.0)) if np.isfinite(share) else 1.0
        observed, losses, member = evidence.signals(loss)
        outside = group_moments(losses, member).outside
        mean = np.where(outside.count > 0, outside.mean, np.nan_to_num(outside.overall_mean))
        return np.asarray((1.0 + share) / 2.0 * mean - observed)


def sablayrolles_scores(observed: Floats, losses: Floats, member: Bools) -> Floats:
    """The online attack on arrays; a missing mean is the overall one of its group.

    Args:
        observed: (n,) the target's loss.
        losses: (m, n) the shadows' losses.
        member: (m, n) the shadow was trained on the row.

    Returns:
        (n,) threshold less loss, higher = member.

    >>> sablayrolles_scores(np.array([0.5]), np.array([[1.0], [0.2]]), np.array([[False], [True]])).round(6)
    array([0.1])
    """
    moments = group_moments(losses, member)
    means = []
    for group, other in ((moments.inside, moments.outside), (moments.outside, moments.inside)):
        overall = group.overall_mean if np.isfinite(group.overall_mean) else other.overall_mean
        means.append(np.where(group.count > 0, group.mean, np.nan_to_num(overall)))
    return np.asarray((means[0] + means[1]) / 2.0 - observed)
