"""Two shares on the same rows, such as the accuracies of two models: is one higher, or is it noise?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from gnomon.core.errors import DataError
from gnomon.stats.clusters import Clusters
from gnomon.stats.intervals import Interval, check_confidence


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
