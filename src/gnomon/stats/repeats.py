"""The spread of a figure over repeated targets.

The interval of a single audit holds for the model that was audited; another training of the same recipe may leak more
or less. Only repeated targets show how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from gnomon.core.errors import DataError
from gnomon.stats.intervals import Interval, check_confidence


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
        raise DataError(f"expected one finite figure for each target, got {list(values)}")
    lowest, highest = float(array.min()), float(array.max())
    if array.size == 1:
        return Spread(1, None, None, lowest, highest)
    mean, deviation = float(array.mean()), float(array.std(ddof=1))
    half = float(stdtrit(array.size - 1, 1 - tail)) * deviation / float(np.sqrt(array.size))
    return Spread(int(array.size), Interval(mean, mean - half, mean + half), deviation, lowest, highest)
