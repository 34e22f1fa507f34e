"""Counts, means and variances of shadow signals, record by record, over models that knew the record and those not.

The arrays are (m, n): m shadow models by n rows, in memory or memory-mapped. They are read once, in blocks of rows
small enough for the processor's cache, and summed in float64; memory does not grow with m. Large ones are summed by
compiled code where numba is installed (`gnomon.stats.laws.one_pass`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.errors import DataError
from gnomon.stats.laws.one_pass import suits, sum_over_models

BLOCK_ROWS, BLOCK_MODELS = 4096, 32  # 1 MB of float64: stays in a core's cache, and 16 kB are read at a stretch


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
    if transform is None and suits(signals, member):
        sums: Sequence[Float64s] = sum_over_models(signals, member)
    else:
        sums = _over_blocks(signals, member, transform, _both_groups)
    return GroupMoments(_moments(sums[0]), _moments(sums[1]))


def outside_moments(signals: Floats, member: Bools) -> Moments:
    """The OUT half of `group_moments` alone, for offline attacks: it takes half the work.

    >>> outside_moments(np.array([[5.0], [7.0], [1.0]]), np.array([[True], [False], [False]])).mean
    array([4.])
    """
    if suits(signals, member):
        return _moments(sum_over_models(signals, member)[1])
    return _moments(_over_blocks(signals, member, None, _outside_only)[0])


def _over_blocks(
    signals: Floats,
    member: Bools,
    transform: Callable[[Floats], Floats] | None,
    sums_of: Callable[[Floats, Bools, Float64s], Sequence[Float64s]],
) -> list[Float64s]:
    """Sums (3, n) of one or two groups, added up over blocks of rows and models."""
    if np.ndim(signals) != 2 or np.shape(signals) != np.shape(member):
        raise DataError(
            f"expected signals and membership of one shape (m, n), got {np.shape(signals)} and {np.shape(member)}"
        )
    m, n = np.shape(signals)
    found = [np.zeros((3, n)), np.zeros((3, n))]
    room = np.empty((min(BLOCK_MODELS, m), min(BLOCK_ROWS, n)))
    for start in range(0, n, BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        for first in range(0, m, BLOCK_MODELS):
            models = slice(first, first + BLOCK_MODELS)
            block = np.asarray(signals[models, part])
            values = np.asarray(block if transform is None else transform(block))
            values = values if values.dtype.kind == "f" else values.astype(np.float64)
            sums = sums_of(values, np.asarray(member[models, part]), room[: len(values), : values.shape[1]])
            for whole, one in zip(found, sums, strict=False):
                whole[:, part] += one
    return found


def _both_groups(values: Floats, member: Bools, room: Float64s) -> tuple[Float64s, Float64s]:
    inside = _sums(values, member, room)
    return inside, _sums(values, None, room) - inside


def _outside_only(values: Floats, member: Bools, room: Float64s) -> tuple[Float64s]:
    return (_sums(values, ~member, room),)


def _sums(values: Floats, counted: Bools | None, room: Float64s) -> Float64s:
    """Counts, sums and sums of squares (3, b) of one block (m, b) over the models that are counted (None: all).

    Sums over models are products with a row of ones: BLAS is several times faster at it than a reduction. What float32
    holds exactly (masks, signals times masks) stays float32, which is half the memory; sums are of float64.

    Args:
        values: (m, b) signals.
        counted: (m, b) mask.
        room: (m, b) to work in.
    """
    m, ones = len(values), np.ones(len(values))
    if counted is None:
        count = np.full(values.shape[1], float(m))
        np.copyto(room, values)
    else:
        weight = counted.astype(values.dtype)
        count = np.ones(m, dtype=values.dtype) @ weight  # whole numbers below 2**24: exact
        np.copyto(room, np.multiply(weight, values, out=weight))  # the signals that count, and 0 elsewhere
    total = ones @ room
    if np.isnan(total).any():  # seldom: only then is the block looked through
        hidden = np.isnan(values)
        shown = ~hidden if counted is None else counted & ~hidden
        return _sums(np.where(hidden, values.dtype.type(0.0), values), shown, room)
    return np.stack([count, total, ones @ np.multiply(room, room, out=room)])


def _moments(sums: Float64s) -> Moments:
    count, total, squares = sums
    there = count > 0
    safe = np.where(there, count, 1.0)
    mean = total / safe
    variance = np.maximum(squares / safe - mean * mean, 0.0)
    return Moments(count, np.where(there, mean, np.nan), np.where(there, variance, np.nan))
