"""Two sets of scores on the same rows: is one attack (or one model) more exposed than the other, or is it noise?

Both see the same records, so their errors move together and the difference is surer than the two figures apart. The
difference is always first minus second.

Two shares on the same rows, such as the accuracies of two models: is one higher, or is it noise?
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.clusters import Clusters, Groups, split_groups
from gnomon.stats.intervals import Interval, check_confidence
from gnomon.stats.low_fpr import (
    ROUNDING,
    WARN_FALSE_POSITIVES,
    check_fpr,
    required_nonmembers,
    sampled_tprs,
    threshold_worth,
    tpr_at_fpr,
)
from gnomon.stats.roc import half_width, independent_pairs, placements
from gnomon.stats.samples import Counts, Doubles, split_scores

Change = Literal["higher", "lower", "within noise"]

FEWEST_BEYOND = 5  # draws beyond a percentile that it may rest on


@dataclass(frozen=True)
class Difference:
    """First minus second, with the interval that says whether it is noise."""

    first: float
    second: float
    difference: Interval
    change: Change  # of the first against the second: "higher" leaks more


@dataclass(frozen=True)
class TprDifference:
    """A difference of true-positive rates at one false-positive rate, or why it is refused."""

    fpr: float
    result: Difference | None
    reason: str | None


def auc_difference(
    first: ArrayLike,
    second: ArrayLike,
    member: ArrayLike,
    *,
    confidence: float = 0.95,
    groups: ArrayLike | None = None,
    wider: float = 1.0,
) -> Difference:
    """Difference of two areas under the ROC curve on the same rows (DeLong, DeLong & Clarke-Pearson, 1988).

    As in `gnomon.stats.roc.auc`, each sample's variance gets a pseudo-observation and Student's t stands for the
    normal quantile. Two scores that rank all rows alike differ by exactly nothing.

    Args:
        first: scores ``(n,)``, higher = more like a member.
        second: scores of the same rows ``(n,)``.
        member: mask of true members ``(n,)``.
        confidence: in (0, 1).
        groups: the person or household of each row ``(n,)``; the variance is then that between groups.
        wider: how many times wider than samples show areas vary, 1 or more: of scores that depend on each other.

    Raises:
        DataError: shapes differ, a side is empty, or NaN.

    >>> rng = np.random.default_rng(0)
    >>> member = np.arange(400) < 200
    >>> signal = member + rng.normal(size=400)
    >>> auc_difference(signal, signal + 0.1 * rng.normal(size=400), member).change
    'within noise'
    >>> auc_difference(signal, rng.normal(size=400), member).change
    'higher'
    """
    alpha = check_confidence(confidence)
    (m1, n1), (m2, n2) = _paired(first, second, member)
    places = [(_places(m, n), 1.0 - _places(n, m)) for m, n in ((m1, n1), (m2, n2))]
    areas = [float(by_member.mean()) for by_member, _ in places]
    gaps = places[0][0] - places[1][0], places[0][1] - places[1][1]
    value, known = areas[0] - areas[1], split_groups(groups, member)
    if not any(gap.any() for gap in gaps):
        return Difference(areas[0], areas[1], Interval(0.0, 0.0, 0.0), "within noise")
    if independent_pairs(m1.size, n1.size, known) <= 1:
        return _judged(areas[0], areas[1], -1.0, 1.0)
    half = wider * half_width(gaps, abs(value), alpha, known)
    return _judged(areas[0], areas[1], max(value - half, -1.0), min(value + half, 1.0))


def tpr_difference(
    first: ArrayLike,
    second: ArrayLike,
    member: ArrayLike,
    fpr: float,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    confidence: float = 0.95,
    groups: ArrayLike | None = None,
    wider: float = 1.0,
) -> TprDifference:
    """Difference of two true-positive rates at one false-positive rate, on the same rows.

    Members and non-members are drawn anew with replacement, rows kept paired, and both thresholds are set anew in each
    draw; the interval is that of the draws' percentiles, widened by one member's worth. Under 10 allowed false
    positives a bootstrap can't see the threshold's uncertainty; then the two intervals of
    `gnomon.stats.low_fpr` are put against each other instead, which is wide but holds.

    Args:
        first: scores ``(n,)``, higher = more like a member.
        second: scores of the same rows ``(n,)``.
        member: mask of true members ``(n,)``.
        fpr: in (0, 1).
        rng: draws the samples.
        draws: number of bootstrap samples, 100 or more.
        confidence: in (0, 1).
        groups: the person or household of each row ``(n,)``; whole groups are then drawn anew, and the percentiles
            are widened as Student's t is against the normal law, because few groups show too little of the spread.
        wider: how many times wider than samples show an AUC varies (see `gnomon.stats.low_fpr.threshold_worth`).

    Returns:
        The difference, or a refusal with under ``1 / fpr`` non-members.

    Raises:
        DataError: shapes differ, a side is empty, or NaN.
        UsageError: fpr, confidence or draws outside their ranges.

    >>> scores, member = np.arange(20.0), np.arange(20) >= 10
    >>> tpr_difference(scores, -scores, member, 0.01, rng=np.random.default_rng(0)).reason
    'too few non-members (have 10, need 100)'
    """
    if draws < 100:
        raise UsageError(f"expected at least 100 draws, got draws={draws}")
    check_confidence(confidence)
    check_fpr(fpr)
    (m1, n1), (m2, n2) = _paired(first, second, member)
    if n1.size < required_nonmembers(fpr):
        reason = f"too few non-members (have {n1.size:,}, need {required_nonmembers(fpr):,})"
        return TprDifference(fpr, None, reason)
    known = split_groups(groups, member)
    rates = [sampled_tprs(m, n, (fpr,))[fpr] for m, n in ((m1, n1), (m2, n2))]
    value = rates[0] - rates[1]
    if np.array_equal(m1, m2) and np.array_equal(n1, n2):
        low = high = 0.0
    elif fpr * _effective_nonmembers((n1, n2), fpr, known) < WARN_FALSE_POSITIVES - ROUNDING:
        firsts, seconds = (
            tpr_at_fpr(m, n, fpr, confidence=confidence, groups=known, wider=wider).tpr for m, n in ((m1, n1), (m2, n2))
        )
        assert firsts is not None
        assert seconds is not None
        low = value - math.hypot(firsts.value - firsts.low, seconds.high - seconds.value)
        high = value + math.hypot(firsts.high - firsts.value, seconds.value - seconds.low)
    else:
        gaps = _drawn_gaps((_Sorted.of(m1, n1), _Sorted.of(m2, n2)), fpr, known, rng, draws)
        stretch = float(threshold_worth(fpr, wider)) ** -0.5 * (1 if known is None else _wider(known, confidence))
        gaps = value + stretch * (gaps - value)
        tails = _tails(gaps, confidence)
        low, high = float(tails[0]) - 1 / m1.size, float(tails[1]) + 1 / m1.size
    return TprDifference(fpr, _judged(rates[0], rates[1], max(low, -1.0), min(high, 1.0)), None)


def _tails(gaps: Doubles, confidence: float) -> Doubles:
    """Percentiles of the draws; normal ones where too few draws lie beyond them."""
    tail = (1 - confidence) / 2
    if tail * gaps.size < FEWEST_BEYOND:
        return np.asarray(gaps.mean() + ndtri([tail, 1 - tail]) * gaps.std(ddof=1))
    return np.asarray(np.quantile(gaps, [tail, 1 - tail]))


@dataclass(frozen=True)
class _Sorted:
    """Rows of one score, from the highest down."""

    members: Counts  # (n1,) rows of the member sample
    nonmembers: Counts  # (n0,) rows of the non-member sample
    above: Counts  # (n0,) how many members lie above each of these non-members

    @classmethod
    def of(cls, m: Doubles, n: Doubles) -> _Sorted:
        rows = np.argsort(-n, kind="stable")
        above = m.size - np.searchsorted(np.sort(m), n[rows], side="right")
        return cls(np.argsort(-m, kind="stable"), rows, above.astype(np.int64))


def _effective_nonmembers(samples: tuple[Doubles, Doubles], fpr: float, groups: Groups | None) -> float:
    """How many independent non-members decide where the thresholds lie: the fewer of the two scores'."""
    if groups is None:
        return float(samples[0].size)
    clusters, allowed = groups.sides[1], math.floor(fpr * samples[0].size + ROUNDING)
    return min(float(clusters.top_sizes(np.argsort(-s, kind="stable"))[allowed]) for s in samples)


def _wider(groups: Groups, confidence: float) -> float:
    """What the spread of samples of so few groups falls short by."""
    freedom = min(float(side.freedom(side.least)) for side in groups.sides)
    return float(stdtrit(freedom, (1 + confidence) / 2) / ndtri((1 + confidence) / 2))


def _drawn_gaps(
    pair: tuple[_Sorted, _Sorted], fpr: float, groups: Groups | None, rng: np.random.Generator, draws: int
) -> Doubles:
    """Differences of the true-positive rates in samples drawn with replacement: sorted once, re-weighted each time."""
    n1, n0 = pair[0].members.size, pair[0].nonmembers.size
    strata = [] if groups is None else _strata(groups)
    gaps = np.empty(draws)
    for draw in range(draws):
        if groups is None:
            member_weights = np.bincount(rng.integers(n1, size=n1), minlength=n1)
            other_weights = np.bincount(rng.integers(n0, size=n0), minlength=n0)
        else:
            drawn = np.concatenate([stratum[rng.integers(stratum.size, size=stratum.size)] for stratum in strata])
            weights = np.bincount(drawn, minlength=groups.count)
            member_weights, other_weights = weights[groups.members], weights[groups.nonmembers]
        allowed, inside = math.floor(fpr * int(other_weights.sum()) + ROUNDING), max(1, int(member_weights.sum()))
        cuts = [_cut(other_weights, one.nonmembers, allowed) for one in pair]
        accused = [
            int(member_weights[one.members[: one.above[cut]]].sum()) for one, cut in zip(pair, cuts, strict=True)
        ]
        gaps[draw] = accused[0] / inside - accused[1] / inside
    return gaps


def _cut(weights: Counts, order: Counts, allowed: int) -> int:
    """Place of the first non-member that makes more false positives than are allowed, from the highest score down."""
    for looked in (min(2 * allowed + 100, order.size), order.size):  # nearly always it is among the first
        place = int(np.searchsorted(weights[order[:looked]].cumsum(), allowed, side="right"))
        if place < looked:
            return place
    return order.size - 1


def _strata(groups: Groups) -> list[Counts]:
    """Groups of members, of non-members, and of both, which are drawn apart."""
    inside, outside = (np.isin(np.arange(groups.count), side) for side in (groups.members, groups.nonmembers))
    parts = (np.flatnonzero(part) for part in (inside & ~outside, outside & ~inside, inside & outside))
    return [part for part in parts if part.size]


def _paired(
    first: ArrayLike, second: ArrayLike, member: ArrayLike
) -> tuple[tuple[Doubles, Doubles], tuple[Doubles, Doubles]]:
    if np.shape(first) != np.shape(second):
        raise DataError(f"expected two scores for the same rows, got shapes {np.shape(first)} and {np.shape(second)}")
    return split_scores(first, member), split_scores(second, member)


def _places(queries: Doubles, reference: Doubles) -> Doubles:
    """Placements in the order of the queries' rows."""
    return placements(queries, np.sort(reference))


def _judged(first: float, second: float, low: float, high: float) -> Difference:
    value = first - second
    low, high = min(low, value), max(high, value)
    change: Change = "higher" if low > 0 else "lower" if high < 0 else "within noise"
    return Difference(first, second, Interval(value, low, high), change)


def matched_difference(
    first: ArrayLike, second: ArrayLike, *, confidence: float = 0.95, groups: ArrayLike | None = None
) -> Interval:
    """Share of hits of the first minus that of the second, on the same rows (Agresti & Min, 2005).

    Their interval adds half a row to each of the four cells (hit or miss, twice); it keeps what it says on average and
    is simple. Only rows where the two differ widen it. Two that agree on every row differ by exactly nothing.

    Args:
        first: mask of hits ``(n,)``.
        second: mask of hits on the same rows ``(n,)``.
        confidence: in (0, 1).
        groups: the person or household of each row ``(n,)``; the interval then counts what the rows are worth.

    Raises:
        DataError: no rows, or shapes that differ.

    >>> matched_difference([True, True, False], [True, False, False]).value.__round__(3)
    0.333
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape or a.ndim != 1 or a.size == 0:
        raise DataError(f"expected hits of two models on the same rows, got shapes {a.shape} and {b.shape}")
    z = float(ndtri(1 - check_confidence(confidence) / 2))
    gained, lost, n = float((a & ~b).sum()), float((~a & b).sum()), float(a.size)
    if gained == lost == 0:
        return Interval(0.0, 0.0, 0.0)
    value = (gained - lost) / n
    if groups is not None:
        clusters = Clusters.of(np.asarray(groups))
        worth = float(clusters.honest(np.array([clusters.size(a.astype(np.float64) - b)]))[0]) / n
        gained, lost, n = gained * worth, lost * worth, n * worth
    middle = (gained - lost) / (n + 2)
    half = z * math.sqrt(gained + lost + 1 - (n + 2) * middle**2) / (n + 2)
    return Interval(value, min(value, max(middle - half, -1.0)), max(value, min(middle + half, 1.0)))
