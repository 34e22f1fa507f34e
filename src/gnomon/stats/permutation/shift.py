"""Do two sides differ in any of many columns? A permutation test of blocks of features, corrected for their number.

Each block (the bins of one column, its values, the words of a text) has one statistic: the sum over its features of
the squared standardised difference between the sides (a score test; Goeman et al., 2004). Blocks of different size are
compared on the scale of a gamma law with the moments that permutations show, and the largest is held against the
largest of each permutation (Westfall & Young, 1993), so that dependence between columns costs nothing. No classifier
is trained, so there are no folds whose dependence an interval would have to allow for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, issparse
from scipy.special import gammaincc, gammaln

from gnomon.core.arrays import Bools, Ints
from gnomon.stats.samples import Doubles

DRAWS = 399
FIRST_DRAWS = 99  # where these already speak against a difference, no more are drawn
MOMENT_DRAWS = 200  # further permutations, for the moments alone: no side is held against a law that it shaped itself
CLEARLY_NOT = 0.05  # such a p-value of the first draws
FEATURES_AT_ONCE = 512
TINY = 1e-300
CONSTANT = 1e-6  # a variance of features, or of a statistic in units of its mean, that is rounding alone
_MOMENTS = slice(1, 1 + MOMENT_DRAWS)  # columns of all permutations

Block: TypeAlias = Any  # (n, k) array of numbers, or a sparse one


@dataclass(frozen=True)
class ColumnUnits:
    """What was put on one side as a whole: single rows, or the rows of one person.

    Attributes:
        of_row: (n,) the unit of each row, 0 .. u - 1.
        member: (u,) its side.
        mixed: (u,) a row of a person who stands on both sides; such rows change places among themselves only.
    """

    of_row: Ints
    member: Bools
    mixed: Bools


@dataclass(frozen=True)
class ShiftTest:
    """Result for v blocks."""

    p_values: Doubles  # (v,) corrected for the number of blocks
    all_p_value: float  # of all blocks taken together, corrected as one block more
    strength: Doubles  # (v,) minus the natural log of the uncorrected p-value, as the gamma law has it

    @property
    def p_value(self) -> float:
        """That no block differs between the sides."""
        return float(min(self.all_p_value, *self.p_values))


def find_units(member: Bools, groups: NDArray[Any] | None) -> ColumnUnits:
    """The units behind rows: groups that stand on one side, and each row of the others.

    Args:
        member: (n,) the side of each row.
        groups: (n,) the person or household of each row, or None.

    >>> units = find_units(np.array([True, True, True, False]), np.array(["a", "a", "b", "b"]))
    >>> units.of_row, units.mixed
    (array([0, 0, 1, 2]), array([False,  True,  True]))
    """
    n = len(member)
    if groups is None:
        return ColumnUnits(np.arange(n), np.asarray(member, dtype=bool), np.zeros(n, dtype=bool))
    _, group = np.unique(groups, return_inverse=True)
    share = np.bincount(group, member) / np.bincount(group)
    pure = ((share == 0) | (share == 1))[group]
    own = np.where(pure, group, group.max() + 1 + np.arange(n))  # rows of mixed groups stand for themselves
    _, first, unit = np.unique(own, return_index=True, return_inverse=True)
    return ColumnUnits(unit.astype(np.int64), np.asarray(member, dtype=bool)[first], ~pure[first])


def shift_test(blocks: Sequence[Block], units: ColumnUnits, rng: np.random.Generator) -> ShiftTest:
    """Tests whether sides differ in any block; the level is exact where units were put on their sides at random.

    Args:
        blocks: v of them, ``(n, k)`` each, dense or sparse; made without looking at the sides.
        units: what was put on one side as a whole.
        rng: permutes.

    >>> rng = np.random.default_rng(0)
    >>> member = np.arange(200) < 100
    >>> blocks = [rng.normal(size=(200, 3)), rng.normal(size=(200, 1)) + member[:, None]]
    >>> shift_test(blocks, find_units(member, None), rng).p_values.round(3)
    array([0.948, 0.002])
    """
    first = _test(blocks, _sides(units, MOMENT_DRAWS + FIRST_DRAWS, rng))
    return first if first.p_value >= CLEARLY_NOT else _test(blocks, _sides(units, MOMENT_DRAWS + DRAWS, rng))


def _sides(units: ColumnUnits, draws: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Sides of rows (n, 1 + draws): as they are, then with units permuted."""
    sides = np.repeat(units.member[:, None], 1 + draws, axis=1).astype(np.float32)
    for stratum in (units.mixed, ~units.mixed):
        rows = np.flatnonzero(stratum)
        if len(rows) > 1:
            sides[rows, 1:] = rng.permuted(sides[rows, 1:], axis=0)
    return np.ascontiguousarray(sides[units.of_row])


def _test(blocks: Sequence[Block], sides: NDArray[np.float32]) -> ShiftTest:
    statistics = np.concatenate([_statistics(part, sides) for part in _chunks(blocks)])  # (v, 1 + draws)
    spread = statistics[:, _MOMENTS].std(axis=1, keepdims=True)
    varied = spread[:, 0] > CONSTANT
    together = (statistics[varied] / spread[varied]).sum(axis=0, keepdims=True)
    logs = _log_tail(np.concatenate([statistics, together]))
    largest = np.delete(logs, _MOMENTS, axis=1).max(axis=0)
    p = (logs[:, :1] <= largest).mean(axis=1)  # the sides as they are count among the permutations
    return ShiftTest(p[:-1], float(p[-1]), logs[:-1, 0])


def _chunks(blocks: Sequence[Block]) -> list[list[Block]]:
    """Blocks in their order, several to one matrix product."""
    chunks: list[list[Block]] = []
    width = FEATURES_AT_ONCE
    for block in blocks:
        alike = chunks and issparse(chunks[-1][0]) == issparse(block)
        if not alike or width + block.shape[1] > FEATURES_AT_ONCE:
            chunks.append([])
            width = 0
        chunks[-1].append(block)
        width += block.shape[1]
    return chunks


def _statistics(blocks: Sequence[Block], sides: NDArray[np.float32]) -> Doubles:
    """Sums over each block's features of squared standardised differences, (blocks, 1 + draws)."""
    starts = np.cumsum([0, *(block.shape[1] for block in blocks)])[:-1]
    if issparse(blocks[0]):
        features: Any = csr_array(hstack(blocks, format="csr").T.astype(np.float32))
    else:
        features = np.concatenate([np.asarray(block, dtype=np.float32) for block in blocks], axis=1).T
    mean = np.asarray(features.sum(axis=1)).reshape(-1, 1) / sides.shape[0]
    sums = np.asarray(features @ sides, dtype=np.float64) - mean * sides.sum(axis=0, dtype=np.float64)
    sums -= sums[:, _MOMENTS].mean(axis=1, keepdims=True)
    squares = sums**2
    variance = squares[:, _MOMENTS].mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(variance > CONSTANT, squares / variance, 0.0)
    return np.asarray(np.add.reduceat(ratio, starts, axis=0), dtype=np.float64)


def _log_tail(statistics: Doubles) -> Doubles:
    """Minus the log of the gamma law's upper tail, with the moments of the permutations that are kept for them.

    The sides as they are stay out of both: a clear difference would widen the law that it is held against.
    """
    permuted = statistics[:, _MOMENTS]
    mean, variance = permuted.mean(axis=1, keepdims=True), permuted.var(axis=1, keepdims=True)
    flat = variance <= CONSTANT * (1 + mean**2)
    shape = mean**2 / np.where(flat, 1.0, variance)
    x = np.where(flat, 0.0, statistics * mean / np.where(flat, 1.0, variance))
    shape = np.where(shape > 0, shape, 1.0)
    tail = gammaincc(shape, x)
    with np.errstate(divide="ignore"):
        far = x - (shape - 1) * np.log(np.maximum(x, TINY)) + gammaln(shape)  # where the tail underflows
        logs = np.where(tail > 1e-280, -np.log(np.maximum(tail, TINY)), far)
    return np.asarray(np.where(flat, 0.0, logs), dtype=np.float64)
