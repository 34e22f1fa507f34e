"""What a report draws: a ROC curve thinned for logarithmic axes with its band, and histograms in common bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gnomon.core.errors import UsageError
from gnomon.stats.clusters import Groups, worth_of_curve
from gnomon.stats.low_fpr import population_bounds
from gnomon.stats.roc import roc_curve
from gnomon.stats.samples import Counts, Doubles, check_scores, sorted_pair

EXACT_FALSE_POSITIVES = 20  # every corner of the curve with so few false positives is kept
FARTHEST = 1e300  # edges stay within, so that their distance does not overflow
HISTOGRAM_TAIL = 0.005  # share of each sample's finite scores, on each side, that may be clipped into the outer bins


@dataclass(frozen=True)
class ThinCurve:
    """Corners of a ROC curve, few enough to draw, with a pointwise band; all arrays ``(p,)``, rising."""

    fpr: Doubles
    tpr: Doubles
    low: Doubles  # band for the true-positive rate at this population false-positive rate
    high: Doubles


@dataclass(frozen=True)
class ScoreHistogram:
    """Scores of both samples in common bins; ``edges`` has one entry more than the counts."""

    edges: Doubles  # (bins + 1,) finite, rising
    members: Counts  # (bins,)
    nonmembers: Counts  # (bins,)
    clipped: int  # scores outside the edges, infinities included, counted in the outer bins


def thin_roc(
    members: ArrayLike,
    nonmembers: ArrayLike,
    *,
    points: int = 400,
    confidence: float = 0.95,
    groups: Groups | None = None,
    wider: float = 1.0,
) -> ThinCurve:
    """A ROC curve of at most ``points`` corners, for linear and for logarithmic axes.

    Every kept point is a corner of the exact curve. All corners up to 20 false positives stay; the others are those
    next to rates that are evenly spaced, linearly and logarithmically, on both axes.

    Args:
        members: scores of members ``(n1,)``, higher = more like a member.
        nonmembers: scores of non-members ``(n0,)``.
        points: the most corners, 100 or more.
        confidence: of the band, pointwise; see `gnomon.stats.low_fpr`.
        groups: of both samples, in their order; the band then counts what the records are worth.
        wider: how many times wider than samples show an AUC varies (see `gnomon.stats.low_fpr.threshold_worth`).

    Returns:
        Rates rising from (0, 0) to (1, 1), with the band.

    Raises:
        DataError: an empty sample, or NaN.
        UsageError: fewer than 100 points.

    >>> thin_roc([3, 2, 2], [2, 1]).fpr
    array([0. , 0. , 0.5, 1. ])
    """
    if points < 100:
        raise UsageError(f"expected at least 100 points for a thinned curve, got points={points}")
    m, n = sorted_pair(members, nonmembers)
    curve = roc_curve(m, n)
    corners = _corners(curve.false_positives, curve.true_positives)
    fp, tp = curve.false_positives[corners], curve.true_positives[corners]
    kept = _spread(fp, tp, points)
    fpr, tpr = fp[kept] / n.size, tp[kept] / m.size
    worth = None if groups is None else worth_of_curve(np.asarray(members), np.asarray(nonmembers), groups)
    low, high = population_bounds(m, n, fpr, confidence=confidence, worth=worth, wider=wider)
    return ThinCurve(fpr, tpr, np.minimum(low, tpr), np.maximum(high, tpr))


def _corners(fp: Counts, tp: Counts) -> Counts:
    """Positions where the curve changes its direction, ends included: what lies between adds nothing to a picture."""
    right, up = np.diff(fp), np.diff(tp)
    turns = right[1:] * up[:-1] != right[:-1] * up[1:]
    return np.flatnonzero(np.concatenate([[True], turns, [True]]))


def _spread(fp: Counts, tp: Counts, points: int) -> Counts:
    """At most this many positions: all of the low end, then those next to even spacings on both axes and scales."""
    if fp.size <= points:
        return np.arange(fp.size)
    ends = {0, int(fp.size) - 1}
    exact = np.flatnonzero(fp <= EXACT_FALSE_POSITIVES)  # at most two corners for each number of false positives
    room = points - exact.size - len(ends)
    targets = [
        (fp, np.geomspace(1, fp[-1], int(room * 0.45))),
        (tp, np.geomspace(1, tp[-1], int(room * 0.15))),
        (fp, np.linspace(0, fp[-1], int(room * 0.2))),
        (tp, np.linspace(0, tp[-1], int(room * 0.2))),
    ]
    wanted = [np.searchsorted(counts, levels, side="right") - 1 for counts, levels in targets]
    everything = np.concatenate([*wanted, exact, np.array(sorted(ends))])
    return np.unique(np.clip(everything, 0, fp.size - 1)).astype(np.int64)


def histogram(members: ArrayLike, nonmembers: ArrayLike, *, bins: int = 60) -> ScoreHistogram:
    """Counts of both samples in common bins, whatever the scores: infinities and far outliers go to the outer bins.

    Args:
        members: scores of members ``(n1,)``.
        nonmembers: scores of non-members ``(n0,)``.
        bins: number of bins, 1 or more.

    Returns:
        Edges that span all but the outermost 0.5 % of each sample's finite scores on either side, and counts that
        sum to n1 and n0.

    Raises:
        DataError: an empty sample, or NaN.
        UsageError: no bins.

    >>> histogram([0.0, 1.0, np.inf], [0.0, 0.25], bins=2)
    ScoreHistogram(edges=array([0. , 0.5, 1. ]), members=array([1, 2]), nonmembers=array([2, 0]), clipped=1)
    """
    if bins < 1:
        raise UsageError(f"expected at least one bin, got bins={bins}")
    m, n = check_scores(members, source="members"), check_scores(nonmembers, source="nonmembers")
    ranges = [_central_range(sample) for sample in (m, n)]
    finite = [each for each in ranges if each is not None]
    low = max(min((each[0] for each in finite), default=0.0), -FARTHEST)
    high = min(max((each[1] for each in finite), default=0.0), FARTHEST)
    low, high = min(low, FARTHEST), max(high, -FARTHEST)
    if not high > low:
        pad = max(abs(low) * 0.5, 0.5)
        low, high = low - pad, high + pad
    edges = np.linspace(low, high, bins + 1)
    if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        # Scores too close or too far apart for even steps in float64: one bin holds them all.
        edges = np.array([np.nextafter(low, -np.inf), np.nextafter(high, np.inf)])
    clipped = sum(int(np.count_nonzero((sample < low) | (sample > high))) for sample in (m, n))
    counts = [np.histogram(np.clip(sample, edges[0], edges[-1]), bins=edges)[0].astype(np.int64) for sample in (m, n)]
    return ScoreHistogram(edges, counts[0], counts[1], clipped)


def _central_range(sample: Doubles) -> tuple[float, float] | None:
    """Range of the finite scores without the outermost ones; None if none is finite."""
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return None
    low, high = np.quantile(finite, [HISTOGRAM_TAIL, 1 - HISTOGRAM_TAIL], method="closest_observation")
    return float(min(low, high)), float(max(low, high))
