"""Which shadow is trained on which row.

The target's rows are drawn first and apart (`gnomon.auditing.inputs.roles`); shadows are balanced among themselves
only. Drawing both from one balanced matrix gives the membership away: on pure noise, counting a row's shadow
memberships then scores an AUC of 1.

Shadows come in pairs: the second of a pair prefers the rows that the first was not trained on, and pairs are
independent of each other. So every row is IN and OUT of nearly equally many shadows, even with very few of them, and
when shadow i plays the target in a rehearsal, leaving out its partner too leaves shadows that know nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Bools, Ints
from gnomon.core.errors import UsageError
from gnomon.core.machine import too_large


@dataclass(frozen=True)
class ShadowRows:
    """Positions that each of m shadows is trained on, and as many (where there are enough) held out to test it."""

    train: list[Ints]  # m arrays (k,), sorted
    test: list[Ints]  # m arrays (<= k,), sorted, disjoint from the training rows


def draw_shadows(
    pool: Ints, count: int, size: int, rng: np.random.Generator, groups: NDArray[Any] | None = None
) -> ShadowRows:
    """Training and test rows for shadow models, drawn from the attacker's pool.

    Args:
        pool: (p,) positions that shadows may use.
        count: number of shadows m.
        size: training rows k of each; fewer than p, so that something is left out.
        rng: source of randomness.
        groups: (p,) group ids; a shadow is then trained on whole groups (but for one that the size cuts), as a target
            whose members were drawn by group.

    Raises:
        UsageError: the pool is too small for the size, or so many shadow models don't fit in memory.
    """
    if not 0 < size < len(pool):
        raise UsageError(
            f"shadow models of {size} rows cannot be drawn from a pool of {len(pool)}: some rows must stay out; "
            "ask for smaller shadows ([shadow] size), a smaller target (train_size) or give more rows"
        )
    most = too_large(2.0 * count * size * np.dtype(np.int64).itemsize)
    if most is not None:
        raise UsageError(f"shadow.count: {count} shadow models of {size} rows: their list alone {most}; ask for fewer")
    train: list[Ints] = []
    test: list[Ints] = []
    for i in range(count):
        order = rng.permutation(len(pool))
        if groups is not None:
            _, first, group = np.unique(groups[order], return_index=True, return_inverse=True)
            order = order[np.argsort(first[group], kind="stable")]
        order = pool[order]
        if i % 2 == 1:
            seen = np.isin(order, train[-1])
            order = np.concatenate([order[~seen], order[seen]])
        chosen = order[:size]
        rest = rng.permutation(order[size:])
        train.append(np.sort(chosen))
        test.append(np.sort(rest[:size]))
    return ShadowRows(train, test)


def membership(train: Sequence[Ints], rows: Ints) -> Bools:
    """Which of the m shadows was trained on which of the n rows: (m, n)."""
    return np.stack([np.isin(rows, chosen) for chosen in train]) if train else np.zeros((0, len(rows)), bool)


RARE = 20  # rows of a class or category up to which all of them are kept, where a part of them was not enough


def redraw(
    train: Ints, pool: Ints, kept: Sequence[Ints], rng: np.random.Generator, *, whole: bool = False
) -> tuple[Ints, Ints]:
    """Other rows for a shadow that could not be trained or could not answer: rare classes and categories are kept.

    Args:
        train: (k,) positions that it was trained on; as many of them stay as can.
        pool: (p,) positions that shadows may use.
        kept: positions of each class and category; each gets at least its share of the training rows, rounded up.
        rng: source of randomness.
        whole: keep all rows of what has no more than `RARE`.

    Returns:
        Training rows (k,) and test rows (<= k,), both sorted and disjoint.

    >>> rare = np.array([0, 1])
    >>> redraw(np.array([2, 3, 4]), np.arange(6), [rare], np.random.default_rng(0))[0].size
    3
    """
    size, share = len(train), len(train) / len(pool)
    forced = np.empty(0, np.int64)
    for rows in sorted(kept, key=len):
        need = len(rows) if whole and len(rows) <= RARE else min(len(rows), math.ceil(share * len(rows)))
        order = rng.permutation(rows)
        order = order[np.argsort(~np.isin(order, train), kind="stable")]  # its own rows first
        have = int(np.isin(rows, forced).sum())
        further = order[~np.isin(order, forced)][: max(0, need - have)]
        forced = np.concatenate([forced, further])[:size]
    own = rng.permutation(train[~np.isin(train, forced)])
    chosen = np.concatenate([forced, own])[:size]
    rest = rng.permutation(pool[~np.isin(pool, chosen)])
    return np.sort(chosen), np.sort(rest[:size])
