"""Insider: what one knows who was told the membership of half of the audited rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.core.arrays import Bools, Ints

FOLDS = 2


@dataclass(frozen=True)
class KnownHalf:
    """Two insiders: each was told the membership of one half of the audited rows, and judges the other half.

    An attack learns from `told` and scores `judged`, fold by fold; so no row's own membership has a part in its score.
    The contract suite checks that: other truths in a fold must leave the scores of that fold as they are.

    Attributes:
        fold: (n,) the half, 0 or 1, in which a row is judged.
        truth: (n,) membership. Attacks read it through `told` only.
    """

    fold: Ints
    truth: Bools

    def judged(self, fold: int) -> Ints:
        """Positions of the rows that are judged in this fold."""
        return np.flatnonzero(self.fold == fold).astype(np.int64)

    def told(self, fold: int) -> tuple[Ints, Bools]:
        """What is known when this fold is judged: positions of all other rows, and their membership."""
        others = np.flatnonzero(self.fold != fold).astype(np.int64)
        return others, self.truth[others]

    def at(self, rows: Ints | Bools) -> KnownHalf:
        """The same insiders on some of the rows (positions or mask)."""
        return KnownHalf(self.fold[rows], self.truth[rows])


def halve(member: Bools, rng: np.random.Generator) -> KnownHalf:
    """Halves members and non-members at random.

    Both halves hold as many members (give or take one): otherwise an attack that learns how common members are would
    be wrong in the opposite direction on the other half, and its AUC on noise would fall below one half.

    Args:
        member: (n,) the truth.
        rng: where chance comes from.

    >>> insider = halve(np.arange(8) < 4, np.random.default_rng(0))
    >>> [int(insider.told(fold)[1].sum()) for fold in (0, 1)]
    [2, 2]
    """
    fold = np.empty(len(member), dtype=np.int64)
    for side in (True, False):
        rows = np.flatnonzero(member == side)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
    return KnownHalf(fold, np.asarray(member, dtype=np.bool_).copy())
