"""Brännvall 2026 (BaVarIA): LiRA with a prior, so that few shadow models are enough.

With few models a record's mean and variance are little more than guesses, and LiRA takes them for the truth. Here they
have a normal-inverse-gamma prior, learned from all records at once; integrating them out gives a Student-t law of the
target's scaled logit in place of LiRA's normal one, wide where little is known. A record that no IN model has seen
keeps the prior, so nothing special is done for it.

The abstract of the paper was read, not its formulas: how the prior is estimated (`gnomon.stats.laws.student`) is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.queries import note_versions
from gnomon.attacks.parts.shadow_rows import OnlineOffline
from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import variant
from gnomon.stats.laws.moments import GroupMoments, group_moments, outside_moments
from gnomon.stats.laws.student import Predictive, estimate_prior, predict
from gnomon.stats.signals import scaled_logit


@dataclass(frozen=True)
class Bavaria(OnlineOffline):
    """BaVarIA: how much likelier the target's scaled logit is for a model that knew the record, whatever its laws are.

    Score, online: log t(phi; IN) - log t(phi; OUT), in nats. Offline: minus the log of Pr[T > phi] under the OUT
    predictive law, in nats; it does not saturate. With several queries a record, their mean.

    Attributes:
        predictive: "t" (Student's, BaVarIA-t), or "normal" with the same location and scale (BaVarIA-n).
        online: with models that were trained on the record (`bavaria`), or without (`bavaria_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=4, gap=6.0)
    >>> scores = Bavaria().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    predictive: Predictive = "t"
    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("bavaria", "bavaria_offline")
    heading: ClassVar[str] = "BaVarIA"
    paper: ClassVar[str] = "Brännvall 2026"

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in nats: log predictive ratios, or minus log one-sided probabilities."""
        scores = bavaria_scores if self.online else bavaria_offline_scores
        parts = [scores(*query.signals(scaled_logit), predictive=self.predictive) for query in evidence.queries]
        return np.asarray(np.mean(parts, axis=0))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says how many queries a record the score is the mean of."""
        return note_versions(evidence)


def bavaria_scores(observed: Floats, signals: Floats, member: Bools, predictive: Predictive = "t") -> Float64s:
    """BaVarIA online on arrays.

    Args:
        observed: (n,) the target's signal.
        signals: (m, n) the shadows' signals; NaN where hidden.
        member: (m, n) the shadow was trained on the row.
        predictive: "t" or "normal".

    Returns:
        (n,) log ratios in nats, higher = member.

    >>> shadows = np.array([[6.0, 5.0], [2.0, 1.0]])
    >>> scores = bavaria_scores(np.array([6.0, 1.0]), shadows, np.array([[True, True], [False, False]]))
    >>> bool(scores[0] > scores[1])
    True
    """
    moments = group_moments(signals, member)
    inside = predict(moments.inside, estimate_prior(moments.inside, moments))
    outside = predict(moments.outside, estimate_prior(moments.outside, moments))
    return inside.log_density(observed, predictive) - outside.log_density(observed, predictive)


def bavaria_offline_scores(observed: Floats, signals: Floats, member: Bools, predictive: Predictive = "t") -> Float64s:
    """BaVarIA offline on arrays: as online, but IN entries may be NaN and are not looked at."""
    outside = outside_moments(signals, member)
    return -predict(outside, estimate_prior(outside, GroupMoments(outside, outside))).log_survival(observed, predictive)
