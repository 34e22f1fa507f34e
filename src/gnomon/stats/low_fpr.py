"""True-positive rate at a low false-positive rate: the figure that says what a careful attacker achieves.

The point is the largest share of members that a threshold accuses while it accuses at most a share ``f`` of the
sampled non-members. The interval is for the rate at false-positive rate ``f`` *in the population*. The threshold that
belongs to it is unknown too, so a binomial interval around the point alone covers far less than it says (simulated:
misses of 50 to 80 % instead of 5 % for Gaussian scores at FPR 0.001 from 2,000 non-members). Order statistics of the
non-members bound the threshold from both sides, Clopper-Pearson bounds the members' share beyond each, and the error
is divided evenly among the four bounds (Bonferroni). This holds for every distribution of scores, ties and cliffs
included; for smooth ones it is conservative (it misses in some 0.5 % of samples for an asked 5 %).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc, bdtrik

from gnomon.core.errors import UsageError
from gnomon.stats.clusters import CurveWorth, Groups, worth_of_curve
from gnomon.stats.intervals import Interval, check_confidence, clopper_pearson
from gnomon.stats.samples import Counts, Doubles, sorted_pair

Resolution = Literal["ok", "coarse", "refused"]

WARN_FALSE_POSITIVES = 10  # fewer allowed false positives than this, and the figure is coarse
ROUNDING = 1e-9  # 0.001 * 1000 must count as 1, and so must sums that fall short of whole numbers


@dataclass(frozen=True)
class TprAtFpr:
    """True-positive rate at one false-positive rate, or the reason why the sample can't say.

    ``resolution`` is "refused" under ``1 / fpr`` non-members (then there is no figure), "coarse" (a warning) under
    ``10 / fpr``, else "ok"; ``reason`` is a sentence for the first two.
    """

    fpr: float  # as asked
    tpr: Interval | None  # members accused; interval at population FPR
    threshold: float | None  # accuses scores >= threshold; None if refused, or if nobody may be accused
    false_positives: int | None  # non-members accused, at most floor(fpr * nonmembers)
    nonmembers: int
    resolution: Resolution
    reason: str | None


def check_fpr(fpr: float) -> float:
    """A false-positive rate in (0, 1).

    Raises:
        UsageError: outside.
    """
    if not 0.0 < fpr < 1.0:
        raise UsageError(f"expected fpr strictly between 0 and 1 (such as 0.001), got fpr={fpr}")
    return fpr


def tpr_at_fpr(
    members: ArrayLike,
    nonmembers: ArrayLike,
    fpr: float,
    *,
    confidence: float = 0.95,
    groups: Groups | None = None,
) -> TprAtFpr:
    """The largest true-positive rate that a threshold reaches with a false-positive rate of at most ``fpr``.

    Args:
        members: scores of members ``(n1,)``, higher = more like a member.
        nonmembers: scores of non-members ``(n0,)``.
        fpr: the allowed share of wrongly accused non-members, in (0, 1).
        confidence: of the interval (see the module's text), in (0, 1).
        groups: of both samples, in their order; the interval then counts what the records are worth.

    Returns:
        Figure, interval, threshold and raw count; or a refusal, if ``n0 < 1 / fpr`` (Carlini et al., 2022: no claim
        below what the sample resolves).

    Raises:
        DataError: an empty sample, or NaN.
        UsageError: fpr or confidence outside (0, 1).

    >>> tpr_at_fpr([3, 2, 2], [1, 2, 0, 0], 0.25).tpr.value
    1.0
    >>> tpr_at_fpr([3, 2, 2], [1, 2, 0, 0], 0.1).reason
    'too few non-members (have 4, need 10)'
    """
    m, n = sorted_pair(members, nonmembers)
    n0, needed = int(n.size), required_nonmembers(fpr)
    if n0 < needed:
        reason = f"too few non-members (have {n0:,}, need {needed:,})"
        return TprAtFpr(fpr, None, None, None, n0, "refused", reason)
    allowed = math.floor(fpr * n0 + ROUNDING)
    cut = n[n0 - 1 - allowed] if allowed < n0 else -np.inf
    first = int(np.searchsorted(m, cut, side="right"))
    wrongly = n0 - int(np.searchsorted(n, cut, side="right"))
    worth = None if groups is None else worth_of_curve(np.asarray(members), np.asarray(nonmembers), groups)
    low, high = population_bounds(m, n, np.array([fpr]), confidence=confidence, worth=worth)
    value = (m.size - first) / m.size
    above = [sample[np.searchsorted(sample, cut, side="right")] for sample in (m, n) if sample[-1] > cut]
    resolution: Resolution = "ok"
    reason_text = None
    if fpr * n0 < WARN_FALSE_POSITIVES - ROUNDING:
        resolution = "coarse"
        reason_text = (
            f"few non-members (have {n0:,}; {required_nonmembers(fpr / WARN_FALSE_POSITIVES):,} would do): "
            f"at most {allowed} may be accused, so the figure is coarse"
        )
    return TprAtFpr(
        fpr,
        Interval(value, min(float(low[0]), value), max(float(high[0]), value)),
        float(min(above)) if above else None,
        wrongly,
        n0,
        resolution,
        reason_text,
    )


def required_nonmembers(fpr: float) -> int:
    """Fewest non-members that resolve this false-positive rate: ``1 / fpr``, rounded up.

    >>> required_nonmembers(0.001)
    1000
    """
    return math.ceil(1.0 / check_fpr(fpr) - ROUNDING)


def population_bounds(
    members: Doubles,
    nonmembers: Doubles,
    fprs: Doubles,
    *,
    confidence: float = 0.95,
    worth: CurveWorth | None = None,
) -> tuple[Doubles, Doubles]:
    """Bounds for the true-positive rate at population false-positive rates, for samples that are sorted upwards.

    Args:
        members: sorted scores ``(n1,)``.
        nonmembers: sorted scores ``(n0,)``.
        fprs: false-positive rates ``(q,)`` in [0, 1].
        confidence: pointwise, in (0, 1).
        worth: how many independent records these are worth, where they come in groups.

    Returns:
        ``(low, high)``, each ``(q,)``.
    """
    tail = check_confidence(confidence) / 4
    n1, n0 = members.size, nonmembers.size
    # With Y(j) the j-th largest non-member, the population's share above Y(j) is at most Beta(j, n0-j+1) distributed,
    # and its share at or above Y(k) at least Beta(k, n0-k+1): "above Y(strict)" surely keeps to f, and whatever keeps
    # to f surely lies above Y(lax).
    trials: int | Counts = n0
    if worth is not None:
        allowed = np.floor(fprs * n0 + ROUNDING).astype(np.int64)
        trials = np.floor(worth.nonmembers[allowed] + ROUNDING).astype(np.int64)
    strict = binomial_quantile(tail, trials, fprs)
    lax = binomial_quantile(tail, trials, fprs, upper=True) + 1
    first = _above(members, nonmembers, strict * n0 // trials)
    last = _above(members, nonmembers, -(-lax * n0 // trials))
    sizes = (n1, n1) if worth is None else (worth.members[first], worth.members[last])
    low, _ = clopper_pearson(first * sizes[0] / n1, sizes[0], confidence=1 - 2 * tail)
    _, high = clopper_pearson(last * sizes[1] / n1, sizes[1], confidence=1 - 2 * tail)
    return np.where(fprs >= 1.0, 1.0, low), high


def _above(members: Doubles, nonmembers: Doubles, ranks: Counts) -> Counts:
    """Members above the non-member of each rank: rank 1 the largest, 0 or less: no member, beyond n0: every member."""
    n0 = nonmembers.size
    cuts = nonmembers[np.clip(n0 - ranks, 0, n0 - 1)]
    counts = members.size - np.searchsorted(members, cuts, side="right")
    return np.where(ranks <= 0, 0, np.where(ranks > n0, members.size, counts)).astype(np.int64)


def binomial_quantile(tail: float, n: int | Counts, rates: Doubles, *, upper: bool = False) -> Counts:
    """The smallest count k of n at each rate with P(at most k) >= tail; or, ``upper``, with P(more than k) <= tail.

    As ``scipy.stats.binom.ppf`` and ``isf``, without the second that importing ``scipy.stats`` takes.

    >>> binomial_quantile(0.025, 100, np.array([0.1, 0.5]), upper=True)
    array([16, 60])
    """
    near = np.nan_to_num(bdtrik(1 - tail if upper else tail, n, rates), nan=0.0)
    count = np.where(rates >= 1.0, n, np.clip(np.ceil(near), 0, n))
    fewer = np.maximum(count - 1, 0)  # the inverse is rounded: one less may do as well
    enough = bdtrc(fewer, n, rates) <= tail if upper else bdtr(fewer, n, rates) >= tail
    found: Counts = np.where(enough, fewer, count).astype(np.int64)
    return found
