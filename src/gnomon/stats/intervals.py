"""Intervals for shares: Clopper-Pearson and Wilson, and their combination for a difference of two shares.

Clopper-Pearson never covers less than it says, whatever the share and the sample; Wilson covers what it says on
average and is shorter.

The spread of a figure over repeated targets.

The interval of a single audit holds for the model that was audited; another training of the same recipe may leak more
or less. Only repeated targets show how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri, stdtrit

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.samples import Doubles


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds the true value at the asked confidence: ``low <= value <= high``."""

    value: float
    low: float
    high: float


def check_confidence(confidence: float) -> float:
    """The error rate ``1 - confidence``.

    Raises:
        UsageError: confidence is not strictly between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise UsageError(f"expected confidence strictly between 0 and 1 (0.95 is usual), got confidence={confidence}")
    return 1.0 - confidence


def clopper_pearson(hits: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95) -> tuple[Doubles, Doubles]:
    """Exact two-sided bounds for a share, ``(1 - confidence) / 2`` on each side (Clopper & Pearson, 1934).

    Args:
        hits: successes, any shape, ``0 <= hits <= trials``.
        trials: trials, broadcast against hits.
        confidence: in (0, 1).

    Returns:
        ``(low, high)``, each of the broadcast shape.

    >>> low, high = clopper_pearson([0, 10], 10)
    >>> low.round(4), high.round(4)
    (array([0.    , 0.6915]), array([0.3085, 1.    ]))
    """
    tail = check_confidence(confidence) / 2
    k, n = np.broadcast_arrays(np.asarray(hits, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    low = np.where(k > 0, betaincinv(np.maximum(k, 1e-300), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1e-300), 1 - tail), 1.0)
    return low, high


def wilson(hits: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95) -> tuple[Doubles, Doubles]:
    """Score bounds for a share (Wilson, 1927): shorter than exact, nominal on average.

    >>> low, high = wilson(5, 10)
    >>> round(float(low), 4), round(float(high), 4)
    (0.2366, 0.7634)
    """
    z = float(ndtri(1 - check_confidence(confidence) / 2))
    n = np.asarray(trials, dtype=np.float64)
    share = np.asarray(hits, dtype=np.float64) / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and 1 the bound meets the share exactly; rounding must not push it past.
    return np.where(share == 0, 0.0, middle - half), np.where(share == 1, 1.0, middle + half)


def share(hits: int, trials: int, *, confidence: float = 0.95, size: float | None = None) -> Interval:
    """A share with its Clopper-Pearson interval; ``size``: how many independent trials the trials are worth, if fewer.

    >>> share(3, 4)
    Interval(value=0.75, low=0.194..., high=0.993...)
    """
    low, high = clopper_pearson(*worth_of(hits, trials, size), confidence=confidence)
    return Interval(hits / trials, min(float(low), hits / trials), max(float(high), hits / trials))


def worth_of(hits: int, trials: int, size: float | None) -> tuple[float, float]:
    """Hits and trials of as many independent trials as these are worth."""
    return (hits, trials) if size is None else (hits * size / trials, size)


def share_difference(
    hits1: int,
    trials1: int,
    hits0: int,
    trials0: int,
    *,
    confidence: float = 0.95,
    sizes: tuple[float, float] | None = None,
    correlation: float = 0.0,
) -> Interval:
    """Difference of two shares, ``hits1/trials1 - hits0/trials0``, in [-1, 1].

    Newcombe's hybrid score interval (1998, method 10): the distances to the two Wilson bounds add in squares, less
    twice their product times the correlation where the shares are not independent (Newcombe, 1998, for paired ones).

    Args:
        hits1: successes of the first share.
        trials1: its trials.
        hits0: successes of the second share.
        trials0: its trials.
        confidence: in (0, 1).
        sizes: how many independent trials each share's are worth; None: as many as there are.
        correlation: of the two shares' errors.

    >>> share_difference(9, 10, 3, 10)
    Interval(value=0.6..., low=0.17..., high=0.80...)
    """
    p1, p0 = hits1 / trials1, hits0 / trials0
    size1, size0 = sizes or (None, None)
    low1, high1 = wilson(*worth_of(hits1, trials1, size1), confidence=confidence)
    low0, high0 = wilson(*worth_of(hits0, trials0, size0), confidence=confidence)
    down = _joined(float(p1 - low1), float(high0 - p0), correlation)
    up = _joined(float(high1 - p1), float(p0 - low0), correlation)
    return Interval(p1 - p0, max(p1 - p0 - down, -1.0), min(p1 - p0 + up, 1.0))


def _joined(one: float, other: float, correlation: float) -> float:
    """Length of the difference of two errors of these lengths."""
    return float(np.hypot(one - correlation * other, other * np.sqrt(1.0 - correlation * correlation)))


@dataclass(frozen=True)
class Spread:
    """One figure over R independently trained targets."""

    repeats: int
    mean: Interval | None  # of the recipe's expected figure; None for a single target, which shows no spread
    deviation: float | None  # standard deviation between targets; None for a single one
    lowest: float
    highest: float


def spread(values: Sequence[float], *, confidence: float = 0.95) -> Spread:
    """Mean over repeated targets with Student's interval, standard deviation and range.

    Args:
        values: the same figure of each target ``(R,)``, finite.
        confidence: of the mean's interval, in (0, 1).

    Raises:
        DataError: no value, or one that is not finite.

    >>> result = spread([0.60, 0.62, 0.64])
    >>> round(result.mean.value, 2), round(result.mean.low, 2), round(result.mean.high, 2), round(result.deviation, 2)
    (0.62, 0.57, 0.67, 0.02)
    >>> spread([0.6]).mean is None
    True
    """
    tail = check_confidence(confidence) / 2
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise DataError(f"expected one finite value for each target, got {list(values)}")
    lowest, highest = float(array.min()), float(array.max())
    if array.size == 1:
        return Spread(1, None, None, lowest, highest)
    mean, deviation = float(array.mean()), float(array.std(ddof=1))
    half = float(stdtrit(array.size - 1, 1 - tail)) * deviation / float(np.sqrt(array.size))
    return Spread(int(array.size), Interval(mean, mean - half, mean + half), deviation, lowest, highest)
