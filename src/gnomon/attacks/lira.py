"""Carlini, Chien, Nasr, Song, Terzis and Tramèr 2022 (LiRA): a likelihood ratio for every record.

Over shadow models, one record's scaled logit is close to normal. LiRA fits one normal law to the models that were
trained on the record and one to those that were not, and asks under which of them the target's answer is likelier.

What the code that came with the paper does otherwise is not copied: its fixed OUT deviation is taken from IN answers,
it uses medians for means, and its offline score is two-sided where the paper's equation 4 is one-sided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks.asking import note_versions
from gnomon.attacks.demand import demand
from gnomon.core.arrays import Bools, Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.stats.moments import GroupMoments, Moments, group_moments, outside_moments
from gnomon.stats.signals import scaled_logit

PAPER = "Carlini, Chien, Nasr, Song, Terzis, Tramèr 2022"
RECORD_VARIANCE_FROM = 64  # shadows; with fewer, one variance for all records does better (the paper, section VI)
VARIANCE_FLOOR = 1e-6  # of the pooled variance: few shadows that happen to agree prove no certainty

Variance: TypeAlias = Literal["auto", "record", "global"]
_Float64s: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Lira:
    """Online LiRA: the log-likelihood ratio of the target's scaled logit under the IN and the OUT law of the record.

    Score: log N(phi; IN) - log N(phi; OUT), in nats; with several queries a record, their mean.

    Attributes:
        variance: "record" estimates two variances a record; "global" one variance of IN and one of OUT answers about
            their records' means, for all records; "auto" is global below 64 shadow models, as the paper advises.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Lira().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].min() > np.median(scores[~world.member]))
    True
    """

    variance: Variance = "auto"

    name: ClassVar[str] = "lira"
    title: ClassVar[str] = "LiRA, online"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): log-likelihood ratios in nats."""
        parts = [lira_scores(*query, variance=self.variance) for query in _queries(evidence)]
        return np.asarray(np.mean(parts, axis=0))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says which variance was taken."""
        note = _variance_note(self.variance, demand(evidence.shadows, "shadow models").n_shadows)
        return [note, *note_versions(evidence)]


@dataclass(frozen=True)
class LiraOffline:
    """Offline LiRA: how far the target's scaled logit lies above what models say that never saw the record.

    Score: the paper's 1 - Pr[Z > phi], Z ~ N(OUT), on the scale of its normal quantile, (phi - mean) / deviation:
    the same order, but it does not saturate at 1. With several queries a record, their mean.

    Attributes:
        variance: as for online LiRA, of OUT answers only.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = LiraOffline().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].min() > np.median(scores[~world.member]))
    True
    """

    variance: Variance = "auto"

    name: ClassVar[str] = "lira_offline"
    title: ClassVar[str] = "LiRA, offline"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows_out"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): standard deviations above the mean of models without the record."""
        parts = [lira_offline_scores(*query, variance=self.variance) for query in _queries(evidence)]
        return np.asarray(np.mean(parts, axis=0))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says which variance was taken."""
        note = _variance_note(self.variance, demand(evidence.shadows, "shadow models").n_shadows)
        return [note, *note_versions(evidence)]


def lira_scores(observed: Floats, signals: Floats, member: Bools, variance: Variance = "auto") -> _Float64s:
    """Online LiRA on arrays, which may be memory-mapped: one pass over the signals, in blocks.

    A record without IN (or without OUT) models takes its other mean, moved by the distance of the overall means.

    Args:
        observed: (n,) the target's signal.
        signals: (m, n) the shadows' signals; NaN where hidden.
        member: (m, n) the shadow was trained on the row.
        variance: "record", "global" or "auto".

    Returns:
        (n,) log-likelihood ratios in nats, higher = member.

    >>> shadows = np.array([[5.0], [6], [7], [6], [1], [2], [3], [2]])
    >>> lira_scores(np.array([5.5]), shadows, np.arange(8)[:, None] < 4, variance="record").round(6)
    array([12.])
    """
    moments = group_moments(signals, member)
    inside_mean, outside_mean = _completed_means(moments)
    per_record = _per_record(variance, len(signals))
    inside_variance = _variances(moments.inside, moments.outside, per_record)
    outside_variance = _variances(moments.outside, moments.inside, per_record)
    inside = (observed - inside_mean) ** 2 / inside_variance + np.log(inside_variance)
    outside = (observed - outside_mean) ** 2 / outside_variance + np.log(outside_variance)
    return np.asarray(0.5 * (outside - inside), dtype=np.float64)


def lira_offline_scores(observed: Floats, signals: Floats, member: Bools, variance: Variance = "auto") -> _Float64s:
    """Offline LiRA on arrays: only models that were not trained on a row count for it.

    A record without OUT models is held against the overall law of OUT answers.

    Args:
        observed: (n,) the target's signal.
        signals: (m, n) the shadows' signals; IN entries may be NaN and are not looked at.
        member: (m, n) the shadow was trained on the row.
        variance: "record", "global" or "auto".

    Returns:
        (n,) normal quantiles of the paper's one-sided probability, higher = member.

    >>> from scipy.stats import norm
    >>> z = lira_offline_scores(np.array([5.5]), np.array([[1.0], [2], [3], [2]]), np.zeros((4, 1), bool), "record")
    >>> float(norm.cdf(z[0]).round(8))
    0.99999963
    """
    moments = outside_moments(signals, member)
    variances = _variances(moments, moments, _per_record(variance, len(signals)))
    empty = moments.count == 0
    if empty.all():
        return np.asarray(observed, dtype=np.float64)
    mean = np.where(empty, moments.overall_mean, moments.mean)
    variances = np.where(empty, max(moments.overall_variance, np.finfo(float).tiny), variances)
    return np.asarray((observed - mean) / np.sqrt(variances), dtype=np.float64)


def _queries(evidence: Evidence) -> list[tuple[Floats, Floats, Bools]]:
    """(observed, signals, member) of the record itself and of each of its augmentations."""
    result = []
    for query in (evidence, *evidence.variants):
        shadows = demand(query.shadows, "shadow models")
        observed = scaled_logit(demand(query.answers, "the target's answers"), query.labels)
        result.append((observed, shadows.signal(scaled_logit), shadows.member))
    return result


def _per_record(variance: Variance, n_shadows: int) -> bool:
    return variance == "record" or (variance == "auto" and n_shadows >= RECORD_VARIANCE_FROM)


def _variance_note(variance: Variance, n_shadows: int) -> str:
    if _per_record(variance, n_shadows):
        return f"variances estimated for each record ({n_shadows} shadow models)"
    return f"one variance for all records ({n_shadows} shadow models; for each record from {RECORD_VARIANCE_FROM})"


def _completed_means(moments: GroupMoments) -> tuple[_Float64s, _Float64s]:
    inside, outside = moments.inside, moments.outside
    gap = inside.overall_mean - outside.overall_mean
    gap = gap if np.isfinite(gap) else 0.0
    nothing = (inside.count == 0) & (outside.count == 0)
    inside_mean = np.where(inside.count > 0, inside.mean, outside.mean + gap)
    outside_mean = np.where(outside.count > 0, outside.mean, inside.mean - gap)
    return (
        np.where(nothing, np.nan_to_num(inside.overall_mean), inside_mean),
        np.where(nothing, np.nan_to_num(outside.overall_mean), outside_mean),
    )


def _variances(group: Moments, other: Moments, per_record: bool) -> _Float64s:
    """Variance (n,) of a group about the record's mean; where too few models speak, the next wider estimate."""
    estimates = (group.pooled_variance, other.pooled_variance, group.overall_variance, other.overall_variance)
    known = [value for value in estimates if np.isfinite(value) and value > 0]
    common = known[0] if known else 1.0
    if not per_record:
        return np.full(len(group.count), common)
    return np.maximum(np.where(group.count > 1, group.variance, common), VARIANCE_FLOOR * common)
