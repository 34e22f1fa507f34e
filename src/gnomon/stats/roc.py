"""ROC curve and the area under it, with ties handled exactly.

A threshold t accuses every score ``>= t``. Tied scores are accused together or not at all, so they form one slanted
step of the curve, and a member who ties with a non-member counts one half in the area (Mann & Whitney, 1947).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, expit, logit, stdtrit

from gnomon.stats.clusters import Clusters, Groups, group_totals
from gnomon.stats.intervals import Interval, check_confidence
from gnomon.stats.samples import Counts, Doubles, sorted_pair


@dataclass(frozen=True)
class RocCurve:
    """All corners of a ROC curve, from "nobody accused" to "everybody accused"; t = distinct scores + 1.

    The first entry accuses nobody; its threshold is NaN, because no number lies above a score of plus infinity.
    """

    thresholds: Doubles  # (t,) falling; scores >= threshold are accused
    true_positives: Counts  # (t,) members accused
    false_positives: Counts  # (t,) non-members accused
    members: int
    nonmembers: int

    @property
    def tpr(self) -> Doubles:
        """True-positive rates ``(t,)``, rising from 0 to 1."""
        return self.true_positives / self.members

    @property
    def fpr(self) -> Doubles:
        """False-positive rates ``(t,)``, rising from 0 to 1."""
        return self.false_positives / self.nonmembers


def roc_curve(members: ArrayLike, nonmembers: ArrayLike) -> RocCurve:
    """The ROC curve of two samples of scores: one corner for each distinct score.

    Args:
        members: scores of members ``(n1,)``, higher = more like a member.
        nonmembers: scores of non-members ``(n0,)``.

    Raises:
        DataError: an empty sample, or NaN.

    >>> curve = roc_curve([3, 2, 2], [2, 1])
    >>> curve.tpr.round(2), curve.fpr
    (array([0.  , 0.33, 1.  , 1.  ]), array([0. , 0. , 0.5, 1. ]))
    """
    m, n = sorted_pair(members, nonmembers)
    thresholds = np.unique(np.concatenate([m, n]))
    tp = m.size - np.searchsorted(m, thresholds, side="left")
    fp = n.size - np.searchsorted(n, thresholds, side="left")
    return RocCurve(
        np.concatenate([[np.nan], thresholds[::-1]]),
        np.concatenate([[0], tp[::-1]]).astype(np.int64),
        np.concatenate([[0], fp[::-1]]).astype(np.int64),
        int(m.size),
        int(n.size),
    )


def placements(queries: Doubles, reference: Doubles) -> Doubles:
    """Share of the sorted reference below each query, ties counted one half: ``(q,)`` in [0, 1]."""
    below = np.searchsorted(reference, queries, side="left")
    up_to = np.searchsorted(reference, queries, side="right")
    return (below + up_to) / (2.0 * reference.size)


def auc(
    members: ArrayLike,
    nonmembers: ArrayLike,
    *,
    confidence: float = 0.95,
    groups: Groups | None = None,
    wider: float = 1.0,
) -> Interval:
    """Area under the ROC curve: the chance that a random member outscores a random non-member, ties one half.

    The interval is DeLong's (DeLong, DeLong & Clarke-Pearson, 1988) on the logit scale, with three additions that
    the simulations in ``tests/stats/test_roc.py`` ask for. Each sample's variance gets one pseudo-observation, so
    that ten scores that happen to agree do not pass for certainty; Student's t stands for the normal quantile, with
    Welch's degrees of freedom; and the interval is never wider than the exact one for ``min(n1, n0)`` independent
    pairs, which is the least that the samples hold (Birnbaum & Klose, 1957) and the whole interval at an area of 0
    or 1. Coverage is nominal from some hundred records on, and at or above nominal for less.

    Where records come in groups, the placements' variances are those between groups, with their covariance where a
    group stands on both sides (Obuchowski, 1997); effective sizes and degrees of freedom take the place of numbers of
    records in all three additions (see `gnomon.stats.clusters`).

    Args:
        members: scores of members ``(n1,)``, higher = more like a member.
        nonmembers: scores of non-members ``(n0,)``.
        confidence: of the interval, in (0, 1).
        groups: of both samples, in their order; None: every record is independent of the others.
        wider: how many times wider than samples show the area varies, 1 or more: of scores that depend on each other.

    Returns:
        Value and interval in [0, 1]; 0.5 = the scores tell nothing.

    Raises:
        DataError: an empty sample, or NaN.

    >>> auc([3, 2, 2], [2, 1])
    Interval(value=0.833..., low=0.08..., high=0.99...)
    """
    m, n = sorted_pair(members, nonmembers)
    by_member = placements(m, n)
    area, alpha = float(by_member.mean()), check_confidence(confidence)  # summed in one order, whatever the rows'
    pairs = independent_pairs(m.size, n.size, groups) / wider**2
    low, high = _exact_pairs(area, pairs, alpha)
    if 0.0 < area < 1.0 and pairs > 1:
        places = by_member, 1.0 - placements(n, m)
        if groups is not None:
            places = placements(np.asarray(members), n), 1.0 - placements(np.asarray(nonmembers), m)
        half = wider * half_width(places, area, alpha, groups) / (area * (1 - area))
        low = max(low, float(expit(logit(area) - half)))
        high = min(high, float(expit(logit(area) + half)))
    return Interval(area, min(low, area), max(high, area))


def independent_pairs(members: int, nonmembers: int, groups: Groups | None) -> float:
    """The fewest independent pairs of a member and a non-member that samples of these sizes hold."""
    if groups is None:
        return float(min(members, nonmembers))
    least = min(side.least for side in groups.sides)
    whole = np.concatenate([groups.members, groups.nonmembers])
    return min(least, Clusters.of(whole).least / 2) if groups.mixed else least


def half_width(parts: tuple[Doubles, Doubles], size: float, alpha: float, groups: Groups | None) -> float:
    """Half of Student's interval for a sum of two means of values ``(n1,)`` and ``(n0,)`` in [-1, 1].

    Each mean's variance gets one pseudo-value that lies as far off as [0, 1] allows where the values' mean is ``size``.
    The degrees of freedom are Welch's; where groups stand on both sides, those of the side with fewer.
    """
    if groups is None:
        worth = [(float(part.size), part.size - 1.0) for part in parts]
    else:
        clusters = groups.sides
        sizes = [cluster.size(part) for cluster, part in zip(clusters, parts, strict=True)]
        worth = [(worth, float(cluster.freedom(worth))) for cluster, worth in zip(clusters, sizes, strict=True)]
    variances = [_smoothed_variance(part, size, records) for part, (records, _) in zip(parts, worth, strict=True)]
    total, freedoms = sum(variances), [freedom for _, freedom in worth]
    freedom = total**2 / sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    if groups is not None and groups.mixed:
        by_member, by_nonmember = group_totals(*parts, groups)
        total, freedom = max(0.0, total + 2.0 * float(by_member @ by_nonmember)), min(freedoms)
    return float(stdtrit(freedom, 1 - alpha / 2)) * float(np.sqrt(total))


def _smoothed_variance(values: Doubles, size: float, n: float) -> float:
    """Variance of a mean of values that are worth n independent ones, with one pseudo-value."""
    smooth = (size * n + 0.5) / (n + 1)
    return float((values.var(ddof=1) * n + smooth * (1 - smooth)) / (n + 1) / n)


def _exact_pairs(area: float, pairs: float, alpha: float) -> tuple[float, float]:
    """Clopper-Pearson bounds as if the area had been counted on this many independent pairs."""
    hits = area * pairs
    low = float(betaincinv(hits, pairs - hits + 1, alpha / 2)) if area > 0 else 0.0
    high = float(betaincinv(hits + 1, pairs - hits, 1 - alpha / 2)) if area < 1 else 1.0
    return low, high
