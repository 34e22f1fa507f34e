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

from gnomon.attacks.parts.queries import note_versions
from gnomon.attacks.parts.shadow_rows import OnlineOffline
from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import variant
from gnomon.stats.laws.moments import GroupMoments, Moments, group_moments, outside_moments
from gnomon.stats.signals import scaled_logit

RECORD_VARIANCE_FROM = 64  # shadows; with fewer, one variance for all records does better (the paper, section VI)
VARIANCE_FLOOR = 1e-6  # of the pooled variance: few shadows that happen to agree prove no certainty

Variance: TypeAlias = Literal["auto", "record", "global"]


@dataclass(frozen=True)
class Lira(OnlineOffline):
    """LiRA: how much likelier the target's scaled logit is for a model that was trained on the record.

    Score, online: log N(phi; IN) - log N(phi; OUT), in nats. Offline: the paper's 1 - Pr[Z > phi], Z ~ N(OUT), on the
    scale of its normal quantile, (phi - mean) / deviation: the same order, but it does not saturate at 1. With several
    queries a record, their mean.

    Attributes:
        variance: "record" estimates two variances a record; "global" one variance of IN and one of OUT answers about
            their records' means, for all records; "auto" is global below 64 shadow models, as the paper advises.
            Offline it is that of OUT answers only.
        online: with models that were trained on the record (`lira`), or without (`lira_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Lira().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].min() > np.median(scores[~world.member]))
    True
    """

    variance: Variance = "auto"
    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("lira", "lira_offline")
    heading: ClassVar[str] = "LiRA"
    paper: ClassVar[str] = "Carlini, Chien, Nasr, Song, Terzis, Tramèr 2022"

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): log-likelihood ratios in nats, or standard deviations above models without the record."""
        scores = lira_scores if self.online else lira_offline_scores
        parts = [scores(*query.signals(scaled_logit), variance=self.variance) for query in evidence.queries]
        return np.asarray(np.mean(parts, axis=0))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says which variance was taken."""
        return [_variance_note(self.variance, evidence.require("shadows").n_shadows), *note_versions(evidence)]


def lira_scores(observed: Floats, signals: Floats, member: Bools, variance: Variance = "auto") -> Float64s:
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


def lira_offline_scores(observed: Floats, signals: Floats, member: Bools, variance: Variance = "auto") -> Float64s:
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


def _per_record(variance: Variance, n_shadows: int) -> bool:
    return variance == "record" or (variance == "auto" and n_shadows >= RECORD_VARIANCE_FROM)


def _variance_note(variance: Variance, n_shadows: int) -> str:
    if _per_record(variance, n_shadows):
        return f"variances estimated for each record ({n_shadows} shadow models)"
    return f"one variance for all records ({n_shadows} shadow models; for each record from {RECORD_VARIANCE_FROM})"


def _completed_means(moments: GroupMoments) -> tuple[Float64s, Float64s]:
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


def _variances(group: Moments, other: Moments, per_record: bool) -> Float64s:
    """Variance (n,) of a group about the record's mean; where too few models speak, the next wider estimate."""
    estimates = (group.pooled_variance, other.pooled_variance, group.overall_variance, other.overall_variance)
    known = [value for value in estimates if np.isfinite(value) and value > 0]
    common = known[0] if known else 1.0
    if not per_record:
        return np.full(len(group.count), common)
    return np.maximum(np.where(group.count > 1, group.variance, common), VARIANCE_FLOOR * common)
