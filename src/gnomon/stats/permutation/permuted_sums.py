"""Statistics that are sums over the members, and how they are distributed when membership is a matter of chance.

A rank sum is an AUC; a count of members among the highest scores is a tail. Both are sums over members of something
that does not hang on membership, so means and covariances under permutation are known, and one matrix product gives all
statistics of all attacks for many permutations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.special import log_ndtr

from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.stats.samples import Doubles

DRAWS = 2000
LEAST_DRAWS = 500
WORK = 3e10  # multiplications for permutations; with more to do, fewer are drawn
MOST_UNITS = 50_000  # beyond, permutations cost minutes and their normal limit is drawn from instead
BLOCK = 128  # permutations at a time
LOT_BITS = 44  # of a 64-bit key, which also holds one of at most `MOST_UNITS` strata and a side
TINY = 1e-150
LEAST_VARIANCE = 1e-9  # of sums of half ranks and of counts: less is rounding


@dataclass(frozen=True)
class Units:
    """What changes sides as a whole.

    Without groups every row is a unit. A group that is wholly on one side is one unit, and such units change sides with
    each other; in a group that stands on both sides its rows are the units, and change sides among themselves.
    """

    of_row: Ints  # (n,) unit of each row
    group: Ints  # (u,) position in np.unique(groups); -1: a row of a group that stands on both sides
    stratum: Ints  # (u,) from 0; units change sides within it
    member: Bools  # (u,)

    @classmethod
    def of(cls, member: Bools, groups: NDArray[Any] | None) -> Units:
        """The units of n rows with these group ids."""
        n = len(member)
        if groups is None:
            return cls(np.arange(n), np.arange(n), np.zeros(n, np.int64), member)
        _, index = np.unique(groups, return_inverse=True)
        inside = np.bincount(index, member)
        mixed = ((inside > 0) & (inside < np.bincount(index)))[index]
        _, first, of_row = np.unique(np.where(mixed, n + np.arange(n), index), return_index=True, return_inverse=True)
        group = np.where(mixed, -1, index)[first]
        _, stratum = np.unique(np.where(group < 0, index[first], -1), return_inverse=True)
        return cls(of_row, group, stratum, member[first])

    @property
    def by_row(self) -> bool:
        """Every row is a unit, and all change sides freely."""
        return len(self.member) == len(self.of_row) and not self.stratum.any()

    def permuted(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Masks (count, u) of members after permutation within strata."""
        if not self.stratum.any():
            lots, members = rng.random((count, len(self.member))), int(self.member.sum())
            return np.asarray(lots <= np.partition(lots, members - 1)[:, members - 1, None], dtype=np.float32)
        order = np.argsort(self.stratum, kind="stable")
        keys = rng.integers(2**LOT_BITS, size=(count, len(order)))  # stratum, lot, side: sorting deals the sides out
        keys <<= 1
        keys += (self.stratum[order] << (LOT_BITS + 1)) + self.member[order]
        keys.sort(axis=1)
        masks = np.empty((count, len(order)), np.float32)
        masks[:, order] = keys & 1
        return masks


@dataclass(frozen=True)
class Sums:
    """s statistics: sums over members of columns over u units, dense ones first, then the counts of tails.

    A tail's count is taken less what as many rows drawn at random would hold, so that large persons are no signal.
    """

    units: Units
    dense: Floats  # (u, d)
    tails: csc_array  # (u, s - d) rows of each unit that stand in a tail
    share: Doubles  # (s,) of all rows that stand in a tail; 0 for a dense column
    observed: Doubles  # (s,)
    expected: Doubles  # (s,) under permutation
    covariance: Doubles  # (s, s) under permutation

    @classmethod
    def of(cls, units: Units, dense: Floats, tails: csc_array) -> Sums:
        """With the means and covariances that permutation within strata gives."""
        n = np.bincount(units.stratum).astype(np.float64)
        n1 = np.bincount(units.stratum, units.member)
        spread = n1 * (n - n1) / np.maximum(n * (n - 1.0), 1.0)  # variance of a sum by squared deviation of a unit
        rows = np.bincount(units.of_row).astype(np.float64)
        share = np.concatenate([np.zeros(dense.shape[1]), tails.sum(axis=0) / rows.sum()])
        wide = np.column_stack([dense, rows])
        to_stratum = csc_array((np.ones(len(rows)), (units.stratum, np.arange(len(rows)))))
        totals = np.hstack([to_stratum @ wide, (to_stratum @ tails).toarray()])
        centred = wide - (totals[:, : wide.shape[1]] / n[:, None])[units.stratum]
        weighted = centred * spread[units.stratum][:, None]
        cross = np.asarray(tails.T @ weighted)
        counts = (tails.T @ tails.multiply(spread[units.stratum][:, None]).tocsc()).toarray()
        of_tails = totals[:, wide.shape[1] :]
        counts = counts - (of_tails * (spread / n)[:, None]).T @ of_tails
        covariance = np.block([[centred.T @ weighted, cross.T], [cross, counts]])
        inside = units.member.astype(np.float64)
        observed = np.concatenate([inside @ wide, np.asarray(tails.T @ inside)])
        expected = (n1 / n) @ totals
        d = dense.shape[1]
        less = np.delete(np.eye(len(observed)), d, axis=0)  # each tail's count less its share of the members' rows
        less[:, d] = -share
        return cls(units, dense, tails, share, less @ observed, less @ expected, less @ covariance @ less.T)

    @property
    def deviation(self) -> Doubles:
        """Standard deviations (s,) under permutation; 0 where a statistic says nothing."""
        variance = np.diag(self.covariance)
        return np.sqrt(np.where(variance > LEAST_VARIANCE, variance, 0.0))

    def log_p(self) -> Doubles:
        """Logarithms of the observed two-sided p-values (s,)."""
        deviation = self.deviation
        z = (self.observed - self.expected) / np.maximum(deviation, TINY)
        logs: Doubles = self._logs(z[None], deviation, self._exact())[0]
        return logs

    def drawn_log_p(self, rng: np.random.Generator, each: list[Ints], cost: Doubles) -> Doubles:
        """The smallest log p-value of each set of statistics under permutation: (draws, sets).

        Args:
            rng: draws the permutations; of more units than `MOST_UNITS`, the normal variables that they tend to.
            each: the statistics of each set.
            cost: (s,) added to the logarithms, for statistics that shall count less.
        """
        deviation, tables = self.deviation, self._exact()
        scale = np.where(deviation > 0, deviation, np.inf)  # what never varies says nothing
        if len(self.units.member) > MOST_UNITS:
            values, vectors = np.linalg.eigh(self.covariance / np.outer(scale, scale))
            z = (rng.normal(size=(DRAWS, len(values))) * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
            return _smallest(np.where(deviation > 0, _two_sided(z), 0.0) + cost, each)
        rows = np.bincount(self.units.of_row)[:, None]
        matrix = np.hstack([self.dense, self.tails.toarray()]) - rows * self.share
        matrix = ((matrix - self.expected / self.units.member.sum()) / scale).astype(np.float32)
        draws = int(np.clip(WORK / max(matrix.size, 1), LEAST_DRAWS, DRAWS))
        found = []
        for start in range(0, draws, BLOCK):
            masks = self.units.permuted(min(BLOCK, draws - start), rng)
            found.append(_smallest(self._logs(masks @ matrix, deviation, tables) + cost, each))
        return np.concatenate(found)

    def _exact(self) -> dict[int, Doubles]:
        """Logarithms of hypergeometric two-sided p-values by count, for each size of a tail; none by person."""
        if not self.units.by_row:
            return {}
        n, n1 = len(self.units.member), int(self.units.member.sum())
        return {int(size): log_tail_p(n, n1, int(size)) for size in np.unique(self._sizes()) if size}

    def _sizes(self) -> Ints:
        return np.rint(self.share * len(self.units.of_row)).astype(np.int64)

    def _logs(self, z: Floats, deviation: Doubles, tables: dict[int, Doubles]) -> Doubles:
        logs, sizes = _two_sided(z), self._sizes()
        for size, table in tables.items():
            at = np.flatnonzero(sizes == size)
            counts = np.rint(z[:, at] * deviation[at] + size * self.units.member.mean()).astype(np.int64)
            logs[:, at] = table[np.clip(counts, 0, size)]
        return np.where(deviation > 0, logs, 0.0)


def log_tail_p(n: int, members: int, size: int) -> Doubles:
    """Logarithms of the two-sided p-value of every count of members among ``size`` of n rows: ``(size + 1,)``.

    >>> np.exp(log_tail_p(4, 2, 2)).round(3)
    array([0.333, 1.   , 0.333])
    """
    from scipy.stats import hypergeom

    single = hypergeom.logpmf(np.arange(size + 1), n, members, size)
    smaller = np.minimum(np.logaddexp.accumulate(single), np.logaddexp.accumulate(single[::-1])[::-1])
    logs: Doubles = np.minimum(np.log(2.0) + smaller, 0.0)
    return logs


def _two_sided(z: Floats) -> Doubles:
    logs: Doubles = np.minimum(np.log(2.0) + log_ndtr(-np.abs(np.asarray(z, dtype=np.float64))), 0.0)
    return logs


def _smallest(logs: Doubles, each: list[Ints]) -> Doubles:
    return np.stack([logs[:, one].min(axis=1) for one in each], axis=1)
