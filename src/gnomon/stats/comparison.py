"""Two sets of scores on the same rows: is one attack (or one model) more exposed than the other, or is it noise?

Both see the same records, so their errors move together and the difference is surer than the two figures apart. The
difference is always first minus second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.intervals import Interval, check_confidence
from gnomon.stats.low_fpr import ROUNDING, WARN_FALSE_POSITIVES, check_fpr, required_nonmembers, tpr_at_fpr
from gnomon.stats.roc import placements
from gnomon.stats.samples import Counts, Doubles, split_scores

Change = Literal["higher", "lower", "within noise"]


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


def auc_difference(first: ArrayLike, second: ArrayLike, member: ArrayLike, *, confidence: float = 0.95) -> Difference:
    """Difference of two areas under the ROC curve on the same rows (DeLong, DeLong & Clarke-Pearson, 1988).

    As in `gnomon.stats.roc.auc`, each sample's variance gets a pseudo-observation and Student's t stands for the
    normal quantile. Two scores that rank all rows alike differ by exactly nothing.

    Args:
        first: scores ``(n,)``, higher = more like a member.
        second: scores of the same rows ``(n,)``.
        member: mask of true members ``(n,)``.
        confidence: in (0, 1).

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
    gaps = [places[0][side] - places[1][side] for side in (0, 1)]
    value = areas[0] - areas[1]
    if not any(gap.any() for gap in gaps):
        return Difference(areas[0], areas[1], Interval(0.0, 0.0, 0.0), "within noise")
    if min(gap.size for gap in gaps) < 2:
        return _judged(areas[0], areas[1], -1.0, 1.0)
    parts = [_smoothed_variance(gap, abs(value)) for gap in gaps]
    freedom = sum(parts) ** 2 / sum(part**2 / (gap.size - 1) for part, gap in zip(parts, gaps, strict=True))
    half = float(stdtrit(freedom, 1 - alpha / 2)) * float(np.sqrt(sum(parts)))
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
) -> TprDifference:
    """Difference of two true-positive rates at one false-positive rate, on the same rows.

    Members and non-members are drawn anew with replacement, rows kept paired, and both thresholds are set anew in each
    draw; the interval is that of the draws' percentiles, widened by one member's worth. Under 10 allowed false
    positives a bootstrap can't see the threshold's uncertainty; then the two distribution-free intervals of
    `gnomon.stats.low_fpr` are put against each other instead, which is wide but holds.

    Args:
        first: scores ``(n,)``, higher = more like a member.
        second: scores of the same rows ``(n,)``.
        member: mask of true members ``(n,)``.
        fpr: in (0, 1).
        rng: draws the samples.
        draws: number of bootstrap samples, 100 or more.
        confidence: in (0, 1).

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
    firsts, seconds = (tpr_at_fpr(m, n, fpr, confidence=confidence).tpr for m, n in ((m1, n1), (m2, n2)))
    assert firsts is not None
    assert seconds is not None
    value = firsts.value - seconds.value
    if np.array_equal(m1, m2) and np.array_equal(n1, n2):
        low = high = 0.0
    elif fpr * n1.size < WARN_FALSE_POSITIVES - ROUNDING:
        low = value - math.hypot(firsts.value - firsts.low, seconds.high - seconds.value)
        high = value + math.hypot(firsts.high - firsts.value, seconds.value - seconds.low)
    else:
        gaps = _drawn_gaps((_Sorted.of(m1, n1), _Sorted.of(m2, n2)), math.floor(fpr * n1.size + ROUNDING), rng, draws)
        tails = np.quantile(gaps, [(1 - confidence) / 2, (1 + confidence) / 2])
        low, high = float(tails[0]) - 1 / m1.size, float(tails[1]) + 1 / m1.size
    return TprDifference(fpr, _judged(firsts.value, seconds.value, max(low, -1.0), min(high, 1.0)), None)


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


def _drawn_gaps(pair: tuple[_Sorted, _Sorted], allowed: int, rng: np.random.Generator, draws: int) -> Doubles:
    """Differences of the true-positive rates in samples drawn with replacement: sorted once, re-weighted each time."""
    n1, n0 = pair[0].members.size, pair[0].nonmembers.size
    gaps = np.empty(draws)
    for draw in range(draws):
        member_weights = np.bincount(rng.integers(n1, size=n1), minlength=n1)
        other_weights = np.bincount(rng.integers(n0, size=n0), minlength=n0)
        rates = []
        for one in pair:
            # The first non-member that makes more false positives than are allowed is the cut.
            cut = int(np.searchsorted(np.cumsum(other_weights[one.nonmembers]), allowed, side="right"))
            rates.append(int(member_weights[one.members[: one.above[cut]]].sum()) / n1)
        gaps[draw] = rates[0] - rates[1]
    return gaps


def _paired(
    first: ArrayLike, second: ArrayLike, member: ArrayLike
) -> tuple[tuple[Doubles, Doubles], tuple[Doubles, Doubles]]:
    if np.shape(first) != np.shape(second):
        raise DataError(f"expected two scores for the same rows, got shapes {np.shape(first)} and {np.shape(second)}")
    return split_scores(first, member), split_scores(second, member)


def _places(queries: Doubles, reference: Doubles) -> Doubles:
    """Placements in the order of the queries' rows."""
    return placements(queries, np.sort(reference))


def _smoothed_variance(gaps: Doubles, size: float) -> float:
    """Variance of a mean of differences, with one pseudo-observation, as for a single area."""
    n = gaps.size
    smooth = (size * n + 0.5) / (n + 1)
    return float((gaps.var(ddof=1) * n + smooth * (1 - smooth)) / (n + 1) / n)


def _judged(first: float, second: float, low: float, high: float) -> Difference:
    value = first - second
    low, high = min(low, value), max(high, value)
    change: Change = "higher" if low > 0 else "lower" if high < 0 else "within noise"
    return Difference(first, second, Interval(value, low, high), change)
