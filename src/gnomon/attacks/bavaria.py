"""Brännvall 2026 (BaVarIA): LiRA with a prior, so that few shadow models are enough.

With few models a record's mean and variance are little more than guesses, and LiRA takes them for the truth. Here they
have a normal-inverse-gamma prior, learned from all records at once; integrating them out gives a Student-t law of the
target's scaled logit in place of LiRA's normal one, wide where little is known. A record that no IN model has seen
keeps the prior, so nothing special is done for it.

The abstract of the paper was read, not its formulas: how the prior is estimated (`gnomon.stats.student`) is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks.asking import note_versions
from gnomon.attacks.demand import demand
from gnomon.core.arrays import Bools, Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.stats.moments import GroupMoments, group_moments, outside_moments
from gnomon.stats.signals import scaled_logit
from gnomon.stats.student import Predictive, estimate_prior, predict

PAPER = "Brännvall 2026"

_Float64s: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Bavaria:
    """BaVarIA online: the log ratio of the target's scaled logit under the IN and the OUT predictive law.

    Score: log t(phi; IN) - log t(phi; OUT), in nats; with several queries a record, their mean.

    Attributes:
        predictive: "t" (Student's, BaVarIA-t), or "normal" with the same location and scale (BaVarIA-n).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=4, gap=6.0)
    >>> scores = Bavaria().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    predictive: Predictive = "t"

    name: ClassVar[str] = "bavaria"
    title: ClassVar[str] = "BaVarIA, online"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): log predictive ratios in nats."""
        parts = [bavaria_scores(*query, predictive=self.predictive) for query in _queries(evidence)]
        return np.asarray(np.mean(parts, axis=0))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says how many queries a record the score is the mean of."""
        return note_versions(evidence)


@dataclass(frozen=True)
class BavariaOffline:
    """BaVarIA offline: how improbable so high a scaled logit is for a model that was not trained on the record.

    Score: minus the log of Pr[T > phi] under the OUT predictive law, in nats; it does not saturate.

    Attributes:
        predictive: "t" or "normal".

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=4, gap=6.0)
    >>> scores = BavariaOffline().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    predictive: Predictive = "t"

    name: ClassVar[str] = "bavaria_offline"
    title: ClassVar[str] = "BaVarIA, offline"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows_out"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): minus log one-sided probabilities, in nats."""
        parts = [bavaria_offline_scores(*query, predictive=self.predictive) for query in _queries(evidence)]
        return np.asarray(np.mean(parts, axis=0))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says how many queries a record the score is the mean of."""
        return note_versions(evidence)


def bavaria_scores(observed: Floats, signals: Floats, member: Bools, predictive: Predictive = "t") -> _Float64s:
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


def bavaria_offline_scores(observed: Floats, signals: Floats, member: Bools, predictive: Predictive = "t") -> _Float64s:
    """BaVarIA offline on arrays: as online, but IN entries may be NaN and are not looked at."""
    outside = outside_moments(signals, member)
    return -predict(outside, estimate_prior(outside, GroupMoments(outside, outside))).log_survival(observed, predictive)


def _queries(evidence: Evidence) -> list[tuple[Floats, Floats, Bools]]:
    result = []
    for query in (evidence, *evidence.variants):
        shadows = demand(query.shadows, "shadow models")
        observed = scaled_logit(demand(query.answers, "the target's answers"), query.labels)
        result.append((observed, shadows.signal(scaled_logit), shadows.member))
    return result
