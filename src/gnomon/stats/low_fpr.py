"""True-positive rate at a low false-positive rate: what a careful attacker achieves.

The point is the largest share of members that a threshold accuses while it accuses at most a share ``f`` of the
sampled non-members. The interval is for another number, the **truth**: the share of members above the threshold that
accuses as many of *all* non-members as ``f`` allows (TPR at the population FPR; scores that tie are accused together
or not at all). That threshold is unknown too, so a binomial interval around the point covers far less than it says.

Two sources of error, both of known law, are put together. In ranks of the sampled non-members (1 the highest) the
threshold lies at a place R with P(R <= r) = P(V_r >= f), where V_r, the population's share above the r-th highest, is
Beta(r, n0 + 1 - r); between ranks r is a fractional order statistic (Hutson, 1999). Given the place, the members above
it bound their share as Clopper & Pearson (1934) do. The ends are quantiles of the mixture over all places: a confidence
distribution, close to the Bayesian bootstrap of the ROC curve (Gu, Ghosal & Roy, 2008), without draws. Of an
asked 95 % it covers 94 to 99 % where ten members and ten false positives are to be counted, and more where fewer
are: counts are too coarse there for any interval to do better (``benchmarks/intervals.py``). Only the order of scores
counts.

Where many members tie, the ROC curve has a cliff, and its foot and its top are far apart. Then the two errors do not
add up: the mixture takes the product of the chance that the threshold stands above the cliff and the chance of as many
members at its foot, and a product of two uniforms is below 0.0225 in 11 % of samples. So the lower end is also one of
the foot's, unless the threshold stands below the cliff with a probability of 99.75 %, and the upper end likewise one
of the top's.

Above the highest non-member nothing is counted. There the lower end supposes that the ROC curve falls towards its
origin no faster than with the square of the false-positive rate (with a useless score it falls in a straight line,
concave curves fall slower; of the shapes tried only t-distributed scores far apart fall faster). Where members tie it
supposes nothing, and the upper end never does. So perfect separation has a lower end of about
``(fpr * n0 / 3.8) ** 2`` up to ``3.8 / fpr`` non-members, and of 0 where all members tie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, ndtri

from gnomon.core.arrays import Bools
from gnomon.core.errors import UsageError
from gnomon.stats.clusters import CurveWorth, Groups, worth_of_curve
from gnomon.stats.intervals import Interval, check_confidence
from gnomon.stats.samples import Counts, Doubles, sorted_pair

Resolution = Literal["ok", "coarse", "refused"]

WARN_FALSE_POSITIVES = 10  # fewer allowed false positives than this, and the figure is coarse
ROUNDING = 1e-9  # 0.001 * 1000 must count as 1
PLACES = 48  # where the population's threshold may lie: enough for ends that are right to a percent of their length
RANKS = 16  # the first ranks are borders between places: a tie may begin or end there
FARTHEST = 4.0  # standard deviations
TURNS = 15  # towards an end, most are there after 3 or 4
CLOSE = 2e-3  # of the error: an end is so much more or less likely than what is wanted, a thousandth of its length
NEGLIGIBLE = 1e-7  # probability of a place that adds nothing
CLIFFS = 0.9  # of the error: the rest pays for the chance that a threshold that seems to stand below a cliff doesn't
CLIFF = 0.4  # of the members' rise over the likely places: ties that hold as much are a cliff
STEEPEST = 2.0  # below one false positive, the ROC curve is supposed to fall no faster than with this power


@dataclass(frozen=True)
class TprPoint:
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
    wider: float = 1.0,
) -> TprPoint:
    """The largest true-positive rate that a threshold reaches with a false-positive rate of at most ``fpr``.

    Args:
        members: scores of members ``(n1,)``, higher = more like a member.
        nonmembers: scores of non-members ``(n0,)``.
        fpr: the allowed share of wrongly accused non-members, in (0, 1).
        confidence: of the interval (see the module's text), in (0, 1).
        groups: of both samples, in their order; the interval then counts what the records are worth.
        wider: how many times wider than samples show an AUC varies, 1 or more (see `threshold_worth`).

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
    return tpr_at_fprs(members, nonmembers, (fpr,), confidence=confidence, groups=groups, wider=wider)[0]


def tpr_at_fprs(
    members: ArrayLike,
    nonmembers: ArrayLike,
    fprs: Sequence[float],
    *,
    confidence: float = 0.95,
    groups: Groups | None = None,
    wider: float = 1.0,
) -> list[TprPoint]:
    """`tpr_at_fpr` at several rates: the samples are sorted once.

    >>> [point.tpr.value for point in tpr_at_fprs([3, 2, 2], [1, 2, 0, 0], (0.25, 0.5))]
    [1.0, 1.0]
    """
    m, n = sorted_pair(members, nonmembers)
    resolved = [fpr for fpr in fprs if n.size >= required_nonmembers(fpr)]
    ends = {}
    if resolved:
        worth = None if groups is None else worth_of_curve(np.asarray(members), np.asarray(nonmembers), groups)
        low, high = population_bounds(m, n, np.array(resolved), confidence=confidence, worth=worth, wider=wider)
        ends = dict(zip(resolved, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    return [_point(m, n, fpr, ends.get(fpr)) for fpr in fprs]


def sampled_tprs(members: ArrayLike, nonmembers: ArrayLike, fprs: Sequence[float]) -> dict[float, float]:
    """The values of `tpr_at_fprs` without their intervals, by the rates that the sample resolves: much quicker.

    >>> sampled_tprs([3, 2, 2], [1, 2, 0, 0], (0.1, 0.25))
    {0.25: 1.0}
    """
    m, n = sorted_pair(members, nonmembers)
    return {fpr: _accused(m, n, fpr)[0] / m.size for fpr in fprs if n.size >= required_nonmembers(fpr)}


def _accused(m: Doubles, n: Doubles, fpr: float) -> tuple[int, int, float]:
    """Accused members and non-members of sorted samples, and the score that they exceed."""
    allowed = math.floor(fpr * n.size + ROUNDING)
    cut = float(n[n.size - 1 - allowed]) if allowed < n.size else -np.inf
    accused, wrongly = (sample.size - int(np.searchsorted(sample, cut, side="right")) for sample in (m, n))
    return accused, wrongly, cut


def _point(m: Doubles, n: Doubles, fpr: float, ends: tuple[float, float] | None) -> TprPoint:
    """The point of two sorted samples, with the ends of its interval; without these it is refused."""
    n0 = int(n.size)
    if ends is None:
        reason = f"too few non-members (have {n0:,}, need {required_nonmembers(fpr):,})"
        return TprPoint(fpr, None, None, None, n0, "refused", reason)
    accused, wrongly, cut = _accused(m, n, fpr)
    value = accused / m.size
    above = [sample[np.searchsorted(sample, cut, side="right")] for sample in (m, n) if sample[-1] > cut]
    resolution: Resolution = "ok"
    reason_text = None
    if fpr * n0 < WARN_FALSE_POSITIVES - ROUNDING:
        resolution = "coarse"
        reason_text = (
            f"few non-members (have {n0:,}; {required_nonmembers(fpr / WARN_FALSE_POSITIVES):,} would do): "
            f"at most {math.floor(fpr * n0 + ROUNDING)} may be accused, so the value is coarse"
        )
    interval = Interval(value, min(ends[0], value), max(ends[1], value))
    return TprPoint(fpr, interval, float(min(above)) if above else None, wrongly, n0, resolution, reason_text)


def required_nonmembers(fpr: float) -> int:
    """Fewest non-members that resolve this false-positive rate: ``1 / fpr``, rounded up.

    >>> required_nonmembers(0.001)
    1000
    """
    return math.ceil(1.0 / check_fpr(fpr) - ROUNDING)


def rounded_up(size: float) -> int:
    """A number of records to two digits, none too few.

    >>> rounded_up(1234.0), rounded_up(99.5)
    (1300, 100)
    """
    step = int(10 ** max(0, math.floor(math.log10(max(size, 1.0))) - 1))
    return math.ceil(size / step) * step


def population_bounds(
    members: Doubles,
    nonmembers: Doubles,
    fprs: Doubles,
    *,
    confidence: float = 0.95,
    worth: CurveWorth | None = None,
    wider: float = 1.0,
) -> tuple[Doubles, Doubles]:
    """Bounds for the true-positive rate at population false-positive rates, for samples that are sorted upwards.

    Args:
        members: sorted scores ``(n1,)``.
        nonmembers: sorted scores ``(n0,)``.
        fprs: false-positive rates ``(q,)`` in [0, 1].
        confidence: pointwise, in (0, 1).
        worth: how many independent records these are worth, where they come in groups.
        wider: how many times wider than samples show an AUC varies (see `threshold_worth`).

    Returns:
        ``(low, high)``, each ``(q,)``.
    """
    tail, n1, n0 = CLIFFS * check_confidence(confidence) / 2, members.size, nonmembers.size
    allowed = np.floor(fprs * n0 + ROUNDING).astype(np.int64)
    sizes0 = threshold_worth(fprs, wider) * (n0 if worth is None else worth.nonmembers[allowed])
    places, weights = _places(n0, sizes0, fprs)
    few, many, top = _accused_at(members, nonmembers, places)
    counts = np.stack([few, many, top])
    sizes = np.full(counts.shape, float(n1)) if worth is None else worth.members[np.rint(counts).astype(np.int64)]
    hits, rest = counts * sizes / n1, (n1 - counts) * sizes / n1
    low = _mixture_quantile(hits[0], rest[0] + 1, weights, tail)
    high = 1.0 - _mixture_quantile(rest[1], hits[1] + 1, weights, tail)
    feet, spare = _feet(few, many, top, weights, tail), tail * (1 / CLIFFS - 1)
    may = feet & (few > 0) & (np.cumsum(weights, axis=1) >= spare)
    low = np.minimum(low, _end_at(may.argmax(axis=1), may, hits[0], rest[0] + 1, tail))
    ends = feet & (np.diff(top, axis=1, append=-1) != 0) & (top < n1)
    may = (ends & (np.cumsum(weights[:, ::-1], axis=1)[:, ::-1] >= spare))[:, ::-1]
    last = may.shape[1] - 1 - may.argmax(axis=1)
    high = np.maximum(high, 1.0 - _end_at(last, may, rest[2], hits[2] + 1, tail))
    return np.where(fprs >= 1.0, 1.0, np.where(fprs <= 0.0, 0.0, low)), high


def threshold_worth(fprs: ArrayLike, wider: float) -> Doubles:
    """What a non-member is worth where scores of one side depend on each other: how much less a threshold is known.

    Such scores move together, as by a common shift. One that makes an AUC of normal scores vary ``wider`` times as much
    as samples show adds ``(wider ** 2 - 1) / 12 * (1 / n1 + 1 / n0)`` to its variance, and so, sides being equal,
    ``(wider ** 2 - 1) * exp(-z ** 2) / 3 / f / (1 - f)`` of itself to that of a share f above a threshold z: much at
    10 %, next to nothing at 0.1 %.

    Args:
        fprs: false-positive rates ``(q,)``.
        wider: how many times wider than samples show an AUC varies, 1 or more.

    Returns:
        Worth of one non-member ``(q,)`` in (0, 1].

    >>> threshold_worth([0.1, 0.01, 0.001], 1.5**0.5).round(2)
    array([0.74, 0.93, 0.99])
    """
    share = np.clip(np.asarray(fprs, dtype=np.float64), 1e-12, 1 - 1e-12)
    worth: Doubles = 1 / (1 + (wider**2 - 1) * np.exp(-(ndtri(share) ** 2)) / (3 * share * (1 - share)))
    return worth


def _places(nonmembers: int, sizes: Doubles, fprs: Doubles) -> tuple[Doubles, Doubles]:
    """Where the population's threshold may lie, in ranks, and with what probability; each ``(q, PLACES + RANKS)``.

    Of non-members that come in groups, only an effective size counts ``(q,)``.
    """
    n0, share = sizes[:, None], fprs[:, None]
    worth = nonmembers / n0  # records that say as much as one independent one
    mean = np.maximum(n0 * share, 1e-9)
    # Gamma quantiles (Wilson & Hilferty, 1931): they only say where places stand densely.
    spread = np.linspace(-FARTHEST, FARTHEST, PLACES + 1)
    spaced = mean * np.maximum(1 - 1 / (9 * mean) + spread / (3 * np.sqrt(mean)), 0.0) ** 3
    ranks = np.arange(1, RANKS + 1) / worth
    edges = np.sort(np.clip(np.concatenate([spaced, ranks], axis=1), 0.0, n0 + 1), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(edges > 0, np.clip(1 - share / edges, 0.0, 1.0) ** n0, 0.0)  # V_r = r V_1 up to the first
        below = np.where(edges < 1, first, betainc(np.maximum(n0 + 1 - edges, 1e-9), np.maximum(edges, 1.0), 1 - share))
    below[:, 0], below[:, -1] = 0.0, 1.0
    return (edges[:, 1:] + edges[:, :-1]) / 2 * worth, np.maximum(np.diff(below, axis=1), 0.0)


def _accused_at(members: Doubles, nonmembers: Doubles, places: Doubles) -> tuple[Doubles, Doubles, Counts]:
    """The fewest and the most members that a threshold at each place accuses; fractions between two ranks.

    And how many are accused as soon as a threshold there falls: those who tie with the next member, too.
    """
    n1 = members.size
    rank = np.floor(places).astype(np.int64)
    above, beyond = _above(members, nonmembers, rank), _above(members, nonmembers, rank + 1)
    between = above + (places - rank) * (beyond - above)
    # Within a tie the threshold stands above it or below it.
    inside = np.ceil(between).astype(np.int64)
    value = members[np.clip(n1 - inside, 0, n1 - 1)]
    strict = n1 - np.searchsorted(members, value, side="right")
    weak = n1 - np.searchsorted(members, value, side="left")
    tied = (inside > above) & (weak > strict + 1)
    few = np.where(tied, np.maximum(strict, above), between * np.minimum(places, 1.0) ** (STEEPEST - 1))
    many = np.where(tied, np.minimum(weak, beyond), between)
    top = n1 - np.searchsorted(members, members[np.clip(n1 - 1 - above, 0, n1 - 1)], side="left")
    return few, np.where(rank < 1, beyond, many), top


def _feet(few: Doubles, many: Doubles, top: Counts, weights: Doubles, tail: float) -> Bools:
    """Places at the foot of a cliff: right above members who tie and are much of the rise over the likely places."""
    below = np.cumsum(weights, axis=1)
    likely = (below >= tail) & (below <= 1 - tail)
    rise = np.where(likely, many, 0.0).max(axis=1) - np.where(likely, few, np.inf).min(axis=1)
    found: Bools = (top - few > 1) & (top - few >= CLIFF * rise[:, None])
    return found


def _end_at(place: Counts, may: Bools, a: Doubles, b: Doubles, tail: float) -> Doubles:
    """Lower quantiles ``(q,)`` of Beta(a, b) at one place each; 1 where no place may be."""
    a, b = (np.take_along_axis(one, place[:, None], axis=1)[:, 0] for one in (a, b))
    return np.where(may.any(axis=1), betaincinv(np.maximum(a, 1e-300), b, tail), 1.0)


def _mixture_quantile(a: Doubles, b: Doubles, weights: Doubles, tail: float) -> Doubles:
    """Lower quantiles ``(q,)`` of mixtures of Beta(a, b), each ``(q, places)``; Beta(0, b) lies at 0.

    Secants on the scale of a normal law, on which a mixture is nearly straight; halvings where they leave the bracket.
    """
    q, mean = len(a), a / (a + b)
    centre = (weights * mean).sum(axis=1)
    spread = (weights * (mean * (1 - mean) / (a + b + 1) + (mean - centre[:, None]) ** 2)).sum(axis=1) ** 0.5
    low, high = np.zeros(q), betaincinv(np.maximum(a.max(axis=1), 1e-9), b.min(axis=1), tail)
    x, slope = np.clip(centre + ndtri(tail) * spread, high / 8, high), 1.0 / np.maximum(spread, 1e-300)
    nothing, (row, place) = np.where(a > 0, 0.0, weights).sum(axis=1), np.nonzero((weights > NEGLIGIBLE) & (a > 0))
    a, b, weights, wanted, last = a[row, place], b[row, place], weights[row, place], nothing < tail, (x, x)
    for turn in range(TURNS):
        live = wanted[row]
        parts = weights[live] * betainc(a[live], b[live], x[row[live]])
        reached = nothing + np.bincount(row[live], parts, minlength=q)
        wanted = wanted & (np.abs(reached - tail) > CLOSE * tail)
        low, high = np.where(reached > tail, low, x), np.where(reached > tail, x, high)
        z = ndtri(np.clip(reached, 1e-300, 1 - 1e-16)) - ndtri(tail)
        if turn > 0:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = (z - last[1]) / (x - last[0])
            slope = np.where(np.isfinite(found) & (found > 0), found, slope)
        last, step = (x, z), x - z / slope
        halve = (step <= low) | (step >= high) | (turn % 3 == 2)
        x = np.where(wanted, np.where(halve, (low + high) / 2, step), x)
    return np.where(nothing >= tail, 0.0, x)


def _above(members: Doubles, nonmembers: Doubles, ranks: Counts) -> Counts:
    """Members above the non-member of each rank: rank 1 the largest, 0 or less: no member, beyond n0: every member."""
    n0 = nonmembers.size
    cuts = nonmembers[np.clip(n0 - ranks, 0, n0 - 1)]
    counts = members.size - np.searchsorted(members, cuts, side="right")
    return np.where(ranks <= 0, 0, np.where(ranks > n0, members.size, counts)).astype(np.int64)
