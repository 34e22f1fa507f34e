"""Counts, means and variances of shadow signals, record by record, over models that knew the record and those not.

The arrays are (m, n): m shadow models by n rows, in memory or memory-mapped. They are read once, in blocks of rows
small enough for the processor's cache, and summed in float64; memory does not grow with m.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Bools, Floats
from gnomon.core.errors import DataError

BLOCK_VALUES = 2**17  # 1 MB of float64: stays in a core's second-level cache

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Count, mean and variance of one group of models, for each of n rows.

    Attributes:
        count: (n,) number of models in the group.
        mean: (n,) NaN where the group is empty.
        variance: (n,) about the mean, divided by the count (not the count less one); NaN where the group is empty.
    """

    count: Float64s
    mean: Float64s
    variance: Float64s

    @property
    def pooled_variance(self) -> float:
        """One variance for all rows: squared deviations from each row's own mean over the degrees of freedom.

        NaN where no row has two models: then nothing can be said of the spread within a row.
        """
        several = self.count > 1
        freedom = float((self.count[several] - 1).sum())
        return float((self.variance * self.count)[several].sum()) / freedom if freedom else float("nan")

    @property
    def overall_mean(self) -> float:
        """Mean over all models and rows; NaN if there are none."""
        there = self.count > 0
        total = float(self.count[there].sum())
        return float((self.mean * self.count)[there].sum()) / total if total else float("nan")

    @property
    def overall_variance(self) -> float:
        """Variance over all models and rows about the overall mean; NaN if there are none."""
        there = self.count > 0
        total = float(self.count[there].sum())
        if not total:
            return float("nan")
        spread = self.variance[there] + (self.mean[there] - self.overall_mean) ** 2
        return float((spread * self.count[there]).sum()) / total


@dataclass(frozen=True)
class GroupMoments:
    """Moments over the models that were trained on a row, and over those that were not."""

    inside: Moments
    outside: Moments


def group_moments(signals: Floats, member: Bools, transform: Callable[[Floats], Floats] | None = None) -> GroupMoments:
    """Moments of every row's signals over IN models and over OUT models, in one pass.

    Args:
        signals: (m, n) signal of each model on each row; NaN where hidden, which counts in neither group.
        member: (m, n) the model was trained on the row.
        transform: an elementwise function to apply first, block by block (such as `np.exp`).

    Raises:
        DataError: shapes that differ.

    >>> moments = group_moments(np.array([[5.0], [7.0], [1.0]]), np.array([[True], [True], [False]]))
    >>> moments.inside.mean, moments.inside.variance, moments.outside.count
    (array([6.]), array([1.]), array([1.]))
    """
    if np.ndim(signals) != 2 or np.shape(signals) != np.shape(member):
        raise DataError(
            f"expected signals and membership of one shape (m, n), got {np.shape(signals)} and {np.shape(member)}"
        )
    m, n = np.shape(signals)
    inside, outside = np.empty((3, n)), np.empty((3, n))
    size = max(1, BLOCK_VALUES // max(1, m))
    for start in range(0, n, size):
        part = slice(start, start + size)
        block = np.asarray(signals[:, part])
        values = np.asarray(block if transform is None else transform(block), dtype=np.float64)
        inside[:, part], outside[:, part] = _sums(values, np.asarray(member[:, part]))
    return GroupMoments(_moments(inside), _moments(outside))


def _sums(values: Float64s, member: Bools) -> tuple[Float64s, Float64s]:
    """Counts, sums and sums of squares (3, b) of the IN and of the OUT models of one block (m, b).

    Sums over models are products with a row of ones: BLAS is several times faster at it than a reduction.
    """
    ones = np.ones(len(values))
    weight = member.astype(np.float64)
    total = ones @ values
    count = np.full(values.shape[1], float(len(values)))
    if np.isnan(total).any():  # seldom: only then is the block looked through
        hidden = np.isnan(values)
        values = np.where(hidden, 0.0, values)
        weight[hidden] = 0.0
        count = ones @ ~hidden
        total = ones @ values
    inside_count = ones @ weight
    squares = values * values
    weight *= values  # IN values, and 0 elsewhere
    inside_total = ones @ weight
    everything = np.stack([count, total, ones @ squares])
    np.multiply(weight, weight, out=weight)
    inside = np.stack([inside_count, inside_total, ones @ weight])
    return inside, everything - inside


def _moments(sums: Float64s) -> Moments:
    count, total, squares = sums
    there = count > 0
    safe = np.where(there, count, 1.0)
    mean = total / safe
    variance = np.maximum(squares / safe - mean * mean, 0.0)
    return Moments(count, np.where(there, mean, np.nan), np.where(there, variance, np.nan))
